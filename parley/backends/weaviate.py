"""The index on Weaviate: one multi-tenant collection for chunks, one for manifests, in both a Weaviate tenant for each of ours.

A search is one call of Weaviate's hybrid search, whose ranked fusion keeps the best of both kinds and of which only
the ids come back; the scores that count are computed by `hybrid`. Up to 40,000 chunks a search's filter makes Weaviate compare all vectors, so nothing is
missed; above that its graph is searched. There are no transactions: what a broken import leaves behind, the next one puts right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from parley.backends.chunk_index import (
    FORMAT,
    Content,
    Entry,
    Held,
    Manifest,
    Search,
    versions_after,
)
from parley.domain.lexical import K1, WEIGHTS, B, Fields
from parley.errors import ConfigurationError, StoreUnavailable
from schemas.base import TenantId

if TYPE_CHECKING:
    from weaviate import WeaviateClient
    from weaviate.collections.classes.config import Property
    from weaviate.collections.classes.data import DataObject
    from weaviate.collections.classes.filters import FilterReturn
    from weaviate.collections.classes.internal import Object
    from weaviate.collections.collection import Collection as Objects

    Found = Object[Any, Any]
    Properties = Mapping[str, Any]

CHUNKS, MANIFESTS = f"ParleyChunks{FORMAT}", f"ParleyManifests{FORMAT}"
IDS = UUID("b2f1a6c8-52d5-4c59-9d3f-3f0f0f3f6f11")
"""Chunks and manifests keep their ids, so writing twice is harmless."""
FIELDS = Fields._fields
BATCH = 200
"""Objects a call: about a megabyte."""
PAGE = 1_000
"""Objects without vectors that are read at once."""
MARGIN = 1.5
"""Times the candidates by words, since its BM25 knows other statistics: the first five of four public sets are then exact, as with 3."""
TERMS_ASKED = 100
"""Those that are worth most: eight turns of Chinese have several hundred, and it takes longer with each."""
SEARCHES_AT_ONCE = 4
QUERY_WITHIN_S, WRITE_WITHIN_S, CONNECT_WITHIN_S = 5, 60, 5

# The client tries an unreachable server again for a minute, longer than a message may wait. A call that waits for the
# connection itself is over, with another error, when its own time is.
WAIT_FOR_CONNECTION = '{"methodConfig": [{"name": [{}], "waitForReady": true}]}'
CHANNEL = (
    ("grpc.service_config", WAIT_FOR_CONNECTION),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)


class WeaviateIndex:
    """Implements `parley.backends.chunk_index.ChunkIndex`."""

    def __init__(self, host: str, port: int, grpc_port: int) -> None:
        self._where = f"Weaviate at {host}:{port}"
        self._address = host, port, grpc_port
        self._client: WeaviateClient | None = None
        self._prepared = False
        self._pool = ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="weaviate")
        self._lock = Lock()

    def manifests(self, tenant: TenantId) -> list[Manifest]:
        with self._reached() as client:
            collection = client.collections.use(MANIFESTS)
            if not collection.tenants.exists(tenant):
                return []
            return [_manifest(each.properties) for each in collection.with_tenant(tenant).iterator()]

    def held(self, tenant: TenantId) -> dict[str, Held]:
        with self._reached() as client:
            collection = client.collections.use(CHUNKS)
            if not collection.tenants.exists(tenant):
                return {}
            wanted = ["chunk_id", "encoder", "language", *FIELDS]
            found = collection.with_tenant(tenant).iterator(return_properties=wanted, cache_size=PAGE)
            held: Iterator[Properties] = (each.properties for each in found)
            return {each["chunk_id"]: Held(each["encoder"], each["language"], _fields(each)) for each in held}

    def write(
        self,
        tenant: TenantId,
        manifest: Manifest,
        members: Collection[str],
        fresh: Sequence[Entry],
        kept: Collection[str],
    ) -> None:
        with self._reached() as client:
            chunks, manifests = (_of_tenant(client, name, tenant) for name in (CHUNKS, MANIFESTS))
            # First, so that no version that is said to be there loses a chunk.
            _forget(manifests, kept)
            held = _versions(chunks)
            after = versions_after(held, manifest.version, members, kept)
            _put(chunks, [_object(each, after[each.chunk_id]) for each in fresh])
            written = {each.chunk_id for each in fresh}
            _tag(
                chunks,
                {name: after[name] for name in held if name not in written and after[name] != held[name]},
            )
            self._check(chunks, manifest.version, len(members))
            _put(manifests, [_manifest_object(manifest)])

    def candidates(self, tenant: TenantId, manifest: Manifest, searches: Sequence[Search]) -> list[list[str]]:
        with self._reached() as client:
            chunks = client.collections.use(CHUNKS).with_tenant(tenant)
            find = partial(_find, chunks, manifest)
            return list(map(find, searches) if len(searches) == 1 else self._pool.map(find, searches))

    def read(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Content]:
        found: dict[str, Content] = {}
        with self._reached() as client:
            chunks = client.collections.use(CHUNKS).with_tenant(tenant)
            for some in _batches(list(keys)):
                objects = chunks.query.fetch_objects_by_ids(
                    some,
                    limit=len(some),
                    include_vector=True,
                    return_properties=["chunk_id", "body", "encoder", *FIELDS],
                ).objects
                found.update((str(each.uuid), _content(each)) for each in objects)
        return found

    def close(self) -> None:
        self._pool.shutdown()
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _check(self, chunks: "Objects[Any, Any]", version: str, expected: int) -> None:
        from weaviate.classes.query import Filter

        of_version = Filter.by_property("versions").contains_any([version])
        found = chunks.aggregate.over_all(total_count=True, filters=of_version).total_count
        if found != expected:
            raise StoreUnavailable(
                f"{self._where}: {found} of {expected} chunks were written; another import interfered"
            )

    @contextmanager
    def _reached(self) -> "Iterator[WeaviateClient]":
        """A connected client. Messages of errors may quote what was asked, so only their kind is told."""
        from httpx import HTTPError
        from weaviate.exceptions import UnexpectedStatusCodeError, WeaviateBaseError

        try:
            with self._lock:
                client = self._client = self._client or self._connect()
                if not self._prepared:
                    _prepare(client)
                    self._prepared = True
            yield client
        except (WeaviateBaseError, HTTPError) as error:
            # It may come back without what it held.
            self._prepared = False
            status = error.status_code if isinstance(error, UnexpectedStatusCodeError) else None
            if status in (401, 403):
                raise ConfigurationError(f"PARLEY_INDEX_URL: {self._where} wants a login") from error
            raise StoreUnavailable(f"{self._where}: {type(error).__name__} {status or ''}".strip()) from error

    def _connect(self) -> "WeaviateClient":
        from weaviate import WeaviateClient
        from weaviate.classes.init import AdditionalConfig, Timeout
        from weaviate.config import GrpcConfig
        from weaviate.connect import ConnectionParams

        host, port, grpc_port = self._address
        client = WeaviateClient(
            ConnectionParams.from_params(host, port, False, host, grpc_port, False),
            additional_config=AdditionalConfig(
                timeout=Timeout(query=QUERY_WITHIN_S, insert=WRITE_WITHIN_S, init=CONNECT_WITHIN_S),
                grpc_config=GrpcConfig(channel_options=CHANNEL),
            ),
            skip_init_checks=True,  # they ask a package index for a newer client
        )
        try:
            client.connect()
        except BaseException:
            client.close()
            raise
        return client


def _prepare(client: "WeaviateClient") -> None:
    for name, properties in ((CHUNKS, _chunk_properties()), (MANIFESTS, _manifest_properties())):
        _ensure(client, name, properties)


def _ensure(client: "WeaviateClient", name: str, properties: "list[Property]") -> None:
    from weaviate.classes.config import Configure, StopwordsPreset
    from weaviate.exceptions import UnexpectedStatusCodeError

    if client.collections.exists(name):
        return
    try:
        client.collections.create(
            name,
            properties=properties,
            multi_tenancy_config=Configure.multi_tenancy(auto_tenant_activation=True),
            vector_config=Configure.Vectors.self_provided(),  # with cosines
            inverted_index_config=Configure.inverted_index(
                bm25_b=B, bm25_k1=K1, stopwords_preset=StopwordsPreset.NONE
            ),
        )
    except UnexpectedStatusCodeError:
        if not client.collections.exists(name):  # else another process was faster
            raise


def _chunk_properties() -> "list[Property]":
    from weaviate.classes.config import DataType, Property, Tokenization

    text, whole = DataType.TEXT, Tokenization.FIELD
    return [
        *(
            Property(name=name, data_type=text, tokenization=whole, index_searchable=False)
            for name in ("chunk_id", "language", "encoder")
        ),
        Property(name="versions", data_type=DataType.TEXT_ARRAY, tokenization=whole, index_searchable=False),
        *(Property(name=name, data_type=DataType.INT) for name in ("valid_from", "valid_until")),
        Property(name="words", data_type=text, tokenization=Tokenization.WHITESPACE, index_filterable=False),
        *(
            Property(name=name, data_type=text, index_filterable=False, index_searchable=False)
            for name in (*FIELDS, "body")
        ),
    ]


def _manifest_properties() -> "list[Property]":
    from weaviate.classes.config import DataType, Property

    return [
        *(
            Property(name=name, data_type=DataType.TEXT, index_filterable=False, index_searchable=False)
            for name in ("version", "encoder", "digest", "statistics")
        ),
        Property(name="number", data_type=DataType.INT, index_filterable=False),
    ]


def _of_tenant(client: "WeaviateClient", name: str, tenant: str) -> "Objects[Any, Any]":
    collection = client.collections.use(name)
    if not collection.tenants.exists(tenant):
        collection.tenants.create([tenant])
    return collection.with_tenant(tenant)


def _find(chunks: "Objects[Any, Any]", manifest: Manifest, search: Search) -> list[str]:
    """One call: hybrid, or the one of its halves that there is something to look for. Objects are read when they are not known: that costs more."""
    from weaviate.classes.query import HybridFusion

    asked: dict[str, Any] = {"filters": _filter(manifest.version, search), "return_properties": False}
    words, by_words = _asked(search), ceil(MARGIN * search.by_words)
    if words and search.vector is not None:
        found = chunks.query.hybrid(
            words,
            vector=search.vector.tolist(),
            query_properties=["words"],
            alpha=0.5,
            fusion_type=HybridFusion.RANKED,
            limit=by_words + search.by_meaning,
            **asked,
        )
    elif words:
        found = chunks.query.bm25(words, query_properties=["words"], limit=by_words, **asked)
    elif search.vector is not None:
        found = chunks.query.near_vector(search.vector.tolist(), limit=search.by_meaning, **asked)
    else:
        return []
    return [str(each.uuid) for each in found.objects]


def _asked(search: Search) -> str:
    """Weaviate counts a term as often as it is asked for: four times one that counts fully."""
    best = sorted(search.worth, key=lambda term: (-search.worth[term], term))[:TERMS_ASKED]
    return " ".join(term for term in best for _ in range(max(1, round(4 * search.terms[term]))))


def _filter(version: str, search: Search) -> "FilterReturn":
    from weaviate.classes.query import Filter

    return Filter.all_of(
        [
            Filter.by_property("versions").contains_any([version]),
            Filter.by_property("language").equal(search.language),
            Filter.by_property("valid_from").less_or_equal(search.on),
            Filter.by_property("valid_until").greater_or_equal(search.on),
        ]
    )


def _content(found: "Found") -> Content:
    import numpy as np

    held = found.properties
    values = found.vector.get("default")
    vector = np.array(values, dtype=np.float32) if values else None
    return Content(held["chunk_id"], _fields(held), held["body"], held["encoder"], vector)


def _versions(chunks: "Objects[Any, Any]") -> dict[str, tuple[str, ...]]:
    """By chunk, the versions that it belongs to."""
    found = chunks.iterator(return_properties=["chunk_id", "versions"], cache_size=PAGE)
    return {each.properties["chunk_id"]: tuple(each.properties["versions"]) for each in found}


def _tag(chunks: "Objects[Any, Any]", versions: Mapping[str, Sequence[str]]) -> None:
    """Give chunks the versions that they belong to now; those that belong to none go."""
    from weaviate.classes.data import DataObject
    from weaviate.classes.query import Filter

    for some in _batches([name for name, tags in versions.items() if not tags]):
        chunks.data.delete_many(Filter.by_id().contains_any([uuid5(IDS, name) for name in some]))
    for some in _batches([name for name, tags in versions.items() if tags]):
        ids = [uuid5(IDS, name) for name in some]
        found = chunks.query.fetch_objects_by_ids(ids, limit=len(ids), include_vector=True).objects
        # An object is written as a whole: a change of one property would be a call each.
        again = [
            DataObject(
                properties={**each.properties, "versions": list(versions[each.properties["chunk_id"]])},
                uuid=each.uuid,
                vector=each.vector.get("default"),  # type: ignore[arg-type]  # a list of floats: we wrote it
            )
            for each in found
        ]
        _put(chunks, again)


def _forget(manifests: "Objects[Any, Any]", kept: Collection[str]) -> None:
    for each in list(manifests.iterator(return_properties=["version"])):
        if each.properties["version"] not in kept:
            manifests.data.delete_by_id(each.uuid)


def _put(collection: "Objects[Any, Any]", objects: "Sequence[DataObject[Any, Any]]") -> None:
    for some in _batches(objects):
        result = collection.data.insert_many(some)
        if result.has_errors:
            raise StoreUnavailable(f"Weaviate: {len(result.errors)} of {len(some)} objects were not written")


def _object(entry: Entry, versions: Sequence[str]) -> "DataObject[Properties, None]":
    from weaviate.classes.data import DataObject

    properties = {
        "chunk_id": entry.chunk_id,
        "language": entry.language,
        "encoder": entry.encoder,
        "versions": list(versions),
        "valid_from": entry.valid_from,
        "valid_until": entry.valid_until,
        "body": entry.body,
        "words": _words(entry.fields),
        **entry.fields._asdict(),
    }
    vector = None if entry.vector is None else entry.vector.tolist()
    return DataObject(properties=properties, uuid=uuid5(IDS, entry.chunk_id), vector=vector)


def _words(fields: Fields) -> str:
    """All terms, as often as they weigh: what BM25 then finds is nearer to `parley.domain.lexical` than with a property for each field."""
    return " ".join(
        field for field, weight in zip(fields.counted, WEIGHTS, strict=True) for _ in range(int(weight))
    )


def _manifest_object(manifest: Manifest) -> "DataObject[Properties, None]":
    from weaviate.classes.data import DataObject

    properties = dict(zip(Manifest._fields, manifest.row, strict=True))
    return DataObject(properties=properties, uuid=uuid5(IDS, manifest.version))


def _manifest(held: "Properties") -> Manifest:
    return Manifest.of_row(**{**held, "number": int(held["number"])})


def _fields(held: "Properties") -> Fields:
    return Fields(*(held[name] for name in FIELDS))


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))
