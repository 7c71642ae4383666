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
from parley.domain.words import terms

WEIGHTS = (3, 2, 1)
"""How much a term counts in the article's title, in the headings above the chunk, and in its text."""
K1, B = 1.2, 0.75
"""How soon repeated terms stop counting, and how much long chunks lose: the values that search engines come with."""
TOPIC_WEIGHT = 0.35
"""How much a term of the query's topic counts beside one of its text."""
TURN_WEIGHT = 0.7
"""How much a term of the turn before counts; each turn further back counts this share of the one after it."""
TURNS = 4
MOST_TERMS = 64
"""So many of a text are looked up; no question has more that tell anything."""


class Fields(NamedTuple):
    """The terms of a chunk's title, headings and text, joined by spaces: an engine then only has to split at them."""

    title: str
    path: str
    text: str


def fields_of(chunk: Chunk) -> Fields:
    """What customers call it counts like the title."""
    texts = ("\n".join((chunk.title, *chunk.asked_as)), " ".join(chunk.path), chunk.text)
    return Fields(*(" ".join(terms(text)) for text in texts))


def asked(text: str, topic: str = "", history: Sequence[str] = ()) -> dict[str, float]:
    """The terms that are looked up with their weights, in the order in which they were asked; `history` is what was said before, oldest first.

    A term of the history counts once, by the latest turn that has it, and not at all where the question itself has it.
    """
    weights: dict[str, float] = {}
    for words, weight in ((text, 1.0), (topic, TOPIC_WEIGHT)):
        for term in _some(words):
            weights[term] = weights.get(term, 0.0) + weight
    for turns, words in enumerate(reversed(history[-TURNS:]), start=1):
        for term in _some(words):
            weights.setdefault(term, TURN_WEIGHT**turns)
    return weights


def _some(text: str) -> list[str]:
    return list(dict.fromkeys(terms(text)))[:MOST_TERMS]


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
            found = " ".join(fields).split()
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
    """How often each term stands in a chunk's fields, by their weights, and the length of all fields together."""

    often: Mapping[str, int]
    length: int


def counts_of(fields: Fields) -> Counts:
    often: dict[str, int] = {}
    length = 0
    for field, weight in zip(fields, WEIGHTS, strict=True):
        found = field.split()
        length += len(found)
        for term in found:
            # Interned: chunks share most of their terms, and counts are kept of thousands.
            often[intern(term)] = often.get(term, 0) + weight
    return Counts(often, length)


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
