"""The three buses as the contract suite sees them: made, taken away for a while, brought back; and how to wait on them."""

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import get_ident
from typing import Protocol, TypeVar
from uuid import uuid4

from infra.dev.kafka import KafkaServer
from parley.backends.bus import open_bus
from parley.backends.memory_bus import MemoryBus
from parley.backends.sqlite_bus import SqliteBus
from parley.ports.bus import Bus, Consumer, Headers, Position, Producer, Record, TopicPartition, TopicSpec

DEADLINE_S = 30.0
HOUR_MS = 3_600_000


class Closable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=Closable)


class Backend(ABC):
    """One kind of bus. `bus` is this process's; what is made through `closing` is closed with the test."""

    #: As short a session as the backend allows.
    session_s = 1.0
    #: For another process; empty where no other process can see the log.
    url = ""

    def __init__(self) -> None:
        self._closing: list[Closable] = []
        self.bus = self.another()

    @abstractmethod
    def open(self) -> Bus: ...

    @abstractmethod
    def stop(self) -> None:
        """Take the log away."""

    @abstractmethod
    def start(self) -> None:
        """Bring the log back with all that it held."""

    @abstractmethod
    def drop_before(self, topic: str, timestamp_ms: int) -> None:
        """Have everything older than that deleted, as retention would."""

    def another(self) -> Bus:
        """The same log as another process would open it."""
        return self.closing(self.open())

    def closing(self, client: C) -> C:
        self._closing.append(client)
        return client

    def topic(self, partitions: int = 3, *, retention_ms: int | None = None, compacted: bool = False) -> str:
        """A new topic, named as no other."""
        name = new_name("topic")
        admin = self.bus.admin()
        admin.apply([TopicSpec(name, partitions, retention_ms, compacted)])
        admin.close()
        return name

    def producer(self, bus: Bus | None = None) -> Producer:
        return self.closing((bus or self.bus).producer())

    def reader(self, topic: str) -> Consumer:
        """From the beginning of one topic."""
        return self.closing(self.bus.reader([topic], start="earliest"))

    def close(self) -> None:
        for client in reversed(self._closing):
            client.close()


class MemoryBackend(Backend):
    def open(self) -> Bus:
        self._memory = getattr(self, "_memory", None) or MemoryBus()
        return self._memory

    def stop(self) -> None:
        self._memory.stop()

    def start(self) -> None:
        self._memory.start()

    def drop_before(self, topic: str, timestamp_ms: int) -> None:
        self._memory.sweep(timestamp_ms + HOUR_MS)


class SqliteBackend(Backend):
    """Its log is away while somebody else holds the file locked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thief: sqlite3.Connection | None = None
        self.url = f"sqlite:///{path}"
        super().__init__()

    def open(self) -> Bus:
        return open_bus(self.url)

    def stop(self) -> None:
        self._thief = sqlite3.connect(self._path, isolation_level=None, timeout=10.0)
        self._thief.execute("BEGIN EXCLUSIVE")

    def start(self) -> None:
        if self._thief is not None:
            self._thief.execute("ROLLBACK")
            self._thief.close()

    def drop_before(self, topic: str, timestamp_ms: int) -> None:
        assert isinstance(self.bus, SqliteBus)
        self.bus.sweep(timestamp_ms + HOUR_MS)


class KafkaBackend(Backend):
    session_s = 2.0

    def __init__(self, server: KafkaServer) -> None:
        self._server = server
        self.url = server.url
        super().__init__()

    def open(self) -> Bus:
        return open_bus(self.url)

    def stop(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self._server.start()

    def drop_before(self, topic: str, timestamp_ms: int) -> None:
        from kafka import KafkaAdminClient
        from kafka import TopicPartition as KafkaPartition

        reader = self.bus.reader([topic])
        found = reader.offsets_for_time(reader.assignment(), timestamp_ms)
        ends = reader.end_offsets(found)
        reader.close()
        admin = KafkaAdminClient(bootstrap_servers=self._server.bootstrap)
        firsts = {p: ends[p] if offset is None else offset for p, offset in found.items()}
        admin.delete_records({KafkaPartition(*partition): first for partition, first in firsts.items()})
        admin.close()


class Told:
    """A rebalance listener that keeps what it was told and by which thread; `on_revoked` may act in between."""

    def __init__(self, on_revoked: Callable[[Sequence[TopicPartition]], None] | None = None) -> None:
        self.calls: list[tuple[str, frozenset[TopicPartition]]] = []
        self.threads: set[int] = set()
        self._on_revoked = on_revoked

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self._note("assigned", partitions)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        self._note("revoked", partitions)
        if self._on_revoked is not None:
            self._on_revoked(partitions)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._note("lost", partitions)

    def _note(self, kind: str, partitions: Sequence[TopicPartition]) -> None:
        self.calls.append((kind, frozenset(partitions)))
        self.threads.add(get_ident())

    def owned(self) -> frozenset[TopicPartition]:
        """What is owned according to what was told."""
        owned: frozenset[TopicPartition] = frozenset()
        for kind, partitions in self.calls:
            owned = owned | partitions if kind == "assigned" else owned - partitions
        return owned

    def was_told(self, kind: str) -> bool:
        return any(kind == told for told, _ in self.calls)


def new_name(what: str) -> str:
    return f"{what}-{uuid4().hex[:12]}"


def partitions_of(topic: str, count: int) -> frozenset[TopicPartition]:
    return frozenset(TopicPartition(topic, number) for number in range(count))


def send_all(
    producer: Producer,
    topic: str,
    values: Iterable[bytes],
    *,
    key: bytes | None = None,
    partition: int | None = None,
) -> list[Position]:
    """Send in order and wait for all acknowledgements."""
    futures = [producer.send(topic, key=key, value=value, partition=partition) for value in values]
    return [future.result(DEADLINE_S) for future in futures]


def send_one(
    producer: Producer,
    topic: str,
    *,
    key: bytes | None = None,
    value: bytes | None = b"v",
    headers: Headers = (),
) -> Position:
    return producer.send(topic, key=key, value=value, headers=headers).result(DEADLINE_S)


def read(consumer: Consumer, count: int) -> list[Record]:
    """Exactly that many records; more, or fewer in time, fail the test."""
    records: list[Record] = []
    poll_until(lambda: len(records) >= count, consumer, into=records)
    assert len(records) == count
    return records


def poll_until(condition: Callable[[], bool], *consumers: Consumer, into: list[Record] | None = None) -> None:
    """Poll the consumers in turn until the condition holds."""
    until = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < until, f"not within {DEADLINE_S:g} s"
        for consumer in consumers:
            records = consumer.poll(0.05)
            if into is not None:
                into.extend(records)


def settle(*consumers: Consumer, partitions: frozenset[TopicPartition]) -> None:
    """Poll until the partitions are divided among the consumers, each with a fair share. Throws records away."""
    fair = len(partitions) // len(consumers)

    def divided() -> bool:
        shares = [consumer.assignment() for consumer in consumers]
        return frozenset().union(*shares) == partitions and all(len(share) >= fair for share in shares)

    poll_until(divided, *consumers)
