"""What a text must hold for a rule to find anything in it: looked for once for all the rules, before any pattern is tried.

Most sentences of an answer state nothing that could be compared. Whether they do is told by their words and characters far sooner than by
two dozen patterns.
"""

import re
from collections.abc import Iterable
from typing import Final

SIGN = re.compile(r"[a-z]+|\.(?=[^\s\d]|(?<=www\.))|[^a-z\s.,]")
_FOREIGN_FIGURE = re.compile(r"(?![0-9])\d")

FIGURES: Final = frozenset("0123456789")
FOREIGN_FIGURE: Final = r"\d"
"""A decimal digit of another script than ours."""
ODD: Final = frozenset("\u0307ıſ")
"""Letters that patterns take for `i` and `s` where they ignore case, as they are in small letters: İ becomes two characters there."""
POINT: Final = "."
"""A point with something behind it that is neither white space nor a figure; behind `www`, any point."""


def signs_of(small: str) -> set[str]:
    """Of a text in small letters: its words (the longest runs of a to z), every other character but white space, commas and points that end
    something, `POINT` and `FOREIGN_FIGURE`.
    """
    found = set(SIGN.findall(small))
    if not small.isascii() and _FOREIGN_FIGURE.search(small) is not None:
        found.add(FOREIGN_FIGURE)
    return found


def words(*lines: str) -> frozenset[str]:
    """The words of these lines, as signs."""
    return frozenset(word for line in lines for word in line.split())


def last_words(names: Iterable[str]) -> frozenset[str]:
    """The last word of each name: the sign of names that may be written with a hyphen or a blank."""
    return frozenset(re.split("[ -]", name)[-1] for name in names)
