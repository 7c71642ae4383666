"""What a re-ranker says of the best candidates, worked into their order.

Reading a question and a passage together costs milliseconds, so only articles are read, by one passage each, that the first ranking hardly tells from
the best. What is read is moved up or down against the mean of what was read; the rest stays where it was.
"""

from collections.abc import Sequence
from statistics import fmean

from parley.domain.ranking import Ranked, by_score

READ_MOST = 8
CLOSE = 0.15
"""A candidate this far below the best is not read: chosen, with the weight, on held-back parts of Ask CFPB and doc2dial. Always reading eight finds
no more first answers."""
WEIGHT = 0.02
"""What a point of the re-ranker's is worth beside scores that lie about between 0 and 1. Its own run from about -9 to 7."""


def to_read(ranked: Sequence[Ranked]) -> list[Ranked]:
    """The best passage of each article that is close to the best, best first; none where one article stands alone. `ranked` has the best first.

    An article's other passages are not read: which of its own are quoted, the answer decides.
    """
    leading: dict[str, Ranked] = {}
    for each in ranked:
        if ranked[0].score - each.score >= CLOSE or len(leading) == READ_MOST:
            break
        leading.setdefault(each.passage.article_id, each)
    return list(leading.values()) if len(leading) > 1 else []


def reordered(ranked: Sequence[Ranked], read: Sequence[Ranked], scores: Sequence[float]) -> list[Ranked]:
    """All with new scores, best first: an article moves as the passage of it that was read."""
    mean = fmean(scores)
    moves = {
        each.passage.article_id: WEIGHT * (score - mean) for each, score in zip(read, scores, strict=True)
    }
    return by_score(
        each._replace(score=round(each.score + moves.get(each.passage.article_id, 0.0), 6)) for each in ranked
    )
