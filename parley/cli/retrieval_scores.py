"""The figures of `parley eval retrieval`, as BEIR and TREC define them: hit@k, recall@k, MRR and nDCG (Järvelin and Kekäläinen, 2002)."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean

DEEP = 10


def hit(ranking: Sequence[str], right: Mapping[str, int], deep: int) -> float:
    """1 where one of the first `deep` is right."""
    return float(any(each in right for each in ranking[:deep]))


def recall(ranking: Sequence[str], right: Mapping[str, int], deep: int = DEEP) -> float:
    """The share of what is right that is among the first `deep`."""
    return sum(each in right for each in ranking[:deep]) / len(right)


def reciprocal_rank(ranking: Sequence[str], right: Mapping[str, int], deep: int = DEEP) -> float:
    """1 / the place of the first right one; 0 where none is among the first `deep`."""
    return next((1 / place for place, each in enumerate(ranking[:deep], start=1) if each in right), 0.0)


def ndcg(ranking: Sequence[str], right: Mapping[str, int], deep: int = DEEP) -> float:
    """Grades, discounted by the logarithm of the place, as a share of the best that is possible."""
    gained = _gain([right.get(each, 0) for each in ranking[:deep]])
    return gained / _gain(sorted(right.values(), reverse=True)[:deep])


def line(rankings: Sequence[Sequence[str]], rights: Sequence[Mapping[str, int]]) -> dict[str, float]:
    """Means over all questions."""
    pairs = list(zip(rankings, rights, strict=True))
    figures = {
        "hit@1": fmean(hit(*pair, 1) for pair in pairs),
        "hit@5": fmean(hit(*pair, 5) for pair in pairs),
        "recall@10": fmean(recall(*pair) for pair in pairs),
        "mrr@10": fmean(reciprocal_rank(*pair) for pair in pairs),
        "ndcg@10": fmean(ndcg(*pair) for pair in pairs),
    }
    return {name: round(figure, 4) for name, figure in figures.items()}


def _gain(grades: Sequence[int]) -> float:
    return sum(grade / math.log2(place + 1) for place, grade in enumerate(grades, start=1))
