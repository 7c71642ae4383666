"""Deepgram's pre-recorded transcription: whole answers, or one alternative alone, as vCons carry them."""

from collections.abc import Iterator
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
from connectors.calls.words import Word, turns


def prerecorded(document: Object) -> Draft:
    """`results.utterances` where asked for; else each channel's best alternative: its paragraphs, its words, or its text."""
    results = object_at(document.get("results"), "results")
    metadata = object_at(document.get("metadata"), "metadata")
    utterances = list(_utterances(results))
    channels = list(objects(results.get("channels"), "results.channels"))
    heard = utterances or [
        turn
        for number, (at, channel) in enumerate(channels)
        for turn in _channel(channel, at, number, len(channels))
    ]
    languages = (language_of(channel.get("detected_language")) for _, channel in channels)
    return Draft(
        form="deepgram",
        heard=heard,
        call_id=text_at(metadata, "request_id", "metadata"),
        language=next((each for each in languages if each), None),
    )


def alternative(document: Object) -> Draft:
    """One alternative: `transcript` with `words` or `paragraphs`."""
    return Draft("deepgram", list(_alternative(document, "", "")))


def _utterances(results: Object) -> Iterator[Heard]:
    for at, each in objects(results.get("utterances"), "results.utterances"):
        voice = _voice(label_at(each, "channel", at), label_at(each, "speaker", at))
        yield Heard(voice, text_at(each, "transcript", at), *_span(each, at), _sure(each, at), at)


def _channel(channel: Object, at: str, number: int, channels: int) -> Iterator[Heard]:
    best = next(objects(channel.get("alternatives"), placed(at, "alternatives")), None)
    if best is not None:
        yield from _alternative(best[1], best[0], str(number) if channels > 1 else "")


def _alternative(best: Object, at: str, channel: str) -> Iterator[Heard]:
    held = object_at(best.get("paragraphs"), placed(at, "paragraphs"))
    paragraphs = list(objects(held.get("paragraphs"), placed(at, "paragraphs.paragraphs")))
    words = list(objects(best.get("words"), placed(at, "words")))
    if paragraphs:
        yield from (_paragraph(each, where, channel) for where, each in paragraphs)
    elif words:
        yield from turns(_word(each, where, channel) for where, each in words)
    else:
        yield Heard(
            _voice(channel, ""),
            text_at(best, "transcript", at),
            confidence=_sure(best, at),
            at=at or "transcript",
        )


def _paragraph(paragraph: Object, at: str, channel: str) -> Heard:
    said = [
        text_at(each, "text", where)
        for where, each in objects(paragraph.get("sentences"), placed(at, "sentences"))
    ]
    voice = _voice(channel, label_at(paragraph, "speaker", at))
    return Heard(voice, " ".join(said), *_span(paragraph, at), at=at)


def _word(word: Object, at: str, channel: str) -> Word:
    text = text_at(word, "punctuated_word", at) or text_at(word, "word", at)
    return Word(_voice(channel, label_at(word, "speaker", at)), text, *_span(word, at), _sure(word, at), at)


def _voice(channel: str, speaker: str) -> str:
    parts = (f"channel {channel}" if channel else "", f"speaker {speaker}" if speaker else "")
    return " ".join(part for part in parts if part)


def _span(holder: Object, at: str) -> tuple[int | None, int | None]:
    start = milliseconds(holder.get("start"), placed(at, "start"), 1_000)
    return start, milliseconds(holder.get("end"), placed(at, "end"), 1_000)


def _sure(holder: Object, at: str) -> Any:
    return confidence_of(holder.get("confidence"), placed(at, "confidence"))
