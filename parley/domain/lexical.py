"""BM25 of a question over a chunk's fields, by the statistics of one tenant version in one language.

An index finds candidates with whatever its engine has; what a candidate is worth in words is computed here, so that it depends neither on the
engine nor on the other versions and languages that the index holds. S. Robertson, H. Zaragoza, "The Probabilistic Relevance Framework: BM25
and Beyond", 2009; fields are weighted as in its BM25F, with one length for all of them.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple

from parley.domain.chunking import Chunk
from parley.domain.naming import DOUBT, Names, named, names_of, split
from parley.domain.words import CJK, grams, terms

WEIGHTS = (3, 2, 1)
"""How much a term counts in the article's title, in the headings above the chunk, and in its text."""
K1, B = 1.2, 0.75
"""How soon repeated terms stop counting, and how much long chunks lose: the values that search engines come with."""
TOPIC_WEIGHT = 0.35
"""How much a term of the query's topic counts beside one of its text."""
TURN_WEIGHT = 0.7
"""How much a term of the turn before counts; each turn further back counts this share of the one after it."""
TURNS, TURNS_IN_CHINESE = 4, 8
"""So many turns are looked at: Chinese leaves out what is talked about once it was named, and with four 2 of 100 fewer are found."""
CHARACTER_WEIGHT = 0.7
"""What a single Chinese character counts beside a pair: chosen with what names count (`parley.domain.naming`); 0.5 to 1 differ little."""
MOST_TERMS = 128
"""So many of a text are looked up. Only told stories have more: of tau_bank's instructions half as many find three points less."""


class Fields(NamedTuple):
    """The terms of a chunk's title, headings and text, joined by spaces: an engine then only has to split at them.

    `names` are the telling terms of what it is called, one name a line; they stand in the other fields too and are not counted again.
    """

    title: str
    path: str
    text: str
    names: str = ""

    @property
    def counted(self) -> tuple[str, str, str]:
        return self.title, self.path, self.text


def fields_of(chunk: Chunk) -> Fields:
    """What customers call it counts like the title."""
    title, path, text = (
        " ".join(_terms(each, chunk.language))
        for each in ("\n".join((chunk.title, *chunk.asked_as)), " ".join(chunk.path), chunk.text)
    )
    names = "\n".join(map(" ".join, names_of(chunk)))
    return Fields(title, path, text, names)


def _terms(text: str, language: str) -> list[str]:
    """Chinese as it is written: its small words say what kind of answer is asked for, and cost nothing where they are as common as that."""
    return grams(text) if language == "zh" else terms(text)


class Asked(NamedTuple):
    """The terms that are looked up with their weights, in the order in which they were asked, and by term the turns that have it, 0 the question's."""

    weights: dict[str, float]
    said: dict[str, list[int]]


def asked(text: str, topic: str = "", history: Sequence[str] = (), language: str = "en") -> Asked:
    """`history` is what was said before, oldest first.

    A term of the history counts once, by the latest turn that has it, and not at all where the question itself has it.
    """
    weights: dict[str, float] = {}
    said: dict[str, list[int]] = {}
    for words, weight in ((text, 1.0), (topic, TOPIC_WEIGHT)):
        for term in _some(words, language):
            weights[term] = weights.get(term, 0.0) + weight * _own_weight(term)
    for turn, words in enumerate((text, *reversed(history[-_turns(language) :]))):
        for term in _some(words, language):
            said.setdefault(term, []).append(turn)
            weights.setdefault(term, TURN_WEIGHT**turn * _own_weight(term))
    return Asked(weights, said)


def _turns(language: str) -> int:
    return TURNS_IN_CHINESE if language == "zh" else TURNS


def _own_weight(term: str) -> float:
    return CHARACTER_WEIGHT if len(term) == 1 and CJK.match(term) else 1.0


def _some(text: str, language: str) -> list[str]:
    return list(dict.fromkeys(_terms(text, language)))[:MOST_TERMS]


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 knows of all chunks of a version in a language: their number, the sum of their lengths in terms, and by term how many have it."""

    chunks: int
    length: int
    holding: Mapping[str, int]

    @classmethod
    def of(cls, chunks: Iterable[Fields]) -> "Statistics":
        count = length = 0
        holding: Counter[str] = Counter()
        for fields in chunks:
            found = " ".join(fields.counted).split()
            count += 1
            length += len(found)
            holding.update(set(found))
        return cls(count, length, dict(holding))

    def rarity(self, term: str) -> float:
        """The inverse document frequency in the form that is never negative; 0 for a term that no chunk has."""
        holding = self.holding.get(term, 0)
        return math.log(1 + (self.chunks - holding + 0.5) / (holding + 0.5)) if holding else 0.0

    def worth(self, weights: Mapping[str, float]) -> dict[str, float]:
        """By term that a chunk has, its weight times its rarity."""
        return {term: weight * self.rarity(term) for term, weight in weights.items() if term in self.holding}

    def half(self, length: int) -> float:
        """So often must a chunk of this length have a term to get half of what often would bring."""
        return K1 * (1 - B + B * length * self.chunks / self.length)


NO_STATISTICS = Statistics(0, 0, {})


class Counts(NamedTuple):
    """How often each term stands in a chunk's fields, by their weights, the length of all fields together, and what it is called."""

    often: Mapping[str, int]
    length: int
    names: Names = ()


def counts_of(fields: Fields) -> Counts:
    often: dict[str, int] = {}
    length = 0
    for field, weight in zip(fields.counted, WEIGHTS, strict=True):
        found = field.split()
        length += len(found)
        for term in found:
            # Interned: chunks share most of their terms, and counts are kept of thousands.
            often[intern(term)] = often.get(term, 0) + weight
    return Counts(often, length, tuple(tuple(map(intern, name)) for name in split(fields.names)))


def bm25(worth: Mapping[str, float], counts: Counts, statistics: Statistics) -> float:
    """Of terms with what they are worth by these statistics; 0 where the chunk has none of them."""
    if not worth:
        return 0.0
    half = statistics.half(counts.length)
    often = counts.often
    total = 0.0
    for term, value in worth.items():
        if term in often:
            total += value * often[term] / (often[term] + half)
    return (K1 + 1) * total


def score(
    worth: Mapping[str, float], said: Mapping[str, Sequence[int]], counts: Counts, statistics: Statistics
) -> float:
    """BM25, a little less of it where the question says none of the chunk's names, and what a name is worth that was said."""
    found = bm25(worth, counts, statistics)
    if not found or not counts.names:
        return found
    most, share = named(said, counts.names, statistics.rarity)
    return found * (1 - DOUBT * (1 - share)) + most
