"""What rules find, and what is left of a text without it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

MaskKind = Literal["card", "iban", "id", "email", "account", "phone", "code", "name", "address"]
KINDS: tuple[MaskKind, ...] = get_args(MaskKind)

MARKS: Mapping[str, str] = {kind: chr(number) for number, kind in enumerate(KINDS, start=0x0E)}
"""What stands in a folded text where a value has been taken: no rule matches it (U+000E to U+001B are no white space), and a text
cannot bring it along."""

OWN_MARK = chr(0x1B)
"""The mark of every kind that a tenant has for itself."""

ANY_PLACEHOLDER = re.compile(r"\[([a-z]{2,16}(?:_[a-z]{1,16}){0,2})_([0-9]{1,6})\]")
"""Of any kind, whoever has it (`schemas.privacy.PATTERN_NAME`)."""


def placeholders_of(kinds: Iterable[str]) -> re.Pattern[str]:
    """Only those that masking itself writes, of these kinds: `[pin_4321]` hides a PIN, and rules must read it."""
    return re.compile(rf"\[({'|'.join(kinds)})_([0-9]{{1,3}})\]")


def without_placeholders(folded: str, placeholders: re.Pattern[str] = ANY_PLACEHOLDER) -> str:
    """The text with marks in the place of the placeholders that it brings along, so that no rule reads their words or numbers."""
    if "[" not in folded:
        return folded
    return placeholders.sub(lambda each: mark_of(each[1]) * len(each[0]), folded)


def mark_of(kind: str) -> str:
    return MARKS.get(kind, OWN_MARK)


@dataclass(frozen=True, slots=True)
class Found:
    """A value within a folded text; `value` is its one spelling, `kind` one of `KINDS` or the name of a tenant's own pattern."""

    start: int
    end: int
    kind: str
    value: str


Rule = Callable[[str], Iterator[Found]]
"""Reads a folded text (`parley.domain.masking.folding`) and yields what it finds, in any order; of findings that overlap the first in the
text is taken, and of two that begin together the one that was yielded first."""


def digits_of(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def joined(text: str) -> str:
    """Without what stands between the parts of a number."""
    return re.sub(r"[\s._/,()-]", "", text)


def listed(words: str) -> frozenset[str]:
    """A list of words, written one after the other."""
    return frozenset(words.split())
