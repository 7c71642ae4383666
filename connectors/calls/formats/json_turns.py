"""Plain JSON: a list of turns, or an object that holds one, under the names that tools commonly give.

Whisper's `segments`, the World Transcription Format of vCons and most exports from databases are of this kind. Times are seconds unless
their field says milliseconds; a text that is a date and time is a clock's.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    milliseconds,
    moment,
    object_at,
    objects,
    placed,
    text_at,
)
from connectors.calls.timeline import later
from connectors.calls.transcript import TranscriptRefused

LISTS = (
    "turns",
    "segments",
    "utterances",
    "messages",
    "transcript",
    "monologues",
    "dialogue",
    "conversation",
)
TEXTS = ("text", "content", "message", "utterance", "transcript", "body")
SPEAKERS = (
    "speaker",
    "speaker_role",
    "role",
    "participant",
    "parties",
    "party",
    "speaker_label",
    "speaker_id",
    "name",
    "channel",
)
STARTS = (
    "start",
    "start_time",
    "startTime",
    "begin",
    "offset",
    "from",
    "timestamp",
    "time",
    "start_timestamp",
)
ENDS = ("end", "end_time", "endTime", "stop", "to")
STARTS_MS = ("start_ms", "startMs", "offset_ms", "begin_ms", "start_timestamp_ms")
ENDS_MS = ("end_ms", "endMs")
_IDS = ("call_id", "callId", "conversation_id", "id", "uuid", "sid")


def is_turns(value: Any) -> bool:
    """Whether this is a list of turns: objects of which the first has a text under a known name."""
    return (
        isinstance(value, list)
        and bool(value)
        and isinstance(value[0], dict)
        and _first(value[0], TEXTS) is not None
    )


def holds_turns(value: Any) -> bool:
    return isinstance(value, dict) and any(is_turns(value.get(key)) for key in LISTS)


def turns(document: Any, form: str = "turns") -> Draft:
    """Raises `TranscriptRefused` where there is no list of turns, and for a turn that has no text under any known name."""
    holder = document if isinstance(document, dict) else {}
    key = next((name for name in LISTS if is_turns(holder.get(name))), "")
    listed = holder.get(key) if key else document
    if not is_turns(listed):
        raise TranscriptRefused(
            f"no list of turns: it must be the document itself or under {', '.join(LISTS)}, its objects with one of {', '.join(TEXTS)}"
        )
    described = object_at(holder.get("transcript"), "transcript") if key != "transcript" else {}
    return Draft(
        form=form,
        heard=[_turn(each, at) for at, each in objects(listed, key)],
        call_id=next(
            (label_at(holder, name, "") for name in _IDS if isinstance(holder.get(name), (str, int))), None
        ),
        started_at=_clock(holder.get("started_at") or holder.get("start_time"), "started_at"),
        language=language_of(holder.get("language") or described.get("language")),
        redacted=holder.get("redacted") is True,
        voices=dict(_voices(holder)),
    )


def _voices(holder: Object) -> Iterator[tuple[str, Voice]]:
    """The World Transcription Format's `speakers`: a label by the speaker's number or id."""
    speakers = holder.get("speakers")
    for key, each in (speakers if isinstance(speakers, dict) else {}).items():
        entry = object_at(each, placed("speakers", key))
        label = label_at(entry, "label", placed("speakers", key))
        yield key, Voice(role=label, name=label or None)


def _first(holder: Object, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if holder.get(name) is not None), None)


def _turn(entry: Object, at: str) -> Heard:
    text = _first(entry, TEXTS)
    if text is None:
        raise TranscriptRefused(f"{at} must have its text under one of {', '.join(TEXTS)}")
    start = _time(entry, at, STARTS_MS, STARTS)
    end = _time(entry, at, ENDS_MS, ENDS)
    start_ms, start_at = (None, start) if isinstance(start, datetime) else (start, None)
    ended = end if end is not None else _lasted(entry, at, start)
    end_ms, end_at = (None, ended) if isinstance(ended, datetime) else (ended, None)
    return Heard(
        _speaker(entry, at),
        text_at(entry, text, at),
        start_ms,
        end_ms,
        _sure(entry, at),
        at,
        start_at,
        end_at,
    )


def _speaker(entry: Object, at: str) -> str:
    key = _first(entry, SPEAKERS)
    if key is None:
        return ""
    value = entry[key]
    if isinstance(value, list) and value:
        value, at = value[0], placed(at, key)
    if isinstance(value, dict):
        inner = _first(value, ("role", "label", "name", "id"))
        return label_at(value, inner, placed(at, key)) if inner else ""
    label = label_at({key: value}, key, at)
    # vCon's own transcripts point into the list of parties
    return f"party {label}" if key in ("parties", "party") and label.isdigit() else label


def _time(
    entry: Object, at: str, in_ms: tuple[str, ...], in_seconds: tuple[str, ...]
) -> int | datetime | None:
    if (key := _first(entry, in_ms)) is not None:
        return milliseconds(entry[key], placed(at, key))
    if (key := _first(entry, in_seconds)) is None:
        return None
    value = entry[key]
    if isinstance(value, str) and "-" in value[1:]:
        return _clock(value, placed(at, key))
    return milliseconds(value, placed(at, key), 1_000)


def _clock(value: Any, at: str) -> datetime | None:
    return moment(value, at) if isinstance(value, str) and "-" in value[1:] else None


def _lasted(entry: Object, at: str, start: int | datetime | None) -> int | datetime | None:
    """The end by the duration, where there is one."""
    lasted = milliseconds(entry.get("duration_ms"), placed(at, "duration_ms"))
    if lasted is None:
        lasted = milliseconds(entry.get("duration"), placed(at, "duration"), 1_000)
    if lasted is None or start is None:
        return None
    return later(start, lasted, at) if isinstance(start, datetime) else start + lasted


def _sure(entry: Object, at: str) -> float | None:
    return confidence_of(entry.get("confidence"), placed(at, "confidence"))
