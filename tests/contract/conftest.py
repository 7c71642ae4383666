"""The buses and the indexes that the contract suites run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.dev.kafka import KafkaServer
from parley.backends.index import open_retriever
from tests.servers import NewKafka
from tests.support.buses import Backend, KafkaBackend, MemoryBackend, SqliteBackend
from tests.support.retrievers import RetrieverBackend

KINDS = ("memory", "sqlite", "kafka")


@pytest.fixture(params=KINDS)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each bus in turn; the broker is the session's, so topics and groups have names of their own."""
    yield from _backend(request, tmp_path, "kafka")


@pytest.fixture(scope="module")
def frail_kafka(new_kafka: NewKafka) -> KafkaServer:
    """A broker for this module alone, to be stopped and started."""
    return new_kafka()


@pytest.fixture(params=KINDS)
def frail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Each bus in turn, to be taken away and brought back."""
    yield from _backend(request, tmp_path, "frail_kafka")


@pytest.fixture(params=["sqlite", "chroma", "weaviate"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RetrieverBackend]:
    """Each index in turn; Weaviate is the session's, so tenants have names of their own."""
    url = f"{request.param}:"
    if request.param == "weaviate":
        url = request.getfixturevalue("weaviate").url
    made = RetrieverBackend(request.param, lambda: open_retriever(url, tmp_path))
    yield made
    made.close()


def _backend(request: pytest.FixtureRequest, folder: Path, broker: str) -> Iterator[Backend]:
    made: Backend
    if request.param == "memory":
        made = MemoryBackend()
    elif request.param == "sqlite":
        made = SqliteBackend(folder / "log.db")
    else:
        made = KafkaBackend(request.getfixturevalue(broker))
    yield made
    made.close()
