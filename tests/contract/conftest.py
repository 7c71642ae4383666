"""The buses, the indexes and the engines that the contract suites run on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.dev.ground import ROOT
from infra.dev.kafka import KafkaServer
from parley.backends.index import open_retriever
from tests.servers import NewKafka, require
from tests.support.buses import Backend, KafkaBackend, MemoryBackend, SqliteBackend
from tests.support.engines import ENGINES_INSTALLABLE, EngineKind, RunningEngine, vllm_missing, vllm_settings
from tests.support.engines import KINDS as KINDS_OF_ENGINES
from tests.support.retrievers import RetrieverBackend
from tests.support.tiny_models import TinyModels

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


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    """Made in a process of its own: an engine does not start beside PyTorch at work."""
    root = tmp_path_factory.mktemp("tiny-models")
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.tiny_models", str(root)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return TinyModels(root)


@pytest.fixture(scope="session", params=KINDS_OF_ENGINES.values(), ids=list(KINDS_OF_ENGINES))
def session_engine(request: pytest.FixtureRequest) -> Iterator[RunningEngine]:
    """Each engine in turn, one for the session: starting takes long."""
    kind: EngineKind = request.param
    _require_engine(kind.missing())
    running = RunningEngine.start(kind, request.getfixturevalue("tiny_models"))
    yield running
    running.close()


@pytest.fixture
def engine(session_engine: RunningEngine) -> RunningEngine:
    """A test leaves it as it was, without adapters, or not running."""
    session_engine.revive()
    return session_engine


@pytest.fixture(scope="session")
def probe_engine(request: pytest.FixtureRequest) -> Iterator[RunningEngine]:
    """vLLM on the model whose adapters show in every token; the fix of its slots can be taken out (`Leaking`)."""
    _require_engine(vllm_missing())
    from parley.backends.vllm_engine import VllmEngine

    models: TinyModels = request.getfixturevalue("tiny_models")
    made = VllmEngine(vllm_settings(str(models.probe)), extension="tests.support.leaking_worker.Leaking")
    running = RunningEngine.start(KINDS_OF_ENGINES["vllm"], models, made)
    yield running
    running.close()


def _require_engine(lacking: str | None) -> None:
    if lacking is not None and not ENGINES_INSTALLABLE:
        pytest.skip(lacking)
    require(lacking)
