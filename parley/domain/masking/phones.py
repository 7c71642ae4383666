"""Telephone numbers by their shape, with and without their country's code."""

import re
from collections.abc import Iterator

from parley.domain.masking.amounts import DATE, NO_DECIMALS, NO_UNIT
from parley.domain.masking.found import Found, Rule, digits_of

_BEGIN = r"(?<![0-9].)(?<![$€£¥].)(?<![$€£¥] .)"
"""Behind a number's first character, where a search is quickest: it is neither within a number nor an amount's."""
_BEGIN_GROUPS = rf"{_BEGIN}(?<![a-z].)(?<![0-9][.-].)(?<!(?<![0-9])[0-9],.)(?<!(?<![0-9])[0-9]{{2}},.)(?<!(?<![0-9])[0-9]{{3}},.)"
"""The same of one in groups: they are not a longer number's thousands either."""
_END = rf"(?![0-9]|[:-][0-9]|[a-z]{{1,8}}[0-9]){NO_DECIMALS}{NO_UNIT}"
_GAP = r"(?: ?[-._/] ?| {1,2})"
_NORTH_AMERICA = rf"{_GAP}?[2-9][0-9]{{2}}{_GAP}[0-9]{{4}}{_END}"

_SHAPES = {
    "international": rf"(?:\+(?<![0-9+].)|0(?<![0-9a-z+].)0)(?=[1-9])(?:[0-9][ .()/-]{{0,3}}){{7,14}}[0-9](?![0-9]){NO_UNIT}",
    "China, mobile": (
        rf"(?:1{_BEGIN}(?<![0-9][a-z].)|8{_BEGIN}6[ -]?1)[3-9][0-9]"
        rf"(?:{_GAP}?[0-9]{{4}}{_GAP}?[0-9]{{4}}|{_GAP}[0-9]{{3}}{_GAP}[0-9]{{5}}){_END}"
    ),
    # Dates and what is counted in pairs begin with a zero too (01 02 03): a short area code has a longer group behind it.
    "area in brackets": rf"\({_BEGIN}0[1-9][0-9]{{0,3}}\) ?[0-9]{{3,8}}(?:[ .-][0-9]{{2,5}}){{0,3}}{_END}",
    "area apart": (
        rf"0{_BEGIN_GROUPS}[1-9](?:{_GAP}[0-9]{{3,8}}|[0-9]{{1,3}}{_GAP}[0-9]{{2,8}})(?:{_GAP}[0-9]{{2,5}}){{0,3}}{_END}"
    ),
    "undivided": rf"0{_BEGIN}(?<![a-z].)[1-9][0-9]{{8,9}}{_END}",
    "North America": rf"[2-9]{_BEGIN_GROUPS}[0-9]{{2}}{_NORTH_AMERICA}",
    "North America, 1": rf"1{_BEGIN_GROUPS}[ -]\(?[2-9][0-9]{{2}}\)?{_NORTH_AMERICA}",
    "North America, in brackets": rf"\({_BEGIN_GROUPS}[2-9][0-9]{{2}}\){_NORTH_AMERICA}",
}
_FEWEST, _MOST = 9, 15
"""Digits; the most are those of ITU-T E.164."""


def phone_value(text: str) -> str:
    """The last nine digits: the same line with and without its country code or trunk zero is one value."""
    return digits_of(text)[-9:]


def _shaped(shape: str) -> Rule:
    pattern = re.compile(shape)

    def rule(plain: str) -> Iterator[Found]:
        for hit in pattern.finditer(plain):
            if _FEWEST <= len(digits_of(hit[0])) <= _MOST and not DATE.match(hit[0]):
                yield Found(hit.start(), hit.end(), "phone", phone_value(hit[0]))

    return rule


international_phones, *national_phones = map(_shaped, _SHAPES.values())
