"""From a vCon to a draft. Where a recording has no transcript of its own in `analysis`, the vCon is refused unless other text is there."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from connectors.calls.decoding import decode
from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.fields import (
    Object,
    language_of,
    milliseconds,
    moment,
    object_at,
    objects,
    parse_json,
    placed,
    text_at,
)
from connectors.calls.timeline import later
from connectors.calls.transcript import MOST_TURNS, TranscriptRefused
from connectors.calls.vcon.events import Happened, happened
from connectors.calls.vcon.jws import Trust, expanded, verified
from connectors.calls.vcon.lineage import amended_of, redacted_of
from connectors.calls.vcon.messages import body_of, is_read, kind_of, mediatype_of, message_text
from connectors.calls.vcon.parties import index, indices, label, matching, parties_of

#: Reads the body of an analysis, JSON or text, whatever form it has; the text is where it stands.
ReadBody = Callable[[Any, str], Draft]

#: Extensions that a vCon may call critical: the contact centre's roles, and transcripts in the World Transcription Format.
EXTENSIONS = ("CC", "wtf_transcription")
VERSIONS = re.compile(r"0\.[0-4]\.\d{1,3}", re.ASCII)
"""Syntax versions of the drafts until now; since draft 4 the field may be left out."""
MOST_NOTES = 20
TYPES = ("text", "recording", "recording-set", "transfer", "incomplete")


@dataclass(slots=True)
class Said:
    """What was said in a vCon so far, and by whom; `redacted` where a transcript says so of itself, `notes` what else there is and cannot
    be read."""

    voices: dict[str, Voice]
    heard: list[Heard] = field(default_factory=list)
    language: str | None = None
    redacted: bool = False
    notes: list[str] = field(default_factory=list)


def compact(text: str, trust: Trust, read_body: ReadBody) -> Draft:
    """A signed vCon in the compact form."""
    return vcon(expanded(text), trust, read_body)


def vcon(document: Object, trust: Trust, read_body: ReadBody) -> Draft:
    """Raises `TranscriptRefused` for what is encrypted, signed by nobody that can be checked, or holds no text."""
    if "ciphertext" in document:
        raise TranscriptRefused(
            "the vCon is encrypted (JWE); allowed are plain and signed ones: decrypt it first"
        )
    if "payload" not in document:
        return _plain(document, read_body)
    payload, signature = verified(document, trust)
    inner = object_at(parse_json(decode(payload), "payload"), "payload")
    if "payload" in inner or "ciphertext" in inner:
        raise TranscriptRefused("payload must be a plain vCon")
    return replace(_plain(inner, read_body), signature=signature)


def _plain(document: Object, read_body: ReadBody) -> Draft:
    _check(document)
    parties = parties_of(document)
    dialogs = list(objects(document.get("dialog"), "dialog"))
    if len(dialogs) > MOST_TURNS:
        raise TranscriptRefused(f"dialog: {len(dialogs):,}; allowed are {MOST_TURNS:,}")
    events = [event for at, dialog in dialogs for event in happened(dialog, at, len(parties), len(dialogs))]
    said = _said(document, dialogs, parties, read_body)
    begin, redacted = _begin(dialogs, said.heard, events), redacted_of(document)
    return Draft(
        form="vcon",
        heard=said.heard,
        call_id=text_at(document, "uuid", ""),
        started_at=begin,
        language=said.language,
        redacted=said.redacted or redacted is not None,
        voices=said.voices,
        events=tuple(event.on(begin) for event in events),
        notes=_few(said.notes),
        wordless=not said.heard,
        redacted_of=redacted,
        amended_of=amended_of(document),
    )


def _few(notes: list[str]) -> tuple[str, ...]:
    more = len(notes) - MOST_NOTES
    return (*notes[:MOST_NOTES], *((f"and {more:,} more of this kind",) if more > 0 else ()))


def _check(document: Object) -> None:
    version = document.get("vcon")
    if version is not None and not (isinstance(version, str) and VERSIONS.fullmatch(version)):
        raise TranscriptRefused("vcon must be a version from 0.0.1 to 0.4.0, or be left out")
    critical = document.get("critical") or []
    if not isinstance(critical, list) or any(each not in EXTENSIONS for each in critical):
        raise TranscriptRefused(f"critical must be a list of known extensions: {', '.join(EXTENSIONS)}")


def _begin(dialogs: list[tuple[str, Object]], heard: list[Heard], events: list[Happened]) -> datetime | None:
    starts = [moment(dialog.get("start"), placed(at, "start")) for at, dialog in dialogs]
    times = [*starts, *(turn.start_at for turn in heard), *(event.when for event in events)]
    return min((time for time in times if time is not None), default=None)


def _said(
    document: Object, dialogs: list[tuple[str, Object]], parties: dict[str, Voice], read_body: ReadBody
) -> Said:
    """Messages by themselves, recordings by their transcripts; what cannot be read is noted.

    Raises `TranscriptRefused` with each dialog's reason where none has text, unless the call came to nothing, and where a text is elsewhere.
    """
    transcripts = _transcripts(document, len(dialogs))
    said = Said(dict(parties))
    messages: set[tuple[str, str]] = set()
    for number, (at, dialog) in enumerate(dialogs):
        text = _message(dialog, at, messages)
        if text:
            said.heard.append(_turn(dialog, at, text, len(parties)))
        elif number in transcripts:
            if (transcript := transcripts[number]) is not None:
                _add_transcript(said, transcript, (at, dialog), parties, read_body)
        elif reason := _reason(dialog, at):
            said.notes.append(reason)
    gone = [reason for reason in said.notes if reason.endswith(_NEVER_FETCHED_TEXT)]
    if gone or (not said.heard and said.notes):
        raise TranscriptRefused("; ".join((gone or said.notes)[:10]))
    if not said.heard and not any(dialog.get("type") == "incomplete" for _, dialog in dialogs):
        raise TranscriptRefused(f"dialog has {len(dialogs):,}: nothing was said" if dialogs else _EMPTY)
    return said


_EMPTY = "dialog is empty: nothing was said"
_NEVER_FETCHED_TEXT = "its text stands at a url, which is never fetched; allowed is an inline body"


def _reason(dialog: Object, at: str) -> str:
    """Why a dialog has no text; "" where none is expected."""
    kind = dialog.get("type")
    if kind not in TYPES:
        raise TranscriptRefused(f"{placed(at, 'type')} must be one of {', '.join(TYPES)}")
    by_url = "url" in dialog and not dialog.get("body")
    if kind == "text":
        return f"{at}: {_NEVER_FETCHED_TEXT}" if by_url else _unread(dialog, at)
    if kind != "recording":
        return ""
    where = "an inline recording" if dialog.get("body") else "a recording that is not there"
    where = "a url, which is never fetched" if by_url else where
    return f"{at} is {where}; what was said must stand in a transcript in analysis"


def _unread(dialog: Object, at: str) -> str:
    """Why nothing is read of a message that has a body."""
    kind = kind_of(mediatype_of(dialog, at))
    if not dialog.get("body") or kind.startswith("text/"):
        return ""
    return f"{at} is {kind}, in which no text was found; read are text/plain, text/html, multipart and message/rfc822"


def _message(dialog: Object, at: str, known: set[tuple[str, str]]) -> str:
    """The text of a message; "" for one that stands twice, told by the messaging system's id and its text (ids alone are reused)."""
    mediatype = mediatype_of(dialog, at)
    if dialog.get("type") != "text" or not is_read(kind_of(mediatype)):
        return ""
    body = body_of(dialog, at)
    text = "" if body is None else message_text(body, mediatype, placed(at, "body"))
    message_id = text_at(dialog, "message_id", at)
    if message_id and (message_id, text) in known:
        return ""
    known.add((message_id, text))
    return text


def _turn(dialog: Object, at: str, text: str, parties: int) -> Heard:
    start = moment(dialog.get("start"), placed(at, "start"))
    lasted = milliseconds(dialog.get("duration"), placed(at, "duration"), 1_000)
    end = None if start is None or lasted is None else later(start, lasted, at)
    return Heard(_originator(dialog, at, parties), text, at=at, start_at=start, end_at=end)


def _originator(dialog: Object, at: str, parties: int) -> str:
    if dialog.get("originator") is not None:
        return label(index(dialog["originator"], placed(at, "originator"), parties, "parties"))
    named = indices(dialog.get("parties"), placed(at, "parties"), parties, "parties")
    first = next((each for each in named if each is not None), None)
    return "" if first is None else label(first)


def _transcripts(document: Object, dialogs: int) -> dict[int, tuple[str, Object] | None]:
    """The transcript of each dialog: the last whole one, for what is appended comes last; else the last redacted one.

    One of several dialogs stands at the first of them; the others have None.
    """
    found: dict[int, tuple[str, Object]] = {}
    others: set[int] = set()
    for at, analysis in objects(document.get("analysis"), "analysis"):
        named = indices(analysis.get("dialog"), placed(at, "dialog"), dialogs, "dialog")
        kind = text_at(analysis, "type", at).lower()
        if not kind.startswith("transcript") or not analysis.get("body"):
            continue
        number, *rest = [each for each in named if each is not None] or [0]
        others.update(rest)
        if "redacted" not in kind or number not in found or _is_redacted(found[number][1]):
            found[number] = (at, analysis)
    return {**dict.fromkeys(others), **found}


def _is_redacted(analysis: Object) -> bool:
    return "redacted" in str(analysis.get("type")).lower()


def _add_transcript(
    said: Said,
    transcript: tuple[str, Object],
    of: tuple[str, Object],
    parties: dict[str, Voice],
    read_body: ReadBody,
) -> None:
    at, analysis = transcript
    where = placed(at, "body")
    draft = read_body(_analysis_body(analysis, at), where)
    indices(of[1].get("parties"), placed(of[0], "parties"), len(parties), "parties")
    start = moment(of[1].get("start"), placed(of[0], "start"))
    spoken = dict.fromkeys(turn.voice for turn in draft.heard)
    labels = {voice: matching(voice, draft.voices.get(voice), parties, where) for voice in spoken}
    said.heard.extend(_shifted(turn, labels[turn.voice], start, where) for turn in draft.heard)
    said.voices.update(
        (key, draft.voices.get(voice, Voice())) for voice, key in labels.items() if key not in parties
    )
    said.language = said.language or draft.language or language_of(analysis.get("language"))
    said.redacted = said.redacted or draft.redacted or _is_redacted(analysis)


def _analysis_body(analysis: Object, at: str) -> Any:
    body = analysis["body"]
    if not isinstance(body, str):
        return body
    text = body_of(analysis, at) or ""
    encoded = text_at(analysis, "encoding", at).lower() == "json"
    return parse_json(text, placed(at, "body")) if encoded else text


def _shifted(turn: Heard, voice: str, start: datetime | None, at: str) -> Heard:
    """A transcript's times count from its dialog's beginning; those of a clock stay."""
    where = f"{at}: {turn.at}" if turn.at else at
    if turn.start_at is not None or start is None or turn.start_ms is None:
        return replace(turn, voice=voice, at=where, start_at=turn.start_at or start)
    end = None if turn.end_ms is None else later(start, turn.end_ms, where)
    return replace(turn, voice=voice, at=where, start_at=later(start, turn.start_ms, where), end_at=end)
