"""Weaviate goes away and comes back, with what it held and without it."""

from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import NoReturn

import pytest

from infra.dev.ground import DevError
from infra.dev.weaviate import WeaviatePorts, WeaviateServer
from parley.backends import weaviate
from parley.backends.chunk_index import Manifest
from parley.backends.index import open_retriever
from parley.errors import StoreUnavailable
from parley.ports.models import Retriever
from tests.servers import missing
from tests.support.retrievers import chunk, names, new_tenant, query
from tests.support.vectors import HashedWords, vectors_by

VECTORS = vectors_by(HashedWords())
CHUNKS = (chunk("fees", "The account costs €4.50 a month."), chunk("lost", "Freeze the lost card."))
WITHIN_S = 15.0
"""A message may wait for a minute; what is away is known long before that."""


@pytest.fixture(scope="module")
def frail(server_dir: Path) -> Iterator[WeaviateServer]:
    """A server for this module alone."""
    server = WeaviateServer(server_dir / "frail-weaviate", WeaviatePorts.choose(), dies_with_parent=True)
    try:
        server.start()
    except DevError as error:
        missing(error)
    yield server
    server.stop()


@pytest.fixture
def retriever(frail: WeaviateServer, tmp_path: Path) -> Iterator[Retriever]:
    opened = open_retriever(frail.url, tmp_path)
    yield opened
    opened.close()
    frail.start()


def test_one_that_is_away_is_known_soon_and_found_again(frail: WeaviateServer, retriever: Retriever) -> None:
    tenant = new_tenant()
    retriever.sync(tenant, "v1", CHUNKS, VECTORS)
    before = retriever.search(tenant, "v1", [query("lost card", VECTORS)])
    frail.stop()
    for _ in range(2):
        began = monotonic()
        with pytest.raises(StoreUnavailable, match="Weaviate at 127"):
            retriever.search(tenant, "v1", [query("lost card", VECTORS)])
        assert monotonic() - began < WITHIN_S
        with pytest.raises(StoreUnavailable):
            retriever.sync(tenant, "v2", CHUNKS, VECTORS)
        with pytest.raises(StoreUnavailable):
            retriever.ready(tenant, "v9", VECTORS.name)
    frail.start()
    assert retriever.search(tenant, "v1", [query("lost card", VECTORS)]) == before
    assert retriever.sync(tenant, "v2", CHUNKS, VECTORS) == 0


def test_one_that_is_not_there_yet_is_waited_for(frail: WeaviateServer, retriever: Retriever) -> None:
    tenant = new_tenant()
    frail.stop()
    with pytest.raises(StoreUnavailable):
        retriever.ready(tenant, "v1", VECTORS.name)
    frail.start()
    assert not retriever.ready(tenant, "v1", VECTORS.name)
    retriever.sync(tenant, "v1", CHUNKS, VECTORS)
    assert retriever.ready(tenant, "v1", VECTORS.name)


def test_one_that_lost_its_data_is_filled_again(
    frail: WeaviateServer, retriever: Retriever, tmp_path: Path
) -> None:
    tenant = new_tenant()
    retriever.sync(tenant, "v1", CHUNKS, VECTORS)
    retriever.search(tenant, "v1", [query("lost card", VECTORS)])
    frail.stop()
    frail.data_dir.rename(tmp_path / "gone")
    frail.start()
    with pytest.raises(StoreUnavailable):
        retriever.search(tenant, "v1", [query("lost card", VECTORS)])
    assert not retriever.ready(tenant, "v1", VECTORS.name)
    assert retriever.sync(tenant, "v1", CHUNKS, VECTORS) == 2
    [found] = retriever.search(tenant, "v1", [query("lost card", VECTORS)])
    assert names(found)[0] == "lost"


def test_what_a_broken_import_left_behind_is_put_right(
    retriever: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chunks of a version that was never finished."""
    tenant = new_tenant()
    many = [chunk(f"c{number}", f"Text number {number} on cards.") for number in range(300)]
    retriever.sync(tenant, "v1", CHUNKS, VECTORS)
    with monkeypatch.context() as patched:
        patched.setattr(weaviate, "_manifest_object", _away)
        with pytest.raises(StoreUnavailable):
            retriever.sync(tenant, "v2", [*many, *CHUNKS], VECTORS)
    assert not retriever.ready(tenant, "v2", VECTORS.name)
    assert retriever.sync(tenant, "v3", many[:10], VECTORS) == 0
    [found] = retriever.search(tenant, "v3", [query("number cards", VECTORS, limit=50)])
    assert len(found) == 10
    assert retriever.sync(tenant, "v4", many[:20], VECTORS) == 10  # the others had gone


def _away(manifest: Manifest) -> NoReturn:
    raise StoreUnavailable("gone before the end")
