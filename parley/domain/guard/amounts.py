"""Numbers in figures and in words, with what they count: `€1,000`, `five percent`, `3-5 working days`, `五千欧元`, `百分之五`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from parley.domain.guard.facts import Facts, Rule, canonical, over, reading, times
from parley.domain.guard.signs import FIGURES, FOREIGN_FIGURE, words
from parley.domain.guard.units import (
    BEHIND,
    FREE,
    LASTING,
    PERCENT_COLUMN,
    SINGLE,
    Unit,
    currency_before,
    single,
    unit_of,
)
from parley.domain.numerals import (
    CHINESE,
    CHINESE_DIGITS,
    CHINESE_UNITS,
    ENGLISH,
    SCALES,
    SMALL,
    chinese,
    english,
)

_PHONE = re.compile(r"(?=[+0])(?:\+|(?<![\d.,])0)\d[\d ()/-]{5,30}\d")
_HAN_NUMBER = rf"\d[\d.]{{0,11}}|[{''.join(CHINESE_DIGITS)}{CHINESE_UNITS}]{{1,8}}(?:点[{''.join(CHINESE_DIGITS)}]{{1,4}})?"
SHARE = re.compile(rf"([百千])分之\s?({_HAN_NUMBER})")
_PER_MILLE = re.compile(r"(\d[\d.,]{0,12})\s?‰")
_ORDINAL = re.compile(
    rf"\b\d+(?:st|nd|rd|th)\b|第\s?(?:\d{{1,4}}|[{''.join(CHINESE_DIGITS)}{CHINESE_UNITS}]{{1,5}})",
    re.IGNORECASE,
)

_FIGURES = (
    r"(?<![\d])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d{1,3}(?:\.\d{3})+,\d{1,2}(?!\d)|\d{1,3}(?: \d{3})+(?:[.,]\d+)?(?!\d)|\d{1,3}(?:['’]\d{3})+(?:\.\d+)?(?!\d)"
    r"|\d+(?:\.\d+)+|(?<!,)\d+,\d{1,2}(?!\d|,\d)|\d+)"
)
_HALF = r"half(?= (?:an? )?(?:hour|year|day|month)\b)|半(?=个?(?:小时|钟头|月|年|天))"
_HAN = f"{''.join(CHINESE_DIGITS)}{CHINESE_UNITS}"
_NUMBER = re.compile(
    rf"(?=[\daefhnostz半{_HAN}])(?:(?=\d)(?P<figures>{_FIGURES})|(?P<half>{_HALF})|\b(?=a|e[il]|[fhnostz])(?P<english>{ENGLISH.pattern})"
    rf"|(?=[{_HAN}])(?P<chinese>{CHINESE.pattern}))"
)
"""What each kind begins with comes first: it tells sooner that there is none."""
_SCALE = re.compile(
    r"[ -]?(thousand|million|billion|mio|mn|bn)\b|(k|m)\b(?!/)|\s?(千万|百万|亿|万|千(?![克瓦米兆比字]))"
)
_SCALES = SCALES | {
    "k": 10**3,
    "m": 10**6,
    "mio": 10**6,
    "mn": 10**6,
    "bn": 10**9,
    "千": 10**3,
    "万": 10**4,
    "百万": 10**6,
}
_SCALES |= {"千万": 10**7, "亿": 10**8}
_RANGE = re.compile(r"\s*(?:-|~|to|or|and|到|至|或|和|、)\s*")
_BARE = re.compile(r"\s*(?:[|\x01()\[\],.;:!?/，。；：！？、]|$)")
_YEAR = re.compile("(?:19|20)[0-9]{2}")

_FEWEST = 13
"""From here on a number in words is a fact without a unit, too: below it is a word like others (`one of them`, `two ways`)."""
_IDIOMS = "百千万亿"
_NOT_ONE = "每下上同这那第任哪另某近统唯过半整当头"
"""Before 一: `下一年`, `每一天` count nothing."""


@dataclass(frozen=True, slots=True)
class Amount:
    """A number in a text. `words`: it is not in figures."""

    start: int
    end: int
    number: str
    unit: Unit | None
    words: bool
    counted: bool = True
    """Whether it stands for a figure: 一 in 下一年 does not."""
    idiom: bool = False
    """What begins with a unit in Chinese is a number only of something: 千万别, but 千万欧元."""
    bare: bool = False
    """Whether nothing follows that it could count: a table's cell, whose unit is in the heading."""


def _phone(match: re.Match[str], facts: Facts) -> bool:
    facts.say(f"number:{re.sub(r'[^0-9]', '', match[0])}")
    return True


def share(match: re.Match[str]) -> str:
    """How many of a hundred a match of `SHARE` is."""
    number = canonical(match[2]) if match[2][0].isdigit() else chinese(match[2])
    return number if match[1] == "百" else over(number, 10)


def _share(match: re.Match[str], facts: Facts) -> bool:
    _say_rate(share(match), facts)
    return True


def _per_mille(match: re.Match[str], facts: Facts) -> bool:
    number = canonical(match[1])
    _say_rate(over(number, 10) if number.count(".") < 2 else number, facts)
    return True


def _say_rate(number: str, facts: Facts) -> None:
    facts.say(f"rate:{number}")
    facts.imply(f"number:{number}")


def _ordinal(match: re.Match[str], facts: Facts) -> bool:
    figures = re.sub(r"\D", "", match[0])
    if figures:
        facts.imply(f"number:{figures}")
    return True


def _amounts(text: str, facts: Facts) -> str:
    small = text.lower()
    of_hundred = ("%" in small or "cent" in small) and PERCENT_COLUMN.search(small) is not None
    for amount in amounts_in(small):
        _say(amount, facts)
        _say_how_often(amount, small, facts)
        if of_hundred and amount.bare:
            facts.imply(f"rate:{amount.number}")
    return text


def _lasting(text: str, facts: Facts) -> str:
    for match in LASTING.finditer(text.lower()):
        name, count = single(match)
        facts.say(f"number:{count} {name}")
    return text


def imply_amounts(rest: str, facts: Facts) -> None:
    """What a source supports besides, given what its rules have left of it."""
    small = rest.lower()
    for match in SINGLE.finditer(small):
        name, count = single(match)
        facts.imply(f"number:{count} {name}")
    if FREE.search(small) is not None:
        facts.imply("number:0", "plain:0")


def _say_how_often(amount: Amount, text: str, facts: Facts) -> None:
    """Money and rates `a month` are none `a year`: the sources must speak of months somewhere."""
    behind = amount.end + text.startswith(" ", amount.end)
    one = SINGLE.match(text, behind) if amount.unit is not None and amount.unit.is_price else None
    if one is not None:
        name, count = single(one)
        facts.say(f"number:{count} {name}")


def amounts_in(text: str) -> Iterator[Amount]:
    """The numbers of a text in small letters, in its order, each with what it counts."""
    return _with_ranges(text, list(_found(text)))


def _found(text: str) -> Iterator[Amount]:
    end = 0
    for match in _NUMBER.finditer(text):
        if match.start() < end:
            continue
        number, end = _scaled(_value(match), text, match.end())
        unit = currency_before(text, match.start())
        behind = BEHIND.match(text, end) if unit is None else None
        if behind is not None and not (_YEAR.fullmatch(number) and behind[0] == "年"):
            unit, end = unit_of(behind), behind.end()
        words = match["figures"] is None
        bare = _BARE.match(text, end) is not None
        yield Amount(
            match.start(), end, number, unit, words, _counts(text, match), match[0][0] in _IDIOMS, bare
        )


def _value(match: re.Match[str]) -> str:
    if match["figures"] is not None:
        return canonical(match[0])
    if match["half"] is not None:
        return "0.5"
    return english(match[0]) if match["english"] is not None else chinese(match[0])


def _scaled(number: str, text: str, end: int) -> tuple[str, int]:
    scale = _SCALE.match(text, end)
    if scale is None:
        return number, end
    return times(number, _SCALES[scale[1] or scale[2] or scale[3]]), scale.end()


def _counts(text: str, match: re.Match[str]) -> bool:
    """Not 一 behind a word that makes it `a`."""
    if match["chinese"] is None:
        return True
    before = text[match.start() - 1 : match.start()] if match.start() else ""
    return not (match[0] == "一" and before and before in _NOT_ONE)


def _with_ranges(text: str, amounts: list[Amount]) -> Iterator[Amount]:
    """`3 to 5 working days` are three working days too."""
    for amount, following in zip_longest(amounts, amounts[1:]):
        unit = amount.unit
        if unit is None and following is not None and _RANGE.fullmatch(text, amount.end, following.start):
            unit = following.unit
        yield amount if unit is amount.unit else replace(amount, unit=unit)


def _say(amount: Amount, facts: Facts) -> None:
    number, unit = amount.number, amount.unit
    instead: tuple[str, ...] = ()
    if unit is not None and unit.name == "rate":
        token = f"rate:{number}"
    elif unit is not None:
        counted = times(number, unit.factor) if number.count(".") < 2 else number
        token, instead = f"number:{counted} {unit.name}", (f"plain:{number}",)
    else:
        token = f"number:{number}"
        facts.imply(*([f"plain:{number}"] if amount.bare else []))
    facts.imply(f"number:{number}")
    if _demanded(amount):
        facts.say(token, *instead)
    else:
        facts.imply(token)


def _demanded(amount: Amount) -> bool:
    """Figures always; words where they count something, or are large."""
    if not amount.words:
        return True
    if not amount.counted:
        return False
    if amount.unit is not None:
        return amount.unit.small
    return "." in amount.number or (not amount.idiom and int(amount.number) >= _FEWEST)


_NUMERALS = (
    FIGURES
    | {FOREIGN_FIGURE, "hundred", *SMALL, *SCALES, *CHINESE_DIGITS, *CHINESE_UNITS}
    | words("hour year day month 半")
)
"""Half is a number before these."""

AMOUNTS: tuple[Rule, ...] = (
    reading(_PHONE, _phone, FIGURES),
    reading(SHARE, _share, "分"),
    reading(_PER_MILLE, _per_mille, "‰"),
    reading(_ORDINAL, _ordinal, FIGURES | {"第"}),
    Rule(_NUMERALS, _amounts),
    Rule(words("a an"), _lasting),
)
"""The last two leave what they read, since nothing is read after them."""
