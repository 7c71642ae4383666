"""The classifier that every machine can run: multinomial logistic regression on character n-grams and words.

Fitted on the tenant's own examples when a version is first asked for (a few seconds for fifty intents in two languages) and kept
in a file from then on, so that only the first start pays for it, or loads scikit-learn at all. One model for all of a tenant's languages: character n-grams tell
scripts apart by themselves.
"""

import logging
import os
import re
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import log as ln
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from parley.domain.words import language_of, terms
from parley.ports.models import Understanding
from schemas.base import TenantId
from schemas.parts import ScoredIntent
from schemas.tenant import TenantConfig, TenantContent

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

log = logging.getLogger(__name__)

NAME = "linear-3"
"""Stands in every result and file; raised whenever features or fitting change."""
KEPT = 16
TOP = 5
LONGEST_GRAM = 4
INVERSE_REGULARISATION = 12.0
"""scikit-learn's C; the best of 1, 4, 12, 40 in five-fold cross-validation on the examples of the two reference tenants."""
TOLERANCE = 1e-3
RARE = 2
"""A feature of fewer texts than this tells nothing of others. Both cost no accuracy there, and save three quarters of the time."""
PLACEHOLDER = re.compile(r"\[[a-z]+_\d+\]")
"""What masking leaves of a number says nothing of what the customer wants."""


def features(text: str) -> tuple[list[str], list[str]]:
    """Character n-grams of 1 to 4 within words (each with a space at both ends), and terms. Marked, so that none meet."""
    grams = []
    text = PLACEHOLDER.sub(" ", text)
    for word in text.lower().split():
        padded = f" {word} "
        for size in range(1, LONGEST_GRAM + 1):
            grams += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
    return grams, ["\x01" + term for term in terms(text, drop_common=False)]


@dataclass(frozen=True, slots=True)
class Model:
    """A feature's place, its inverse document frequency (features), and weights (features, intents) with bias (intents)."""

    intents: list[str]
    places: dict[str, int]
    idf: "NDArray[float32]"
    weights: "NDArray[float32]"
    bias: "NDArray[float32]"

    def probabilities(self, text: str) -> "NDArray[float32]":
        """(intents): softmax of the linear scores."""
        import numpy as np

        scores = self.bias.copy()
        for places, values in self.vector(text):
            scores += values @ self.weights[places]
        shifted = np.exp(scores - scores.max())
        found: NDArray[float32] = shifted / shifted.sum()
        return found

    def vector(self, text: str) -> Iterator[tuple[list[int], "NDArray[float32]"]]:
        """Places and values of each kind of feature: (1 + ln count) · idf, each kind scaled to length 1."""
        import numpy as np

        for found in features(text):
            known = Counter(self.places[name] for name in found if name in self.places)
            places = list(known)
            values = np.array([1.0 + ln(count) for count in known.values()], dtype=np.float32)
            values *= self.idf[places]
            length = float(np.sqrt(values @ values))
            yield places, values / length if length else values


def fit(pairs: Sequence[tuple[str, str]]) -> Model:
    """Fit on (text, intent) pairs; the same pairs give the same model.

    Raises ValueError when there are fewer than two intents.
    """
    import numpy as np
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    bags = [[set(kind) for kind in features(text)] for text, _ in pairs]
    documents = Counter(name for bag in bags for kind in bag for name in kind)
    common = sorted(name for name, count in documents.items() if count >= RARE) or sorted(documents)
    places = {name: at for at, name in enumerate(common)}
    # Smoothed as in scikit-learn's TfidfTransformer: as if one more text held every feature.
    idf = np.array([ln((1 + len(pairs)) / (1 + documents[name])) + 1 for name in places], dtype=np.float32)
    empty = np.zeros((len(places), 0), dtype=np.float32)
    blank = Model([], places, idf, empty, np.zeros(0, dtype=np.float32))
    rows, columns, values = [], [], []
    for row, (text, _) in enumerate(pairs):
        for found, weights in blank.vector(text):
            rows += [row] * len(found)
            columns += found
            values += list(weights)
    matrix = csr_matrix(
        (np.array(values, dtype=np.float32), (rows, columns)), shape=(len(pairs), len(places))
    )
    regression: Any = LogisticRegression(C=INVERSE_REGULARISATION, max_iter=200, tol=TOLERANCE)
    regression.fit(matrix, [intent for _, intent in pairs])
    coefficients, bias = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # scikit-learn keeps the second intent's only; the first one's is zero
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        bias = np.array([0.0, bias[0]])
    intents = [str(intent) for intent in regression.classes_]
    weights = np.ascontiguousarray(coefficients.T, dtype=np.float32)
    return Model(intents, places, idf, weights, bias.astype(np.float32))


def save(model: Model, file: Path) -> None:
    """Write it whole or not at all. Raises OSError."""
    import numpy as np

    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as out:
        np.savez(
            out,
            intents=np.array(model.intents),
            names=np.frombuffer("\n".join(model.places).encode(), dtype=np.uint8),
            idf=model.idf,
            weights=model.weights,
            bias=model.bias,
        )
    part.replace(file)


def fit_apart(pairs: Sequence[tuple[str, str]], file: Path) -> Model | None:
    """Fit in a process of its own, into the file: scikit-learn takes a hundred megabytes that nothing needs afterwards.

    None where that does not work out (a folder that cannot be written, a system without room for a process).
    """
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            pool.submit(_fit_into, pairs, file).result()
    except (OSError, BrokenProcessPool) as error:
        log.warning("the intent model could not be kept (%s); the next start fits it again", error)
        return None
    return load(file)


def _fit_into(pairs: Sequence[tuple[str, str]], file: Path) -> None:
    save(fit(pairs), file)


def load(file: Path) -> Model | None:
    """None where there is no such file, or where it is damaged."""
    import numpy as np

    try:
        with np.load(file, allow_pickle=False) as held:
            names = held["names"].tobytes().decode().split("\n")
            places = {name: at for at, name in enumerate(names)}
            model = Model(held["intents"].tolist(), places, held["idf"], held["weights"], held["bias"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        log.warning("%s is damaged and made again: %s", file, type(error).__name__)
        return None
    return model if model.weights.shape == (len(names), len(model.intents)) else None


@dataclass(frozen=True, slots=True)
class Fitted:
    """One tenant version's model."""

    model: Model
    languages: tuple[str, ...]
    default_language: str

    def classify(self, text: str) -> Understanding:
        probabilities = self.model.probabilities(text)
        order = probabilities.argsort()[::-1][:TOP]
        intents = tuple(
            ScoredIntent(intent=self.model.intents[at], probability=round(float(probabilities[at]), 6))
            for at in order
        )
        return Understanding(language_of(text, self.languages, self.default_language), intents)


class LinearClassifier:
    """Thread-safe; implements `parley.ports.models.Classifier`. Without a folder nothing is kept beyond the process."""

    name = NAME

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._fitted: OrderedDict[tuple[str, str], Fitted] = OrderedDict()
        self._lock = Lock()

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        if self.ready(tenant, version):
            return
        fitted = Fitted(self._model(tenant, version, content), config.languages, config.default_language)
        with self._lock:
            self._fitted[tenant, version] = fitted
            while len(self._fitted) > KEPT:
                self._fitted.popitem(last=False)

    def ready(self, tenant: TenantId, version: str) -> bool:
        with self._lock:
            return (tenant, version) in self._fitted

    def classify(self, tenant: TenantId, version: str, texts: Sequence[str]) -> list[Understanding]:
        with self._lock:
            fitted = self._fitted[tenant, version]
            self._fitted.move_to_end((tenant, version))
        return [fitted.classify(text) for text in texts]

    def _model(self, tenant: TenantId, version: str, content: TenantContent) -> Model:
        file = None if self._folder is None else self._folder / f"{tenant}-{version}.{NAME}.npz"
        kept = None if file is None else load(file)
        if kept is not None:
            return kept
        pairs = _pairs(content)
        return (file is not None and fit_apart(pairs, file)) or fit(pairs)


def _pairs(content: TenantContent) -> list[tuple[str, str]]:
    return [
        (text, str(intent))
        for intent, by_language in sorted(content.examples.items())
        for texts in by_language.values()
        for text in texts
    ]
