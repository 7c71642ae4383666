"""What calls become in the log: within the limits of their events, told apart from others of their id, and whole."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from connectors.calls.book import CallBook, Opening, Segment
from connectors.calls.formats import read
from parley.backends.memory_bus import MemoryBus
from schemas.base import TenantId
from schemas.call_events import CallSegmentHeard, TranscriptImported
from schemas.privacy import MaskPattern, Privacy
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import CONFIG, CONTENT, TENANT
from workers.wiring import Platform

OPENING = Opening("call-1", "test", datetime(2026, 11, 23, 9, 0, tzinfo=UTC), "mei", "Mei", "en")
POLICY = MaskPattern(name="policy_reference", regex="P[0-9]{5}")


@pytest.fixture
def on() -> Iterator[Platform]:
    made = make_platform(MemoryBus())
    yield made
    made.close()


@pytest.fixture
def book(on: Platform) -> Iterator[CallBook]:
    made = CallBook(on, TenantId(TENANT))
    yield made
    made.close()


def said(text: str, name: str = "s1", *, start_ms: int = 0) -> Segment:
    return Segment(name, "customer", text, True, start_ms, start_ms + 900)


def test_texts_that_masking_makes_longer_than_their_events_are_cut(on: Platform) -> None:
    config = CONFIG.model_copy(update={"privacy": Privacy(patterns=(POLICY,))})
    on.store.put("1" * 16, config, CONTENT, datetime.now(UTC))
    book = CallBook(on, TenantId(TENANT))
    text = " ".join(f"P{number:05}" for number in range(2_300))
    book.begin(OPENING).hear(said(f"um {text[:1_900]}"))
    [whole] = read(json.dumps({"id": "f", "turns": [{"role": "caller", "text": f"um {text}"}]}).encode())
    book.take(whole)
    book.close()
    bodies = [event.body for event in events_on(on, "call.events")]
    [heard] = [each for each in bodies if isinstance(each, CallSegmentHeard)]
    [turn] = [turn for each in bodies if isinstance(each, TranscriptImported) for turn in each.turns]
    for cut, most in ((heard.text, 4_000), (turn.text, 16_384), (turn.original or "", 16_384)):
        assert most - 40 < len(cut) <= most
        assert cut.endswith("]…")
