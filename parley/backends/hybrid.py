"""The retriever: what is the same for every index. Which chunks are new, what a version knows of its words, and how candidates are scored.

An index brings candidates; their BM25 (`parley.domain.lexical`) and cosines are computed here and fused by `parley.domain.fusing`, so every
index gives the same scores within the rounding of its vectors.
"""

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING

from parley.backends.chunk_index import (
    Candidate,
    ChunkIndex,
    Entry,
    Manifest,
    Search,
    day,
    digest_of,
    entry_of,
    passage_of,
)
from parley.domain.chunking import Chunk
from parley.domain.fusing import Found, Scored, fuse
from parley.domain.lexical import NO_STATISTICS, Fields, Statistics, asked, bm25
from parley.errors import StoreUnavailable
from parley.ports.models import Embed, Query
from schemas.base import TenantId

if TYPE_CHECKING:
    from parley.ports.models import Vector

VERSIONS_KEPT = 3
"""Turns that began under an earlier version still find its chunks; older versions are forgotten."""

MARGIN = 3
"""An engine knows other statistics than a version's own, so it is asked for this many times the candidates by words."""

MANIFESTS_KEPT = 64
"""In memory; each holds the words of a version."""


class HybridRetriever:
    """Implements `parley.ports.models.Retriever` on any index."""

    def __init__(self, index: ChunkIndex) -> None:
        self._index = index
        self._known: OrderedDict[tuple[TenantId, str], Manifest] = OrderedDict()
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
        weights = [asked(query.text, query.topic, query.history) for query in queries]
        searches = [_search(query, each) for query, each in zip(queries, weights, strict=True)]
        try:
            candidates = self._index.candidates(tenant, manifest, searches)
        except StoreUnavailable:
            # It may come back without what it held: then the version has to be written again.
            self._forget(tenant)
            raise
        return [
            _found(query, each, near, manifest)
            for query, each, near in zip(queries, weights, candidates, strict=True)
        ]

    def close(self) -> None:
        with self._lock:
            self._known.clear()
        self._index.close()

    def _manifest(self, tenant: TenantId, version: str) -> Manifest | None:
        with self._lock:
            known = self._known.get((tenant, version))
        if known is not None:
            return known
        found = next((each for each in self._index.manifests(tenant) if each.version == version), None)
        if found is not None:
            self._remember(tenant, found)
        return found

    def _remember(self, tenant: TenantId, manifest: Manifest) -> None:
        with self._lock:
            self._known[tenant, manifest.version] = manifest
            while len(self._known) > MANIFESTS_KEPT:
                self._known.popitem(last=False)

    def _forget(self, tenant: TenantId) -> None:
        with self._lock:
            for pair in [pair for pair in self._known if pair[0] == tenant]:
                del self._known[pair]


def _embedded(chunks: Sequence[Chunk], embed: Embed) -> list[Entry]:
    vectors = embed(chunks) if chunks else ()
    return [entry_of(chunk, embed.name, vector) for chunk, vector in zip(chunks, vectors, strict=True)]


def _statistics(members: Iterable[tuple[str, Fields]]) -> dict[str, Statistics]:
    by_language: dict[str, list[Fields]] = defaultdict(list)
    for language, fields in members:
        by_language[language].append(fields)
    return {language: Statistics.of(found) for language, found in by_language.items()}


def _search(query: Query, weights: Mapping[str, float]) -> Search:
    return Search(
        terms=tuple(weights),
        vector=query.vector,
        language=query.language,
        on=day(query.on),
        by_words=MARGIN * max(query.candidates, query.limit),
        by_meaning=max(query.candidates, query.limit),
    )


def _found(
    query: Query, weights: Mapping[str, float], candidates: Sequence[Candidate], manifest: Manifest
) -> tuple[Found, ...]:
    statistics = manifest.statistics.get(query.language, NO_STATISTICS)
    worth = statistics.worth(weights)
    similarities = _similarities(query.vector, candidates, manifest.encoder)
    scored = [
        Scored(each.chunk_id, round(bm25(worth, each.fields, statistics), 6), similarity)
        for each, similarity in zip(candidates, similarities, strict=True)
    ]
    bodies = {each.chunk_id: each.body for each in candidates}
    best = fuse(scored, max(query.candidates, query.limit), query.limit)
    return tuple(
        Found(passage_of(bodies[chunk_id], score), lexical, similarity)
        for score, (chunk_id, lexical, similarity) in best
    )


def _similarities(
    asked_for: "Vector | None", candidates: Sequence[Candidate], encoder: str
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

    products = np.stack([vector for _, vector in having]) @ asked_for
    for (at, _), product in zip(having, products.tolist(), strict=True):
        found[at] = round(product, 6)
    return found
