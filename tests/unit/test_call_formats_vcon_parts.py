"""vCons of which only a part can be read, whose bytes need a charset, or in which nobody spoke."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.calls.formats import read
from connectors.calls.transcript import CallEvent, Transcript, TranscriptRefused

NINE = "2026-03-01T09:00:00Z"
PARTIES = [{"name": "Mira Holt", "tel": "tel:+1 (555) 01-00"}, {"mailto": "mailto:Jo@bank.example"}]
RECORDING = {"type": "recording", "start": NINE, "parties": [0, 1], "url": "https://x.example/1.wav"}
BUSY = {"type": "incomplete", "start": NINE, "parties": [0], "disposition": "busy"}


def vcon(dialog: list[Any], *analysis: Any, **fields: Any) -> dict[str, Any]:
    return {
        "uuid": "u-1",
        "created_at": NINE,
        "parties": PARTIES,
        "dialog": dialog,
        "analysis": analysis,
        **fields,
    }


def one(document: Any) -> Transcript:
    (call,) = read(json.dumps(document).encode())
    return call


def message(body: str | bytes, mediatype: str = "text/plain", party: int = 0) -> dict[str, Any]:
    encoded = {"body": body, "encoding": "none"}
    if isinstance(body, bytes):
        encoded = {"body": base64.urlsafe_b64encode(body).decode().rstrip("="), "encoding": "base64url"}
    return {"type": "text", "start": NINE, "parties": [party], "mediatype": mediatype, **encoded}


def transcript(dialog: Any, body: Any = "Agent: hi\nCustomer: card") -> dict[str, Any]:
    return {"type": "transcript", "dialog": dialog, "vendor": "v", "body": body, "encoding": "none"}


# -- what cannot be read ------------------------------------------------------------------------------------------------


def test_a_recording_without_a_transcript_is_told() -> None:
    call = one(vcon([RECORDING, {**RECORDING, "start": "2026-03-01T09:01:00Z"}], transcript(0)))
    assert len(call.turns) == 2
    assert call.notes == (
        "dialog[1] is a url, which is never fetched; what was said must stand in a transcript in analysis",
    )
    assert one(vcon([RECORDING], transcript(0))).notes == ()


def test_one_transcript_of_two_recordings_is_both() -> None:
    call = one(vcon([RECORDING, RECORDING], transcript([0, 1])))
    assert (len(call.turns), call.notes) == (2, ())


@pytest.mark.parametrize(
    ("mediatype", "kind"),
    [
        ("application/json", "application/json"),
        ("image/png", "image/png"),
        ("Mira's own words", "unknown"),
        ("multipart/mixed", "multipart/mixed"),
    ],
)
def test_messages_in_which_no_text_is_found_are_told(mediatype: str, kind: str) -> None:
    call = one(vcon([message("Hi"), message('{"a": 1}', mediatype)]))
    assert [turn.text for turn in call.turns] == ["Hi"]
    (note,) = call.notes
    assert note.startswith(f"dialog[1] is {kind}, in which no text was found; read are text/plain")
    with pytest.raises(TranscriptRefused, match=rf"dialog\[0\] is {kind}, in which no text"):
        one(vcon([message('{"a": 1}', mediatype)]))


def test_a_forwarded_mail_is_read() -> None:
    mail = "From: a@b.example\nSubject: Card\nContent-Type: text/plain\n\nI lost my card.\n"
    within = f"--b1\nContent-Type: message/rfc822\n\n{mail}\n--b1--\n"
    for body, mediatype in ((mail, "message/rfc822"), (within, "multipart/mixed; boundary=b1")):
        call = one(vcon([message(body, mediatype)]))
        assert ([turn.text for turn in call.turns], call.notes) == (["I lost my card."], ())


def test_notes_are_few() -> None:
    call = one(vcon([message("Hi"), *[RECORDING] * 30]))
    assert len(call.notes) == 21 and call.notes[-1] == "and 10 more of this kind"


# -- charsets -----------------------------------------------------------------------------------------------------------

LOST = "我的卡丢了，怎么办"


@pytest.mark.parametrize(
    ("mediatype", "encoding"),
    [
        ("text/plain; charset=gb18030", "gb18030"),
        ('text/plain; charset="GB2312"', "gb18030"),
        ("text/plain; charset=utf-16le", "utf-16-le"),
        ("text/plain; charset=utf-16", "utf-16"),
        ("text/plain; charset=big5", "big5"),
        ("text/plain", "gb18030"),
        ("text/plain", "utf-8"),
        ("text/plain; charset=us-ascii", "utf-8"),
        ("", "gb18030"),
    ],
)
def test_bytes_are_read_in_their_charset(mediatype: str, encoding: str) -> None:
    text = LOST if encoding != "big5" else "我的卡"
    assert one(vcon([message(text.encode(encoding), mediatype)])).turns[0].original == text


@pytest.mark.parametrize("transfer", ["base64", "8bit"])
def test_each_part_of_a_mail_has_its_own_charset(transfer: str) -> None:
    said = LOST.encode("gb18030")
    content = base64.b64encode(said) if transfer == "base64" else said
    head = f"--b\r\nContent-Type: text/plain; charset=gb2312\r\nContent-Transfer-Encoding: {transfer}\r\n\r\n"
    picture = b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n/9j/\r\n"
    mail = picture + head.encode() + content + b"\r\n--b--\r\n"
    assert one(vcon([message(mail, "multipart/mixed; boundary=b")])).turns[0].original == LOST


@pytest.mark.parametrize(
    ("body", "mediatype", "named"),
    [
        (b"a picture\x89\x00" * 30, "text/plain", r"dialog\[0\]\.body: byte \d+ is no|is NUL"),
        (b"\xff\xfe\x00\x01\x80abc", "text/plain", r"dialog\[0\]\.body: byte 1 is no UTF-8; UTF-16 is"),
        (b"\x80\xff\xff", "text/plain", r"dialog\[0\]\.body: .*is no GB18030"),
        (
            LOST.encode("gb18030"),
            "text/plain; charset=utf-8",
            r"dialog\[0\]\.body is no utf-8, which its media type",
        ),
        (b"hello", "text/plain; charset=klingon", r"dialog\[0\]\.body: the charset klingon is not known"),
        (
            "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\nabcde\n--b--\n",
            "multipart/mixed; boundary=b",
            r"dialog\[0\]\.body: a part of the mail must be base64",
        ),
    ],
)
def test_bytes_that_are_no_text_of_their_charset_are_refused(body: Any, mediatype: str, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(vcon([message("Hi"), message(body, mediatype)][::-1]))


def test_base64_of_earlier_drafts() -> None:
    body = {"body": base64.b64encode(b"I lost my card??>").decode(), "encoding": "base64"}
    assert one(vcon([{**message(""), **body}])).turns[0].original == "I lost my card??>"


# -- nobody spoke -------------------------------------------------------------------------------------------------------


def test_a_call_that_came_to_nothing_has_no_words() -> None:
    call = one(vcon([BUSY]))
    assert (call.turns, call.events, call.timed) == ((), (CallEvent("incomplete", 0, detail="busy"),), False)
    assert call.started_at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    assert [party.speaker for party in call.parties] == ["customer", "customer"]
    roles = [{**PARTIES[0], "role": "agent"}, {**PARTIES[1], "role": "customer"}]
    assert [party.speaker for party in one(vcon([BUSY], parties=roles)).parties] == [
        "human_agent",
        "customer",
    ]


def test_such_calls_without_an_id_are_told_apart() -> None:
    others = [
        vcon([BUSY]),
        vcon([{**BUSY, "start": "2026-03-01T09:01:00Z"}]),
        vcon([BUSY], parties=PARTIES[:1]),
    ]
    assert len({one({**each, "uuid": ""}).call_id for each in (*others, others[0])}) == 3


def test_where_nothing_was_said_and_nothing_tells_why_it_is_refused_truly() -> None:
    transfer = {"type": "transfer", "start": NINE, "transferee": 0, "transferor": 1, "transfer_target": 1}
    with pytest.raises(TranscriptRefused, match="dialog has 1: nothing was said"):
        one(vcon([transfer]))
    with pytest.raises(TranscriptRefused, match=r"dialog\[1\] is a url"):
        one(vcon([BUSY, RECORDING]))


# -- names and places ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("speaker", "party"), [("+15550100", 0), ("tel:+1-555-0100", 0), ("mira holt", 0), ("jo@bank.example", 1)]
)
def test_a_speaker_is_found_by_number_name_or_address(speaker: str, party: int) -> None:
    body = [{"speaker": speaker, "text": "Hello"}]
    call = one(vcon([RECORDING], {**transcript(0, body), "encoding": "json"}))
    assert (call.turns[0].party, len(call.parties)) == (party, 2)


@pytest.mark.parametrize("version", ["0.0.1", "0.3.0", "0.4.0", None])
def test_versions_of_the_drafts(version: str | None) -> None:
    assert one(vcon([message("Hi")], vcon=version)).turns


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (
            vcon([message("Hi")], vcon="9.9.9"),
            r"vcon must be a version from 0\.0\.1 to 0\.4\.0, or be left out",
        ),
        (vcon([message("Hi")], vcon=4), "vcon must be a version"),
        (
            vcon([message("Hi")], {"type": "summary", "dialog": 7, "body": "x"}),
            r"analysis\[0\]\.dialog must be an index into dialog, which has 1",
        ),
        *(
            (
                vcon([message("Hi"), {"type": "transfer", "start": NINE, name: place}]),
                rf"dialog\[1\]\.{name}{named} must be an index into {of}, which has 2",
            )
            for name, place, named, of in (
                ("original", 99, "", "dialog"),
                ("target_dialog", [0, 99], r"\[1\]", "dialog"),
                ("consultation", -1, "", "dialog"),
                ("transferor", 2, "", "parties"),
            )
        ),
    ],
)
def test_what_leads_nowhere_is_refused_by_its_field(document: Any, named: str) -> None:
    with pytest.raises(TranscriptRefused, match=named):
        one(document)


def test_an_id_that_is_too_long_for_the_log_is_a_hash_of_it() -> None:
    ids = [
        one(vcon([message(text)], uuid="x" * length)).call_id for text, length in (("Hi", 128), ("Hi", 129))
    ]
    assert ids[0] == "x" * 128 and len(ids[1]) == 32
    assert one(vcon([message("Ho")], uuid="x" * 129)).call_id == ids[1]
    assert one(vcon([message("Ho")], uuid="x" * 300)).call_id != ids[1]
