"""What a rule for entities is, and what it finds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

MARK = "\x1a"
"""Stands in a folded text where an entity has been found: no rule reads it again, nor across it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value within a folded text."""

    start: int
    end: int
    kind: str
    value: str


Rule = Callable[[str, date], Iterator[Found]]
"""Reads a folded text (`parley.domain.masking.folding`) that was written on a day. Of findings that overlap, the first in the text is
taken, and of those that begin together the longest.
"""
