"""A tenant's own numbers, as `privacy.patterns` of its `tenant.yaml` describes them, made into rules.

A pattern without cue words finds its numbers wherever they stand alone, and so do articles' numbers, dates and counters that look
alike: `look_alikes` tells whether it is that wide.
"""

import re
from collections.abc import Iterator

from parley.domain.masking.amounts import DATE, NO_UNIT
from parley.domain.masking.checksums import CHECKSUMS
from parley.domain.masking.cues import Cue, after
from parley.domain.masking.folding import fold
from parley.domain.masking.found import Found, Rule, joined
from parley.domain.masking.shapes import Shape, ShapeRefused, shape_of
from schemas.privacy import MaskPattern

_BEGIN = r"(?<![0-9a-z])(?<![0-9][.,/:-])(?<![$€£¥])(?<![$€£¥] )"
_END = rf"(?![0-9a-z]|/[0-9]|[.,:-][0-9]){NO_UNIT}"

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_DIGITS = frozenset("0123456789")
_BETWEEN = frozenset(" ._/,()-")
"""What `joined` takes out of a number."""
_ALPHABETS = {
    "luhn": (_DIGITS, "digits"),
    "mod97": (_DIGITS | _LETTERS, "digits and letters"),
    "mod11_2": (_DIGITS | {"x"}, "digits and x"),
}

LOOK_ALIKES = (
    *("2026-11-23", "23.11.2026", "11/23/2026", "20261123", "2026", "231126", "14:05:33", "2026-11-23 14:05", "20261123140533"),
    *("1234", "12500", "250000", "1,234.56", "1.234.567,89", "1 250 000", "€2500", "2500 eur", "2500000 yuan", "3.75"),
    *("1764000000", "1764000017", "1764000123456", "1764000123464", "5.12.0", "192.168.100.20", "4.2.1", "ab 2026", "no 4711"),
)  # fmt: skip
"""Dates, amounts, time stamps, versions and counters that customers write without another word."""


class PatternRefused(ValueError):
    """A pattern that cannot be used; `field` is the part of it that is wrong."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


def check(pattern: MaskPattern) -> None:
    """Raises `PatternRefused`."""
    try:
        shape = shape_of(pattern.regex)
    except ShapeRefused as error:
        raise PatternRefused("regex", str(error)) from error
    if pattern.checksum is not None:
        alphabet, words = _ALPHABETS[pattern.checksum]
        if not shape.made_of - _BETWEEN <= alphabet:
            raise PatternRefused("checksum", f"{pattern.checksum} is of {words}; the regex allows others")
    rule = rule_of(pattern)
    wide = next((alike for alike in LOOK_ALIKES if any(rule(fold(alike).text))), None)
    if wide is not None:
        words = f"is too wide: it would mask {wide}; add cue words, a checksum, or letters that it always has"
        raise PatternRefused("regex", words)


def rules_of(patterns: tuple[MaskPattern, ...]) -> tuple[Rule, ...]:
    """A pattern that this build refuses is left out, since it was taken by another one."""
    usable = []
    for pattern in patterns:
        try:
            usable.append(rule_of(pattern))
        except ShapeRefused:
            continue
    return tuple(usable)


def rule_of(pattern: MaskPattern) -> Rule:
    """Raises `ShapeRefused`."""
    shape = shape_of(pattern.regex)
    return _after_cues(pattern, shape) if pattern.cues else _anywhere(pattern, shape)


def _after_cues(pattern: MaskPattern, shape: Shape) -> Rule:
    whole = re.compile(shape.written)

    def holds(value: str, *, said: bool) -> bool:
        return (not said or whole.fullmatch(value) is not None) and _checks(pattern, value)

    words = "|".join(re.escape(fold(cue).text) for cue in sorted(pattern.cues, key=len, reverse=True))
    return after(Cue(pattern.name, words, f"(?:{shape.written})", shape.digits, joined, holds=holds))


def _anywhere(pattern: MaskPattern, shape: Shape) -> Rule:
    search = re.compile(f"{_BEGIN}(?:{shape.written}){_END}")

    def rule(plain: str) -> Iterator[Found]:
        for hit in search.finditer(plain):
            value = joined(hit[0])
            if not DATE.match(plain, hit.start()) and _checks(pattern, value):
                yield Found(hit.start(), hit.end(), pattern.name, value)

    return rule


def _checks(pattern: MaskPattern, value: str) -> bool:
    return pattern.checksum is None or CHECKSUMS[pattern.checksum](value)
