"""A finished call as a recogniser would have told it while it ran: partial texts that grow, final ones at the end of each turn. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from connectors.calls.book import MOST_SEGMENT_CHARS, Segment
from connectors.calls.parts import progressed
from connectors.calls.transcript import Transcript, Turn
from schemas.call_events import CallProgressed

SPEEDS: Mapping[str, float | None] = {"1x": 1.0, "10x": 10.0, "at-once": None}
"""How fast a call may be played, as people name it: so many times as fast as it was, or without waiting."""
PARTIAL_EVERY_MS = 600
"""How often recognisers that stream tell what they have: two to five times a second; a reader needs less."""
MOST_PARTIALS = 40

_PIECES = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+\s*|\s+")


@dataclass(frozen=True, slots=True)
class Step:
    """What is told, and when: in milliseconds from the call's beginning."""

    at_ms: int
    told: Segment | CallProgressed


def steps(transcript: Transcript, *, partials: bool = True) -> list[Step]:
    """In time; at the end the call is hung up. A turn is final when it ends, so of two that overlap the shorter one may come first."""
    told = [
        step
        for number, turn in enumerate(transcript.turns)
        for step in _turn(f"turn-{number}", turn, partials=partials)
    ]
    events = [progressed(transcript, each) for each in transcript.events if each.kind != "hang_up"]
    told += [Step(event.at_ms, event) for event in events]
    end = max([0, *(turn.end_ms for turn in transcript.turns), *(each.at_ms for each in transcript.events)])
    ended = next((progressed(transcript, each) for each in transcript.events if each.kind == "hang_up"), None)
    by = ended.by if ended is not None else None
    told.sort(key=lambda step: step.at_ms)
    return [*told, Step(end, CallProgressed(kind="hang_up", at_ms=end, by=by))]


def _turn(name: str, turn: Turn, *, partials: bool) -> Iterator[Step]:
    pieces = list(_cut(turn.original))
    for number, piece in enumerate(pieces):
        name_of_piece = name if len(pieces) == 1 else f"{name}-{number}"
        share = (turn.end_ms - turn.start_ms) / len(pieces)
        start, end = round(turn.start_ms + number * share), round(turn.start_ms + (number + 1) * share)
        if partials:
            yield from _growing(name_of_piece, turn, piece, start, end)
        segment = Segment(name_of_piece, turn.speaker, piece, True, start, end, turn.confidence)
        yield Step(end, segment)


def _growing(name: str, turn: Turn, text: str, start: int, end: int) -> Iterator[Step]:
    words = _PIECES.findall(text)
    times = range(start + PARTIAL_EVERY_MS, end, max(PARTIAL_EVERY_MS, (end - start) // MOST_PARTIALS))
    for at in times:
        heard = len(words) * (at - start) // max(1, end - start)
        if heard:
            yield Step(at, Segment(name, turn.speaker, "".join(words[:heard]).strip(), False, start, at))


def _cut(text: str) -> Iterator[str]:
    """Pieces as long as a segment may be; nearly every turn is one."""
    words = iter(_PIECES.findall(text))
    piece = ""
    for word in words:
        for part in (word[at : at + MOST_SEGMENT_CHARS] for at in range(0, len(word), MOST_SEGMENT_CHARS)):
            if len(piece) + len(part) > MOST_SEGMENT_CHARS:
                yield piece.strip()
                piece = ""
            piece += part
    yield piece.strip()
