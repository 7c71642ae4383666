"""A long call in parts: each below what a record takes, none so long that others wait for it, everything in its order."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from connectors.calls.formats import read
from connectors.calls.parts import MOST_PART_BYTES, MOST_PART_ITEMS, parts_of
from connectors.calls.transcript import MOST_EVENTS, Transcript, TranscriptRefused
from schemas.call_events import TranscriptImported, TranscriptTurn
from tests.support import call_files

BEGAN = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def vcon(turns: int, events: int, **agent: Any) -> bytes:
    """A call of a second a turn, in which something happens as often as `events` says."""
    document = json.loads(json.dumps(call_files.VCON))
    document["parties"][1] |= agent
    document["dialog"][0]["party_history"] = [
        {
            "party": number % 2,
            "event": "unhold" if number % 2 else "hold",
            "time": (BEGAN + timedelta(milliseconds=number * 1_000 * turns // events)).isoformat(),
        }
        for number in range(events)
    ]
    document["analysis"][0]["body"] = [
        {"speaker": "Customer" if n % 2 else "Agent", "message": f"word {n}", "start": n, "end": n + 0.5}
        for n in range(turns)
    ]
    return json.dumps(document).encode()


def parts(call: Transcript) -> list[TranscriptImported]:
    masked = [
        TranscriptTurn(speaker=each.speaker, text=each.text, start_ms=each.start_ms, end_ms=each.end_ms)
        for each in call.turns
    ]
    return parts_of(call, masked, "en")


def test_no_part_holds_more_than_two_hundred_turns_and_events_and_all_are_in_order() -> None:
    made = parts(read(vcon(900, 300))[0])
    assert [len(each.turns) + len(each.events) for each in made] == [MOST_PART_ITEMS] * 6
    assert [(each.part, each.parts) for each in made] == [(number, 6) for number in range(1, 7)]
    assert [turn.text for each in made for turn in each.turns] == [f"word {n}" for n in range(900)]
    assert sum(len(each.events) for each in made) == 300
    for before, after in pairwise(made):
        assert before.turns[-1].start_ms <= min(after.turns[0].start_ms, after.events[0].at_ms)
        assert before.events[-1].at_ms <= after.turns[0].start_ms


def test_events_count_among_a_parts_bytes() -> None:
    document = json.loads(vcon(400, 1))
    document["parties"][1] |= {"name": "客" * 200, "mailto": "\x01" * 128}
    transfers = [
        {
            "type": "transfer",
            "start": BEGAN.isoformat(),
            "parties": [0, 1],
            "transferee": 0,
            "transfer_target": 1,
        }
        for _ in range(1_000)
    ]
    document["dialog"] += transfers
    made = parts(read(json.dumps(document).encode())[0])
    assert sum(len(each.events) for each in made) == 1_001
    assert all(len(each.model_dump_json().encode()) < MOST_PART_BYTES + 100_000 for each in made)


def test_more_events_than_are_allowed_are_refused_by_their_name() -> None:
    assert len(read(vcon(10, MOST_EVENTS))[0].events) == MOST_EVENTS
    with pytest.raises(
        TranscriptRefused, match="party_history: 20,000 events of one call; allowed are 2,000"
    ):
        read(vcon(10, 20_000))


def test_no_name_and_no_word_of_a_call_has_a_nul() -> None:
    document = json.loads(vcon(2, 1, name="J\x00o", mailto="jo\x00@bank.example", tel="\x001"))
    document["dialog"].append(
        {"type": "incomplete", "start": BEGAN.isoformat(), "parties": [0, 1], "disposition": "bu\x00sy"}
    )
    [call] = read(json.dumps(document).encode())
    assert "\x00" not in repr(call) and "\\x00" not in repr(call)
    assert call.parties[1].name == "J\ufffdo"
