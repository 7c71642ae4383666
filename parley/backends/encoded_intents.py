"""The classifier on sentence vectors: English by the encoder with a head on the tenant's own examples, all else by another classifier.

A text far from all examples is out of scope: its understanding has no intents. Heads are kept in files like the linear models, under a name
that holds the encoder's too, since vectors of another encoder would fit to nothing.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from parley.backends import head_files
from parley.backends.fitting import kept_or_fitted
from parley.backends.kernel_head import Head
from parley.backends.linear import bare, best, pairs_of
from parley.domain.words import language_of
from parley.ports.models import Classifier, Encoder, Understanding
from schemas.base import TenantId
from schemas.tenant import TenantConfig, TenantContent

NAME = "encoded-1"
"""Stands in every result and file; raised whenever features or fitting change."""
ENCODED = "en"
"""The language that the encoder was trained for."""
LAST_LATIN = "\u024f"
KEPT = 16


def readable(text: str) -> bool:
    """Whether half of its letters are Latin: in the encoder other scripts fall apart into characters."""
    letters = [sign for sign in bare(text) if sign.isalpha()]
    return bool(letters) and 2 * sum(letter <= LAST_LATIN for letter in letters) >= len(letters)


@dataclass(frozen=True, slots=True)
class Ready:
    """One tenant version's head; None where it has too few English examples for one."""

    head: Head | None
    languages: tuple[str, ...]
    default_language: str

    def encodes(self, text: str) -> bool:
        """Whether the encoder can tell more of it than n-grams."""
        english = language_of(text, self.languages, self.default_language) == ENCODED
        return self.head is not None and english and readable(text)


class EncodedClassifier:
    """Thread-safe; implements `parley.ports.models.Classifier`. `others` classifies what is not English, or not a word."""

    def __init__(self, encoder: Encoder, others: Classifier, folder: Path | None = None) -> None:
        """Without a folder nothing is kept beyond the process. With one the encoder must be one that can be pickled."""
        self._method = f"{NAME}+{encoder.name}"
        self.name = f"{self._method}+{others.name}"
        self._encoder = encoder
        self._others = others
        self._folder = folder
        self._ready: OrderedDict[tuple[str, str], Ready] = OrderedDict()
        self._lock = Lock()

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        self._others.prepare(tenant, version, config, content)
        with self._lock:
            if (tenant, version) in self._ready:
                return
        head = self._head(tenant, version, content) if ENCODED in config.languages else None
        with self._lock:
            self._ready[tenant, version] = Ready(head, config.languages, config.default_language)
            while len(self._ready) > KEPT:
                self._ready.popitem(last=False)

    def ready(self, tenant: TenantId, version: str) -> bool:
        with self._lock:
            return (tenant, version) in self._ready and self._others.ready(tenant, version)

    def classify(self, tenant: TenantId, version: str, texts: Sequence[str]) -> list[Understanding]:
        with self._lock:
            ready = self._ready[tenant, version]
            self._ready.move_to_end((tenant, version))
        mine = [at for at, text in enumerate(texts) if ready.encodes(text)]
        theirs = sorted(set(range(len(texts))) - set(mine))
        found: dict[int, Understanding] = {}
        if theirs:
            understood = self._others.classify(tenant, version, [texts[at] for at in theirs])
            found.update(zip(theirs, understood, strict=True))
        if mine and ready.head is not None:
            found.update(zip(mine, self._understand(ready.head, [texts[at] for at in mine]), strict=True))
        return [found[at] for at in range(len(texts))]

    def _understand(self, head: Head, texts: Sequence[str]) -> list[Understanding]:
        said = [bare(text) for text in texts]
        cosines = head.cosines(self._encoder.encode(said))
        near = head.nearness(cosines)
        probabilities = head.probabilities(head.scores(said, cosines))
        return [
            Understanding(ENCODED, best(head.intents, row) if nearness >= head.reach else ())
            for row, nearness in zip(probabilities, near, strict=True)
        ]

    def _head(self, tenant: TenantId, version: str, content: TenantContent) -> Head | None:
        pairs = pairs_of(content, ENCODED)
        if len({intent for _, intent in pairs}) < 2:
            return None
        file = None if self._folder is None else self._folder / f"{tenant}-{version}.{self._method}.npz"
        return kept_or_fitted(
            file, head_files.load, head_files.fit_into, head_files.fitted, self._encoder, pairs
        )
