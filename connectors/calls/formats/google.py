"""Google's forms: Speech-to-Text (v1 and v2) and the conversations of Customer Experience Insights."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from connectors.calls.draft import Draft, Heard, Voice
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    milliseconds,
    number_of,
    object_at,
    objects,
    placed,
    text_at,
)
from connectors.calls.transcript import TranscriptRefused
from connectors.calls.words import Word, turns

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCKS_FROM_USEC = (
    946_684_800_000_000  # 2000: what is smaller counts from the call's beginning, as in Google's own example
)


def speech(document: Object) -> list[Draft]:
    """`results[].alternatives[].words[]`; one draft a recording (v2's batches name several files in one answer)."""
    response = object_at(document.get("response"), "response") or document
    results = response.get("results")
    if isinstance(results, list):
        return [_speech(results, "results", None)]
    return [
        _speech(_of_file(each, placed("results", file)), placed("results", file), file)
        for file, each in object_at(results, "results").items()
    ]


def _of_file(entry: Any, at: str) -> Any:
    """v2's batches keep a file's results inline, under one of two names."""
    held = object_at(entry, at)
    name = _named(held, "inlineResult")
    inline = object_at(held.get(name), placed(at, name))
    transcript = inline.get("transcript") or held.get("transcript")
    return object_at(transcript, placed(at, "transcript")).get("results")


def _speech(results: Any, at: str, file: str | None) -> Draft:
    found = list(objects(results, at))
    languages = [language_of(each.get(_named(each, "languageCode"))) for _, each in found]
    return Draft(
        form="google_speech",
        heard=list(_heard(found)),
        call_id=file,
        language=next((language for language in languages if language), None),
    )


def _named(holder: Object, name: str) -> str:
    """The field as this file spells it: `speakerTag`, or `speaker_tag` as Google's own libraries write it."""
    return name if name in holder else _snake(name)


@cache
def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _heard(results: list[tuple[str, Object]]) -> Iterator[Heard]:
    """v1 repeats all words with their speakers in its last result: then that one alone is the call."""
    read = [(at, result, *_best(at, result)) for at, result in results]
    if _last_holds_all([words for _, _, _, words in read]):
        read = read[-1:]
    ends = sorted({end for at, result, _, _ in read if (end := _end(result, at)) is not None})
    for at, result, alternative, words in read:
        begin, end = _span(_end(result, at), ends)
        if not words:
            yield _whole(at, result, alternative, begin, end)
        elif any(word.start_ms is not None for word in words):
            yield from turns(words)
        else:
            yield from _spread(list(turns(words)), begin, end)


def _span(end: int | None, ends: list[int]) -> tuple[int | None, int | None]:
    """When a result without times of words was said: from where the one before it ends to its own end, the only time that it has."""
    if end is None:
        return None, None
    before = bisect_left(ends, end)
    return ends[before - 1] if before else 0, end


def _spread(said: list[Heard], begin: int | None, end: int | None) -> list[Heard]:
    said[0] = replace(said[0], start_ms=begin)
    said[-1] = replace(said[-1], end_ms=end)
    return said


def _best(at: str, result: Object) -> tuple[Object, list[Word]]:
    where = placed(at, "alternatives")
    first = next(objects(result.get("alternatives"), where), None)
    if first is None:
        return {}, []  # silence has no alternative
    channel = label_at(result, _named(result, "channelTag"), at)
    return first[1], [
        _word(word, place, channel)
        for place, word in objects(first[1].get("words"), placed(first[0], "words"))
    ]


def _word(word: Object, at: str, channel: str) -> Word:
    """v1 says `startTime` and `speakerTag`, v2 `startOffset` and `speakerLabel`; a time of 0 is left out by both."""
    tags = (label_at(word, _named(word, name), at) for name in ("speakerLabel", "speakerTag"))
    speaker = next((tag for tag in tags if tag), "")
    return Word(
        voice=_voice(channel, "" if speaker == "0" else speaker),
        text=text_at(word, "word", at),
        start_ms=_offset(word, at, "start"),
        end_ms=_offset(word, at, "end"),
        confidence=confidence_of(word.get("confidence"), placed(at, "confidence")),
        at=at,
    )


def _offset(word: Object, at: str, side: str) -> int | None:
    key = next((name for name in _names(side, word) if name in word), None)
    if key is None:
        return 0 if side == "start" and any(name in word for name in _names("end", word)) else None
    return milliseconds(word[key], placed(at, key), 1_000)


def _names(side: str, word: Object) -> tuple[str, str]:
    return _named(word, f"{side}Time"), _named(word, f"{side}Offset")


def _voice(channel: str, speaker: str) -> str:
    parts = (f"channel {channel}" if channel else "", f"speaker {speaker}" if speaker else "")
    return " ".join(part for part in parts if part)


def _last_holds_all(read: list[list[Word]]) -> bool:
    if len(read) < 2 or not read[-1] or "speaker" not in read[-1][0].voice:
        return False
    before = [words for words in read[:-1] if words]
    if not any("speaker" in words[0].voice for words in before):
        return True
    if read[-1][0].start_ms is None:
        said = [word.text for words in before for word in words]
        return [word.text for word in read[-1]][: len(said)] == said
    begins = [words[0].start_ms or 0 for words in before]
    return (read[-1][0].start_ms or 0) <= min(begins)


def _whole(at: str, result: Object, alternative: Object, begin: int | None, end: int | None) -> Heard:
    """A result without words: its text."""
    return Heard(
        voice=_voice(label_at(result, _named(result, "channelTag"), at), ""),
        text=text_at(alternative, "transcript", at),
        start_ms=begin,
        end_ms=end,
        confidence=confidence_of(alternative.get("confidence"), placed(at, "confidence")),
        at=at,
    )


def _end(result: Object, at: str) -> int | None:
    names = (_named(result, "resultEndTime"), _named(result, "resultEndOffset"))
    name = next((each for each in names if each in result), names[0])
    return milliseconds(result.get(name), placed(at, name), 1_000)


def insights(document: Object) -> Draft:
    """`entries[]` with `text`, `role`, `user_id` and `start_timestamp_usec`, microseconds of the clock."""
    heard: list[Heard] = []
    voices: dict[str, Voice] = {}
    for at, entry in objects(document.get("entries"), "entries"):
        role = text_at(entry, "role", at)
        label = _participant(role, label_at(entry, "user_id", at))
        voices[label] = Voice(role=role)
        heard.append(_entry(entry, at, label))
    return Draft(
        form="google_insights",
        heard=heard,
        call_id=label_at(document, "conversation_id", ""),
        language=language_of(document.get("language_code")),
        voices=voices,
    )


def _participant(role: str, user: str) -> str:
    return f"{role} {user}".strip()


def _entry(entry: Object, at: str, label: str) -> Heard:
    where = placed(at, "start_timestamp_usec")
    usec = number_of(entry.get("start_timestamp_usec"), where)
    text = text_at(entry, "text", at)
    if usec is None or 0 <= usec < _CLOCKS_FROM_USEC:
        return Heard(label, text, milliseconds(usec, where, 0.001), at=at)
    try:
        return Heard(label, text, at=at, start_at=_EPOCH + timedelta(microseconds=usec))
    except OverflowError as error:
        raise TranscriptRefused(f"{where} must be microseconds since 1970") from error
