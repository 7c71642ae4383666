"""vCons: parties, dialogs of every type, transcripts in `analysis`, events, and what is refused."""

import base64
import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.calls.formats import read
from connectors.calls.transcript import CallEvent, Party, Prior, Transcript, TranscriptRefused
from tests.support import call_files as files

NINE = "2026-03-01T09:00:00Z"
PARTIES = [
    {"name": "Mira Holt", "role": "customer"},
    {"name": "Jo Lind", "role": "agent"},
    {"name": "Kim Roe", "role": "agent"},
]
RECORDING = {"type": "recording", "start": NINE, "parties": [0, 1], "url": "https://x.example/1.wav"}


def vcon(**fields: Any) -> Any:
    return {"uuid": "u-1", "created_at": NINE, "parties": PARTIES, "dialog": [], **fields}


def one(document: Any) -> Transcript:
    (call,) = read(json.dumps(document).encode())
    return call


def message(text: str, second: int, party: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "type": "text",
        "start": f"2026-03-01T09:00:{second:02}Z",
        "parties": [party, 1 - party],
        "body": text,
        **fields,
    }


def transcript(body: Any, dialog: Any = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "transcript", "dialog": dialog, "vendor": "v", "encoding": "json", "body": body, **fields}


def said(call: Transcript) -> list[tuple[int, str, int]]:
    return [(turn.party, turn.text, turn.start_ms) for turn in call.turns]


def test_a_recording_with_its_transcript() -> None:
    call = one(files.VCON)
    assert call.parties == (
        Party("party 0", "customer", "Mira Holt", tel="+15550100"),
        Party("party 1", "human_agent", "Jo Lind", mailto="jo@bank.example"),
    )
    assert said(call) == [(1, "Good morning, how can I help you?", 500), (0, "I lost my card.", 2400)]
    assert call.started_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert call.call_id == files.VCON["uuid"] and not call.redacted and call.signature is None


def test_events_without_the_keys_that_were_pressed() -> None:
    assert one(files.VCON).events == (
        CallEvent("hold", 5_000, 1),
        CallEvent("resumed", 9_000, 1),
        CallEvent("hang_up", 20_000, 0),
    )


def test_messages_are_sorted_by_their_start_and_come_once() -> None:
    second = message("Second", 9, message_id="m2")
    call = one(
        vcon(
            dialog=[
                second,
                message("First", 5, party=1, message_id="m1"),
                second,
                message("Third", 9, message_id="m2"),
            ]
        )
    )
    assert said(call) == [(1, "First", 0), (0, "Second", 4_000), (0, "Third", 4_000)]


def test_a_messages_duration_is_its_end() -> None:
    call = one(
        vcon(dialog=[message("Hello.", 1, duration=2.5), message("Hi.", 2, duration=0), message("So.", 3)])
    )
    assert [(turn.start_ms, turn.end_ms) for turn in call.turns] == [
        (0, 2_500),
        (1_000, 1_000),
        (2_000, 2_000),
    ]


def test_an_originator_goes_before_the_first_party() -> None:
    assert said(one(vcon(dialog=[message("Hi", 0, originator=1)]))) == [(1, "Hi", 0)]


def test_transfers_and_calls_that_came_to_nothing() -> None:
    dialogs = [
        message("Hi", 0),
        {
            "type": "transfer",
            "start": "2026-03-01T09:01:00Z",
            "transferee": 0,
            "transferor": 1,
            "transfer_target": 2,
            "original": 0,
        },
        {"type": "incomplete", "start": "2026-03-01T09:02:00Z", "disposition": "no-answer"},
        {"type": "incomplete", "start": "2026-03-01T09:03:00Z", "disposition": "hung-up"},
    ]
    assert one(vcon(dialog=dialogs)).events == (
        CallEvent("transfer", 60_000, 0, (2,)),
        CallEvent("incomplete", 120_000, detail="no-answer"),
        CallEvent("hang_up", 180_000, detail="hung-up"),
    )


def test_two_legs_of_a_call_each_with_its_transcript() -> None:
    second = {**RECORDING, "start": "2026-03-01T09:01:00Z", "parties": [0, 2]}
    legs = [
        transcript([{"speaker": "Kim Roe", "text": "Kim here", "start": 1}], 1),
        transcript([{"speaker": "Jo Lind", "text": "Jo here"}]),
    ]
    assert said(one(vcon(dialog=[RECORDING, second], analysis=legs))) == [
        (1, "Jo here", 0),
        (2, "Kim here", 61_000),
    ]


@pytest.mark.parametrize(
    "body",
    [
        [{"parties": 1, "start": "2026-03-01T09:00:02+00:00", "duration": 1.5, "text": "Hello"}],
        [{"speaker": "agent", "message": "Hello", "start": 2}],
        {
            "segments": [{"speaker": "0", "text": "Hello", "start": 2.0}],
            "speakers": {"0": {"id": "0", "label": "Jo Lind"}},
        },
        {"Transcript": [{"ParticipantRole": "AGENT", "Content": "Hello", "BeginOffsetMillis": 2000}]},
        "WEBVTT\n\n00:02.000 --> 00:03.000\n<v Jo Lind>Hello",
        "[00:02] Jo Lind: Hello",
        json.dumps([{"speaker": "Jo Lind", "text": "Hello", "start": 2}]),
    ],
)
def test_transcripts_of_every_shape_find_their_party(body: Any) -> None:
    parties = PARTIES[:2]
    encoding = "none" if isinstance(body, str) else "json"
    assert said(
        one(vcon(parties=parties, dialog=[RECORDING], analysis=[transcript(body, encoding=encoding)]))
    ) == [(1, "Hello", 2_000)]
    if isinstance(body, str):
        encoded = base64.urlsafe_b64encode(body.encode()).rstrip(b"=").decode()
        again = vcon(
            parties=parties, dialog=[RECORDING], analysis=[transcript(encoded, encoding="base64url")]
        )
        assert said(one(again)) == [(1, "Hello", 2_000)]


def test_speakers_that_no_party_is_are_parties_of_their_own() -> None:
    words = [{"word": "hello", "start": 0, "end": 1, "speaker": 0}]
    body = {"results": {"channels": [{"alternatives": [{"transcript": "hello", "words": words}]}]}}
    call = one(vcon(dialog=[RECORDING], analysis=[transcript(body)]))
    assert [party.label for party in call.parties] == ["party 0", "party 1", "party 2", "speaker 0"]
    assert call.turns[0].party == 3


def test_a_transcript_that_names_nobody_is_one_voice() -> None:
    call = one(vcon(dialog=[RECORDING], analysis=[transcript("just what was said", encoding="none")]))
    assert [(turn.party, turn.text) for turn in call.turns] == [(3, "just what was said")]


def test_the_last_whole_transcript_goes_before_redacted_ones() -> None:
    def named(kind: str, text: str) -> dict[str, Any]:
        return {**transcript([{"parties": 0, "text": text}]), "type": kind}

    whole, redacted = named("transcript", "whole"), named("transcript-redacted", "redacted")
    for order in ([whole, redacted], [redacted, whole], [named("transcript", "older"), whole]):
        call = one(vcon(dialog=[RECORDING], analysis=order))
        assert ([turn.text for turn in call.turns], call.redacted) == (["whole"], False)
    assert one(vcon(dialog=[RECORDING], analysis=[redacted])).redacted


def test_what_a_vcon_was_made_of_is_told() -> None:
    dialog = [message("Hi {{NAME}}", 0)]
    told = {"uuid": "u-0", "type": "PII", "url": "https://x.example/0", "content_hash": ["sha512-a"]}
    prior = Prior("u-0", "PII", "https://x.example/0", ("sha512-a",))
    assert one(vcon(dialog=dialog, redacted={**told, "body": {"parties": []}})).redacted_of == prior
    assert one(vcon(dialog=dialog, redacted={**told, "content_hash": "sha512-a"})).redacted_of == prior
    for name in ("amended", "appended"):
        call = one(vcon(dialog=dialog, **{name: {"uuid": "u-0"}}))
        assert (call.redacted, call.redacted_of, call.amended_of) == (False, None, Prior("u-0"))
    plain = one(vcon(dialog=dialog, redacted={}, amended={}, group=[]))
    assert (plain.redacted, plain.redacted_of, plain.amended_of) == (False, None, None)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"redacted": {"uuid": 7}}, "redacted.uuid must be a text"),
        ({"redacted": {"type": "x" * 1_001}}, "redacted.type: 1,001 characters; allowed are 1,000"),
        ({"redacted": {"url": "x" * 2_001}}, "redacted.url: 2,001 characters"),
        ({"redacted": ["u-0"]}, "redacted must be an object"),
        ({"amended": {"content_hash": [""]}}, "amended.content_hash must be a text or a list of at most 8"),
        ({"amended": {"content_hash": ["x"] * 9}}, "amended.content_hash must be"),
    ],
)
def test_a_reference_that_cannot_be_is_named(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(vcon(dialog=[message("Hi", 0)], **fields))


def test_redacted_and_amended_ones_that_name_themselves() -> None:
    dialog = [message("Hi {{NAME}}", 0)]
    itself = {"uuid": "u-1", "type": "PII"}
    assert one(vcon(dialog=dialog, redacted=itself, group=[{"uuid": "u-1"}])).redacted
    assert not one(vcon(dialog=dialog, amended=itself, redacted={})).redacted
    assert one(vcon(dialog=dialog, redacted=itself)).turns[0].text == "Hi {{NAME}}"


def test_mails() -> None:
    mail = (
        '--b1\r\nContent-Type: multipart/alternative; boundary="b2"\r\n\r\n--b2\r\nContent-Type: text/html\r\n\r\n<p>No</p>\r\n'
        "--b2\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nCaf=C3=A9 =\r\nopen?\r\n"
        "--b2--\r\n\r\n--b1\r\nContent-Type: image/png\r\n\r\nxx\r\n--b1--\r\n"
    )
    dialogs = [
        message(mail, 0, mediatype='multipart/mixed; \n\tboundary="b1"'),
        message("<style>p{}</style><p>Yes &amp; <b>no</b><br>bye</p>", 1, mediatype="text/html"),
        message("iVBORw0", 2, mediatype="image/png", encoding="base64url"),
        message(base64.urlsafe_b64encode("好".encode()).decode(), 3, encoding="base64url"),
    ]
    assert [turn.original for turn in one(vcon(dialog=dialogs)).turns] == [
        "Café open?",
        "Yes & no\nbye",
        "好",
    ]


def test_what_earlier_drafts_wrote() -> None:
    recording = {**RECORDING, "parties": ["1", 0], "mimetype": "audio/mp3", "start": "2026-03-01T09:00:00.5"}
    parties = [
        {"name": "A", "meta": {"role": "agent"}},
        {"name": "B", "meta": {"role": "customer"}, "email": "b@x.example"},
    ]
    body = [{"speaker": "Agent", "message": "Hi"}]
    call = one(
        vcon(parties=parties, dialog=[recording], analysis=[transcript(body, dialog="0", encoding="none")])
    )
    assert [(party.speaker, party.mailto) for party in call.parties] == [
        ("human_agent", None),
        ("customer", "b@x.example"),
    ]
    assert said(call) == [(0, "Hi", 0)] and not call.timed


def without(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in {**RECORDING, **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (vcon(), "dialog is empty"),
        (
            vcon(dialog=[RECORDING]),
            r"dialog\[0\] is a url, which is never fetched; what was said must stand in a transcript",
        ),
        (
            vcon(dialog=[without(url=None, body="UklGRg", encoding="base64url")]),
            r"dialog\[0\] is an inline recording",
        ),
        (vcon(dialog=[without(url=None)]), r"dialog\[0\] is a recording that is not there"),
        (
            vcon(dialog=[message("Hi", 0), {"type": "text", "start": NINE, "url": "https://x"}]),
            r"dialog\[1\]: its text stands at a url",
        ),
        (vcon(dialog=[{"type": "fax", "start": NINE}]), r"dialog\[0\]\.type must be one of text, recording"),
        (
            vcon(dialog=[message("Hi", 0, originator=3)]),
            r"dialog\[0\]\.originator must be an index into parties, which has 3",
        ),
        (
            vcon(dialog=[{**message("Hi", 0), "parties": [0, -1]}]),
            r"dialog\[0\]\.parties\[1\] must be an index",
        ),
        (
            vcon(dialog=[message("Hi", 0, party_history=[{"party": 9, "event": "join"}])]),
            r"party_history\[0\]\.party must be an index",
        ),
        (
            vcon(dialog=[{**message("Hi", 0), "start": "yesterday"}]),
            r"dialog\[0\]\.start must be a time like",
        ),
        (vcon(dialog=[message("Hi", 0, duration=-1)]), r"dialog\[0\]\.duration must be a time of at least 0"),
        (
            vcon(dialog=[message("Hi", 0, encoding="rot13")]),
            r"dialog\[0\]\.encoding must be one of base64url, json, none",
        ),
        (vcon(dialog=[message("*", 0, encoding="base64url")]), r"dialog\[0\]\.body must be base64url"),
        (
            vcon(dialog=[RECORDING], analysis=[transcript([{"parties": 5, "text": "x"}])]),
            r"party 5 does not exist; parties has 3",
        ),
        (
            vcon(dialog=[RECORDING], analysis=[transcript("x", dialog=1)]),
            r"analysis\[0\]\.dialog must be an index into dialog, which has 1",
        ),
        (vcon(dialog=[RECORDING], analysis=[transcript({"x": 1})]), r"analysis\[0\]\.body is no known form"),
        (vcon(dialog=[RECORDING], analysis=[transcript(vcon())]), r"analysis\[0\]\.body is no known form"),
        (
            vcon(dialog=[RECORDING], analysis=[transcript([{"text": "x", "start": -1}])]),
            r"start must be a time",
        ),
        (vcon(parties=[{}] * 101), "parties: 101; allowed are 100"),
        (
            vcon(dialog=[message("Hi", 0)], critical=["future"]),
            "critical must be a list of known extensions: CC",
        ),
        (vcon(dialog=[message("Hi", 0)], amended="u-0"), "amended must be an object"),
        ({"ciphertext": "x", "protected": "e30", "recipients": []}, r"encrypted \(JWE\)"),
    ],
)
def test_what_is_refused_is_named(document: Any, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(document)


def test_ten_thousand_parties_are_refused_and_a_century_is_too_long() -> None:
    with pytest.raises(TranscriptRefused, match="parties: 10,000; allowed are 100"):
        one(vcon(parties=[{"name": "x"}] * 10_000))
    far = copy.deepcopy(
        vcon(dialog=[message("Hi", 0), {**message("Ho", 0), "start": "2200-01-01T00:00:00Z"}])
    )
    with pytest.raises(TranscriptRefused, match=r"dialog\[1\] begins a century after the call"):
        one(far)


@pytest.mark.parametrize(
    ("names", "sides"),
    [
        (("Customer", "Agent"), ["customer", "human_agent"]),
        (("客户", "客服小王"), ["customer", "human_agent"]),
        (("Bo", "Agent Ann"), ["customer", "human_agent"]),
    ],
)
def test_sides_that_stand_in_names_alone(names: tuple[str, str], sides: list[str]) -> None:
    parties = [{"name": name} for name in names]
    dialog = [
        {"type": "text", "start": "2026-05-01T10:00:00Z", "parties": [0], "body": "I lost my card"},
        {"type": "text", "start": "2026-05-01T10:00:05Z", "parties": [1], "body": "One moment"},
    ]
    (call,) = read(json.dumps({"uuid": "u", "parties": parties, "dialog": dialog}).encode())
    assert [turn.speaker for turn in call.turns] == sides


def test_a_transcripts_labels_are_matched_by_what_parties_are_called() -> None:
    document = {
        "uuid": "u",
        "parties": [{"name": "Bo"}, {"name": "Agent Ann"}],
        "dialog": [{"type": "recording", "start": "2026-05-01T10:00:00Z", "parties": [0, 1], "url": "x"}],
        "analysis": [{"type": "transcript", "dialog": 0, "body": "Customer: my card\nAgent: one moment"}],
    }
    (call,) = read(json.dumps(document).encode())
    assert [(turn.speaker, turn.party) for turn in call.turns] == [("customer", 0), ("human_agent", 1)]
    assert len(call.parties) == 2
