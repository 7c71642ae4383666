"""Recognisers' JSON in the spellings and versions beside the usual ones: Google's, Azure's, Twilio's."""

import json
from typing import Any

import pytest

from connectors.calls.formats import read
from connectors.calls.transcript import Transcript, TranscriptRefused
from tests.support import call_files


def one(document: Any) -> Transcript:
    (call,) = read(json.dumps(document).encode())
    return call


def lines(call: Transcript) -> list[tuple[str, str, int, int]]:
    return [(turn.speaker, turn.text, turn.start_ms, turn.end_ms) for turn in call.turns]


# -- Google -------------------------------------------------------------------------------------------------------------


def result(text: str, end: str, channel: int, **fields: Any) -> dict[str, Any]:
    said = {"transcript": text, **fields}
    return {"alternatives": [said], "resultEndTime": end, "channelTag": channel}


def test_results_without_times_of_words_begin_where_others_end() -> None:
    results = [
        result("thanks for calling", "3.200s", 1),
        result("I lost my card", "60.2s", 2),
        {"resultEndTime": "62s", "channelTag": 1},
        result("one moment", "65s", 1),
    ]
    expected = [
        ("human_agent", "thanks for calling", 0, 3_200),
        ("customer", "I lost my card", 3_200, 60_200),
        ("human_agent", "one moment", 62_000, 65_000),
    ]
    assert lines(one({"results": results})) == expected
    assert lines(one({"results": [results[1], results[0], *results[2:]]})) == expected


def test_words_without_times_are_within_their_result() -> None:
    def spoken(text: str, tag: int) -> list[dict[str, Any]]:
        return [{"word": text, "speakerTag": tag}]

    first, second = spoken("thanks", 1), spoken("lost", 2) + spoken("sorry", 1)
    results = [result("", "3s", 0, words=first), result("", "5s", 0, words=second)]
    assert [(turn.text, turn.start_ms, turn.end_ms) for turn in one({"results": results}).turns] == [
        ("thanks", 0, 3_000),
        ("lost", 3_000, 3_000),
        ("sorry", 3_000, 5_000),
    ]
    whole = [results[0], result("", "5s", 0, words=first + second)]
    assert [turn.text for turn in one({"results": whole}).turns] == ["thanks", "lost", "sorry"]


def test_googles_fields_in_snake_case() -> None:
    words = [
        {"word": "how can I help", "start_time": "0.1s", "end_time": "1s", "speaker_tag": 1},
        {"word": "lost card", "start_time": {"seconds": 2}, "end_time": "3s", "speaker_tag": 2},
    ]
    results = [{"language_code": "en-us", "channel_tag": 1, "alternatives": [{"words": words}]}]
    call = one({"results": results})
    assert lines(call) == [
        ("human_agent", "how can I help", 100, 1_000),
        ("customer", "lost card", 2_000, 3_000),
    ]
    assert call.language == "en-US"
    words_2 = [{"word": "lost", "end_offset": "3s", "speaker_label": "2"}]
    held = {"inline_result": {"transcript": {"results": [{"alternatives": [{"words": words_2}]}]}}}
    (call,) = read(json.dumps({"results": {"gs://a": held}}).encode())
    assert (lines(call)[0][2:], call.parties[0].label, call.call_id) == ((0, 3_000), "speaker 2", "gs://a")
    bad = json.loads(json.dumps({"results": results}))
    bad["results"][0]["alternatives"][0]["words"][0]["start_time"] = "soon"
    with pytest.raises(TranscriptRefused, match=r"words\[0\]\.start_time must be"):
        one(bad)


# -- Azure --------------------------------------------------------------------------------------------------------------

RESULTS = [
    {
        "RecognitionStatus": "Success",
        "DisplayText": "Thanks for calling.",
        "Offset": 5_000_000,
        "Duration": 15_000_000,
        "SpeakerId": "spk-1",
        "PrimaryLanguage": {"Language": "en-US"},
        "NBest": [{"Confidence": 0.9, "Display": "Thanks for calling."}],
    },
    {"RecognitionStatus": "InitialSilenceTimeout", "Offset": 21_000_000, "Duration": 0},
    {"RecognitionStatus": "Success", "DisplayText": "I lost it.", "Offset": 24_000_000, "SpeakerId": "spk-2"},
]
SAID = [("human_agent", "Thanks for calling.", 500, 2_000), ("customer", "I lost it.", 2_400, 2_400)]


def test_azures_conversation_transcription() -> None:
    as_lines = "\n".join(json.dumps(each) for each in RESULTS)
    for data in (json.dumps(RESULTS), as_lines):
        (call,) = read(data.encode())
        assert (call.source, call.language, lines(call)) == ("azure_speech", "en-US", SAID)
        assert (call.turns[0].confidence, call.parties[0].label) == (0.9, "spk-1")
    assert lines(one(RESULTS[0]))[0][1:] == SAID[0][1:]
    with pytest.raises(TranscriptRefused, match=r"\[2\]\.Offset must be a time"):
        one([*RESULTS[:2], {**RESULTS[2], "Offset": -1}])


def audio(name: str, *numbers: int, **fields: Any) -> dict[str, Any]:
    kept = ("RecognitionStatus", "Offset", "Duration")
    segments = [
        {
            **{key: RESULTS[each].get(key) for key in kept},
            **fields,
            "NBest": [{"Display": SAID[each // 2][1]}],
        }
        for each in numbers
    ]
    return {"AudioFileName": name, "SegmentResults": segments}


def test_azures_version_2_with_a_file_for_each_channel() -> None:
    call = one({"AudioFileResults": [audio("Channel.0.wav", 0, 1), audio("Channel.1.wav", 2)]})
    assert lines(call) == SAID
    assert [party.label for party in call.parties] == ["channel 0", "channel 1"]
    both = audio("call.wav", 0, SpeakerId=1), audio("other.wav", 2, ChannelNumber=1)
    calls = read(json.dumps({"AudioFileResults": both}).encode())
    assert [(each.parties[0].label, len(each.turns)) for each in calls] == [("1", 1), ("channel 1", 1)]


# -- Twilio -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("meta", "named"),
    [
        (
            {"page": 0, "page_size": 50, "next_page_url": "https://x.example/?Page=1"},
            r"meta\.next_page_url: page 1 is missing; allowed: one document with the sentences of all pages",
        ),
        ({"page": 2, "page_size": 50, "next_page_url": None}, r"meta\.page is 2: page 0 is missing"),
    ],
)
def test_a_page_of_twilios_is_no_call(meta: dict[str, Any], named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one({**call_files.TWILIO, "meta": meta})


def test_all_pages_of_twilios_together_are_one() -> None:
    for meta in ({"page": 0, "page_size": 50, "next_page_url": None}, {"page": 1, "page_size": 1}):
        assert len(one({**call_files.TWILIO, "meta": meta}).turns) == 2


def test_twilios_text_of_a_recording() -> None:
    document = {
        "sid": "TR1",
        "status": "completed",
        "duration": "12",
        "transcription_text": "I lost my card.",
    }
    call = one(document)
    assert (call.source, call.call_id, lines(call)) == (
        "twilio",
        "TR1",
        [("customer", "I lost my card.", 0, 12_000)],
    )
    with pytest.raises(TranscriptRefused, match="transcription_text is empty, and status is no completed"):
        one({**document, "status": "failed", "transcription_text": None})
