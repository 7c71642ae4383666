"""What a text says, as canonical tokens, and the one spelling of a number."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

READ = "\x01"
"""Stands where a rule has read something: no later rule reads it again, nor across it."""

_MOST_DIGITS = 24
"""A longer number is nobody's amount and is not reckoned with."""


@dataclass(slots=True)
class Facts:
    """`said` maps each token that must stand in the passages to what may stand there instead; `implied` are tokens that a
    passage supports besides, and that nobody asks of an answer."""

    said: dict[str, tuple[str, ...]] = field(default_factory=dict)
    implied: set[str] = field(default_factory=set)

    def say(self, token: str, *instead: str) -> None:
        self.said.setdefault(token, instead)

    def imply(self, *tokens: str) -> None:
        self.implied.update(tokens)


Read = Callable[[str, Facts], str]
"""Notes what it reads in a text, and returns the text with `READ` in its place."""

Note = Callable[[re.Match[str], Facts], bool]
"""Notes what a match says; False where it was not what it looked like, and others may read it."""


class Rule(NamedTuple):
    """`read` finds nothing in a text that has none of the signs (`parley.domain.guard.signs`)."""

    signs: frozenset[str]
    read: Read


def reading(pattern: re.Pattern[str], note: Note, signs: Iterable[str], *parts: str) -> Rule:
    """A rule of one pattern. Where there are parts, it is tried only on texts that hold one of them, in small letters."""

    def read(text: str, facts: Facts) -> str:
        if parts:
            small = text.lower()
            if not any(part in small for part in parts):
                return text
        return pattern.sub(lambda match: READ if note(match, facts) else match[0], text)

    return Rule(frozenset(signs), read)


_POINTS_THEN_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d{1,2}")
"""`1.234,50`, as most of the continent writes it."""


def canonical(number: str) -> str:
    """One spelling of a number: no thousands separators, no trailing zeros; a single decimal comma is a point."""
    whole, _, fraction = number.partition(".")
    if whole.isdecimal() and (not fraction or fraction.isdecimal()):
        return _shortest(whole, fraction)
    plain = re.sub(r"[\s'’]", "", number).rstrip(".,")
    if _POINTS_THEN_COMMA.fullmatch(plain):
        plain = plain.replace(".", "")
    plain = re.sub(r",(?=\d{3}(?:\D|$))", "", plain)
    plain = re.sub(r"^(\d+),(\d+)$", r"\1.\2", plain)
    if plain.count(".") > 1 or "," in plain:
        return re.sub(r"\D", "", plain)
    whole, _, fraction = plain.partition(".")
    return _shortest(whole, fraction)


def _shortest(whole: str, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def times(number: str, factor: int) -> str:
    """A canonical number, multiplied."""
    if factor == 1 or len(number) > _MOST_DIGITS:
        return number
    return canonical(f"{Decimal(number) * factor:f}")


def over(number: str, divisor: int) -> str:
    """A canonical number, divided by a power of ten."""
    return canonical(f"{Decimal(number) / divisor:f}") if len(number) <= _MOST_DIGITS else number
