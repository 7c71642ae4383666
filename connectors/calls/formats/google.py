"""Google's forms: Speech-to-Text (v1 and v2) and the conversations of Customer Experience Insights."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
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
    inline = object_at(held.get("inlineResult"), placed(at, "inlineResult"))
    transcript = inline.get("transcript") or held.get("transcript")
    return object_at(transcript, placed(at, "transcript")).get("results")


def _speech(results: Any, at: str, file: str | None) -> Draft:
    found = list(objects(results, at))
    languages = [language_of(each.get("languageCode")) for _, each in found]
    return Draft(
        form="google_speech",
        heard=list(_heard(found)),
        call_id=file,
        language=next((language for language in languages if language), None),
    )


def _heard(results: list[tuple[str, Object]]) -> Iterator[Heard]:
    """v1 repeats all words with their speakers in its last result: then that one alone is the call."""
    read = [(at, result, *_best(at, result)) for at, result in results]
    if _last_holds_all([words for _, _, _, words in read]):
        read = read[-1:]
    for at, result, alternative, words in read:
        if words:
            yield from turns(words)
        else:
            yield _whole(at, result, alternative)


def _best(at: str, result: Object) -> tuple[Object, list[Word]]:
    where = placed(at, "alternatives")
    first = next(objects(result.get("alternatives"), where), None)
    if first is None:
        return {}, []  # silence has no alternative
    channel = label_at(result, "channelTag", at)
    return first[1], [
        _word(word, place, channel)
        for place, word in objects(first[1].get("words"), placed(first[0], "words"))
    ]


def _word(word: Object, at: str, channel: str) -> Word:
    """v1 says `startTime` and `speakerTag`, v2 `startOffset` and `speakerLabel`; a time of 0 is left out by both."""
    speaker = label_at(word, "speakerLabel", at) or label_at(word, "speakerTag", at)
    return Word(
        voice=_voice(channel, "" if speaker == "0" else speaker),
        text=text_at(word, "word", at),
        start_ms=_offset(word, at, "start"),
        end_ms=_offset(word, at, "end"),
        confidence=confidence_of(word.get("confidence"), placed(at, "confidence")),
        at=at,
    )


def _offset(word: Object, at: str, side: str) -> int | None:
    key = next((name for name in (f"{side}Time", f"{side}Offset") if name in word), None)
    if key is None:
        return 0 if side == "start" and ("endTime" in word or "endOffset" in word) else None
    return milliseconds(word[key], placed(at, key), 1_000)


def _voice(channel: str, speaker: str) -> str:
    parts = (f"channel {channel}" if channel else "", f"speaker {speaker}" if speaker else "")
    return " ".join(part for part in parts if part)


def _last_holds_all(read: list[list[Word]]) -> bool:
    if len(read) < 2 or not read[-1] or "speaker" not in read[-1][0].voice:
        return False
    before = [words for words in read[:-1] if words]
    if not any("speaker" in words[0].voice for words in before):
        return True
    begins = [words[0].start_ms or 0 for words in before]
    return (read[-1][0].start_ms or 0) <= min(begins)


def _whole(at: str, result: Object, alternative: Object) -> Heard:
    """A result without words: its text, with the only time that it has, its end."""
    end = result.get("resultEndTime", result.get("resultEndOffset"))
    return Heard(
        voice=_voice(label_at(result, "channelTag", at), ""),
        text=text_at(alternative, "transcript", at),
        start_ms=None,
        end_ms=milliseconds(end, placed(at, "resultEndTime"), 1_000),
        confidence=confidence_of(alternative.get("confidence"), placed(at, "confidence")),
        at=at,
    )


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
