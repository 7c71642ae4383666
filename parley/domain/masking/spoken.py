"""Digits in words, one by one, as they come from speech: `four one double two`, `幺三八零零`."""

import re
from dataclasses import dataclass

from parley.domain.numerals import CHINESE_DIGITS, ONES, TEENS, TENS

_WORDS = {word: str(value) for word, value in {**ONES, **TEENS, **TENS}.items()}
_WORDS |= {"zero": "0", "oh": "0", "o": "0", "nought": "0", "hundred": "00"}
_CHARACTERS = {character: str(value) for character, value in CHINESE_DIGITS.items()} | {"幺": "1"}
_REPEATED = {"double": 2, "triple": 3, "treble": 3}

_WORD = re.compile("[a-z]+|[0-9]+")
_LETTER = re.compile("[a-z]")
ENGLISH_DIGIT = rf"(?:(?:(?:{'|'.join(_REPEATED)})[\s-]{{1,2}})?(?:{'|'.join(_WORDS)})(?![a-z])|[0-9]+)"
_ENGLISH = re.compile(rf"{ENGLISH_DIGIT}(?:[\s,.-]{{1,3}}{ENGLISH_DIGIT})*+")
CHINESE_CHARACTERS = "".join(_CHARACTERS)
_CHINESE = re.compile(rf"[{CHINESE_CHARACTERS}](?:[\s,-]?[{CHINESE_CHARACTERS}0-9])*")


@dataclass(frozen=True, slots=True)
class Spoken:
    digits: str
    end: int


def spoken_digits(plain: str, start: int) -> Spoken | None:
    """The digits that are said from `start` on."""
    chinese = _CHINESE.match(plain, start)
    if chinese is not None:
        digits = "".join(_CHARACTERS.get(c, c if c.isdigit() else "") for c in chinese[0])
        return Spoken(digits, chinese.end())
    return _english(plain, start)


def _english(plain: str, start: int) -> Spoken | None:
    said = _ENGLISH.match(plain, start)
    if said is None:
        return None
    digits, times = "", 1
    for word in _WORD.findall(said[0]):
        if word in _REPEATED:
            times = _REPEATED[word]
        else:
            digits, times = digits + _WORDS.get(word, word) * times, 1
    return Spoken(digits, said.end()) if _LETTER.search(said[0]) else None
