"""JSON with a list of turns: the names of its fields, what its times count, and who speaks."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.calls.formats import read
from connectors.calls.transcript import Transcript, TranscriptRefused


def one(document: Any) -> Transcript:
    (call,) = read(json.dumps(document).encode())
    return call


def lines(call: Transcript) -> list[tuple[str, str, int, int]]:
    return [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in call.turns]


CUSTOMER_FIRST = [("customer", "card lost", 1_500, 2_000), ("human_agent", "ok", 3_000, 3_500)]


@pytest.mark.parametrize(
    ("who", "start", "end"),
    [
        ("participantRole", "beginOffsetMillis", "endOffsetMillis"),
        ("speakerRole", "startMs", "endMs"),
        ("ParticipantRole", "BeginOffsetMillis", "EndOffsetMillis"),
        ("role", "offset_milliseconds", "end_time_ms"),
    ],
)
def test_fields_in_any_spelling(who: str, start: str, end: str) -> None:
    said = [("CUSTOMER", "card lost", 1500, 2000), ("AGENT", "ok", 3000, 3500)]
    turns = [{who: side, "content": text, start: begin, end: done} for side, text, begin, done in said]
    assert lines(one({"turns": turns})) == CUSTOMER_FIRST


def test_a_role_decides_whatever_labels_the_turn() -> None:
    turns = [
        {"channel": 0, "speaker": "spk_0", "role": "customer", "text": "card lost"},
        {"channel": 0, "speaker": "spk_1", "role": "agent", "text": "ok"},
    ]
    assert [turn.speaker for turn in one(turns).turns] == ["customer", "human_agent"]
    of_one_channel = [{key: value for key, value in turn.items() if key != "speaker"} for turn in turns]
    assert [turn.speaker for turn in one(of_one_channel).turns] == ["customer", "human_agent"]


def test_clocks_without_a_date() -> None:
    turns = [
        {"role": "customer", "text": "card lost", "start": "00:00:01.500", "end": "00:02"},
        {"role": "agent", "text": "ok", "start": "0:03", "end": "00:00:03,5"},
    ]
    assert lines(one(turns)) == CUSTOMER_FIRST
    with pytest.raises(TranscriptRefused, match=r"\[0\]\.start: a time must read like 00:01:02"):
        one([{"role": "agent", "text": "ok", "start": "00:61:00"}])


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_numbers_since_1970_in_whatever_unit(unit: int) -> None:
    turns = [
        {"role": "agent", "text": "ok", "timestamp": 1_780_000_003 * unit},
        {"role": "customer", "text": "card lost", "timestamp": 1_780_000_000 * unit},
    ]
    call = one(turns)
    assert call.started_at == datetime(2026, 5, 28, 20, 26, 40, tzinfo=UTC)
    assert [(turn.text, turn.start_ms) for turn in call.turns] == [("card lost", 0), ("ok", 3_000)]
    begun = one({"turns": turns[:1], "started_at": 1_780_000_000 * unit})
    assert (begun.started_at, begun.turns[0].start_ms) == (call.started_at, 3_000)


def test_assemblyais_utterances_are_in_milliseconds() -> None:
    utterances = [
        {"speaker": "A", "text": "Thanks for calling.", "start": 250, "end": 26_950, "confidence": 0.9},
        {"speaker": "B", "text": "I lost my card.", "start": 27_000, "end": 29_500, "confidence": 0.8},
    ]
    told = {
        "id": "a-1",
        "language_code": "en_us",
        "audio_url": "https://x.example/1.wav",
        "audio_duration": 30,
    }
    call = one({**told, "utterances": utterances})
    assert lines(call) == [
        ("human_agent", "Thanks for calling.", 250, 26_950),
        ("customer", "I lost my card.", 27_000, 29_500),
    ]
    assert (call.call_id, call.language) == ("a-1", "en-US")
    assert lines(one({"utterances": utterances})) == lines(call)


def test_others_utterances_are_in_seconds() -> None:
    turn = {"speaker": "A", "text": "Hi", "start": 2, "end": 3}
    for turns in ([turn], [turn, {**turn, "end": 7.5}], [turn, {"speaker": "B", "text": "Ho"}]):
        assert one({"utterances": turns}).turns[0].start_ms == 2_000
