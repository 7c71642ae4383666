"""Written questions as a recogniser would hear them: a simulation for measurements, the same at each run. Nothing is looked up here.

What is spoken has no punctuation and no capitals, numbers are words, and people say "um". On top of that come errors at a given rate of words
(English) or characters (Chinese): seven of ten are taken for something that sounds alike, two are missed, and one has something heard
before it that nobody said. Every word is as likely as any other, while real recognisers miss the short ones more often: so this is
the harder case.
"""

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

FILE = Path(__file__).with_name("homophones.yaml")
SUBSTITUTED, MISSED = 0.7, 0.9
"""Up to the first an error is a substitution, up to the second a miss, above it an insertion."""
FILLED = 0.08
"""So often somebody hesitates before a word, or in Chinese before four characters."""
FILLERS = {"en": ("um", "uh", "er"), "zh": ("嗯", "呃")}
INSERTED = {"en": ("the", "a", "so", "and", "to", "it", "well"), "zh": tuple("的了那就呢啊个")}
NEAREST = 3

_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PRICE = re.compile(r"([€$£])(\d+(?:[.,]\d+)*)")
_HAN = re.compile(r"[\u4e00-\u9fff]|[a-z]+")
_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen
"""
_ONES = _SMALL.split()
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_DIGITS = "零一二三四五六七八九"
_SIGNS = {
    "en": {"€": " euros ", "$": " dollars ", "£": " pounds ", "%": " percent ", "&": " and ", "+": " plus "},
    "zh": {"€": "欧元", "$": "美元", "£": "英镑", "%": "百分之"},
}


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard, and how many errors are in it of how many words (characters) that were said."""

    text: str
    errors: int
    said: int


class Recogniser:
    """Hears one language. `vocabulary` are the words that it may take an English one for, where no homophone is known."""

    def __init__(self, language: str, vocabulary: Iterable[str] = ()) -> None:
        self._language = language
        self._alike = _groups(language)
        self._codes = {word: sound(word) for word in sorted(set(vocabulary)) if _WORD.fullmatch(word)}
        self._nearest: dict[str, Sequence[str]] = {}

    def hear(self, text: str, rate: float, draw: int = 0) -> Heard:
        """The same for the same text, rate and draw."""
        chance = random.Random(f"{self._language}|{rate}|{draw}|{text}")
        units = spoken(text, self._language)
        heard: list[str] = []
        errors = 0
        for unit in units:
            if chance.random() < FILLED / (1 if self._language == "en" else 4):
                heard.append(chance.choice(FILLERS[self._language]))
            wrong = chance.random() < rate
            errors += wrong
            heard += self._wrong(unit, chance) if wrong else [unit]
        return Heard(_joined(heard, self._language), errors, len(units))

    def _wrong(self, unit: str, chance: random.Random) -> list[str]:
        kind = chance.random()
        if kind >= MISSED:
            return [chance.choice(INSERTED[self._language]), unit]
        others = self._others(unit) if kind < SUBSTITUTED else ()
        return [chance.choice(others)] if others else []

    def _others(self, unit: str) -> Sequence[str]:
        known = self._alike.get(unit)
        if known is None and self._codes and _WORD.fullmatch(unit):
            if unit not in self._nearest:
                self._nearest[unit] = self._sounding_like(unit)
            known = self._nearest[unit]
        return known or ()

    def _sounding_like(self, word: str) -> Sequence[str]:
        """The nearest of the vocabulary; not the word itself or another form of it, which would be no error."""
        code = sound(word)
        apart = [
            (_distance(code, other), abs(len(word) - len(each)), each)
            for each, other in self._codes.items()
            if each[:4] != word[:4] or min(len(each), len(word)) < 4
            if each != word
        ]
        return [each for _, _, each in sorted(apart)[:NEAREST]]


def spoken(text: str, language: str) -> list[str]:
    """The words (English) or characters (Chinese) as they are said: no punctuation, no capitals, numbers in words."""
    plain = _PRICE.sub(r"\2\1", text.lower())
    for sign, words in _SIGNS[language].items():
        plain = plain.replace(sign, words)
    plain = _NUMBER.sub(lambda found: f" {_number(found[0], language)} ", plain)
    return (_WORD if language == "en" else _HAN).findall(plain)


@lru_cache(maxsize=65_536)
def sound(word: str) -> str:
    """Roughly how a word sounds: consonants by kind, every run of vowels as one."""
    code = re.sub(r"^(?:kn|gn)", "n", re.sub(r"^wr", "r", word.replace("'", "")))
    for written, said in (
        ("ph", "f"),
        ("gh", ""),
        ("ck", "k"),
        ("qu", "kw"),
        ("x", "ks"),
        ("tch", "C"),
        ("ch", "C"),
        ("sh", "S"),
        ("th", "T"),
    ):
        code = code.replace(written, said)
    code = re.sub(r"c(?=[eiy])", "s", code).replace("c", "k").replace("z", "s")
    code = re.sub(r"e$", "", code) if len(code) > 3 else code
    return re.sub(r"(.)\1+", r"\1", re.sub(r"[aeiouy]+", "a", code))


def _number(written: str, language: str) -> str:
    whole, _, part = written.replace(",", "").partition(".")
    if language == "zh":
        tail = f"点{''.join(_DIGITS[int(each)] for each in part)}" if part else ""
        return f"{_chinese(int(whole))}{tail}"
    tail = f" point {' '.join(_ONES[int(each)] for each in part)}" if part else ""
    return f"{_english(int(whole))}{tail}"


def _english(number: int) -> str:
    if number < 20:
        return _ONES[number]
    if number < 100:
        ones = f" {_ONES[number % 10]}" if number % 10 else ""
        return f"{_TENS[number // 10 - 2]}{ones}"
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if number >= size:
            rest = f" {_english(number % size)}" if number % size else ""
            return f"{_english(number // size)} {name}{rest}"
    raise AssertionError("every number above 99 has a size")


def _chinese(number: int) -> str:
    if number < 10:
        return _DIGITS[number]
    for size, name in ((10_000, "万"), (1_000, "千"), (100, "百"), (10, "十")):
        if number >= size:
            many = "" if number < 20 else _chinese(number // size)
            rest = number % size
            zero = "零" if rest and rest < size // 10 else ""
            return f"{many}{name}{zero}{_chinese(rest) if rest else ''}"
    raise AssertionError("every number above 9 has a size")


def _groups(language: str) -> Mapping[str, Sequence[str]]:
    """What each may be taken for."""
    # Texts alone: to YAML `on` and `no` are no words.
    groups: list[Sequence[str]] = yaml.load(FILE.read_text(encoding="utf-8"), yaml.BaseLoader)[language]
    alike: dict[str, dict[str, None]] = {}
    for group in groups:
        for each in group:
            alike.setdefault(each, {}).update(dict.fromkeys(other for other in group if other != each))
    return {each: tuple(others) for each, others in alike.items()}


def _joined(units: Sequence[str], language: str) -> str:
    if language == "en":
        return " ".join(units)
    return re.sub(r"(?<=[a-z]) (?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff]) ", "", " ".join(units))


def _distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for at, left in enumerate(one, start=1):
        before, row[0] = row[0], at
        for place, right in enumerate(other, start=1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (left != right))
    return row[-1]
