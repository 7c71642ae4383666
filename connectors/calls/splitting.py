"""Texts that are longer than a turn may be, cut at the ends of sentences."""

import re
from collections.abc import Iterator

from connectors.calls.draft import Heard
from connectors.calls.transcript import MOST_CHARACTERS

_SENTENCE_END = re.compile(r"[.!?…][\"'”’)]*\s+|[。！？；]+[”’）]*\s*|\n+")


def split(turn: Heard) -> Iterator[Heard]:
    """The turn, or its pieces of at most `MOST_CHARACTERS`. Each piece's times are its share, by characters, of the whole's."""
    if len(turn.text) <= MOST_CHARACTERS:
        yield turn
        return
    begin = 0
    for end in _cuts(turn.text):
        yield Heard(
            voice=turn.voice,
            text=turn.text[begin:end],
            start_ms=_share(turn, begin),
            end_ms=_share(turn, end),
            confidence=turn.confidence,
            at=turn.at,
        )
        begin = end


def _cuts(text: str) -> Iterator[int]:
    """Where pieces end: after the last sentence that fits, or else the last space, or else in the midst of a word."""
    begin = 0
    while len(text) - begin > MOST_CHARACTERS:
        window = text[begin : begin + MOST_CHARACTERS]
        ends = [found.end() for found in _SENTENCE_END.finditer(window)]
        begin += ends[-1] if ends else window.rfind(" ") + 1 or MOST_CHARACTERS
        yield begin
    yield len(text)


def _share(turn: Heard, position: int) -> int | None:
    if turn.start_ms is None or turn.end_ms is None:
        return turn.start_ms
    return turn.start_ms + (turn.end_ms - turn.start_ms) * position // len(turn.text)
