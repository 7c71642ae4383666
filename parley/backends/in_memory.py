"""A version's chunks searched in memory, for an index whose technology cannot, or not as fast: by BM25 over postings, by cosine over a matrix.

Both compare everything, so nothing is missed, and of 10,000 chunks each takes about a millisecond. The scores are those of
`parley.domain.lexical`, and what ties is in the order of its id, as in `parley.domain.fusing`.
"""

from array import array
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from parley.backends.chunk_index import Search
from parley.domain.lexical import K1, Fields, Statistics, counts_of

if TYPE_CHECKING:
    from numpy import bool_, float32, float64, int32, int64, str_
    from numpy.typing import NDArray

    from parley.ports.models import Vector


class Indexed(NamedTuple):
    """A chunk as far as it is searched."""

    chunk_id: str
    language: str
    valid_from: int
    valid_until: int
    fields: Fields
    vector: "Vector | None" = None


class Chunks:
    """Those of one version. Immutable, so threads may share it; some 30 MB for 10,000 chunks, half of them vectors."""

    def __init__(self, chunks: Sequence[Indexed], statistics: Mapping[str, Statistics]) -> None:
        import numpy as np

        ordered = sorted(chunks, key=lambda each: each.chunk_id)
        self._ids = [each.chunk_id for each in ordered]
        self._languages: NDArray[str_] = np.array([each.language for each in ordered], dtype=np.str_)
        self._valid_from: NDArray[int64] = np.array([each.valid_from for each in ordered], dtype=np.int64)
        self._valid_until: NDArray[int64] = np.array([each.valid_until for each in ordered], dtype=np.int64)
        self._postings = _Postings.of(ordered, statistics)
        self._matrix = _Matrix.of(ordered)

    def best(self, search: Search) -> list[str]:
        """The ids of the best by words and of the nearest, each once."""
        valid = self._languages == search.language
        valid &= (self._valid_from <= search.on) & (self._valid_until >= search.on)
        scores = self._postings.scores(search.worth, len(self._ids))
        places = _best(scores, valid & (scores > 0), search.by_words)
        if search.vector is not None:
            cosines = self._matrix.cosines(search.vector, len(self._ids))
            places += _best(cosines, valid & self._matrix.having, search.by_meaning)
        return [self._ids[place] for place in dict.fromkeys(places)]


class _Postings(NamedTuple):
    """By term, the chunks that have it and what each gets for it before the term's rarity."""

    #: Where a term's part of the other two begins, and where it ends.
    parts: dict[str, tuple[int, int]]
    places: "NDArray[int32]"
    shares: "NDArray[float32]"

    @classmethod
    def of(cls, chunks: Sequence[Indexed], statistics: Mapping[str, Statistics]) -> "_Postings":
        import numpy as np

        numbers: dict[str, int] = {}
        found, places, shares = array("i"), array("i"), array("f")
        for place, chunk in enumerate(chunks):
            often, length, _ = counts_of(chunk.fields)
            half = statistics[chunk.language].half(length) if often else 0.0
            for term, count in often.items():
                found.append(numbers.setdefault(term, len(numbers)))
                places.append(place)
                shares.append((K1 + 1) * count / (count + half))
        of_terms = np.array(found, dtype=np.int32)
        order = np.argsort(of_terms, kind="stable")
        ends = np.cumsum(np.bincount(of_terms, minlength=len(numbers))).tolist() if numbers else []
        parts = dict(zip(numbers, zip([0, *ends], ends, strict=False), strict=True))
        return cls(parts, np.array(places, dtype=np.int32)[order], np.array(shares, dtype=np.float32)[order])

    def scores(self, worth: Mapping[str, float], chunks: int) -> "NDArray[float64]":
        import numpy as np

        found = np.zeros(chunks)
        for term, value in worth.items():
            start, end = self.parts.get(term, (0, 0))
            found[self.places[start:end]] += value * self.shares[start:end]
        return found


class _Matrix(NamedTuple):
    """The vectors of the chunks that have one."""

    having: "NDArray[bool_]"
    vectors: "NDArray[float32]"  # (chunks that have one, dimensions)

    @classmethod
    def of(cls, chunks: Sequence[Indexed]) -> "_Matrix":
        import numpy as np

        vectors = [each.vector for each in chunks if each.vector is not None]
        having = np.array([each.vector is not None for each in chunks], dtype=np.bool_)
        return cls(having, np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32))

    def cosines(self, vector: "Vector", chunks: int) -> "NDArray[float64]":
        import numpy as np

        found = np.zeros(chunks)
        if len(self.vectors):
            found[self.having] = self.vectors @ vector
        return found


def _best(scores: "NDArray[float64]", among: "NDArray[bool_]", most: int) -> list[int]:
    """The places of the highest, highest first; of those that tie the first."""
    import numpy as np

    [places] = np.nonzero(among)
    values = scores[places]
    if len(places) > most:
        least = np.partition(values, len(places) - most)[len(places) - most]
        places, values = places[values >= least], values[values >= least]
    order = np.argsort(-values, kind="stable")[:most]
    best: list[int] = places[order].tolist()
    return best
