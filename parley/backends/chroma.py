"""The index on Chroma, embedded: one collection a tenant, its manifests in the collection's metadata. One process at a time may write.

Chroma compares vectors; words are searched `in_memory`, from what the collection has when a version is first asked for. It keeps nothing
without a vector, so a chunk that has none gets a direction of its own, which no search looks at.
"""

import hashlib
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson
from cachetools import LRUCache

from parley.backends.chunk_index import (
    FORMAT,
    Content,
    Entry,
    Held,
    Manifest,
    Search,
    make_folder,
    versions_after,
)
from parley.backends.in_memory import Chunks, Indexed
from parley.domain.lexical import Fields
from parley.errors import ConfigurationError, StoreUnavailable
from schemas.base import TenantId

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection as Stored

    from parley.ports.models import Vector

    Row = Mapping[str, Any]

BATCH = 1_000
"""Chunks a call; Chroma takes a few thousand at most."""
VERSIONS_IN_MEMORY = 8
WIDTH = 384
"""The encoder's."""
SEARCHED_WIDELY = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}}
"""The graph of vectors is searched further than by default: a filter leaves a part of what is met."""


class ChromaIndex:
    """Implements `parley.backends.chunk_index.ChunkIndex`."""

    def __init__(self, directory: Path) -> None:
        """Raises `ConfigurationError` where the package is not installed."""
        try:
            import chromadb  # noqa: F401  # heavy, and an extra: only looked for
        except ImportError as error:
            raise ConfigurationError(
                "PARLEY_INDEX_URL: chroma: needs a package that is not installed: pip install 'parley[chroma]'"
            ) from error
        self._directory = directory
        self._client: Client | None = None
        self._asked: LRUCache[tuple[str, str, int], Chunks] = LRUCache(VERSIONS_IN_MEMORY)
        self._lock = Lock()

    def manifests(self, tenant: TenantId) -> list[Manifest]:
        with self._chunks(tenant) as chunks:
            return _manifests(chunks)

    def held(self, tenant: TenantId) -> dict[str, Held]:
        with self._chunks(tenant) as chunks:
            return {
                chunk_id: Held(row["encoder"], row["language"], _fields(row))
                for chunk_id, row in _rows(chunks).items()
            }

    def write(
        self,
        tenant: TenantId,
        manifest: Manifest,
        members: Collection[str],
        fresh: Sequence[Entry],
        kept: Collection[str],
    ) -> None:
        with self._chunks(tenant) as chunks:
            others = [each for each in _manifests(chunks) if each.version in {*kept} - {manifest.version}]
            # First, so that no version that is said to be there loses a chunk.
            _keep_manifests(chunks, others)
            held = {chunk_id: tuple(row["versions"]) for chunk_id, row in _rows(chunks).items()}
            after = versions_after(held, manifest.version, members, kept)
            _put(chunks, fresh, after)
            _tag(chunks, {name: tags for name, tags in after.items() if name in held and tags != held[name]})
            _keep_manifests(chunks, [*others, manifest])

    def candidates(self, tenant: TenantId, manifest: Manifest, searches: Sequence[Search]) -> list[list[str]]:
        with self._chunks(tenant) as chunks:
            by_words = self._by_words(tenant, manifest, chunks)
            return [_find(chunks, by_words, manifest, search) for search in searches]

    def read(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Content]:
        with self._chunks(tenant) as chunks:
            rows = chunks.get(ids=list(keys), include=["metadatas", "embeddings"])
        vectors: Any = rows["embeddings"]  # an array, (chunks, dimensions)
        return dict(
            zip(rows["ids"], map(_content, rows["ids"], rows["metadatas"] or (), vectors), strict=True)
        )

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None
            self._asked.clear()

    def _by_words(self, tenant: str, manifest: Manifest, chunks: "Stored") -> Chunks:
        """A version that is written again has another number."""
        key = tenant, manifest.version, manifest.number
        found = self._asked.get(key)
        if found is None:
            rows = _rows(chunks, {"versions": {"$contains": manifest.version}})
            indexed = [
                Indexed(chunk_id, row["language"], row["valid_from"], row["valid_until"], _fields(row))
                for chunk_id, row in rows.items()
            ]
            found = self._asked[key] = Chunks(indexed, manifest.statistics)
        return found

    @contextmanager
    def _chunks(self, tenant: str) -> "Iterator[Stored]":
        """The tenant's collection, for one thread at a time. Messages of errors may quote, so only their kind is told."""
        from chromadb.errors import ChromaError

        with self._lock:
            client = self._client = self._client or self._connect()
            try:
                yield client.get_or_create_collection(
                    f"chunks{FORMAT}-{tenant}",
                    embedding_function=None,
                    configuration=SEARCHED_WIDELY,  # type: ignore[arg-type]  # a part of what may be configured
                )
            except ChromaError as error:
                raise StoreUnavailable(f"Chroma in {self._directory}: {type(error).__name__}") from error

    def _connect(self) -> "Client":
        import chromadb
        from chromadb.api.client import Client
        from chromadb.config import Settings

        # Its client for telemetry says on every start that it is off.
        logging.getLogger("chromadb.telemetry").setLevel(logging.WARNING)
        make_folder(self._directory)
        client = chromadb.PersistentClient(self._directory, Settings(anonymized_telemetry=False))
        assert isinstance(client, Client)  # the declared type has no `close`
        return client


def _manifests(chunks: "Stored") -> list[Manifest]:
    rows = orjson.loads(str((chunks.metadata or {}).get("manifests", "[]")))
    return [Manifest.of_row(*row) for row in rows]


def _keep_manifests(chunks: "Stored", manifests: Sequence[Manifest]) -> None:
    rows = orjson.dumps([each.row for each in manifests])
    chunks.modify(metadata={"manifests": rows.decode()})


def _rows(chunks: "Stored", where: "dict[str, Any] | None" = None) -> "dict[str, Row]":
    found = chunks.get(where=where, include=["metadatas"])
    return dict(zip(found["ids"], found["metadatas"] or (), strict=True))


def _find(chunks: "Stored", by_words: Chunks, manifest: Manifest, search: Search) -> list[str]:
    found = dict.fromkeys(by_words.best(search._replace(vector=None)))
    if search.vector is not None:
        near = chunks.query(
            query_embeddings=search.vector[None].tolist(),
            n_results=search.by_meaning,
            where=_where(manifest, search),
            include=[],
        )
        found.update(dict.fromkeys(near["ids"][0]))
    return list(found)


def _where(manifest: Manifest, search: Search) -> dict[str, Any]:
    return {
        "$and": [
            {"versions": {"$contains": manifest.version}},
            {"vector_by": manifest.encoder},
            {"language": search.language},
            {"valid_from": {"$lte": search.on}},
            {"valid_until": {"$gte": search.on}},
        ]
    }


def _put(chunks: "Stored", fresh: Sequence[Entry], versions: Mapping[str, Sequence[str]]) -> None:
    for at in range(0, len(fresh), BATCH):
        some = fresh[at : at + BATCH]
        vectors: list[Any] = [
            _direction(each.chunk_id) if each.vector is None else each.vector for each in some
        ]
        chunks.upsert(
            ids=[each.chunk_id for each in some],
            embeddings=vectors,
            metadatas=[_row(each, versions[each.chunk_id]) for each in some],
        )


def _tag(chunks: "Stored", versions: Mapping[str, Sequence[str]]) -> None:
    """Give chunks the versions that they belong to now; those that belong to none go."""
    gone = [name for name, tags in versions.items() if not tags]
    stay = [name for name, tags in versions.items() if tags]
    for at in range(0, len(gone), BATCH):
        chunks.delete(ids=gone[at : at + BATCH])
    for at in range(0, len(stay), BATCH):
        some = stay[at : at + BATCH]
        chunks.update(ids=some, metadatas=[{"versions": list(versions[name])} for name in some])


def _row(entry: Entry, versions: Sequence[str]) -> dict[str, Any]:
    return {
        "language": entry.language,
        "encoder": entry.encoder,
        "vector_by": "" if entry.vector is None else entry.encoder,
        "versions": list(versions),
        "valid_from": entry.valid_from,
        "valid_until": entry.valid_until,
        "body": entry.body,
        **entry.fields._asdict(),
    }


def _content(chunk_id: str, row: "Row", vector: "Vector") -> Content:
    own = vector.astype("float32") if row["vector_by"] else None
    return Content(chunk_id, _fields(row), row["body"], row["encoder"], own)


def _direction(chunk_id: str) -> "Vector":
    """As good as random, so that chunks without vectors do not lie on one point, which would clog the graph."""
    import numpy as np

    seed = int.from_bytes(hashlib.blake2b(chunk_id.encode(), digest_size=8).digest())
    return np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)


def _fields(row: "Row") -> Fields:
    return Fields(*(str(row[name]) for name in Fields._fields))
