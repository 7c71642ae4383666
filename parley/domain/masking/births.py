"""A day of birth, where one was asked for or the words for it stand before it: in figures, by the month's name, or spoken."""

import re
from typing import NamedTuple

from parley.domain.masking.amounts import DATE
from parley.domain.masking.spoken import ENGLISH_DIGIT

_ASKED = re.compile(
    r"\b(?:date|day|month|year) of birth\b|\bborn\b|\bbirth ?(?:day|date)\b|\bdob\b|出生|生日"
)
_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
_DAY = r"(?:[0-9]{1,2}(?:st|nd|rd|th)?|(?:twenty|thirty)?[ -]?(?:first|second|third|[a-z]{2,8}th))"
_NUMBER = rf"(?:[0-9]{{2,4}}(?![0-9])|{ENGLISH_DIGIT}|thousand|and(?= {ENGLISH_DIGIT}))"
_NAMED = re.compile(
    rf"(?<![a-z0-9])(?:(?:the )?{_DAY}(?: of)? )?(?:{_MONTHS})(?![a-z])\.?(?:,? (?:the )?{_DAY}(?![a-z0-9]))?(?:[ ,]{{1,2}}{_NUMBER}){{0,6}}+"
)
_CHINESE = re.compile(
    "[0-9一二三四五六七八九零〇]{2,4}年[0-9一二三四五六七八九十]{1,3}月(?:[0-9一二三四五六七八九十]{1,3}[日号]?)?"
)

DATE_WITHIN = re.compile(rf"(?<![0-9]){DATE.pattern}")
SHORTEST = 4
"""Characters: `may` by itself is a word."""


class Birth(NamedTuple):
    """Whether a day of birth is spoken of, and where in the text the first one stands."""

    asked: bool
    span: tuple[int, int] | None = None


def birth(plain: str, *, expected: bool) -> Birth:
    """In a folded text. `expected` where one was asked for before it."""
    asked = _ASKED.search(plain)
    if not expected and asked is None:
        return Birth(False)
    begins = 0 if expected or asked is None else asked.start()
    hits = [hit.span() for rule in (DATE_WITHIN, _NAMED, _CHINESE) if (hit := rule.search(plain, begins))]
    told = [(start, end) for start, end in hits if end - start > SHORTEST]
    return Birth(asked is not None, min(told, default=None))
