"""Whatever the bytes are, `read` gives sound transcripts or refuses: nothing else escapes."""

import copy
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.calls.formats import FORMS, read
from connectors.calls.transcript import MOST_CHARACTERS, MOST_PARTIES, MOST_TURNS, TranscriptRefused
from tests.support.call_files import FILES, JSON_FORMS

MANY = settings(max_examples=120, deadline=None)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(
        ["-1", "NaN", "1e999", "9999-12-31T23:59:59-23:59", "0", "PT9999999999S", "a.b.c", "x" * 300]
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def sound(data: bytes, form: str | None = None) -> None:
    """Reads, and holds what is read against what the common form promises."""
    try:
        calls = read(data, form=form)
    except TranscriptRefused as error:
        assert str(error)
        return
    assert calls
    for call in calls:
        assert 1 <= len(call.turns) <= MOST_TURNS and 1 <= len(call.parties) <= MOST_PARTIES
        assert [turn.start_ms for turn in call.turns] == sorted(turn.start_ms for turn in call.turns)
        assert call.call_id and call.source in FORMS
        for turn in call.turns:
            assert 0 <= turn.start_ms <= turn.end_ms
            assert turn.speaker == call.parties[turn.party].speaker
            assert len(turn.text) <= len(turn.original) <= MOST_CHARACTERS and "\x00" not in turn.original
        assert all(turn.text for turn in call.spoken)
        assert all(event.party is None or event.party < len(call.parties) for event in call.events)


@MANY
@given(data=st.binary(max_size=400), form=st.none() | st.sampled_from(sorted(FORMS)))
def test_arbitrary_bytes(data: bytes, form: str | None) -> None:
    sound(data, form)


@MANY
@given(text=st.text(max_size=300), form=st.none() | st.sampled_from(sorted(FORMS)))
def test_arbitrary_texts(text: str, form: str | None) -> None:
    sound(text.encode("utf-8", "surrogatepass"), form)


@MANY
@given(value=json_values, form=st.none() | st.sampled_from(sorted(FORMS)))
def test_arbitrary_json(value: Any, form: str | None) -> None:
    sound(json.dumps(value).encode(), form)


@pytest.mark.parametrize("form", sorted(FILES))
@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_files_with_bytes_changed(form: str, data: st.DataObject) -> None:
    file = bytearray(FILES[form])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(file) - 1))
        piece = data.draw(
            st.binary(max_size=3)
            | st.sampled_from([b"\n\n", b"-->", b"<v ", b'"', b":", b"[", b"\xef\xbb\xbf", b"0"])
        )
        file[at : at + data.draw(st.integers(0, 4))] = piece
    sound(bytes(file))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


@pytest.mark.parametrize("form", sorted(JSON_FORMS))
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_documents_with_values_changed(form: str, data: st.DataObject) -> None:
    """Any value of a sound document may be of any kind, in its form or in every other."""
    document = copy.deepcopy(JSON_FORMS[form])
    path = data.draw(st.sampled_from(places(document)[1:]))
    holder: Any = document
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = data.draw(json_values)
    sound(json.dumps(document).encode(), data.draw(st.none() | st.sampled_from(sorted(FORMS))))


def seconds(data: bytes) -> float:
    began = time.process_time()
    sound(data)
    return time.process_time() - began


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "dots in a voice tag": lambda size: b"WEBVTT\n\n00:00.000 --> 00:01.000\n<v" + b"." * size,
    "voice tags without an end": lambda size: b"WEBVTT\n\n00:00.000 --> 00:01.000\n" + b"<v.a" * (size // 4),
    "arrows in a note": lambda size: b"WEBVTT\n\nNOTE\n" + b"x\n" * (size // 2),
    "spaces": lambda size: b"Agent: hi" + b" " * size + b"x",
    "labels": lambda size: b"a (b (c " * (size // 8) + b"\nAgent: hi",
    "brackets": lambda size: b"Agent: " + b"[" * size,
    "scripts in HTML": lambda size: message("<script>" * (size // 8), "text/html"),
    "parts in a mail": lambda size: message("--b\n" * (size // 4), "multipart/mixed; boundary=b"),
    "transcripts in a vCon": lambda size: legs(size // 200),
}


def message(text: str, mediatype: str) -> bytes:
    dialog = {"type": "text", "parties": [0], "body": text, "mediatype": mediatype}
    return json.dumps({"parties": [{}], "dialog": [dialog]}).encode()


def legs(count: int) -> bytes:
    recordings = [{"type": "recording", "parties": [0], "url": "x"}] * count
    transcripts = [
        {"type": "transcript", "dialog": number, "body": [{"speaker": "a", "text": "hi"}]}
        for number in range(count)
    ]
    return json.dumps({"parties": [{}], "dialog": recordings, "analysis": transcripts}).encode()


@pytest.mark.parametrize("case", HOSTILE)
def test_work_grows_with_the_file(case: str) -> None:
    make = HOSTILE[case]
    short = max(0.001, min(seconds(make(50_000)) for _ in range(3)))
    long = min(seconds(make(400_000)) for _ in range(2))
    assert long < short * 32, "eight times the file, and far more than eight times the work"
