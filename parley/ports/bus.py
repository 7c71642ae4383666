"""The bus port: an ordered, partitioned, replayable log of records.

The semantics are Apache Kafka's, stated here because the in-memory and the SQLite backend keep them too and one
contract suite (`tests/contract/test_bus_*.py`) holds all three to them:

- A topic has a fixed number of partitions; a record's offset grows by at least one within its partition.
- Without an explicit partition a record goes to `murmur2(key) % partitions` (Kafka's default partitioner), so records
  of one key keep the order in which `send` was called on one producer, also across retries.
- A *group consumer* is given a share of the partitions of its topics; no partition has two owners that both know of it.
  Membership changes are seen in `poll`, which calls the listener before it returns records.
- A *reader* belongs to no group: it is assigned every partition, and commits nothing.
- Positions: a group consumer begins at the group's committed offset, without one at `start`; a reader at `start`.
- `commit` stores the offset of the *next* record to read. Delivery is at least once: what was polled and not
  committed is delivered again to the next owner.
- A group consumer that does not call `poll` for `session_timeout_s` loses its partitions; its next `poll` tells the listener that they
  were lost, and a `commit` for a partition it no longer owns raises `Superseded`.

Threads: a `Producer` may be used from any thread; a `Consumer` belongs to the thread that polls it, `wakeup` excepted.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

MAX_VALUE_BYTES = 1_048_576
MAX_RECORD_BYTES = MAX_VALUE_BYTES + 65_536
"""1 MB for the value and 64 KiB for key, headers and framing: every backend accepts this much and refuses more."""

Start = Literal["earliest", "latest"]
Headers = tuple[tuple[str, bytes], ...]


class TopicPartition(NamedTuple):
    topic: str
    partition: int


class Record(NamedTuple):
    """One record as it was read. `timestamp_ms` is the producer's clock, milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers

    @property
    def topic_partition(self) -> TopicPartition:
        return TopicPartition(self.topic, self.partition)


class Position(NamedTuple):
    """Where a sent record was stored."""

    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """What `Admin.apply` makes of a topic. `retention_ms` None means for ever; `compacted` keeps the last of each key."""

    name: str
    partitions: int
    retention_ms: int | None
    compacted: bool = False
    replication: int = 1


class RebalanceListener(Protocol):
    """Told of changes inside `poll`, in the polling thread, before the records of the new assignment are returned."""

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        """These partitions are ours from now on; the listener may `seek` them."""

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """These are about to be given up in good order: commit what is done."""

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        """These were taken away (stalled past the session): nothing may be committed for them any more."""


class Producer(Protocol):
    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> "Future[Position]":
        """Queue a record; the future resolves once the bus has acknowledged it durably (Kafka: acks=all).

        Never blocks for long: a full buffer or a broker that is away ends as `BusUnavailable` in the future within the
        producer's delivery time-out. Raises `RecordTooLarge` and `UnknownTopic` here or in the future.
        """

    def flush(self, timeout_s: float = 30.0) -> None:
        """Wait until everything sent before was acknowledged or has failed. Raises `BusUnavailable` on time-out."""

    def close(self) -> None:
        """Flush for a few seconds, then free everything. Idempotent."""


class Consumer(Protocol):
    def poll(self, timeout_s: float, max_records: int = 500) -> list[Record]:
        """Up to `max_records` records, each partition's in offset order; an empty list after `timeout_s` without any.

        Returns as soon as there is something. A broker that is away is no error: the consumer reconnects by itself.
        """

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the next offsets for the group. Raises `Superseded` (not ours any more), `BusUnavailable`."""

    def committed(self, partition: TopicPartition) -> int | None: ...

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """The next poll returns this partition from `offset` on (from the first that still exists, if it is older)."""

    def position(self, partition: TopicPartition) -> int:
        """The offset of the next record that `poll` will return."""

    def pause(self, partitions: Iterable[TopicPartition]) -> None: ...

    def resume(self, partitions: Iterable[TopicPartition]) -> None: ...

    def paused(self) -> frozenset[TopicPartition]: ...

    def assignment(self) -> frozenset[TopicPartition]: ...

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]: ...

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The offset that the next record of each partition will get."""

    def offsets_for_time(
        self, partitions: Iterable[TopicPartition], timestamp_ms: int
    ) -> dict[TopicPartition, int | None]:
        """The first offset of each partition whose timestamp is not below `timestamp_ms`; None where there is none."""

    def wakeup(self) -> None:
        """Make a `poll` in progress, or the next one, return at once. May be called from any thread."""

    def close(self) -> None:
        """Leave the group in good order (revoked is called first). Idempotent."""


class Admin(Protocol):
    def apply(self, topics: Iterable[TopicSpec]) -> list[str]:
        """Create what is missing, leave alone what is there, and return the names created.

        Raises `ConfigurationError` when an existing topic has another number of partitions.
        """

    def topics(self) -> dict[str, int]:
        """Every topic of Parley's on the bus with its number of partitions."""

    def lag(self, group: str) -> dict[TopicPartition, int]:
        """Records between each committed offset of the group and the end of its partition."""

    def members(self, group: str) -> int:
        """How many consumers of the group are alive."""

    def close(self) -> None: ...


class Bus(Protocol):
    """A factory: everything else of the port is made here. Making a bus opens nothing until the first use."""

    def producer(self, *, linger_s: float = 0.0, delivery_timeout_s: float = 30.0) -> Producer: ...

    def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        listener: RebalanceListener | None = None,
        start: Start = "earliest",
        session_timeout_s: float = 10.0,
    ) -> Consumer:
        """A member of `group`. Raises `UnknownTopic` from the first `poll` when a topic does not exist."""

    def reader(self, topics: Sequence[str], *, start: Start = "latest") -> Consumer:
        """All partitions of `topics`, no group. Ready to `seek` as soon as it is returned; with `latest`, what is sent
        after this call returns is seen.
        """

    def admin(self) -> Admin: ...

    def close(self) -> None:
        """Free what the bus itself holds (files, wake-up sockets); producers and consumers are closed by their owners."""
