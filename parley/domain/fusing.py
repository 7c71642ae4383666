"""Two rankings of the same chunks, by words and by meaning, made into one: the only place where scores of both kinds meet.

The sum of both scores, each as a share of the best one: it goes along with small differences in a score, where a fusion of ranks would jump,
so indexes that round vectors differently agree. The form is that of Weaviate's `relativeScoreFusion`, with 0 as the least.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from schemas.parts import Passage

LEXICAL_SHARE = 0.3
"""What the words count; the rest is the vectors'."""
LEXICAL_SHARES = {"zh": 0.6}
"""Of languages where it is another: Chinese words know names (`parley.domain.naming`), and its encoder is the smaller one."""


class Scored(NamedTuple):
    """A candidate: its BM25 score, and the cosine of its vector and the query's, None where either has none."""

    chunk_id: str
    lexical: float
    similarity: float | None


class Found(NamedTuple):
    """A passage that was looked up, as it is kept, without a score; the fused one, by which they are ordered, stands beside it."""

    passage: Passage
    score: float
    lexical: float
    similarity: float | None


class Fused(NamedTuple):
    score: float
    scored: Scored


def share_of_words(language: str) -> float:
    return LEXICAL_SHARES.get(language, LEXICAL_SHARE)


def fuse(candidates: Iterable[Scored], nearest: int, limit: int, words: float = LEXICAL_SHARE) -> list[Fused]:
    """`words` is the share of the words. The best `limit` by both of those that are among the best `nearest` by either; scores fall, and lie between 0 and 1."""
    known = list(candidates)
    by_words = _best(known, lambda each: each.lexical, nearest)
    by_meaning = _best(known, lambda each: each.similarity or 0.0, nearest)
    union = {each.chunk_id: each for each in (*by_words, *by_meaning)}.values()
    most, closest = _most(each.lexical for each in union), _most(each.similarity or 0.0 for each in union)
    fused = [
        Fused(
            round(
                words * each.lexical / most + (1 - words) * max(0.0, each.similarity or 0.0) / closest,
                6,
            ),
            each,
        )
        for each in union
    ]
    return sorted(fused, key=lambda each: (-each.score, each.scored.chunk_id))[:limit]


def _best(candidates: Sequence[Scored], score: Callable[[Scored], float], count: int) -> list[Scored]:
    """Those that have a score at all; ties go by id, so that they fall alike everywhere."""
    having = [each for each in candidates if score(each) > 0]
    return sorted(having, key=lambda each: (-score(each), each.chunk_id))[:count]


def _most(scores: Iterable[float]) -> float:
    """1 where there is nothing to take a share of."""
    return max(scores, default=0.0) or 1.0
