"""What WebVTT and SRT share: blocks with a line of times, and captions that are pieces of turns."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from connectors.calls.draft import Heard
from connectors.calls.transcript import MOST_CHARACTERS, MOST_MS, TranscriptRefused
from connectors.calls.words import joined

ARROW = "-->"
_NO_CUES = (["NOTE"], ["STYLE"], ["REGION"])  # what a block of WebVTT that is no cue begins with
TIMES = "times must read like 00:01:02.500 --> 00:01:04.000"
_TIMES = re.compile(r"\s*([\d:.,]{4,24})\s*-->\s*([\d:.,]{4,24})(?:\s.*)?", re.ASCII)
_TIME = re.compile(r"(?:(\d{1,6}):)?(\d{1,3}):(\d{1,2})(?:[.,](\d{1,3}))?", re.ASCII)
_SENTENCE_END = re.compile(r"[.!?。！？…][\"'”’)]*$")
_JOINED_GAP_MS = 1_000  # captions break in the midst of sentences


@dataclass(frozen=True, slots=True)
class Cue:
    """One caption: its text as it stands, and the line of its times."""

    text: str
    start_ms: int
    end_ms: int
    line: int


def cues(lines: Sequence[str], *, webvtt: bool = False) -> Iterator[Cue]:
    """The cues among a file's lines. What stands before the first line of times (ids, the header) is none, nor is the id before another
    one. Captions may have empty lines within: no words are lost with what follows one.
    """
    kept = list(_without_notes(lines)) if webvtt else list(enumerate(lines))
    places = [place for place, (_, line) in enumerate(kept) if ARROW in line]
    for place, then in zip_longest(places, places[1:]):
        number, times = kept[place]
        body = [line for _, line in kept[place + 1 : then]]
        if then is not None and _ends_in_id(body, webvtt):
            body.pop()
        start_ms, end_ms = _times(times, number + 1)
        yield Cue("\n".join(line for line in body if line.strip()), start_ms, end_ms, number + 1)


def _without_notes(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """A file's lines by their places, without notes, styles and regions."""
    fresh, within = True, False
    for number, line in enumerate(lines):
        empty = not line.strip()
        within = (
            not empty and ARROW not in line and (within or (fresh and line.split(maxsplit=1)[:1] in _NO_CUES))
        )
        fresh = empty
        if not within:
            yield number, line


def _ends_in_id(body: Sequence[str], webvtt: bool) -> bool:
    """WebVTT's ids are any words behind an empty line; where there is none, and in SRT, the line before the next times is its number."""
    if not body:
        return False
    fresh = len(body) > 1 and not body[-2].strip()
    return body[-1].strip().isdigit() or (webvtt and fresh)


def _times(line: str, number: int) -> tuple[int, int]:
    if (found := _TIMES.fullmatch(line)) is None:
        raise TranscriptRefused(f"line {number}: {TIMES}")
    start, end = (clock_ms(found[side], f"line {number}") for side in (1, 2))
    return start, end


def clock_ms(written: str, at: str) -> int:
    """`[hh:]mm:ss[.mmm]` in milliseconds."""
    found = _TIME.fullmatch(written)
    if found is None or int(found[3]) > 59 or (found[1] is not None and int(found[2]) > 59):
        raise TranscriptRefused(f"{at}: a time must read like 00:01:02.500")
    hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3))
    total = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + int((found[4] or "0").ljust(3, "0"))
    if total > MOST_MS:
        raise TranscriptRefused(f"{at}: a time must be below a century")
    return total


def as_turns(captions: Iterable[Heard]) -> Iterator[Heard]:
    """Captions that go on with the sentence before, in the same voice and without a gap, belong to its turn.

    A caption that names nobody goes on with the voice before it, as captions name their speaker where it changes.
    """
    before: Heard | None = None
    for caption in captions:
        named = caption if caption.voice or before is None else replace(caption, voice=before.voice)
        if before is not None and _goes_on(before, named):
            before = replace(before, text=joined((before.text, named.text)), end_ms=named.end_ms)
            continue
        if before is not None:
            yield before
        before = named
    if before is not None:
        yield before


def _goes_on(before: Heard, then: Heard) -> bool:
    if before.voice != then.voice or before.end_ms is None or then.start_ms is None:
        return False
    close = 0 <= then.start_ms - before.end_ms <= _JOINED_GAP_MS
    short = len(before.text) + len(then.text) < MOST_CHARACTERS
    return close and short and _SENTENCE_END.search(before.text[-8:].rstrip()) is None
