"""The classifier on sentence vectors: a language that has an encoder by a head on the tenant's own examples, all else by another classifier.

A text far from all examples is out of scope: its understanding has no intents. Heads are kept in files like the linear models, under a name
that holds the encoder's too, since vectors of another encoder would fit to nothing.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from parley.backends import head_files
from parley.backends.fitting import kept_or_fitted
from parley.backends.kernel_head import Head
from parley.backends.linear import bare, best, pairs_of
from parley.domain.words import CJK, language_of
from parley.ports.models import Classifier, Encoder, Understanding
from schemas.base import TenantId
from schemas.tenant import TenantConfig, TenantContent

NAME = "encoded-3"
"""Stands in every result and file; raised whenever features or fitting change."""
LAST_LATIN = "\u024f"
KEPT = 16


def readable(text: str, language: str) -> bool:
    """Whether the language's encoder knows its script: half of the letters are Latin, or one is Chinese. Others fall apart into characters."""
    if language == "zh":
        return any(sign.isalpha() for sign in CJK.findall(bare(text)))
    letters = [sign for sign in bare(text) if sign.isalpha()]
    return bool(letters) and 2 * sum(letter <= LAST_LATIN for letter in letters) >= len(letters)


def new_names(names: Sequence[tuple[str, str]], examples: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those that are no example already, whatever their case and signs; both as (text, intent)."""
    known = {bare(text).casefold() for text, _ in examples}
    return [(text, intent) for text, intent in names if bare(text).casefold() not in known]


@dataclass(frozen=True, slots=True)
class Ready:
    """One tenant version's heads by language; a language with too few examples for one has none."""

    heads: Mapping[str, Head]
    languages: tuple[str, ...]
    default_language: str

    @property
    def all_encoded(self) -> bool:
        return all(language in self.heads for language in self.languages)

    def language(self, text: str) -> str:
        return language_of(text, self.languages, self.default_language)

    def encoded(self, text: str) -> str | None:
        """The language whose encoder can read it."""
        language = self.language(text)
        return language if language in self.heads and readable(text, language) else None


class EncodedClassifier:
    """Thread-safe; implements `parley.ports.models.Classifier`. `others` classifies what no encoder can read, for tenants of whose
    languages one has no encoder; to all other tenants such a text is out of scope.
    """

    def __init__(
        self, encoders: Mapping[str, Encoder], others: Classifier, folder: Path | None = None
    ) -> None:
        """`encoders` are by language. Without a folder nothing is kept beyond the process; with one they must be such that can be pickled."""
        self.name = "+".join((NAME, *(encoder.name for encoder in encoders.values()), others.name))
        self._encoders = encoders
        self._others = others
        self._folder = folder
        self._ready: OrderedDict[tuple[str, str], Ready] = OrderedDict()
        self._lock = Lock()

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        with self._lock:
            if (tenant, version) in self._ready:
                return
        heads = self._heads(tenant, version, config, content)
        ready = Ready(heads, config.languages, config.default_language)
        if not ready.all_encoded:
            self._others.prepare(tenant, version, config, content)
        with self._lock:
            self._ready[tenant, version] = ready
            while len(self._ready) > KEPT:
                self._ready.popitem(last=False)

    def ready(self, tenant: TenantId, version: str) -> bool:
        with self._lock:
            ready = self._ready.get((tenant, version))
        return ready is not None and (ready.all_encoded or self._others.ready(tenant, version))

    def classify(self, tenant: TenantId, version: str, texts: Sequence[str]) -> list[Understanding]:
        with self._lock:
            ready = self._ready[tenant, version]
            self._ready.move_to_end((tenant, version))
        places: dict[str | None, list[int]] = {}
        for at, text in enumerate(texts):
            places.setdefault(ready.encoded(text), []).append(at)
        found: dict[int, Understanding] = {}
        for language, mine in places.items():
            some = [texts[at] for at in mine]
            if language is not None:
                understood = self._understand(language, ready.heads[language], some)
            elif ready.all_encoded:
                understood = [Understanding(ready.language(text), ()) for text in some]
            else:
                understood = self._others.classify(tenant, version, some)
            found.update(zip(mine, understood, strict=True))
        return [found[at] for at in range(len(texts))]

    def _understand(self, language: str, head: Head, texts: Sequence[str]) -> list[Understanding]:
        said = [bare(text) for text in texts]
        cosines = head.cosines(self._encoders[language].encode(said))
        near = head.nearness(cosines)
        probabilities = head.probabilities(head.scores(said, cosines))
        return [
            Understanding(language, best(head.intents, row) if nearness >= head.reach else ())
            for row, nearness in zip(probabilities, near, strict=True)
        ]

    def _heads(
        self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent
    ) -> dict[str, Head]:
        found: dict[str, Head] = {}
        for language, encoder in self._encoders.items():
            pairs = pairs_of(content, language) if language in config.languages else []
            if len({intent for _, intent in pairs}) < 2:
                continue
            titles = [
                (config.intents[intent].title[language], intent)
                for intent in sorted({intent for _, intent in pairs})
                if language in config.intents[intent].title
            ]
            names = new_names(titles, pairs)
            name = f"{tenant}-{version}.{NAME}+{encoder.name}.npz"
            file = None if self._folder is None else self._folder / name
            found[language] = kept_or_fitted(
                file, head_files.load, head_files.fit_into, head_files.fitted, encoder, pairs, names
            )
        return found
