"""English number words and Chinese numerals, as numbers. Whether one stands for a figure is judged by who asks.

A number is returned as its decimal digits (`350`, `3.75`), because that is how it is compared and written.
"""

import re

ONES = {
    word: value
    for value, word in enumerate(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"], start=1
    )
}
TEENS = {
    word: value
    for value, word in enumerate(
        [
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        start=10,
    )
}
TENS = {
    word: value
    for value, word in zip(
        range(20, 100, 10),
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"],
        strict=True,
    )
}
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
SMALL = {"zero": 0, **ONES, **TEENS, **TENS}


def _any(words: dict[str, int]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_GAP = r"[\s-]{1,2}"
_AND = rf"(?:,?\s(?:and\s)?|{_GAP})"
_BELOW_100 = rf"(?:(?:{_any(TENS)})(?:{_GAP}(?:{_any(ONES)}))?|{_any(TEENS)}|{_any(ONES)})"
_BELOW_1000 = rf"(?:(?:{_BELOW_100}|an?){_GAP}hundred(?:{_AND}{_BELOW_100})?|{_BELOW_100})"
_SCALED = rf"(?:half\s)?(?:{_BELOW_1000}|an?){_GAP}(?:{_any(SCALES)})"
ENGLISH = re.compile(
    rf"\b(?:{_SCALED}(?:{_AND}{_SCALED}){{0,3}}(?:{_AND}{_BELOW_1000})?|{_BELOW_1000}|zero)"
    rf"(?:\spoint(?:\s(?:zero|oh|{_any(ONES)})){{1,12}})?\b(?!')",
    re.IGNORECASE,
)
"""One number in words: `six`, `twenty-five`, `two hundred and fifty`, `half a million`, `three point seven five`."""

_ORDINAL_ONES = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"]
_ORDINAL_TEENS = (
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth"
)
ORDINALS = {
    word: value
    for value, word in enumerate(
        [
            *_ORDINAL_ONES,
            *_ORDINAL_TEENS.split(),
            "twentieth",
            *(f"twenty-{word}" for word in _ORDINAL_ONES),
            "thirtieth",
            "thirty-first",
        ],
        start=1,
    )
}
"""The days of a month in words."""
ORDINAL = "|".join(sorted(ORDINALS, key=len, reverse=True)).replace("-", "[ -]")


def english(words: str) -> str:
    """The number that a match of `ENGLISH` says."""
    whole, _, fraction = words.lower().partition(" point")
    total = current = 0
    for word in re.findall("[a-z]+", whole):
        if word == "hundred":
            current = (current or 1) * 100
        elif word in SCALES:
            total, current = total + (current or 1) * SCALES[word], 0
        else:
            current += SMALL.get(word, 0)
    number = total + current
    number = number // 2 if whole.startswith("half") else number
    return f"{number}.{_digits(fraction)}" if fraction else str(number)


def _digits(words: str) -> str:
    return "".join(str(SMALL.get(word, 0)) for word in words.split())


def ordinal(word: str) -> int:
    return ORDINALS[word.lower().replace(" ", "-")]


CHINESE_DIGITS = {
    character: value
    for value, characters in enumerate(
        ["零〇", "一壹", "二两贰兩", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖"]
    )
    for character in characters
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_MYRIADS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
CHINESE_UNITS = "".join((*_UNITS, *_MYRIADS))
_DIGIT = "".join(CHINESE_DIGITS)
CHINESE = re.compile(
    rf"[{_DIGIT}{CHINESE_UNITS}]{{1,24}}(?:点[{_DIGIT}]{{1,12}}(?![{CHINESE_UNITS}分刻半点]))?"
)
"""One number in characters: `六`, `三百五十`, `二〇二六`, `三点七五`."""


def chinese(numeral: str) -> str:
    """The number that a match of `CHINESE` says. A numeral that begins with its unit counts that once: 百万 is 1000000."""
    whole, _, fraction = numeral.partition("点")
    number = _read_out(whole) if all(c in CHINESE_DIGITS for c in whole) else str(_counted(whole))
    return f"{number}.{_read_out(fraction)}" if fraction else number


def _read_out(digits: str) -> str:
    return "".join(str(CHINESE_DIGITS[c]) for c in digits)


def _counted(numeral: str) -> int:
    total = section = digit = 0
    last = 10
    for character in numeral:
        if character in CHINESE_DIGITS:
            digit = CHINESE_DIGITS[character]
            last = last if digit else 10
        elif character in _UNITS:
            last = _UNITS[character]
            section, digit = section + (digit or 1) * last, 0
        else:
            last = _MYRIADS[character]
            counted = section + digit
            total = total * last if total and not counted else total + (counted or 1) * last
            section = digit = 0
    return total + section + digit * (last // 10)  # 一万二 is 12000, 三百五 is 350, 一万零二 is 10002
