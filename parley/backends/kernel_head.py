"""A classifier's head on sentence vectors: kernel ridge regression on vectors and n-grams together, calibrated by leaving each example out.

The kernel of two texts is (1 - GRAMS) · exp(-2 · WIDTH · (1 - cosine of their vectors)) + GRAMS · cosine of their n-grams' TF-IDF. What an intent
scores is linear in it, so there is one system of equations for all intents, and the score that each example would have got
without itself follows from it for nothing (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, 5.4.2). Those scores
say how sure the head may be, from where on a text is out of scope, and which labels look wrong: no second fit, and no part held back.

Of more than `LANDMARKS` examples a part spans the space of the solutions ("subset of regressors", 8.3.1), so a fit takes seconds.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log as ln
from typing import TYPE_CHECKING, Any

from parley.backends.calibration import sharpness_of, squash
from parley.backends.linear import features, scaled

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

LANDMARKS = 3000
WIDTH = 1.0
GRAMS = 0.15
RIDGE = 0.1
"""These three: the best in trials on a part of BANKING77's train file with 10 examples an intent; neighbours are as good within noise."""
NEIGHBOURS = 5
REFUSED = 0.015
"""The share of the examples that lie too far from the others to be in scope. Of new texts it is up to twice as many, 3 %: examples are often
written in series, so they have nearer neighbours than what a customer writes."""
RARE = 2
BLOCK = 1024
GRAMS_BLOCK = 256
LEVELS = tuple(step / 40 for step in range(2, 36))


@dataclass(frozen=True, slots=True)
class Grams:
    """N-grams and terms with their place and inverse document frequency."""

    places: dict[str, int]
    idf: "Floats"

    def of(self, text: str) -> "tuple[list[int], Floats]":
        """Places and values: (1 + ln count) · idf, each kind of feature scaled to length 1/√2, so that a text has length 1."""
        import numpy as np

        kinds = [scaled(found, self.places, self.idf) for found in features(text)]
        places = [place for some, _ in kinds for place in some]
        values: Floats = np.concatenate([values for _, values in kinds])
        values *= np.float32(0.5**0.5)
        return places, values

    def matrix(self, texts: Sequence[str]) -> Any:
        """Sparse (texts, features)."""
        import numpy as np
        from scipy.sparse import csr_matrix

        found = [self.of(text) for text in texts]
        starts = np.cumsum([0, *(len(places) for places, _ in found)])
        columns = np.array([place for places, _ in found for place in places], dtype=np.int32)
        values = np.concatenate([values for _, values in found])
        return csr_matrix((values, columns, starts), shape=(len(texts), len(self.places)))

    def products(self, texts: Sequence[str], weights: "Floats") -> "Floats":
        """`matrix(texts) @ weights` without SciPy, which takes 30 MB of a process: that is for fitting."""
        import numpy as np

        found = np.zeros((len(texts), weights.shape[1]), dtype=np.float32)
        for row, text in zip(found, texts, strict=True):
            places, values = self.of(text)
            row += values @ weights[places]
        return found


@dataclass(frozen=True, slots=True)
class Head:
    """What is fitted. `examples` (examples, 384) begin with the landmarks; `weights` (landmarks, intents) are theirs."""

    intents: list[str]
    #: More than one intent may be right for a text.
    several: bool
    examples: "Floats"
    weights: "Floats"
    grams: Grams
    gram_weights: "Floats"
    shares: "Floats"
    sharpness: float
    #: With `several`: the score from which an intent counts as said.
    level: float
    #: Below this nearness to the examples a text is out of scope.
    reach: float

    def cosines(self, vectors: "Floats") -> "Floats":
        """(texts, examples), from which both scores and nearness follow."""
        found: Floats = vectors @ self.examples.T
        return found

    def scores(self, texts: Sequence[str], cosines: "Floats") -> "Floats":
        """(texts, intents), about 1 for the right intent and 0 for others."""
        found: Floats = _near(cosines[:, : len(self.weights)]) @ self.weights
        found *= 1 - GRAMS
        found += self.grams.products(texts, self.gram_weights)
        found += self.shares
        return found

    def probabilities(self, scores: "Floats") -> "Floats":
        """(texts, intents): each row adds up to 1; with `several` each intent has a probability of its own."""
        return squash(scores, self.sharpness, self.level if self.several else None)

    def nearness(self, cosines: "Floats") -> "Floats":
        """(texts): the mean cosine to the nearest examples."""
        return _nearness(cosines, min(NEIGHBOURS, len(self.examples)))


@dataclass(frozen=True, slots=True)
class Fitted:
    """`held_out` (texts, intents): the probabilities of each example had it not been among the examples."""

    head: Head
    held_out: "Floats"


def fit(
    texts: Sequence[str],
    vectors: "Floats",
    labels: Sequence[Sequence[str]],
    *,
    several: bool = False,
    names: int = 0,
) -> Fitted:
    """Fit on texts, their vectors and their intents (one each, or any number with `several`); the same input gives the same head.

    The last `names` texts are what intents are called: they teach like examples, but nobody asks so, and how sure the head may be
    and how far its scope reaches is not measured on them. None may be an example too: leaving that out would leave its twin in. Raises ValueError where there are fewer than two intents.
    """
    import numpy as np

    intents = sorted({intent for some in labels for intent in some})
    if len(intents) < 2:
        raise ValueError("a head needs two intents at least")
    order = np.random.default_rng(1).permutation(len(texts))
    place = {intent: at for at, intent in enumerate(intents)}
    targets = np.zeros((len(texts), len(intents)), dtype=np.float32)
    for row, at in enumerate(order):
        for intent in labels[at]:
            targets[row, place[intent]] = 1
    mixed, examples = [texts[at] for at in order], np.ascontiguousarray(vectors[order])
    grams = _grams(mixed)
    weights, gram_weights, shares, left_out = _solve(examples, grams.matrix(mixed), targets)
    asked = order < len(texts) - names
    level = _level(left_out[asked], targets[asked]) if several else 0.0
    sharpness = sharpness_of(left_out[asked], targets[asked], level if several else None)
    reach = float(np.quantile(_left_out_nearness(examples)[asked], REFUSED))
    head = Head(intents, several, examples, weights, grams, gram_weights, shares, sharpness, level, reach)
    held_out = np.empty_like(left_out)
    held_out[order] = head.probabilities(left_out)
    return Fitted(head, held_out)


def _grams(texts: Sequence[str]) -> Grams:
    import numpy as np

    documents = Counter(name for text in texts for name in {name for kind in features(text) for name in kind})
    common = sorted(name for name, count in documents.items() if count >= RARE) or sorted(documents)
    idf = [ln((1 + len(texts)) / (1 + documents[name])) + 1 for name in common]
    return Grams({name: at for at, name in enumerate(common)}, np.array(idf, dtype=np.float32))


def _solve(examples: "Floats", grams: Any, targets: "Floats") -> "tuple[Floats, Floats, Floats, Floats]":
    """Weights of the landmarks, of the n-grams, each intent's share, and the scores (examples, intents) without the example itself."""
    import numpy as np
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.lapack import dpotri

    landmarks = min(LANDMARKS, len(examples))
    kernel = (1 - GRAMS) * _near(examples @ examples[:landmarks].T)  # (examples, landmarks)
    # Common n-grams stand in nearly every text: a dense side is several times faster than two sparse ones.
    for start in range(0, landmarks, GRAMS_BLOCK):
        end = min(landmarks, start + GRAMS_BLOCK)
        kernel[:, start:end] += GRAMS * (grams @ grams[start:end].T.toarray())
    shares = targets.mean(axis=0)
    own = kernel[:landmarks].astype(np.float64)
    if landmarks == len(examples):
        own[np.diag_indices(landmarks)] += RIDGE
        factor = cho_factor(own, overwrite_a=True)
        weights = cho_solve(factor, (targets - shares).astype(np.float64))
        spread = np.diag(dpotri(factor[0], lower=factor[1])[0])  # of the inverse
        left_out = targets - weights / spread[:, None]
    else:
        system = RIDGE * own
        moments = np.zeros((landmarks, targets.shape[1]))
        for start in range(0, len(kernel), BLOCK):
            part = kernel[start : start + BLOCK].astype(np.float64)
            system += part.T @ part
            moments += part.T @ (targets[start : start + BLOCK] - shares)
        system[np.diag_indices(landmarks)] += 1e-6 * np.trace(system) / landmarks
        factor = cho_factor(system, overwrite_a=True)
        weights = cho_solve(factor, moments)
        left_out = np.empty(targets.shape)
        for start in range(0, len(kernel), BLOCK):
            part = kernel[start : start + BLOCK].astype(np.float64)
            leverage = np.minimum(0.999, (part * cho_solve(factor, part.T).T).sum(axis=1))
            wanted = targets[start : start + BLOCK]
            left_out[start : start + BLOCK] = (
                wanted - (wanted - shares - part @ weights) / (1 - leverage)[:, None]
            )
    gram_weights = GRAMS * (grams[:landmarks].T @ weights)
    found = (weights, gram_weights, shares, left_out)
    return tuple(np.ascontiguousarray(each, dtype=np.float32) for each in found)  # type: ignore[return-value]  # four of them


def _near(cosines: "Floats") -> "Floats":
    import numpy as np

    found: Floats = cosines - 1
    found *= 2 * WIDTH
    return np.exp(found, out=found)


def _nearness(cosines: "Floats", neighbours: int) -> "Floats":
    import numpy as np

    nearest: Floats = np.partition(cosines, -neighbours, axis=1)[:, -neighbours:]
    found: Floats = nearest.mean(axis=1)
    return found


def _left_out_nearness(examples: "Floats") -> "Floats":
    import numpy as np

    found = []
    for start in range(0, len(examples), BLOCK):
        cosines = examples[start : start + BLOCK] @ examples.T
        rows = np.arange(len(cosines))
        cosines[rows, start + rows] = -1
        found.append(_nearness(cosines, max(1, min(NEIGHBOURS, len(examples) - 1))))
    return np.concatenate(found)


def _level(scores: "Floats", targets: "Floats") -> float:
    """The score from which an intent counts as said, for the best F1 over all intents."""

    def f1(level: float) -> float:
        said = scores >= level
        return float(2 * (said * targets).sum() / max(1, said.sum() + targets.sum()))

    return max(LEVELS, key=f1)
