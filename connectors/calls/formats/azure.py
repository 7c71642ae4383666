"""Azure's batch transcription (`recognizedPhrases`, version 2's `AudioFileResults`), fast transcription (`phrases`), and the results of
conversation transcription, one after the other."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from connectors.calls.draft import Draft, Heard
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    milliseconds,
    object_at,
    objects,
    placed,
    text_at,
)
from connectors.calls.transcript import MOST_MS, TranscriptRefused

_CHANNEL_FILE = re.compile(r"Channel\.(\d{1,3})\.", re.ASCII | re.IGNORECASE)
_TICKS = 1e-4  # a tick is 100 ns
_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?", re.ASCII)


def transcriptions(document: Any) -> list[Draft]:
    """A document of any of these kinds. Raises `TranscriptRefused` for what is neither an object nor a list."""
    if isinstance(document, list) or (isinstance(document, dict) and is_result(document)):
        return [conversation(document)]
    if not isinstance(document, dict):
        raise TranscriptRefused("the document must be an object or a list to be Azure's")
    if "AudioFileResults" in document:
        return files(document)
    return [batch(document) if "recognizedPhrases" in document else fast(document)]


def is_result(value: Any) -> bool:
    """Whether this is one result of conversation transcription."""
    return isinstance(value, dict) and ("RecognitionStatus" in value or "DisplayText" in value)


def batch(document: Object) -> Draft:
    """One turn a phrase, by its best alternative's `display`; phrases that were not recognised are left out."""
    phrases = [
        (at, phrase)
        for at, phrase in objects(document.get("recognizedPhrases"), "recognizedPhrases")
        if phrase.get("recognitionStatus", "Success") == "Success"
    ]
    return _draft(phrases, [_phrase(phrase, at) for at, phrase in phrases])


def fast(document: Object) -> Draft:
    phrases = list(objects(document.get("phrases"), "phrases"))
    return _draft(phrases, [_fast_phrase(phrase, at) for at, phrase in phrases])


def conversation(results: Any) -> Draft:
    """A list of results with `DisplayText` and `SpeakerId`, or one of them alone."""
    listed = [results] if isinstance(results, dict) else results
    found = _recognised(objects(listed, ""))
    languages = (_language(result, at) for at, result in found)
    return Draft(
        "azure_speech",
        [_result(result, at, label_at(result, "Channel", at)) for at, result in found],
        language=next((each for each in languages if each), None),
    )


def files(document: Object) -> list[Draft]:
    """Version 2: a recording's channels are files of one call; other files are a call each."""
    found = [
        _of_file(entry, at) for at, entry in objects(document.get("AudioFileResults"), "AudioFileResults")
    ]
    if all(channel for channel, _ in found):
        return [Draft("azure_speech", [turn for _, heard in found for turn in heard])]
    return [Draft("azure_speech", heard) for _, heard in found]


def _of_file(entry: Object, at: str) -> tuple[str, list[Heard]]:
    """The channel that the file's name tells, "" where it tells none, and the turns."""
    named = _CHANNEL_FILE.match(text_at(entry, "AudioFileName", at))
    channel = named[1] if named is not None else ""
    segments = _recognised(objects(entry.get("SegmentResults"), placed(at, "SegmentResults")))
    return channel, [
        _result(each, where, label_at(each, "ChannelNumber", where) or channel) for where, each in segments
    ]


def _recognised(results: Iterable[tuple[str, Object]]) -> list[tuple[str, Object]]:
    return [(at, each) for at, each in results if each.get("RecognitionStatus", "Success") == "Success"]


def _result(result: Object, at: str, channel: str) -> Heard:
    best = next(objects(result.get("NBest"), placed(at, "NBest")), (at, {}))
    start, lasted = (milliseconds(result.get(key), placed(at, key), _TICKS) for key in ("Offset", "Duration"))
    speaker = label_at(result, "SpeakerId", at)
    return Heard(
        voice=" ".join(each for each in (f"channel {channel}" if channel else "", speaker) if each),
        text=text_at(result, "DisplayText", at)
        or text_at(best[1], "Display", best[0])
        or text_at(best[1], "Lexical", best[0]),
        start_ms=start,
        end_ms=None if start is None or lasted is None else start + lasted,
        confidence=confidence_of(best[1].get("Confidence"), placed(best[0], "Confidence")),
        at=at,
    )


def _language(result: Object, at: str) -> str | None:
    told = object_at(result.get("PrimaryLanguage"), placed(at, "PrimaryLanguage"))
    return language_of(told.get("Language"))


def _draft(phrases: list[tuple[str, Object]], heard: list[Heard]) -> Draft:
    languages = (language_of(phrase.get("locale")) for _, phrase in phrases)
    return Draft("azure_speech", heard, language=next((each for each in languages if each), None))


def _phrase(phrase: Object, at: str) -> Heard:
    best = next(objects(phrase.get("nBest"), placed(at, "nBest")), (at, {}))
    start = _time(phrase, at, "offset")
    lasted = _time(phrase, at, "duration")
    return Heard(
        voice=_voice(phrase, at),
        text=text_at(best[1], "display", best[0]) or text_at(best[1], "lexical", best[0]),
        start_ms=start,
        end_ms=None if start is None or lasted is None else start + lasted,
        confidence=confidence_of(best[1].get("confidence"), placed(best[0], "confidence")),
        at=at,
    )


def _fast_phrase(phrase: Object, at: str) -> Heard:
    start, lasted = (
        milliseconds(phrase.get(key), placed(at, key))
        for key in ("offsetMilliseconds", "durationMilliseconds")
    )
    return Heard(
        voice=_voice(phrase, at),
        text=text_at(phrase, "text", at),
        start_ms=start,
        end_ms=None if start is None or lasted is None else start + lasted,
        confidence=confidence_of(phrase.get("confidence"), placed(at, "confidence")),
        at=at,
    )


def _voice(phrase: Object, at: str) -> str:
    """Diarised speakers are counted per channel."""
    return " ".join(_named(phrase, at))


def _named(phrase: Object, at: str) -> Iterator[str]:
    for key in ("channel", "speaker"):
        if label := label_at(phrase, key, at):
            yield f"{key} {label}"


def _time(phrase: Object, at: str, name: str) -> int | None:
    """Ticks or milliseconds where they are given; else the ISO 8601 duration."""
    for key, scale in ((f"{name}InTicks", _TICKS), (f"{name}Milliseconds", 1.0)):
        if phrase.get(key) is not None:
            return milliseconds(phrase[key], placed(at, key), scale)
    written = text_at(phrase, name, at)
    return _iso(written, placed(at, name)) if written else None


def _iso(written: str, at: str) -> int:
    if (found := _DURATION.fullmatch(written)) is None:
        raise TranscriptRefused(f"{at} must be a duration like PT1M2.5S")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    if (total := round((hours * 3_600 + minutes * 60 + seconds) * 1_000)) > MOST_MS:
        raise TranscriptRefused(f"{at} must be below a century")
    return total
