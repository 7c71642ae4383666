"""What a re-ranker says of the best candidates, worked into their order.

Reading a question and a passage together costs milliseconds, so only those are read that the first ranking hardly tells from the best: mostly two
or three. What is read is moved up or down against the mean of what was read; the rest stays where it was.
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


def to_read(ranked: Sequence[Ranked]) -> Sequence[Ranked]:
    """Those worth reading, best first; none where the best one stands alone. `ranked` has the best first."""
    close = [each for each in ranked[:READ_MOST] if ranked[0].score - each.score < CLOSE]
    return close if len(close) > 1 else ()


def reordered(ranked: Sequence[Ranked], read: Sequence[float]) -> list[Ranked]:
    """All with new scores, best first, where the first `len(read)` were read."""
    mean = fmean(read)
    moved = [
        each._replace(score=round(each.score + WEIGHT * (score - mean), 6))
        for each, score in zip(ranked, read, strict=False)
    ]
    return by_score([*moved, *ranked[len(read) :]])
