"""Every form that a finished call's transcript may have, read to the common one.

    read(data)                      the form is told by the content
    read(data, form="webvtt")       or given: one of `FORMS`

A file may hold several calls: a JSON list of documents, JSON Lines, a table with a column of call ids.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from connectors.calls.assembling import assemble
from connectors.calls.decoding import decode
from connectors.calls.draft import Draft, Heard
from connectors.calls.fields import Object, parse_json
from connectors.calls.formats import (
    amazon,
    azure,
    deepgram,
    google,
    json_turns,
    plain,
    srt,
    table,
    twilio,
    webvtt,
)
from connectors.calls.formats.detecting import FORMS, TEXT_FORMS, form_of_json, form_of_text
from connectors.calls.formats.json_turns import is_turns
from connectors.calls.speakers import told
from connectors.calls.transcript import Speaker, Transcript, TranscriptRefused
from connectors.calls.vcon import reading
from connectors.calls.vcon.jws import Trust, is_compact

__all__ = ["FORMS", "read"]

_NO_JSON = re.compile(r"\s*\[\s*[^\s\[\]{\"]")
"""Brackets that hold neither an object nor a list nor a text: `[00:01] …`, `[Agent] …`."""


def read(
    data: bytes,
    *,
    name: str = "",
    form: str | None = None,
    speakers: Mapping[str, Speaker] | None = None,
    trust: Trust | None = None,
) -> list[Transcript]:
    """The calls in a file, in the file's order; at least one.

    `speakers` tells who the source's labels are (`{"spk_0": "human_agent"}`), before anything else does; `trust` holds the keys and
    roots that signed vCons are checked against. `name` is the file's, for messages. Raises `TranscriptRefused`, and nothing else.
    """
    try:
        if form is not None and form not in FORMS:
            raise TranscriptRefused(f"form {form!r} does not exist; allowed are {', '.join(FORMS)}")
        drafts = _drafts(decode(data), name, form, speakers, trust or Trust())
        if not drafts:
            raise TranscriptRefused("no call was found; allowed is a file with at least one")
        return [assemble(draft, speakers) for draft in drafts]
    except TranscriptRefused as error:
        if not name:
            raise
        raise TranscriptRefused(f"{name}: {error}") from error


def _drafts(
    text: str, name: str, form: str | None, speakers: Mapping[str, Speaker] | None, trust: Trust
) -> list[Draft]:
    labels = frozenset(told(speakers))
    if form in TEXT_FORMS:
        return _text_drafts(text, form, labels)
    if is_compact(text):
        return [reading.compact(text.strip(), trust, _body)]
    if form is None and text.lstrip()[:1] not in ("{", "["):
        return _text_drafts(text, form_of_text(text, name), labels)
    try:
        documents = _documents(text)
    except TranscriptRefused:
        # a transcript's first line may begin with a bracket: [00:01] Agent: …
        if form is None and (found := form_of_text(text, name)) is not None:
            return _text_drafts(text, found, labels)
        if form is None and _NO_JSON.match(text):
            raise TranscriptRefused(f"no line names a speaker; {plain.ALLOWED}") from None
        raise
    return [draft for document in documents for draft in _json_drafts(document, form, trust)]


def _text_drafts(text: str, form: str | None, labels: frozenset[str]) -> list[Draft]:
    if form == "webvtt":
        return [webvtt.read(text, labels)]
    if form == "srt":
        return [srt.read(text, labels)]
    if form == "csv":
        return table.read(text)
    if form == "text":
        return [plain.read(text, labels)]
    raise _unknown()


def _documents(text: str) -> list[Any]:
    """One document; the documents of a list; those of JSON Lines, or one call of which each line is a turn."""
    if _is_json_lines(text):
        lines = enumerate(text.split("\n"), 1)
        documents = [parse_json(line, f"line {number}") for number, line in lines if line.strip()]
        if form_of_json(documents[0]) is None and is_turns(documents):
            return [documents]
    else:
        documents = [parse_json(text)]
        if isinstance(documents[0], list) and form_of_json(documents[0]) is None:
            documents = documents[0]
    # the events of a Contact Lens stream, or Azure's results, are one call together
    return [documents] if form_of_json(documents) in ("amazon_connect", "azure_speech") else documents


def _is_json_lines(text: str) -> bool:
    """Whether the first two lines are an object each."""
    first, _, rest = text.lstrip().partition("\n")
    return first.startswith("{") and first.rstrip().endswith("}") and rest.lstrip().startswith("{")


def _json_drafts(document: Any, form: str | None, trust: Trust) -> Iterator[Draft]:
    found = form or form_of_json(document)
    if found is None:
        raise _unknown()
    if found in LISTED:
        yield from LISTED[found](document)
        return
    if not isinstance(document, dict):
        raise TranscriptRefused(f"the document must be an object to be {FORMS[found]}")
    if found == "vcon":
        yield reading.vcon(document, trust, _body)
    elif found == "google_speech":
        yield from google.speech(document)
    else:
        yield READERS[found](document)


def _body(body: Any, at: str) -> Draft:
    """A transcript within a vCon: any of the other forms, or a text in which nobody is named."""
    if isinstance(body, str):
        return _text_body(body, at)
    if (found := form_of_json(body)) in (None, "vcon"):
        raise TranscriptRefused(f"{at} is no known form of a transcript; known are {', '.join(FORMS)}")
    return next(_json_drafts(body, found, Trust()))


def _text_body(body: str, at: str) -> Draft:
    if body.lstrip()[:1] in ("{", "[") and (document := _json_or_none(body)) is not None:
        return _body(document, at)
    found = form_of_text(body)
    return _text_drafts(body, found, frozenset())[0] if found else Draft("text", [Heard("", body, at=at)])


def _json_or_none(text: str) -> Any:
    """None also for a text in brackets that is no JSON: [00:01] Agent: …"""
    try:
        return parse_json(text)
    except TranscriptRefused:
        return None


def _deepgram(document: Object) -> Draft:
    return deepgram.prerecorded(document) if "results" in document else deepgram.alternative(document)


#: The forms whose documents may be lists.
LISTED: dict[str, Callable[[Any], list[Draft]]] = {
    "turns": lambda document: [json_turns.turns(document)],
    "amazon_connect": lambda document: [amazon.connect(document)],
    "azure_speech": azure.transcriptions,
}
#: The forms of which a document is one call.
READERS: dict[str, Callable[[Object], Draft]] = {
    "amazon_call_analytics": amazon.call_analytics,
    "amazon_transcribe": amazon.transcribe,
    "google_insights": google.insights,
    "twilio": twilio.transcription,
    "deepgram": _deepgram,
}


def _unknown() -> TranscriptRefused:
    known = "; ".join(f"{name} ({what})" for name, what in FORMS.items())
    return TranscriptRefused(f"no known form of a transcript; known are: {known}")
