"""What rules find in a text as spans of it: one beside the other, and taken out of it so that no later rule reads them."""

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class Span(Protocol):
    """From `start` to before `end`."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


S = TypeVar("S", bound=Span)


def apart(found: Iterable[S]) -> list[S]:
    """Of findings that overlap the first in the text, and of those that begin together the one that was given first."""
    kept: list[S] = []
    for one in sorted(found, key=lambda one: one.start):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return kept


def taken_out(plain: str, found: Iterable[S], mark: Callable[[S], str]) -> str:
    """The text with each finding's mark, one character, in the place of every character of it. `found` is in order and apart."""
    pieces: list[str] = []
    position = 0
    for one in found:
        pieces += (plain[position : one.start], mark(one) * (one.end - one.start))
        position = one.end
    return "".join(pieces) + plain[position:]
