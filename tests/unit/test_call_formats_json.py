"""Recognisers' JSON to the common form: who, what, when, and what is refused."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.calls.formats import FORMS, read
from connectors.calls.transcript import Transcript, TranscriptRefused
from tests.support import call_files as files


def one(document: Any, **options: Any) -> Transcript:
    (call,) = read(json.dumps(document).encode(), **options)
    return call


def lines(call: Transcript) -> list[tuple[str, str, int, int]]:
    return [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in call.turns]


@pytest.mark.parametrize("form", sorted(FORMS))
def test_every_form_is_told_by_its_content(form: str) -> None:
    (call,) = read(files.FILES[form])
    assert call.source == form
    assert {turn.speaker for turn in call.turns} == {"customer", "human_agent"}
    assert call == read(files.FILES[form], form=form)[0]


def test_call_analytics() -> None:
    call = one(files.CALL_ANALYTICS)
    assert lines(call) == [
        ("human_agent", "Good morning, how can I help you?", 500, 2000),
        ("customer", "I lost my card, [PII].", 2400, 4000),
    ]
    assert (call.call_id, call.language, call.redacted, call.turns[0].confidence) == (
        "lost-card",
        "en-US",
        True,
        0.8,
    )


def test_contact_lens_takes_whole_segments_and_the_later_of_two_with_one_id() -> None:
    later = {**files.CONNECT["Segments"][1]["Transcript"], "Content": "Good morning!"}
    call = one({**files.CONNECT, "Segments": [*files.CONNECT["Segments"], {"Transcript": later}]})
    assert [turn.text for turn in call.turns] == ["Good morning!", "I lost my card."]
    assert [party.label for party in call.parties] == ["p1", "p2"]
    assert call.call_id == "contact-7"


def test_the_events_of_a_contact_lens_stream_are_one_call() -> None:
    segments = files.CONNECT["Segments"]
    events = [
        {"EventType": "STARTED", "ContactId": "c", "LanguageCode": "en-US"},
        {"EventType": "SEGMENTS", "ContactId": "c", "Segments": segments[:2]},
        {"EventType": "SEGMENTS", "ContactId": "c", "Segments": segments[2:]},
    ]
    as_lines = "\n".join(json.dumps(event) for event in events).encode()
    for data in (json.dumps(events).encode(), as_lines):
        (call,) = read(data)
        assert (call.call_id, call.language, len(call.turns)) == ("c", "en-US", 2)


def test_contact_lens_times_of_a_clock() -> None:
    def segment(number: int, role: str, time: str) -> dict[str, Any]:
        entry = {
            "Id": str(number),
            "ParticipantId": role,
            "ParticipantRole": role,
            "Content": "Yes.",
            "Time": {"AbsoluteTime": time},
        }
        return {"Transcript": entry}

    call = one(
        {
            "Segments": [
                segment(1, "CUSTOMER", "2026-03-01T10:00:02.5Z"),
                segment(2, "AGENT", "2026-03-01T10:00:00Z"),
            ]
        }
    )
    assert call.started_at == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert [(turn.speaker, turn.start_ms) for turn in call.turns] == [("human_agent", 0), ("customer", 2500)]


def test_transcribe_joins_words_and_punctuation_by_speaker() -> None:
    call = one(files.TRANSCRIBE, speakers={"spk_0": "human_agent"})
    assert lines(call) == [("human_agent", "Hello.", 500, 1000), ("customer", "Lost it.", 1200, 1800)]
    assert call.turns[0].confidence == 0.8  # punctuation's 0 does not count


def test_transcribe_of_older_times_names_speakers_apart_from_the_words() -> None:
    results = json.loads(json.dumps(files.TRANSCRIBE["results"]))
    items = [
        {key: value for key, value in item.items() if key != "speaker_label"} for item in results["items"]
    ]
    spoken = [item for item in results["items"] if "start_time" in item]
    labels = [{"speaker_label": item["speaker_label"], "items": [item]} for item in spoken]
    call = one({"results": {**results, "items": items, "speaker_labels": {"segments": labels}}})
    assert [turn.text for turn in call.turns] == ["Hello.", "Lost it."]


def test_transcribe_by_channels_keeps_speech_that_overlaps() -> None:
    def channel(name: str, words: list[tuple[str, str, str]]) -> dict[str, Any]:
        return {
            "channel_label": name,
            "items": [
                {"start_time": start, "end_time": end, "alternatives": [{"content": word}]}
                for word, start, end in words
            ],
        }

    agent = channel(
        "ch_0", [("How", "0.0", "0.2"), ("can", "0.2", "0.4"), ("I", "0.4", "0.5"), ("help", "0.5", "1.5")]
    )
    customer = channel("ch_1", [("My", "1.0", "1.2"), ("card", "1.2", "1.6")])
    call = one({"results": {"items": [], "channel_labels": {"channels": [customer, agent]}}})
    assert lines(call) == [("human_agent", "How can I help", 0, 1500), ("customer", "My card", 1000, 1600)]


def test_transcribe_with_audio_segments() -> None:
    segment = {
        "transcript": "How can I help?",
        "start_time": "1.0",
        "end_time": "2.0",
        "speaker_label": "spk_0",
    }
    call = one({"results": {"items": [], "audio_segments": [segment]}})
    assert lines(call) == [("human_agent", "How can I help?", 1000, 2000)]


def test_google_v2_words_by_speaker() -> None:
    call = one(files.SPEECH)
    assert [(turn.text, turn.start_ms, turn.end_ms) for turn in call.turns] == [
        ("Hello", 0, 700),
        ("lost it", 1500, 2100),
    ]
    assert call.language == "en-US"


def test_google_v1_repeats_everything_in_its_last_result() -> None:
    def word(text: str, at: int, tag: int | None) -> dict[str, Any]:
        return {
            "word": text,
            "startTime": f"{at}s",
            "endTime": f"{at}.5s",
            **({} if tag is None else {"speakerTag": tag}),
        }

    said = [("how", 1), ("may", 1), ("we", 1), ("help", 1), ("lost", 2), ("card", 2)]
    untagged = {"alternatives": [{"words": [word(text, at, None) for at, (text, _) in enumerate(said)]}]}
    tagged = {"alternatives": [{"words": [word(text, at, tag) for at, (text, tag) in enumerate(said)]}]}
    assert [(turn.speaker, turn.text) for turn in one({"results": [untagged, tagged]}).turns] == [
        ("human_agent", "how may we help"),
        ("customer", "lost card"),
    ]


def test_google_channels_and_chinese_words() -> None:
    def result(channel: int, words: str, at: int) -> dict[str, Any]:
        listed = [
            {"word": f"▁{word}", "startTime": f"{at}s", "endTime": {"seconds": str(at), "nanos": 500_000_000}}
            for word in words
        ]
        return {"channelTag": channel, "languageCode": "cmn-Hans-CN", "alternatives": [{"words": listed}]}

    call = one({"results": [result(2, "我的卡丢了", 4), result(1, "请问有什么可以帮您", 1)]})
    assert lines(call) == [
        ("human_agent", "请问有什么可以帮您", 1000, 1500),
        ("customer", "我的卡丢了", 4000, 4500),
    ]
    assert [party.label for party in call.parties] == ["channel 2", "channel 1"]


def test_google_batches_of_files_are_a_call_each() -> None:
    results = files.SPEECH["results"]
    document = {
        "results": {
            "gs://a": {"transcript": {"results": results}},
            "gs://b": {"inlineResult": {"transcript": {"results": results}}},
        }
    }
    assert [call.call_id for call in read(json.dumps(document).encode())] == ["gs://a", "gs://b"]


def test_insights_entries_are_put_in_order() -> None:
    call = one(files.INSIGHTS)
    assert [(turn.speaker, turn.start_ms) for turn in call.turns] == [("human_agent", 0), ("customer", 2400)]
    assert call.started_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def test_azure_ticks_durations_and_what_was_not_recognised() -> None:
    call = one(files.AZURE)
    assert lines(call) == [
        ("human_agent", "Good morning, how can I help you?", 500, 2000),
        ("customer", "i lost my card", 2400, 4000),
    ]
    assert call.language == "en-GB"
    fast = {"phrases": [{"channel": 0, "offsetMilliseconds": 40, "durationMilliseconds": 60, "text": "Hi."}]}
    assert lines(one(fast)) == [("customer", "Hi.", 40, 100)]


def test_twilio_channels_by_their_participants() -> None:
    call = one(files.TWILIO)
    assert [(turn.speaker, turn.start_ms) for turn in call.turns] == [
        ("human_agent", 500),
        ("customer", 2400),
    ]
    assert (call.call_id, call.turns[0].confidence, call.turns[1].confidence) == ("GT123", 0.9, None)


def test_deepgram_words_without_utterances() -> None:
    words = [
        {"word": "how", "punctuated_word": "How", "start": 0.1, "end": 0.2, "speaker": 0},
        {"word": "may i help", "start": 0.2, "end": 0.4, "speaker": 0},
        {"word": "lost", "punctuated_word": "Lost.", "start": 1.0, "end": 1.2, "speaker": 1},
    ]
    call = one(
        {
            "results": {
                "channels": [
                    {"detected_language": "en", "alternatives": [{"transcript": "", "words": words}]}
                ]
            }
        }
    )
    assert lines(call) == [("human_agent", "How may i help", 100, 400), ("customer", "Lost.", 1000, 1200)]


@pytest.mark.parametrize(
    "turn",
    [
        {"speaker": "Agent", "text": "Hi", "start": 1.5, "end": 2},
        {"role": "agent", "content": "Hi", "start_ms": 1500, "end_ms": 2000},
        {"speaker": {"name": "Agent"}, "message": "Hi", "offset_ms": 1500, "duration_ms": 500},
        {"speaker_role": "agent", "transcript": "Hi", "start": "1.5", "duration": 0.5},
    ],
)
def test_turns_under_the_names_that_tools_give(turn: dict[str, Any]) -> None:
    for document in ([turn], {"segments": [turn]}, {"messages": [turn]}):
        assert lines(one(document)) == [("human_agent", "Hi", 1500, 2000)]


def test_a_file_of_several_calls() -> None:
    as_list = json.dumps([files.TURNS, files.TWILIO]).encode()
    as_lines = f"{json.dumps(files.TURNS)}\n{json.dumps(files.TWILIO)}\n".encode()
    for data in (as_list, as_lines):
        assert [(call.call_id, call.source) for call in read(data)] == [("c1", "turns"), ("GT123", "twilio")]


def test_lines_that_are_a_turn_each_are_one_call() -> None:
    (call,) = read(b'{"speaker": "Agent", "text": "Hi"}\n{"speaker": "Customer", "text": "Ho"}\n')
    assert [turn.text for turn in call.turns] == ["Hi", "Ho"]


def test_a_call_without_an_id_has_its_contents() -> None:
    turns = [{"speaker": "Agent", "text": "Hi"}]
    assert one(turns).call_id == one(turns, name="other.json").call_id
    assert one(turns).call_id != one([{"speaker": "Agent", "text": "Ho"}]).call_id


def changed(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    copy = json.loads(json.dumps(document))
    holder = copy
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return copy


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (
            changed(files.CALL_ANALYTICS, ("Transcript", 1, "BeginOffsetMillis"), -1),
            r"Transcript\[1\]\.BeginOffsetMillis must be a time",
        ),
        (
            changed(files.CALL_ANALYTICS, ("Transcript", 1, "Content"), 7),
            r"Transcript\[1\]\.Content must be a text",
        ),
        (
            changed(files.TRANSCRIBE, ("results", "items", 2, "start_time"), "-3"),
            r"results\.items\[2\]\.start_time must be",
        ),
        (
            changed(files.TRANSCRIBE, ("results", "items", 1, "alternatives"), []),
            r"items\[1\]\.alternatives must hold at least one",
        ),
        (
            changed(files.SPEECH, ("results", 0, "alternatives", 0, "words", 1, "endOffset"), "soon"),
            r"words\[1\]\.endOffset must be",
        ),
        (
            changed(files.INSIGHTS, ("entries", 0, "start_timestamp_usec"), 10**30),
            r"entries\[0\]\.start_timestamp_usec must be",
        ),
        (
            changed(files.AZURE, ("recognizedPhrases", 1, "offset"), "2 s"),
            r"recognizedPhrases\[1\]\.offset must be a duration",
        ),
        (changed(files.TWILIO, ("sentences", 0, "end_time"), True), r"sentences\[0\]\.end_time must be"),
        (
            changed(files.TURNS, ("turns", 1), {"role": "agent"}),
            r"turns\[1\] must have its text under one of text, content",
        ),
        (changed(files.TURNS, ("turns", 1), "Agent: hi"), r"turns\[1\] must be an object"),
        ({"anything": 1}, r"known are: vcon \("),
        ([], r"no call was found"),
        ({"turns": [{"role": "agent", "text": "  "}]}, r"no turn with a text"),
    ],
)
def test_what_is_refused_is_named(document: Any, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(document)


def test_numbers_that_are_none_are_named_by_their_line() -> None:
    with pytest.raises(TranscriptRefused, match=r"call\.json: the file is no JSON: .*line 1 column \d+"):
        read(b'{"turns": [{"text": "hi", "start": NaN}]}', name="call.json")


def test_deep_documents_are_refused() -> None:
    with pytest.raises(TranscriptRefused, match="depth limit"):
        read(b'{"turns":' + b"[" * 100_000)


def test_limits() -> None:
    turn = {"speaker": "Agent", "text": "Hi"}
    assert len(one([turn] * 20_000).turns) == 20_000
    with pytest.raises(TranscriptRefused, match=r"\[20000\]: more than 20,000 turns"):
        one([turn] * 20_001)
    assert len(one([{"speaker": f"p{number}", "text": "Hi"} for number in range(100)]).parties) == 100
    with pytest.raises(TranscriptRefused, match="more than 100 parties"):
        one([{"speaker": f"p{number}", "text": "Hi"} for number in range(101)])


def test_a_form_that_does_not_exist() -> None:
    with pytest.raises(TranscriptRefused, match=r"form 'genesys' does not exist; allowed are vcon, .*csv"):
        read(b"{}", form="genesys")
    with pytest.raises(TranscriptRefused, match="must be an object to be vCon"):
        read(b"[1]", form="vcon")


def test_long_turns_are_split_at_sentence_ends() -> None:
    sentence = "I would like to know more about it. "
    call = one([{"speaker": "Customer", "text": sentence * 1_000, "start": 0, "end": 3_600}])
    assert len(call.turns) == 3
    assert "".join(turn.original + " " for turn in call.turns) == sentence * 1_000
    assert all(turn.original.endswith(".") and len(turn.original) <= 16_384 for turn in call.turns)
    ends = [turn.end_ms for turn in call.turns]
    assert [turn.start_ms for turn in call.turns] == [0, *ends[:-1]] and ends[-1] == 3_600_000
    assert [len(turn.original) for turn in one([{"speaker": "c", "text": "x" * 20_000}]).turns] == [
        16_384,
        3_616,
    ]


def test_ends_before_starts_and_turns_without_times() -> None:
    turns = [
        {"speaker": "Agent", "text": "One", "start": 5, "end": 1},
        {"speaker": "Customer", "text": "Two"},
        {"speaker": "Agent", "text": "Zero", "start": 1, "end": 2},
    ]
    assert [(turn.text, turn.start_ms, turn.end_ms) for turn in one(turns).turns] == [
        ("Zero", 1000, 2000),
        ("One", 5000, 5000),
        ("Two", 5000, 5000),
    ]
    assert one(turns).timed and not one([{"speaker": "Agent", "text": "Hi"}]).timed
