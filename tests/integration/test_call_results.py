"""From a finished call's file to its analysis, through the gateway's door and all workers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.calls.exporting import Exporter
from connectors.calls.vcon.writing import vcon
from schemas.base import ConversationId
from tests.support import call_files
from tests.support.calls import CallCentre, embedded_call_centre
from tests.support.effectors import until

SAID = (
    ("Agent", "Good morning, this call is recorded, how can I help you?"),
    ("Customer", "I lost my card and I am worried."),
    ("Agent", "May I have your date of birth, please? I'll send you a new card within three working days."),
    ("Customer", "That's great, thank you very much."),
)


@pytest.fixture(params=["memory", "sqlite"])
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CallCentre]:
    with embedded_call_centre(request.param, tmp_path) as opened:
        yield opened


def lost_card() -> bytes:
    """Said on Sunday, the first of March 2026."""
    call: dict[str, Any] = json.loads(json.dumps(call_files.VCON))
    call["analysis"][0]["body"] = [
        {"speaker": speaker, "message": text, "start": 4.0 * number, "end": 4.0 * number + 3}
        for number, (speaker, text) in enumerate(SAID)
    ]
    return json.dumps(call).encode()


def test_a_finished_call_has_its_analysis(centre: CallCentre) -> None:
    [taken] = centre.imports(lost_card()).json()["calls"]
    name = ConversationId(taken["conversation_id"])
    until(lambda: (row := centre.platform.store.conversation(name)) and row.status == "closed")
    *_, last = centre.frames(name, "analysis")
    found = last["analysis"]
    assert found["topics"][0]["intent"] == "card_lost"
    assert found["summary"].startswith(
        "Topic: card_lost. The customer said: “I lost my card and I am worried.”"
    )
    [promise] = found["promises"]
    assert (promise["by"], promise["due"]) == ("human_agent", "2026-03-04")
    assert {check["id"]: check["passed"] for check in found["checks"]} == {
        "greeting": True,
        "identification": True,
        "disclosure": True,
    }
    assert found["sentiment"]["customer_began"] < 0 < found["sentiment"]["customer_ended"]


def test_a_call_that_nobody_answered_is_a_conversation_without_words(centre: CallCentre) -> None:
    call = {
        **call_files.VCON,
        "dialog": [
            {"type": "incomplete", "start": "2026-03-01T09:30:00Z", "parties": [0], "disposition": "busy"}
        ],
        "analysis": [],
    }
    [taken] = centre.imports(json.dumps(call).encode()).json()["calls"]
    assert (taken["state"], taken["turns"]) == ("accepted", 0)
    name = ConversationId(taken["conversation_id"])
    on = centre.platform
    until(lambda: (row := on.store.conversation(name)) and row.status == "closed")
    frames = centre.frames(name, "closed")
    assert not [each for each in frames if each["type"] == "message"]
    assert [each["kind"] for each in frames if each["type"] == "state"] == ["incomplete"]
    exporter = Exporter(on.store, on.codec, on.configs, on.vault, on.clock)
    row = on.store.conversation(name)
    assert row is not None
    [dialog] = vcon(exporter.read(row))["dialog"]
    assert (dialog["type"], dialog["disposition"]) == ("incomplete", "busy")
