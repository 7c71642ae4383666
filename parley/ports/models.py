"""The ports to what understands, looks up and writes: classifier, retriever, generator."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from parley.domain.chunking import Chunk
from parley.domain.fusing import Found
from parley.domain.prompting import Prompt as Prompt
from schemas.base import TenantId
from schemas.parts import Entity, Risk, ScoredIntent, Usage
from schemas.tenant import TenantConfig, TenantContent

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    Vector = NDArray[float32]


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a classifier makes of a text; `intents` in falling probability, empty when the text is out of scope."""

    language: str
    intents: tuple[ScoredIntent, ...]
    risks: tuple[Risk, ...] = ()
    entities: tuple[Entity, ...] = ()


class Encoder(Protocol):
    """Texts as points: what means alike lies close together. One for all tenants; thread-safe."""

    #: Name and version; vectors of two names must not be compared.
    name: str

    def encode(self, texts: Sequence[str]) -> "NDArray[float32]":
        """(texts, 384), each row of length 1, in order; a text's row does not depend on the others. Never raises because of what a text says."""


class Reranker(Protocol):
    """Reads a question and a passage together; dearer and better than comparing vectors. One for all tenants; thread-safe."""

    def score(self, question: str, passages: Sequence[str]) -> "NDArray[float32]":
        """How well each passage answers the question, in order; comparable within one question. Never raises because of what a text says."""


class Classifier(Protocol):
    """Intents of one tenant version, fitted on the tenant's own examples."""

    #: Name and version of the method, written into each result.
    name: str

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        """Fit, or load what was fitted; a version that is ready is left alone."""

    def ready(self, tenant: TenantId, version: str) -> bool: ...

    def classify(self, tenant: TenantId, version: str, texts: Sequence[str]) -> list[Understanding]:
        """One result a text, in order; never raises because of what a text says."""


class Embed(Protocol):
    """Chunks to vectors. An index calls it with those chunks alone whose vectors it does not hold."""

    #: The encoder's name and version, kept beside the vectors.
    name: str

    def __call__(self, chunks: Sequence[Chunk]) -> "Sequence[Vector | None]":
        """A row of length 1 for each chunk, in order; None for one in a language that the encoder does not know."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for. `on` is the ISO date on which a passage must be valid.

    `topic` is what the question is about as far as that was understood; a match with it counts less than one with the question.
    Without a vector, a row of length 1 by the encoder that the version was indexed with, only words are looked up.
    """

    text: str
    language: str
    on: str
    limit: int = 5
    topic: str = ""
    #: What was said before, oldest first, where the question cannot be understood without it.
    history: tuple[str, ...] = ()
    vector: "Vector | None" = field(default=None, compare=False, repr=False)
    #: So many of the best by words, and of the best by meaning, are considered.
    candidates: int = 40

    def with_vector(self, vector: "Vector | None") -> "Query":
        return replace(self, vector=vector)


class Retriever(Protocol):
    """Passages of one tenant version. No tenant ever sees another's. Raises `StoreUnavailable`, `ConfigurationError`. Thread-safe."""

    def sync(self, tenant: TenantId, version: str, chunks: Sequence[Chunk], embed: Embed) -> int:
        """Make the index of this tenant hold these chunks under this version; returns how many were written anew."""

    def ready(self, tenant: TenantId, version: str, encoder: str) -> bool:
        """Whether the version is held, with vectors by the encoder of this name."""

    def search(self, tenant: TenantId, version: str, queries: Sequence[Query]) -> list[tuple[Found, ...]]:
        """The best of each query by words and meaning, best first; empty where nothing matches."""

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished text. `cited` are the chunk ids it rests on, in the order of their first use."""

    text: str
    cited: tuple[str, ...]
    model: str
    adapter: str | None = None
    prompt_hash: str | None = None
    usage: Usage = field(default_factory=Usage)
    finish_reason: Literal["stop", "length"] = "stop"
