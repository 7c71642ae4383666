"""What rules find, and what is left of a text without it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

MaskKind = Literal["card", "iban", "id", "email", "account", "phone", "code", "name", "address"]
KINDS: tuple[MaskKind, ...] = get_args(MaskKind)

MARKS: dict[MaskKind, str] = {kind: chr(number) for number, kind in enumerate(KINDS, start=0x0E)}
"""What stands in a folded text where a value has been taken: no rule matches it (U+000E to U+001B are no white space), and a text
cannot bring it along."""

PLACEHOLDER = re.compile(rf"\[({'|'.join(KINDS)})_([0-9]{{1,3}})\]")


def without_placeholders(folded: str) -> str:
    """The text with marks in the place of the placeholders that it brings along, so that no rule reads their words or numbers."""
    return PLACEHOLDER.sub(_mark, folded)


def _mark(placeholder: re.Match[str]) -> str:
    kind: MaskKind = placeholder[1]  # type: ignore[assignment]  # the pattern is made of the kinds
    return MARKS[kind] * len(placeholder[0])


@dataclass(frozen=True, slots=True)
class Masked:
    """A text without what was found in it; `kinds` in the order of their first appearance, each once."""

    text: str
    kinds: tuple[MaskKind, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A value within a folded text; `value` is its one spelling."""

    start: int
    end: int
    kind: MaskKind
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
