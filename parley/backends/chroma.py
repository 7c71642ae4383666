"""The index on Chroma, embedded: one collection a tenant, its manifests in the collection's metadata. One process at a time may write.

Chroma compares vectors; words are searched by `postings`, built from the collection when a version is first asked for. It keeps nothing
without a vector, so a chunk that has none gets a direction of its own, which no search looks at.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import orjson

from parley.backends.chunk_index import (
    FORMAT,
    Candidate,
    Entry,
    Held,
    Manifest,
    Search,
    make_folder,
    versions_after,
)
from parley.backends.postings import Indexed, Postings
from parley.domain.lexical import Fields
from parley.errors import ConfigurationError, StoreUnavailable
from schemas.base import TenantId

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection as Chunks

    from parley.ports.models import Vector

    Row = Mapping[str, Any]

BATCH = 1_000
"""Chunks a call; Chroma takes a few thousand at most."""
POSTINGS_KEPT = 4
"""In memory, each of one version: some 50 MB for 10,000 chunks."""
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
        self._postings: OrderedDict[tuple[str, str], Postings] = OrderedDict()
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
            for pair in [pair for pair in self._postings if pair[0] == tenant]:
                del self._postings[pair]

    def candidates(
        self, tenant: TenantId, manifest: Manifest, searches: Sequence[Search]
    ) -> list[list[Candidate]]:
        with self._chunks(tenant) as chunks:
            postings = self._postings_of(tenant, manifest, chunks)
            return [_find(chunks, postings, manifest, search) for search in searches]

    def close(self) -> None:
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None
            self._postings.clear()

    def _postings_of(self, tenant: str, manifest: Manifest, chunks: "Chunks") -> Postings:
        postings = self._postings.get((tenant, manifest.version))
        if postings is None:
            rows = _rows(chunks, {"versions": {"$contains": manifest.version}})
            indexed = (
                Indexed(chunk_id, row["language"], row["valid_from"], row["valid_until"], _fields(row))
                for chunk_id, row in rows.items()
            )
            postings = self._postings[tenant, manifest.version] = Postings(indexed, manifest.statistics)
        self._postings.move_to_end((tenant, manifest.version))
        while len(self._postings) > POSTINGS_KEPT:
            self._postings.popitem(last=False)
        return postings

    @contextmanager
    def _chunks(self, tenant: str) -> "Iterator[Chunks]":
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


def _manifests(chunks: "Chunks") -> list[Manifest]:
    rows = orjson.loads(str((chunks.metadata or {}).get("manifests", "[]")))
    return [Manifest.of_row(*row) for row in rows]


def _keep_manifests(chunks: "Chunks", manifests: Sequence[Manifest]) -> None:
    rows = orjson.dumps([each.row for each in manifests])
    chunks.modify(metadata={"manifests": rows.decode()})


def _rows(chunks: "Chunks", where: "dict[str, Any] | None" = None) -> "dict[str, Row]":
    found = chunks.get(where=where, include=["metadatas"])
    return dict(zip(found["ids"], found["metadatas"] or (), strict=True))


def _find(chunks: "Chunks", postings: Postings, manifest: Manifest, search: Search) -> list[Candidate]:
    found = set(postings.best(search.terms, search.language, search.on, search.by_words))
    if search.vector is not None:
        near = chunks.query(
            query_embeddings=search.vector[None].tolist(),
            n_results=search.by_meaning,
            where=_where(manifest, search),
            include=[],
        )
        found.update(near["ids"][0])
    if not found:
        return []
    rows = chunks.get(ids=list(found), include=["metadatas", "embeddings"])
    vectors: Any = rows["embeddings"]  # an array, (chunks, dimensions)
    return list(map(_candidate, rows["ids"], rows["metadatas"] or (), vectors))


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


def _put(chunks: "Chunks", fresh: Sequence[Entry], versions: Mapping[str, Sequence[str]]) -> None:
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


def _tag(chunks: "Chunks", versions: Mapping[str, Sequence[str]]) -> None:
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


def _candidate(chunk_id: str, row: "Row", vector: "Vector") -> Candidate:
    own = vector.astype("float32") if row["vector_by"] else None
    return Candidate(chunk_id, _fields(row), row["body"], row["encoder"], own)


def _direction(chunk_id: str) -> "Vector":
    """As good as random, so that chunks without vectors do not lie on one point, which would clog the graph."""
    import numpy as np

    seed = int.from_bytes(hashlib.blake2b(chunk_id.encode(), digest_size=8).digest())
    return np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)


def _fields(row: "Row") -> Fields:
    return Fields(*(str(row[name]) for name in Fields._fields))
