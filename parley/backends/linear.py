"""The classifier that every machine can run: multinomial logistic regression on character n-grams and words.

Fitted on the tenant's own examples the first time a version is asked for (about a second), kept in memory. One model for
all of a tenant's languages: character n-grams tell scripts apart by themselves.
"""

from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import Any

from parley.domain.words import language_of, terms
from parley.ports.models import Understanding
from schemas.base import TenantId
from schemas.parts import ScoredIntent
from schemas.tenant import TenantConfig, TenantContent

KEPT = 16
TOP = 5
INVERSE_REGULARISATION = 12.0
"""scikit-learn's C; the best of 1, 4, 12, 40 in five-fold cross-validation on the examples of the two reference tenants."""


class Fitted:
    """One tenant version's model."""

    def __init__(self, config: TenantConfig, content: TenantContent) -> None:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline, make_union

        pairs = [
            (text, intent)
            for intent, by_language in sorted(content.examples.items())
            for texts in by_language.values()
            for text in texts
        ]
        self._languages = config.languages
        self._default = config.default_language
        self._pipeline: Any = make_pipeline(
            make_union(
                TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, dtype=np.float32),
                TfidfVectorizer(analyzer=_words, sublinear_tf=True, dtype=np.float32),
            ),
            LogisticRegression(C=INVERSE_REGULARISATION, max_iter=200),
        )
        self._pipeline.fit([text for text, _ in pairs], [intent for _, intent in pairs])
        self._intents: list[str] = [str(intent) for intent in self._pipeline.classes_]

    def classify(self, texts: Sequence[str]) -> list[Understanding]:
        probabilities = self._pipeline.predict_proba(list(texts))  # (texts, intents)
        return [
            Understanding(language_of(text, self._languages, self._default), self._best(row))
            for text, row in zip(texts, probabilities, strict=True)
        ]

    def _best(self, row: Any) -> tuple[ScoredIntent, ...]:
        order = row.argsort()[::-1][:TOP]
        return tuple(
            ScoredIntent(intent=self._intents[at], probability=round(float(row[at]), 6)) for at in order
        )


def _words(text: str) -> list[str]:
    return terms(text, drop_common=False)


class LinearClassifier:
    """Thread-safe; implements `parley.ports.models.Classifier`."""

    name = "linear-1"

    def __init__(self) -> None:
        self._fitted: OrderedDict[tuple[str, str], Fitted] = OrderedDict()
        self._lock = Lock()

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        if self.ready(tenant, version):
            return
        fitted = Fitted(config, content)
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
        return fitted.classify(texts)
