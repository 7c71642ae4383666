"""The consumers on Kafka: a member of a group, and a reader of every partition. How kafka-python is driven is in `driving`."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from threading import Event
from typing import Any

from kafka import OffsetAndMetadata
from kafka import TopicPartition as KafkaPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import KafkaError

from parley.backends.kafka_bus.connecting import (
    REQUEST_TIMEOUT_S,
    AdminLink,
    open_client,
    translate,
    translated,
)
from parley.backends.kafka_bus.driving import DrivenConsumer
from parley.errors import BusUnavailable, ConfigurationError, Superseded
from parley.ports.bus import Headers, RebalanceListener, Record, Start, TopicPartition

log = logging.getLogger(__name__)

TURN_S = 0.5
RETRY_S = 0.1
ASK_TIMEOUT_MS = 5_000
COMMIT_TIMEOUT_MS = 5_000
CLOSE_TIMEOUT_S = 3.0
MAX_HEARTBEAT_S = 1.0

_FETCHING: dict[str, Any] = {
    # What is older than the log begins at its beginning; `latest` is resolved here, not by kafka-python.
    "auto_offset_reset": "earliest",
    "enable_auto_commit": False,
    "fetch_min_bytes": 1,
    # A new record answers a fetch at once; only a seek waits for the fetch before it to end.
    "fetch_max_wait_ms": 500,
    "fetch_max_bytes": 16 * 1_048_576,
    "max_partition_fetch_bytes": 2 * 1_048_576,
    "request_timeout_ms": int(REQUEST_TIMEOUT_S * 1000),
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}


class _KafkaConsumer(ABC):
    """What both have in common. Belongs to one thread, `wakeup` excepted."""

    def __init__(self, brokers: Sequence[str], link: AdminLink, topics: Sequence[str]) -> None:
        self._brokers = brokers
        self._link = link
        self._topics = tuple(topics)
        self._kafka: DrivenConsumer | None = None
        self._woken = Event()
        self._closed = False

    def poll(self, timeout_s: float, max_records: int = 500) -> list[Record]:
        until = time.monotonic() + timeout_s
        while not self._closed and not self._woken.is_set():
            left = until - time.monotonic()
            try:
                records = self._turn(max(0.0, min(left, TURN_S)), max_records)
                if records:
                    return records
            except BusUnavailable as error:
                log.debug("waiting for Kafka: %s", error)
                self._woken.wait(max(0.0, min(left, RETRY_S)))
            if time.monotonic() >= until:
                return []
        self._woken.clear()
        return []

    def _turn(self, timeout_s: float, max_records: int) -> list[Record]:
        """Raises `UnknownTopic`, `ConfigurationError`, `BusUnavailable`."""
        kafka = self._client()
        try:
            found = kafka.turn(timeout_s, max_records)
        except KafkaError as error:
            ours = translate(error)
            if isinstance(ours, ConfigurationError):
                raise ours from error
            raise BusUnavailable(str(ours)) from error
        return [
            Record(r.topic, r.partition, r.offset, r.timestamp, r.key, r.value, _valued(r.headers))
            for r in found
        ]

    @abstractmethod
    def _client(self) -> DrivenConsumer:
        """The connected client, made at the first call."""

    def _live(self) -> DrivenConsumer:
        """The client where there must be one. Raises `BusUnavailable` before the first poll has connected."""
        if self._kafka is None:
            raise BusUnavailable("Kafka: not connected; poll first")
        return self._kafka

    # -- offsets ------------------------------------------------------------------------------------------------------

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._check(partition)
        self._live().seek(KafkaPartition(*partition), offset)

    def position(self, partition: TopicPartition) -> int:
        self._check(partition)
        with translated():
            found = self._live().position(KafkaPartition(*partition), timeout_ms=ASK_TIMEOUT_MS)
        if found is None:
            raise BusUnavailable(
                f"Kafka did not tell the position of {partition.topic}/{partition.partition}"
            )
        return int(found)

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        with translated():
            found = self._live().beginning_offsets(_kafka(partitions), timeout_ms=ASK_TIMEOUT_MS)
        return {TopicPartition(*partition): offset for partition, offset in found.items()}

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        with translated():
            found = self._live().end_offsets(_kafka(partitions), timeout_ms=ASK_TIMEOUT_MS)
        return {TopicPartition(*partition): offset for partition, offset in found.items()}

    def offsets_for_time(
        self, partitions: Iterable[TopicPartition], timestamp_ms: int
    ) -> dict[TopicPartition, int | None]:
        wanted = dict.fromkeys(_kafka(partitions), timestamp_ms)
        with translated():
            found = self._live().offsets_for_times(wanted, timeout_ms=ASK_TIMEOUT_MS) if wanted else {}
        # Kafka says -1 where no record is that young.
        return {
            TopicPartition(*partition): at.offset if at is not None and at.offset >= 0 else None
            for partition, at in found.items()
        }

    # -- flow, end ----------------------------------------------------------------------------------------------------

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        wanted = list(partitions)
        for partition in wanted:
            self._check(partition)
        if wanted:
            self._live().pause(*_kafka(wanted))

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        ours = self.assignment() & set(partitions)
        if ours:
            self._live().resume(*_kafka(ours))

    def paused(self) -> frozenset[TopicPartition]:
        return frozenset() if self._kafka is None else _ours(self._kafka.paused())

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset() if self._kafka is None else _ours(self._kafka.assignment())

    def _check(self, partition: TopicPartition) -> None:
        if partition not in self.assignment():
            raise ValueError(f"{partition.topic}/{partition.partition} is not assigned to this consumer")

    def wakeup(self) -> None:
        self._woken.set()
        kafka = self._kafka
        if kafka is not None:
            kafka.ring()


class KafkaReader(_KafkaConsumer):
    """Reads every partition; positions are settled before the constructor returns. Raises `BusUnavailable`, `UnknownTopic`."""

    def __init__(self, brokers: Sequence[str], link: AdminLink, topics: Sequence[str], start: Start) -> None:
        super().__init__(brokers, link, topics)
        counts = link.partition_counts(self._topics)
        partitions = [TopicPartition(topic, n) for topic in self._topics for n in range(counts[topic])]
        self._kafka = open_client(DrivenConsumer, brokers, **_FETCHING)
        try:
            self._kafka.assign(_kafka(partitions))
            find = self.beginning_offsets if start == "earliest" else self.end_offsets
            for partition, offset in find(partitions).items():
                self.seek(partition, offset)
        except BaseException:
            self.close()
            raise

    def _client(self) -> DrivenConsumer:
        return self._live()

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if offsets:
            raise Superseded("a reader belongs to no group and commits nothing")

    def committed(self, partition: TopicPartition) -> int | None:
        return None

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._kafka is not None:
            self._kafka.leave(CLOSE_TIMEOUT_S)


class KafkaGroupConsumer(_KafkaConsumer):
    """A member of a group, from its first poll on. It is its own client's listener and passes on to the caller's."""

    def __init__(
        self,
        brokers: Sequence[str],
        link: AdminLink,
        group: str,
        topics: Sequence[str],
        listener: RebalanceListener | None,
        start: Start,
        session_timeout_s: float,
    ) -> None:
        super().__init__(brokers, link, topics)
        self._group = group
        self._listener = listener
        self._start = start
        self._session_timeout_s = session_timeout_s
        self._polled_at_s: float | None = None
        # kafka-python's own assignment still names what was revoked, until the group has settled anew.
        self._owned: frozenset[TopicPartition] = frozenset()

    def assignment(self) -> frozenset[TopicPartition]:
        return super().assignment() & self._owned

    def paused(self) -> frozenset[TopicPartition]:
        return super().paused() & self._owned

    def poll(self, timeout_s: float, max_records: int = 500) -> list[Record]:
        """The first poll connects and may take `CONNECT_TIMEOUT_S` longer."""
        if self._stalled():
            with translated():
                self._live().lapse()
        self._polled_at_s = time.monotonic()
        try:
            return super().poll(timeout_s, max_records)
        finally:
            self._polled_at_s = time.monotonic()

    def _stalled(self) -> bool:
        if self._polled_at_s is None or self._kafka is None:
            return False
        return time.monotonic() - self._polled_at_s > self._session_timeout_s

    def _client(self) -> DrivenConsumer:
        if self._kafka is None:
            self._link.partition_counts(self._topics)
            session_ms = int(self._session_timeout_s * 1000)
            kafka = open_client(
                DrivenConsumer,
                self._brokers,
                group_id=self._group,
                partition_assignment_strategy=(RangePartitionAssignor,),
                session_timeout_ms=session_ms,
                # A process that lives but does not poll is out after the same time as one that is gone.
                max_poll_interval_ms=session_ms,
                heartbeat_interval_ms=int(min(MAX_HEARTBEAT_S, self._session_timeout_s / 4) * 1000),
                **_FETCHING,
            )
            try:
                with translated():
                    kafka.drive(self._topics, self)
            except BaseException:
                kafka.leave(CLOSE_TIMEOUT_S)
                raise
            self._kafka = kafka
        return self._kafka

    # -- the client's listener, in the polling thread -----------------------------------------------------------------

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self._owned |= frozenset(partitions)
        if self._start == "latest":
            self._begin_at_the_end(partitions)
        if self._listener is not None:
            self._listener.assigned(partitions)

    def _begin_at_the_end(self, partitions: Sequence[TopicPartition]) -> None:
        fresh = [partition for partition in partitions if self.committed(partition) is None]
        for partition, offset in self.end_offsets(fresh).items():
            self.seek(partition, offset)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        try:
            if self._listener is not None:
                self._listener.revoked(partitions)
        finally:
            self._owned -= frozenset(partitions)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._owned -= frozenset(partitions)
        if self._listener is not None:
            self._listener.lost(partitions)

    # -- commits ------------------------------------------------------------------------------------------------------

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if not offsets:
            return
        strangers = sorted(set(offsets) - self.assignment())
        if strangers:
            raise Superseded(
                f"group {self._group} does not own {strangers[0].topic}/{strangers[0].partition} here"
            )
        if self._stalled():
            raise Superseded(f"no poll for more than {self._session_timeout_s:g} s: the partitions are lost")
        stored = {
            KafkaPartition(*partition): OffsetAndMetadata(offset) for partition, offset in offsets.items()
        }
        with translated():
            self._live().commit(stored, timeout_ms=COMMIT_TIMEOUT_MS)

    def committed(self, partition: TopicPartition) -> int | None:
        with translated():
            found = self._live().committed(KafkaPartition(*partition), timeout_ms=ASK_TIMEOUT_MS)
        return None if found is None else int(found)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        kafka = self._kafka
        if kafka is None:
            return
        try:
            owned = sorted(self.assignment())
            if owned:
                (self.revoked if kafka.is_member() and not self._stalled() else self.lost)(owned)
        finally:
            kafka.leave(CLOSE_TIMEOUT_S)


def _valued(headers: Iterable[tuple[str, bytes | None]]) -> Headers:
    """Kafka's headers may have no value; the port's always have one."""
    return tuple([(name, value or b"") for name, value in headers])


def _kafka(partitions: Iterable[TopicPartition]) -> list[KafkaPartition]:
    return [KafkaPartition(*partition) for partition in partitions]


def _ours(partitions: Iterable[Any]) -> frozenset[TopicPartition]:
    return frozenset(TopicPartition(*partition) for partition in partitions)
