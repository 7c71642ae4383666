"""The real servers for tests, started at their first use and stopped at the session's end; suites may run side by side.

A missing server skips the tests that need it, with the reason; under `make test` (PARLEY_REQUIRE_SERVERS=1) it fails them.
No product code is imported before a fixture asks for it.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar
from uuid import uuid4

import pytest

from infra.dev import chromium as browser
from infra.dev.ground import ROOT, DevError, free_ports
from infra.dev.kafka import KafkaServer, cluster, stop_all
from infra.dev.layout import Ports
from infra.dev.postgres import PostgresServer
from infra.dev.weaviate import WeaviatePorts, WeaviateServer

if TYPE_CHECKING:
    from infra.dev.stack import Stack

Server = KafkaServer | PostgresServer | WeaviateServer
S = TypeVar("S", KafkaServer, PostgresServer, WeaviateServer)
NewDatabase = Callable[[], str]
NewKafka = Callable[[], KafkaServer]
NewStack = Callable[..., "Stack"]


def missing(error: DevError) -> NoReturn:
    """Fail where the servers were promised, else skip."""
    if os.environ.get("PARLEY_REQUIRE_SERVERS") == "1":
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


def require(lacking: str | None) -> None:
    """The same for what is no server: None where nothing is lacking."""
    if lacking is not None:
        missing(DevError(lacking))


@pytest.fixture(scope="session")
def server_dir() -> Iterator[Path]:
    """Where servers keep their data: not below pytest's own folder, which a server's other user could not enter."""
    folder = Path(tempfile.mkdtemp(prefix="parley-servers-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_servers() -> list[Server]:
    """Those of the session that were started so far."""
    return []


@pytest.fixture(autouse=True)
def healed_servers(shared_servers: list[Server]) -> Iterator[None]:
    """A test that stops a shared server, or dies while it is stopped, must not take the tests after it along."""
    yield
    for server in shared_servers:
        if isinstance(server, KafkaServer):
            server.resume()
        server.start()


@pytest.fixture(scope="session")
def kafka(server_dir: Path, shared_servers: list[Server]) -> Iterator[KafkaServer]:
    """The session's broker. A test may stop, kill and start it; after the test it runs again."""
    yield from _running(_broker(server_dir / "kafka"), shared_servers)


@pytest.fixture
def clean_kafka(kafka: KafkaServer) -> KafkaServer:
    """The session's broker without any topic or group of earlier tests."""
    kafka.clear()
    return kafka


@pytest.fixture(scope="module")
def new_kafka(server_dir: Path) -> Iterator[NewKafka]:
    """A function that starts another broker (3 s), a cluster of its own; all are stopped at the module's end."""
    started: list[KafkaServer] = []

    def start() -> KafkaServer:
        broker = _broker(Path(tempfile.mkdtemp(prefix="kafka-", dir=server_dir)))
        try:
            broker.start()
        except DevError as error:
            missing(error)
        started.append(broker)
        return broker

    yield start
    for broker in started:
        broker.stop()


@pytest.fixture(scope="module")
def kafka_cluster(server_dir: Path) -> Iterator[list[KafkaServer]]:
    """Three brokers of one cluster: replication 3, two in sync needed."""
    nodes = cluster(Path(tempfile.mkdtemp(prefix="cluster-", dir=server_dir)), 3, dies_with_parent=True)
    try:
        for node in nodes:
            node.start(wait=False)
        for node in nodes:
            node.wait_ready()
    except DevError as error:
        stop_all(nodes)
        missing(error)
    yield nodes
    stop_all(nodes)


@pytest.fixture(scope="session")
def postgres(server_dir: Path, shared_servers: list[Server]) -> Iterator[PostgresServer]:
    """The session's PostgreSQL; as durable as a killed process needs, not as a power cut would. May be stopped as Kafka may."""
    server = PostgresServer(server_dir / "postgres", free_ports(1)[0], durable=False, dies_with_parent=True)
    yield from _running(server, shared_servers)


@pytest.fixture(scope="session")
def weaviate(server_dir: Path, shared_servers: list[Server]) -> Iterator[WeaviateServer]:
    """The session's Weaviate; tests take tenants of their own. May be stopped as Kafka may."""
    server = WeaviateServer(server_dir / "weaviate", WeaviatePorts.choose(), dies_with_parent=True)
    yield from _running(server, shared_servers)


@pytest.fixture(scope="session")
def postgres_templates(postgres: PostgresServer) -> dict[str, str]:
    """The databases that fresh ones are copies of: empty, and with the migrations of the store and of the keys."""
    from infra.migrations import upgrade_keys, upgrade_store

    upgrade_store(postgres.create_database("template_store"))
    upgrade_keys(postgres.create_database("template_keys"))
    return {"empty": "template1", "store": "template_store", "keys": "template_keys"}


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """An empty database of the test's own."""
    yield from _database(postgres, "template1")


@pytest.fixture
def fresh_database(postgres: PostgresServer) -> Iterator[NewDatabase]:
    """A function that makes another empty database and returns its URL; all are dropped after the test."""
    with ExitStack() as databases:
        yield lambda: databases.enter_context(contextmanager(_database)(postgres, "template1"))


@pytest.fixture
def store_url(postgres: PostgresServer, postgres_templates: dict[str, str]) -> Iterator[str]:
    """A database of the test's own with the platform's tables."""
    yield from _database(postgres, postgres_templates["store"])


@pytest.fixture
def keys_url(postgres: PostgresServer, postgres_templates: dict[str, str]) -> Iterator[str]:
    """A database of the test's own with the key store's tables."""
    yield from _database(postgres, postgres_templates["keys"])


@pytest.fixture(scope="session")
def chromium() -> browser.Chromium:
    """Program and arguments for `playwright.chromium.launch(executable_path=…, args=…)`."""
    try:
        return browser.chromium()
    except DevError as error:
        missing(error)


@pytest.fixture(scope="module")
def new_stack(server_dir: Path) -> Iterator[NewStack]:
    """A function that brings up the distributed form on free ports; keyword arguments as of `infra.dev.stack.Stack`."""
    from infra.dev.stack import Stack

    stacks: list[Stack] = []

    def start(**options: object) -> Stack:
        state = Path(tempfile.mkdtemp(prefix="stack-", dir=server_dir))
        state.chmod(0o711)
        stack = Stack(state, Ports.choose(), durable=False, dies_with_parent=True, **options)  # type: ignore[arg-type]  # Stack checks them
        stacks.append(stack)
        try:
            stack.up()
        except DevError as error:
            missing(error)
        return stack

    yield start
    for stack in stacks:
        stack.down()


@pytest.fixture(scope="session")
def output_dir() -> Path:
    """Where screenshots and reports of tests are kept: `PARLEY_TEST_OUTPUT`, else `tests/output`."""
    folder = Path(os.environ.get("PARLEY_TEST_OUTPUT") or ROOT / "tests" / "output")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _broker(data_dir: Path) -> KafkaServer:
    port, controller_port = free_ports(2)
    return KafkaServer(data_dir, port, controller_port, dies_with_parent=True)


def _running(server: S, shared: list[Server]) -> Iterator[S]:
    try:
        server.start()
    except DevError as error:
        missing(error)
    shared.append(server)
    yield server
    server.stop()


def _database(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    yield server.create_database(name, template)
    server.drop_database(name)
