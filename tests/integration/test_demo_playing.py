"""The demo's example calls, played by the gateway into all workers, for whoever watches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from schemas.outbound import Closed, CustomerMessage
from services.gateway import demo_playing
from tests.support.calls import CallCentre, embedded_call_centre
from tests.support.effectors import until
from tests.support.platform import events_on

EXAMPLE = "lost-card"


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[CallCentre]:
    with embedded_call_centre("memory", tmp_path) as opened:
        yield opened


def play(centre: CallCentre, **asked: Any) -> httpx.Response:
    return centre.http.post("/demo/bank/calls", json={"example": EXAMPLE, **asked})


def told(centre: CallCentre, kind: type[Any]) -> list[Any]:
    return [each.body for each in events_on(centre.platform, "chat.outbound") if isinstance(each.body, kind)]


def test_an_example_at_once_is_a_call_from_its_first_turn_to_its_results(centre: CallCentre) -> None:
    begun = play(centre, speed="at-once")
    assert begun.status_code == 201
    frames = list(_until("analysis", centre, begun.json()))
    kinds = [each["type"] for each in frames]
    assert kinds.count("message") > 20
    assert kinds.index("closed") > max(at for at, kind in enumerate(kinds) if kind == "message")


def test_who_watches_hears_on_and_once_nobody_does_the_call_is_hung_up(
    centre: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_playing, "UNWATCHED_S", 1.0)
    begun = play(centre, speed="10x").json()
    heard = 0
    for frame in centre.watched(begun["conversation_id"], token=begun["token"]):
        assert frame["type"] != "closed"
        heard += frame["type"] == "message"
        if heard == 8:  # of 32 turns in 22 seconds: longer than a call lives unwatched
            break
    until(lambda: told(centre, Closed) != [])
    assert 0 < len(told(centre, CustomerMessage)) < 14


def test_an_example_that_nobody_ever_watches_gives_its_place_back(
    centre: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_playing, "UNWATCHED_S", 0.1)
    monkeypatch.setattr(demo_playing, "MOST_AT_ONCE", 1)
    assert play(centre, speed="10x").status_code == 201
    assert play(centre, speed="10x").status_code == 429
    until(lambda: told(centre, Closed) != [])
    until(lambda: play(centre, speed="10x").status_code == 201)


def _until(kind: str, centre: CallCentre, begun: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for frame in centre.watched(begun["conversation_id"], token=begun["token"]):
        yield frame
        if frame["type"] == kind:
            return
