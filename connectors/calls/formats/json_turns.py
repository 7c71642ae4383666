"""Plain JSON: a list of turns, or an object that holds one, under the names that tools commonly give.

Whisper's `segments`, the World Transcription Format of vCons, AssemblyAI's `utterances` and most exports from databases are of this kind.
Times are seconds unless their field says milliseconds; a text that is a date and time is a clock's.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    object_at,
    objects,
    placed,
    text_at,
)
from connectors.calls.formats.columns import NAMES, best, column
from connectors.calls.formats.roles import Said, voices_of
from connectors.calls.formats.times import Time, is_date, time_of
from connectors.calls.timeline import after
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
_IDS = ("call_id", "callId", "conversation_id", "conversationId", "id", "uuid", "sid")
_LANGUAGES = ("language", "language_code", "languageCode", "locale")
_SLOWEST = 0.3  # characters a second, pauses and all: whoever speaks says ten, Chinese four
_ASSEMBLYAI = ("acoustic_model", "language_model", "speech_model", "speech_models", "audio_url")


def is_turns(value: Any) -> bool:
    """Whether this is a list of turns: objects of which the first has a text under a known name."""
    if not isinstance(value, list) or not value or not isinstance(value[0], dict):
        return False
    name = _names(value[0]).get("text")
    return name is not None and not isinstance(value[0][name], (list, dict))


def holds_turns(value: Any) -> bool:
    return isinstance(value, dict) and any(is_turns(value.get(key)) for key in LISTS)


def turns(document: Any, form: str = "turns") -> Draft:
    """Raises `TranscriptRefused` where there is no list of turns, and for a turn that has no text under any known name."""
    holder = document if isinstance(document, dict) else {}
    key = next((name for name in LISTS if is_turns(holder.get(name))), "")
    listed = holder.get(key) if key else document
    if not is_turns(listed):
        raise TranscriptRefused(
            f"no list of turns: it must be the document itself or under {', '.join(LISTS)}, its objects with one of {_TEXTS}"
        )
    described = object_at(holder.get("transcript"), "transcript") if key != "transcript" else {}
    scale = 1.0 if key == "utterances" and _is_assemblyai(holder) else 1_000.0
    heard, voices = voices_of(list(_said(listed, key, scale)), dict(_voices(holder)))
    return Draft(
        form=form,
        heard=heard,
        call_id=next(
            (label_at(holder, name, "") for name in _IDS if isinstance(holder.get(name), (str, int))), None
        ),
        started_at=_clock(holder.get("started_at") or holder.get("start_time"), "started_at"),
        language=_language(holder) or _language(described),
        redacted=holder.get("redacted") is True,
        voices=voices,
    )


_TEXTS = ", ".join(name for name in NAMES["text"] if name.isascii())


def _is_assemblyai(holder: Object) -> bool:
    """Whose times are milliseconds, though no name says so: told by what an answer has besides, or by whole numbers in which, were they
    seconds, nobody could speak so slowly."""
    if any(name in holder for name in _ASSEMBLYAI):
        return True
    characters = lasted = 0
    for each in holder["utterances"]:
        start, end, text = (object_at(each, "utterances").get(name) for name in ("start", "end", "text"))
        if not isinstance(start, int) or not isinstance(end, int) or not isinstance(text, str):
            return False
        characters, lasted = characters + len(text), lasted + end - start
    return characters < _SLOWEST * lasted


def _language(holder: Object) -> str | None:
    return next((found for name in _LANGUAGES if (found := language_of(holder.get(name))) is not None), None)


def _voices(holder: Object) -> Iterator[tuple[str, Voice]]:
    """The World Transcription Format's `speakers`: a label by the speaker's number or id."""
    speakers = holder.get("speakers")
    for key, each in (speakers if isinstance(speakers, dict) else {}).items():
        entry = object_at(each, placed("speakers", key))
        label = label_at(entry, "label", placed("speakers", key))
        yield key, Voice(role=label, name=label or None)


def _said(listed: Any, key: str, scale: float) -> Iterator[Said]:
    for at, entry in objects(listed, key):
        names = _names(entry)
        told = {kind: _label(entry, names[kind], at) for kind in _SAYING_WHO if kind in names}
        voice = next((found for kind in _SAYING_WHO if (found := told.get(kind))), "")
        yield Said(_turn(entry, names, at, scale, voice), told.get("role", ""), told.get("name", ""))


_SAYING_WHO = (
    "speaker",
    "name",
    "voice",
    "role",
)  # the first there is labels a turn; a role decides the side, whatever labels it


def _names(entry: Object) -> Mapping[str, str]:
    """By what they hold, the fields that hold something."""
    return best(tuple(name for name, value in entry.items() if value is not None))


def _turn(entry: Object, names: Mapping[str, str], at: str, scale: float, voice: str) -> Heard:
    if (text := names.get("text")) is None:
        raise TranscriptRefused(f"{at} must have its text under one of {_TEXTS}")
    start, end, lasted = (_time(entry, names.get(kind), at, scale) for kind in ("start", "end", "duration"))
    if end is None and isinstance(lasted, int):
        end = after(start, lasted, at)
    return Heard(
        voice=voice,
        text=text_at(entry, text, at),
        start_ms=start if isinstance(start, int) else None,
        end_ms=end if isinstance(end, int) else None,
        confidence=confidence_of(entry.get("confidence"), placed(at, "confidence")),
        at=at,
        start_at=start if isinstance(start, datetime) else None,
        end_at=end if isinstance(end, datetime) else None,
    )


def _label(entry: Object, key: str, at: str) -> str:
    value = entry[key]
    if isinstance(value, list) and value:
        value, at = value[0], placed(at, key)
    if isinstance(value, dict):
        inner = next((name for name in ("role", "label", "name", "id") if value.get(name) is not None), None)
        return label_at(value, inner, placed(at, key)) if inner else ""
    label = label_at({key: value}, key, at)
    # vCon's own transcripts point into the list of parties
    return f"party {label}" if key in ("parties", "party") and label.isdigit() else label


def _time(entry: Object, key: str | None, at: str, scale: float) -> Time:
    if key is None:
        return None
    known = column(key)
    own = None if known is None else known.scale
    return time_of(entry[key], placed(at, key), scale if own is None else own)


def _clock(value: Any, at: str) -> datetime | None:
    """When the call began, where that is a date; a number may be the first turn's."""
    if isinstance(value, str) and not is_date(value):
        return None
    found = time_of(value, at) if isinstance(value, (str, int, float)) else None
    return found if isinstance(found, datetime) else None
