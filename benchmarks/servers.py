"""Real servers for a benchmark: Kafka and PostgreSQL on free ports, in a folder that goes away with them."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from infra.dev.ground import free_ports
from infra.dev.kafka import KafkaServer
from infra.dev.postgres import PostgresServer


@contextmanager
def servers(*, kafka: bool = True, postgres: bool = True) -> Iterator[tuple[str, str]]:
    """(bus URL, database URL); PostgreSQL durable as in production. The URL of what was not asked for is empty."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="parley-bench-"))
        folder.chmod(0o711)  # started by root, PostgreSQL runs as another user, who must get through
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        bus_url = database_url = ""
        if kafka:
            broker = KafkaServer(folder / "kafka", *free_ports(2), dies_with_parent=True)
            broker.start()
            stack.callback(broker.stop)
            bus_url = broker.url
        if postgres:
            database = PostgresServer(folder / "postgres", free_ports(1)[0], dies_with_parent=True)
            database.start()
            stack.callback(database.stop)
            database_url = database.create_database("bench")
        yield bus_url, database_url
