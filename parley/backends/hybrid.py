"""The retriever: what is the same for every index. Which chunks are new, what a version knows of its words, and how candidates are scored.

An index names candidates; their BM25 (`parley.domain.lexical`) and cosines are computed here and fused by `parley.domain.fusing`, so every
index gives the same scores within the rounding of its vectors.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from parley.backends.chunk_index import (
    ChunkIndex,
    Entry,
    Manifest,
    Search,
    day,
    digest_of,
    entry_of,
)
from parley.backends.known_chunks import Known, KnownChunks
from parley.domain.chunking import Chunk
from parley.domain.fusing import Found, Scored, fuse, share_of_words
from parley.domain.lexical import NO_STATISTICS, Asked, Fields, Statistics, asked, score
from parley.domain.naming import NAMES_IN
from parley.errors import StoreUnavailable
from parley.ports.models import Embed, Query
from schemas.base import TenantId

if TYPE_CHECKING:
    from parley.ports.models import Vector

VERSIONS_KEPT = 3
"""Turns that began under an earlier version still find its chunks; older versions are forgotten."""

NAMES_MARGIN = 2
"""No index knows what names are worth, so where chunks have some this many times the candidates are scored."""

MANIFESTS_KEPT = 64
"""In memory; each holds the words of a version."""


class HybridRetriever:
    """Implements `parley.ports.models.Retriever` on any index."""

    def __init__(self, index: ChunkIndex) -> None:
        self._index = index
        self._chunks = KnownChunks(index.read)
        self._manifests: LRUCache[tuple[TenantId, str], Manifest] = LRUCache(MANIFESTS_KEPT)
        self._lock = Lock()
        self._syncing = Lock()

    def ready(self, tenant: TenantId, version: str, encoder: str) -> bool:
        manifest = self._manifest(tenant, version)
        return manifest is not None and manifest.encoder == encoder

    def sync(self, tenant: TenantId, version: str, chunks: Sequence[Chunk], embed: Embed) -> int:
        wanted = {chunk.chunk_id: chunk for chunk in chunks}
        with self._syncing:
            manifests = sorted(self._index.manifests(tenant), key=lambda each: each.number)
            newest = manifests[-1] if manifests else None
            if newest is not None and newest[:1] + newest[2:4] == (version, embed.name, digest_of(wanted)):
                return 0
            written = self._write(tenant, version, wanted, embed, manifests)
        self._forget(tenant)
        return written

    def _write(
        self,
        tenant: TenantId,
        version: str,
        wanted: Mapping[str, Chunk],
        embed: Embed,
        manifests: Sequence[Manifest],
    ) -> int:
        """`manifests` are those of the kept versions, the newest last."""
        held = self._index.held(tenant)
        encoded = {chunk_id for chunk_id, each in held.items() if each.encoder == embed.name}
        fresh = _embedded([chunk for chunk_id, chunk in wanted.items() if chunk_id not in encoded], embed)
        words = {chunk_id: (each.language, each.fields) for chunk_id, each in held.items()}
        words |= {each.chunk_id: (each.language, each.fields) for each in fresh}
        manifest = Manifest(
            version=version,
            number=1 + (manifests[-1].number if manifests else 0),
            encoder=embed.name,
            digest=digest_of(wanted),
            statistics=_statistics(words[chunk_id] for chunk_id in wanted),
        )
        others = [each.version for each in manifests if each.version != version]
        kept = {version, *others[-(VERSIONS_KEPT - 1) :]}
        self._index.write(tenant, manifest, wanted.keys(), fresh, kept)
        return len(fresh)

    def search(self, tenant: TenantId, version: str, queries: Sequence[Query]) -> list[tuple[Found, ...]]:
        manifest = self._manifest(tenant, version)
        if manifest is None:
            return [() for _ in queries]
        words = [asked(query.text, query.topic, query.history, query.language) for query in queries]
        searches = [_search(query, each, manifest) for query, each in zip(queries, words, strict=True)]
        try:
            keys = self._index.candidates(tenant, manifest, searches)
            chunks = self._chunks.get(tenant, chain.from_iterable(keys), manifest.encoder)
        except StoreUnavailable:
            # It may come back without what it held: then the version has to be written again.
            self._forget(tenant)
            raise
        return [
            _found(query, each.said, search.worth, [chunks[key] for key in named if key in chunks], manifest)
            for query, each, search, named in zip(queries, words, searches, keys, strict=True)
        ]

    def close(self) -> None:
        with self._lock:
            self._manifests.clear()
        self._chunks.clear()
        self._index.close()

    def _manifest(self, tenant: TenantId, version: str) -> Manifest | None:
        with self._lock:
            known = self._manifests.get((tenant, version))
        if known is not None:
            return known
        found = next((each for each in self._index.manifests(tenant) if each.version == version), None)
        if found is not None:
            with self._lock:
                self._manifests[tenant, version] = found
        return found

    def _forget(self, tenant: TenantId) -> None:
        with self._lock:
            for pair in [pair for pair in self._manifests if pair[0] == tenant]:
                del self._manifests[pair]


def _embedded(chunks: Sequence[Chunk], embed: Embed) -> list[Entry]:
    vectors = embed(chunks) if chunks else ()
    return [entry_of(chunk, embed.name, vector) for chunk, vector in zip(chunks, vectors, strict=True)]


def _statistics(members: Iterable[tuple[str, Fields]]) -> dict[str, Statistics]:
    by_language: dict[str, list[Fields]] = defaultdict(list)
    for language, fields in members:
        by_language[language].append(fields)
    return {language: Statistics.of(found) for language, found in by_language.items()}


def _search(query: Query, words: Asked, manifest: Manifest) -> Search:
    most = max(query.candidates, query.limit)
    statistics = manifest.statistics.get(query.language, NO_STATISTICS)
    return Search(
        terms=words.weights,
        worth=statistics.worth(words.weights),
        vector=query.vector,
        language=query.language,
        on=day(query.on),
        by_words=most * (NAMES_MARGIN if query.language == NAMES_IN else 1),
        by_meaning=most,
    )


def _found(
    query: Query,
    said: Mapping[str, Sequence[int]],
    worth: Mapping[str, float],
    candidates: Sequence[Known],
    manifest: Manifest,
) -> tuple[Found, ...]:
    statistics = manifest.statistics.get(query.language, NO_STATISTICS)
    similarities = _similarities(query.vector, candidates, manifest.encoder)
    scored = [
        Scored(each.chunk_id, round(score(worth, said, each.counts, statistics), 6), similarity)
        for each, similarity in zip(candidates, similarities, strict=True)
    ]
    passages = {each.chunk_id: each.passage for each in candidates}
    best = fuse(scored, max(query.candidates, query.limit), query.limit, share_of_words(query.language))
    return tuple(
        Found(passages[chunk_id], score, lexical, similarity)
        for score, (chunk_id, lexical, similarity) in best
    )


def _similarities(
    asked_for: "Vector | None", candidates: Sequence[Known], encoder: str
) -> list[float | None]:
    """Cosines; None for a chunk without a vector, or with one by another encoder, which says nothing about this one."""
    having = [
        (at, each.vector)
        for at, each in enumerate(candidates)
        if each.vector is not None and each.encoder == encoder
    ]
    found: list[float | None] = [None] * len(candidates)
    if asked_for is None or not having:
        return found
    import numpy as np

    products = np.concatenate([vector for _, vector in having]).reshape(len(having), -1) @ asked_for
    for (at, _), product in zip(having, products.tolist(), strict=True):
        found[at] = round(product, 6)
    return found
