"""Looks for the phrases of the lexicons in a message, whatever its letters are made of."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from parley.domain.masking.folding import Folded, fold
from parley.domain.risks import chinese, english
from parley.domain.risks.kinds import GRAVEST_FIRST
from parley.domain.risks.lexicon import Lexicon
from parley.domain.risks.phrases import Phrase, letters_of
from schemas.parts import Risk, RiskKind

_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile("[a-z]")
_APART = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class _Heard:
    """Words that say a risk, as a span of the message."""

    kind: RiskKind
    start: int
    end: int


def risks(text: str) -> tuple[Risk, ...]:
    """One risk a kind, the gravest first, with the first words of the text that say it; pure, and linear in the text's length."""
    folded = fold(text)
    heard = [*_heard_in_english(folded), *_heard_in_chinese(folded)]
    first = {one.kind: one for one in sorted(heard, key=lambda one: one.start, reverse=True)}
    ordered = (first[kind] for kind in GRAVEST_FIRST if kind in first)
    return tuple(Risk(kind=one.kind, evidence=text[one.start : one.end]) for one in ordered)


def prepare() -> None:
    """Read the lexicons, which takes a second, before the first message asks for them."""
    _english()
    _chinese()


def together(*found: Iterable[Risk]) -> tuple[Risk, ...]:
    """What several have found, one risk a kind: of those who found the same, the first one's words."""
    by_kind = {risk.kind: risk for risks in reversed(found) for risk in risks}
    return tuple(by_kind[kind] for kind in GRAVEST_FIRST if kind in by_kind)


def _heard_in_english(folded: Folded) -> Iterator[_Heard]:
    if _LATIN.search(folded.text) is None:
        return
    for kind, start, end in _english().search(folded.text):
        yield _Heard(kind, *folded.span(start, end))


def _heard_in_chinese(folded: Folded) -> Iterator[_Heard]:
    """Blanks between characters mean nothing, and the traditional ones are the simplified ones."""
    if _HAN.search(folded.text) is None:
        return
    stand = [at for at, character in enumerate(folded.text) if not _APART.match(character)]
    plain = "".join(folded.text[at] for at in stand).translate(chinese.SIMPLIFIED)
    for kind, start, end in _chinese().search(plain):
        yield _Heard(kind, *folded.span(stand[start], stand[end - 1] + 1))


class _Searcher:
    """The phrases of one lexicon, found by their signs: by the letters of its rarest sign, then by the others."""

    def __init__(self, lexicon: Lexicon) -> None:
        def read(phrases: Iterable[str]) -> tuple[Phrase, ...]:
            return tuple(map(lexicon.reader.read, phrases))

        self._said: dict[str, list[tuple[RiskKind, Phrase]]] = defaultdict(list)
        for kind, each in lexicon.risks.items():
            for phrase in read(each.SAID):
                for letters in phrase.signs[0]:
                    self._said[letters].append((kind, phrase))
        self._unless = {kind: read(each.UNLESS) for kind, each in lexicon.risks.items()}

    def search(self, plain: str) -> Iterator[tuple[RiskKind, int, int]]:
        letters = letters_of(plain)
        likely = (pair for each in letters for pair in self._said.get(each, ()))
        spans: dict[RiskKind, set[tuple[int, int]]] = defaultdict(set)
        for kind, phrase in likely:
            spans[kind].update(_spans([phrase], plain, letters))
        for kind, found in spans.items():
            harmless = list(_spans(self._unless[kind], plain, letters)) if found else []
            yield from ((kind, *span) for span in sorted(found) if not _begins_in(span, harmless))


def _spans(phrases: Iterable[Phrase], plain: str, letters: frozenset[str]) -> Iterator[tuple[int, int]]:
    for phrase in phrases:
        if phrase.may_be_in(letters):
            yield from (match.span() for match in phrase.pattern.finditer(plain))


def _begins_in(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    return any(start <= span[0] < end for start, end in others)


@cache
def _english() -> _Searcher:
    return _Searcher(english.LEXICON)


@cache
def _chinese() -> _Searcher:
    return _Searcher(chinese.LEXICON)
