"""The classifier that every machine can run: multinomial logistic regression on character n-grams and words.

Fitted on the tenant's own examples when a version is first asked for (a few seconds for fifty intents in two languages) and kept in
a file from then on, so that only the first start pays for it. One model for all of a tenant's languages: character n-grams
tell scripts apart by themselves.
"""

import re
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log as ln
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from parley.backends import model_files
from parley.backends.calibration import sharpness_of, squash
from parley.backends.fitting import kept_or_fitted
from parley.backends.softmax import Loss, minimise
from parley.domain.words import language_of, terms
from parley.ports.models import Understanding
from schemas.base import TenantId
from schemas.parts import ScoredIntent
from schemas.tenant import TenantConfig, TenantContent

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

NAME = "linear-4"
"""Stands in every result and file; raised whenever features or fitting change."""
KEPT = 16
TOP = 5
LONGEST_GRAM = 4
INVERSE_REGULARISATION = 40.0
"""The best of 4, 12, 20, 40, 80 in five-fold cross-validation on the examples of the two reference tenants."""
RARE = 2
"""An n-gram of fewer texts than this tells nothing of others; leaving them out costs no accuracy there, and saves half of the time."""
HELD_BACK = 5
"""Each fifth example tells how sure a model of the others may be."""
TERM = "\x01"
PLACEHOLDER = re.compile(r"\[[a-z_]+_\d+\]")
"""What masking leaves of a number says nothing of what the customer wants."""


def bare(text: str) -> str:
    """Without the placeholders that masking leaves."""
    return PLACEHOLDER.sub(" ", text)


def wordless(text: str) -> bool:
    """Not a letter or digit in it: blanks, signs, emoji, placeholders."""
    return not any(sign.isalnum() for sign in bare(text))


def features(text: str) -> tuple[list[str], list[str]]:
    """Character n-grams of 1 to 4 within words (each with a space at both ends), and terms. Marked, so that none meet."""
    grams = []
    text = bare(text)
    for word in text.lower().split():
        padded = f" {word} "
        for size in range(1, LONGEST_GRAM + 1):
            grams += [padded[at : at + size] for at in range(max(1, len(padded) - size + 1))]
    return grams, [TERM + term for term in terms(text, drop_common=False)]


@dataclass(frozen=True, slots=True)
class Model:
    """A feature's place, its inverse document frequency (features), and weights (features, intents) with bias (intents).

    `sharpness` is what calibration found (`parley.backends.calibration`).
    """

    intents: list[str]
    places: dict[str, int]
    idf: "NDArray[float32]"
    weights: "NDArray[float32]"
    bias: "NDArray[float32]"
    sharpness: float = 1.0

    def probabilities(self, text: str) -> "NDArray[float32]":
        """(intents), adding up to 1."""
        found: NDArray[float32] = squash(self.scores(text)[None], self.sharpness)[0]
        return found

    def scores(self, text: str) -> "NDArray[float32]":
        """(intents): the logarithms of what they would be without the calibration, but for a number that all share."""
        scores = self.bias.copy()
        for kind in features(text):
            places, values = scaled(kind, self.places, self.idf)
            scores += values @ self.weights[places]
        return scores


def fit(pairs: Sequence[tuple[str, str]]) -> Model:
    """Fit on (text, intent) pairs, calibrated; the same pairs give the same model.

    Raises ValueError when there are fewer than two intents.
    """
    return replace(_fit(pairs), sharpness=_sharpness(pairs))


def _sharpness(pairs: Sequence[tuple[str, str]]) -> float:
    """By a model of all pairs but each fifth, on those: regularised scores are too modest where there are many intents."""
    import numpy as np

    others = [pair for at, pair in enumerate(pairs) if at % HELD_BACK]
    known = {intent for _, intent in others}
    asked = [pair for pair in pairs[::HELD_BACK] if pair[1] in known]
    if not asked or len(known) < 2:
        return 1.0
    model = _fit(others)
    scores = np.stack([model.scores(text) for text, _ in asked])
    targets = np.array([[intent == own for intent in model.intents] for _, own in asked], dtype=np.float32)
    return sharpness_of(scores, targets)


def _fit(pairs: Sequence[tuple[str, str]]) -> Model:
    import numpy as np
    from scipy.sparse import csr_matrix

    intents = sorted({intent for _, intent in pairs})
    if len(intents) < 2:
        raise ValueError("at least two intents are needed")
    found = [features(text) for text, _ in pairs]
    documents = Counter(name for kinds in found for kind in kinds for name in set(kind))
    common = sorted(name for name, count in documents.items() if count >= RARE or name.startswith(TERM))
    places = {name: at for at, name in enumerate(common)}
    # Smoothed as in scikit-learn's TfidfTransformer: as if one more text held every feature.
    idf = np.array([ln((1 + len(pairs)) / (1 + documents[name])) + 1 for name in common], dtype=np.float32)
    starts, columns = [0], list[int]()
    values: list[NDArray[float32]] = []
    for kinds in found:
        for kind in kinds:
            known, weights = scaled(kind, places, idf)
            columns += known
            values.append(weights)
        starts.append(len(columns))
    texts = csr_matrix((np.concatenate(values), columns, starts), shape=(len(pairs), len(common)))
    own = np.array([intents.index(intent) for _, intent in pairs], dtype=np.intp)
    weights, bias = minimise(Loss(texts, own, len(intents), INVERSE_REGULARISATION))
    return Model(intents, places, idf, weights, bias)


def scaled(
    found: Sequence[str], places: Mapping[str, int], idf: "NDArray[float32]"
) -> "tuple[list[int], NDArray[float32]]":
    """Places and values of one kind of features: (1 + ln count) · idf, scaled to length 1."""
    import numpy as np

    known = Counter(places[name] for name in found if name in places)
    values = np.array([1.0 + ln(count) for count in known.values()], dtype=np.float32)
    values *= idf[list(known)]
    length = float(np.sqrt(values @ values))
    return list(known), values / length if length else values


def save(model: Model, file: Path) -> None:
    """Write it whole or not at all. Raises OSError."""
    import numpy as np

    arrays = {
        "intents": np.array(model.intents),
        "names": np.frombuffer("\n".join(model.places).encode(), dtype=np.uint8),
        "idf": model.idf,
        "weights": model.weights,
        "bias": model.bias,
        "sharpness": np.array(model.sharpness),
    }
    model_files.save(file, arrays)


def _fit_into(pairs: Sequence[tuple[str, str]], file: Path) -> None:
    save(fit(pairs), file)


def load(file: Path) -> Model | None:
    """None where there is no such file, or where it is damaged."""
    return model_files.load(file, _made_of)


def _made_of(held: "Mapping[str, NDArray[Any]]") -> Model:
    names = held["names"].tobytes().decode().split("\n")
    places = {name: at for at, name in enumerate(names)}
    idf, weights, bias = held["idf"], held["weights"], held["bias"]
    model = Model(held["intents"].tolist(), places, idf, weights, bias, float(held["sharpness"]))
    if weights.shape != (len(names), len(model.intents)):
        raise ValueError("the arrays do not fit together")
    return model


@dataclass(frozen=True, slots=True)
class Fitted:
    """One tenant version's model."""

    model: Model
    languages: tuple[str, ...]
    default_language: str

    def classify(self, text: str) -> Understanding:
        language = language_of(text, self.languages, self.default_language)
        if wordless(text):
            return Understanding(language, ())
        probabilities = self.model.probabilities(text)
        return Understanding(language, best(self.model.intents, probabilities))


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
        return kept_or_fitted(file, load, _fit_into, fit, pairs_of(content))


def pairs_of(content: TenantContent, language: str | None = None) -> list[tuple[str, str]]:
    """The examples as (text, intent), of one language or of all."""
    return [
        (text, str(intent))
        for intent, by_language in sorted(content.examples.items())
        for spoken, texts in by_language.items()
        if language in (None, spoken)
        for text in texts
    ]


def best(intents: Sequence[str], probabilities: "NDArray[float32]") -> tuple[ScoredIntent, ...]:
    """The likeliest few, in falling probability."""
    order = probabilities.argsort()[::-1][:TOP]
    return tuple(
        ScoredIntent(intent=intents[at], probability=round(float(probabilities[at]), 6)) for at in order
    )
