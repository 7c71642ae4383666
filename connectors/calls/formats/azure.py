"""Azure's batch transcription (`recognizedPhrases`) and fast transcription (`phrases`)."""

import re
from collections.abc import Iterator

from connectors.calls.draft import Draft, Heard
from connectors.calls.fields import (
    Object,
    confidence_of,
    label_at,
    language_of,
    milliseconds,
    objects,
    placed,
    text_at,
)
from connectors.calls.transcript import MOST_MS, TranscriptRefused

_TICKS = 1e-4  # a tick is 100 ns
_DURATION = re.compile(r"PT(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,10}(?:\.\d{1,9})?)S)?", re.ASCII)


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
