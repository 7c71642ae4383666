"""What a technology has to do to be an index: keep chunks, and find candidates. What is done with them is in `hybrid`, for all alike.

A chunk belongs to versions; what a version knows of itself is its manifest, written after its chunks, so a version with a manifest is whole.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from parley.domain.chunking import Chunk
from parley.domain.lexical import Fields, Statistics, fields_of
from parley.errors import ConfigurationError
from schemas.base import TenantId
from schemas.parts import Passage

if TYPE_CHECKING:
    from parley.ports.models import Vector

FORMAT = 6
"""Changes whenever terms are cut differently or something else is kept: an index of another format is built anew."""

ALWAYS = 9999_12_31
QUOTED = ("chunk_id", "article_id", "title", "url", "path", "language", "text")
"""The fields of a chunk that a passage takes over."""


def day(iso: str | None) -> int:
    """An ISO date as a number that sorts like it, such as 20261231; None is the end of all days."""
    return ALWAYS if iso is None else int(iso.replace("-", ""))


class Manifest(NamedTuple):
    """What is kept of a version besides its chunks. `number` rises with each sync; `digest` is of the chunks' ids."""

    version: str
    number: int
    encoder: str
    digest: str
    statistics: Mapping[str, Statistics]

    @property
    def row(self) -> tuple[str, int, str, str, str]:
        """As plain values, the statistics as JSON; in the order of the fields."""
        statistics = orjson.dumps(self.statistics).decode()
        return (self.version, self.number, self.encoder, self.digest, statistics)

    @classmethod
    def of_row(cls, version: str, number: int, encoder: str, digest: str, statistics: str) -> "Manifest":
        by_language: dict[str, Any] = orjson.loads(statistics)
        found = {language: Statistics(**each) for language, each in by_language.items()}
        return cls(version, number, encoder, digest, found)


def digest_of(chunk_ids: Iterable[str]) -> str:
    return hashlib.blake2b("\n".join(sorted(chunk_ids)).encode(), digest_size=16).hexdigest()


class Held(NamedTuple):
    """What is known of a chunk that the index has: whose vector, and what goes into a version's statistics."""

    encoder: str
    language: str
    fields: Fields


class Entry(NamedTuple):
    """A chunk to be kept. `body` is what a passage is made from, as JSON; `encoder` was asked for the vector, even if it gave none."""

    chunk_id: str
    language: str
    valid_from: int
    valid_until: int
    fields: Fields
    body: str
    encoder: str
    vector: "Vector | None"


def entry_of(chunk: Chunk, encoder: str, vector: "Vector | None") -> Entry:
    return Entry(
        chunk_id=chunk.chunk_id,
        language=chunk.language,
        valid_from=day(chunk.valid_from),
        valid_until=day(chunk.valid_until),
        fields=fields_of(chunk),
        body=orjson.dumps({name: getattr(chunk, name) for name in QUOTED}).decode(),
        encoder=encoder,
        vector=vector,
    )


class Search(NamedTuple):
    """What to look for in the chunks of one language that are valid on a day. Without terms, or a vector, by the other alone."""

    #: With what each counts.
    terms: Mapping[str, float]
    #: Those that the version has in this language, with that times their rarity in it.
    worth: Mapping[str, float]
    vector: "Vector | None"
    language: str
    on: int
    #: How many of the best by BM25.
    by_words: int
    #: How many of the nearest.
    by_meaning: int


class Content(NamedTuple):
    """What an index keeps of a chunk for scoring and quoting. Only the vector, and whose it is, ever change: an id follows from the rest."""

    chunk_id: str
    fields: Fields
    body: str
    encoder: str
    vector: "Vector | None"


def passage_of(body: str) -> Passage:
    """Without a score, which it has for one question only."""
    held: dict[str, Any] = orjson.loads(body)
    return Passage(**{**held, "path": tuple(held["path"])}, score=0.0)


def make_folder(directory: Path) -> None:
    """Where an index keeps its files. Raises `ConfigurationError` when it cannot be made."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"PARLEY_HOME: cannot write to {directory} ({error.strerror})") from error


def versions_after(
    held: Mapping[str, Collection[str]], version: str, members: Collection[str], kept: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """By chunk, the versions that it will belong to. `held` has those that it belongs to now; members that are not in it are new."""
    before: dict[str, Collection[str]] = {**dict.fromkeys(members, ()), **held}
    others = {*kept} - {version}
    return {
        chunk_id: tuple(sorted((others & {*versions}) | ({version} if chunk_id in members else set())))
        for chunk_id, versions in before.items()
    }


class ChunkIndex(Protocol):
    """One technology. Every method raises `StoreUnavailable` or `ConfigurationError`; thread-safe."""

    def manifests(self, tenant: TenantId) -> list[Manifest]:
        """Those of all versions that are kept, in no order."""

    def held(self, tenant: TenantId) -> dict[str, Held]:
        """Every chunk of every version, by id."""

    def write(
        self,
        tenant: TenantId,
        manifest: Manifest,
        members: Collection[str],
        fresh: Sequence[Entry],
        kept: Collection[str],
    ) -> None:
        """Keep `fresh`, make `members` the version's chunks, and forget all versions but the `kept` with what only they had.

        Raises `StoreUnavailable` where a member is not there: another process forgot it in the meantime.
        """

    def candidates(self, tenant: TenantId, manifest: Manifest, searches: Sequence[Search]) -> list[list[str]]:
        """For each search, each once, at least the best of the version's chunks that are valid then: by words, and by cosine.

        Each by its key, the name that the index itself has for it.
        """

    def read(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Content]:
        """What is kept under these keys; one that was forgotten in the meantime is left out."""

    def close(self) -> None: ...
