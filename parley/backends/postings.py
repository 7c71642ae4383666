"""BM25 over a version's chunks in memory, for an index whose technology cannot search words. The scores are those of `parley.domain.lexical`."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from parley.domain.lexical import K1, NO_STATISTICS, Fields, Statistics, occurrences

if TYPE_CHECKING:
    from numpy import float32, int64
    from numpy.typing import NDArray


class Indexed(NamedTuple):
    """A chunk as far as it is searched by words."""

    chunk_id: str
    language: str
    valid_from: int
    valid_until: int
    fields: Fields


class Postings:
    """By term, the chunks that have it and what each gets for it before the term's rarity. Immutable."""

    def __init__(self, chunks: Iterable[Indexed], statistics: Mapping[str, Statistics]) -> None:
        import numpy as np

        self._chunks = list(chunks)
        self._statistics = statistics
        found: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, chunk in enumerate(self._chunks):
            often, length = occurrences(chunk.fields)
            half = statistics[chunk.language].half(length) if often else 0.0
            for term, count in often.items():
                found[term].append((place, (K1 + 1) * count / (count + half)))
        self._of_term: dict[str, tuple[NDArray[int64], NDArray[float32]]] = {
            term: (
                np.array([at for at, _ in pairs]),
                np.array([share for _, share in pairs], dtype=np.float32),
            )
            for term, pairs in found.items()
        }
        self._languages = np.array([each.language for each in self._chunks], dtype=np.str_)
        self._valid_from = np.array([each.valid_from for each in self._chunks], dtype=np.int64)
        self._valid_until = np.array([each.valid_until for each in self._chunks], dtype=np.int64)

    def best(self, terms: Sequence[str], language: str, on: int, count: int) -> list[str]:
        """The ids of the best chunks of this language that are valid on this day."""
        import numpy as np

        statistics = self._statistics.get(language, NO_STATISTICS)
        scores = np.zeros(len(self._chunks), dtype=np.float32)
        for term in terms:
            if term in self._of_term:
                places, shares = self._of_term[term]
                scores[places] += statistics.rarity(term) * shares
        scores[(self._languages != language) | (self._valid_from > on) | (self._valid_until < on)] = 0.0
        best = np.argsort(-scores, kind="stable")[:count]
        return [self._chunks[place].chunk_id for place in best if scores[place] > 0]
