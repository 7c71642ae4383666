"""Single words to turns, for recognisers that give words: a turn ends where another voice begins, or where a pause is long."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connectors.calls.draft import Heard
from connectors.calls.fields import mean

PAUSE_MS = 2_000  # a silence after which the same voice begins a new turn

_WIDE = r"\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_GLUED_BEFORE = re.compile(rf"[{_WIDE},.;:!?%)\]}}]")
_GLUED_AFTER = re.compile(rf"[{_WIDE}(\[{{]")


@dataclass(frozen=True, slots=True)
class Word:
    """Times in milliseconds; punctuation has none."""

    voice: str
    text: str
    start_ms: int | None
    end_ms: int | None
    confidence: float | None = None
    at: str = ""


def joined(words: Iterable[str]) -> str:
    """Words as one text: no space before punctuation, nor between Chinese characters."""
    before = ""
    parts: list[str] = []
    for word in words:
        # SentencePiece's mark of a word's beginning is no part of the word
        clean = word.replace("▁", " ").strip()
        if not clean:
            continue
        glued = not before or _GLUED_BEFORE.match(clean) or _GLUED_AFTER.match(before[-1])
        parts.append(clean if glued else f" {clean}")
        before = clean
    return "".join(parts)


def turns(words: Iterable[Word], pause_ms: int = PAUSE_MS) -> Iterator[Heard]:
    """Consecutive words of one voice as one turn; `words` in their order."""
    group: list[Word] = []
    last_end: int | None = None
    for word in words:
        paused = word.start_ms is not None and last_end is not None and word.start_ms - last_end >= pause_ms
        if group and (word.voice != group[0].voice or paused):
            yield _turn(group)
            group = []
        group.append(word)
        last_end = word.end_ms if word.end_ms is not None else last_end
    if group:
        yield _turn(group)


def _turn(group: list[Word]) -> Heard:
    starts = [word.start_ms for word in group if word.start_ms is not None]
    ends = [word.end_ms for word in group if word.end_ms is not None]
    return Heard(
        voice=group[0].voice,
        text=joined(word.text for word in group),
        start_ms=min(starts, default=None),
        end_ms=max(ends, default=None),
        confidence=mean([word.confidence for word in group]),
        at=group[0].at,
    )
