"""The bus in this process's memory: for tests and replays. Nothing is durable; everything else is as on the others.

`stop` and `start` take the log away and bring it back, as a broker's restart does; the clock of the sessions is given.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from itertools import count
from threading import Condition, Thread
from typing import NamedTuple

from parley.backends.local_consumer import LocalConsumer
from parley.backends.local_log import Member
from parley.backends.memory_log import MemoryLog
from parley.backends.outgoing import Outstanding, Spread, check_record, failed
from parley.errors import BusUnavailable
from parley.ports.bus import (
    Admin,
    Consumer,
    Headers,
    Position,
    Producer,
    RebalanceListener,
    Start,
    TopicPartition,
    TopicSpec,
)

CLOSE_FLUSH_S = 3.0


class MemoryBus:
    """Everything made from one object shares one log. `monotonic` measures sessions, in seconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._log = MemoryLog(monotonic)
        self._parked = _Parked(self._log)
        self._ids = count()

    def producer(self, *, linger_s: float = 0.0, delivery_timeout_s: float = 30.0) -> Producer:
        return MemoryProducer(self._log, self._parked, delivery_timeout_s)

    def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        listener: RebalanceListener | None = None,
        start: Start = "earliest",
        session_timeout_s: float = 10.0,
    ) -> Consumer:
        member = Member(f"{group}-{next(self._ids)}", group, tuple(topics), session_timeout_s)
        return LocalConsumer(self._log, topics, start, groups=self._log, member=member, listener=listener)

    def reader(self, topics: Sequence[str], *, start: Start = "latest") -> Consumer:
        return LocalConsumer(self._log, topics, start, groups=self._log)

    def admin(self) -> Admin:
        return MemoryAdmin(self._log)

    def stop(self) -> None:
        """Take the log away: every call ends as `BusUnavailable`, sends wait."""
        self._log.set_up(False)

    def start(self) -> None:
        """Bring the log back with everything that it held."""
        self._log.set_up(True)
        self._parked.log_is_back()

    def sweep(self, now_ms: int) -> None:
        """Apply retention and compaction now."""
        self._log.sweep(now_ms)

    def close(self) -> None:
        """Nothing is held outside this process's memory."""


class _Send(NamedTuple):
    until_s: float
    partition: TopicPartition
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    future: Future[Position]


class _Parked:
    """Sends that wait for the log to come back, in order, each until its delivery time-out."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._changed = Condition()
        self._sends: deque[_Send] = deque()
        self._thread: Thread | None = None

    def send(self, send: _Send) -> None:
        with self._changed:
            if not self._sends and self._append(send):
                return
            self._sends.append(send)
            if self._thread is None:
                self._thread = Thread(target=self._run, name="memory-bus", daemon=True)
                self._thread.start()
            self._changed.notify()

    def log_is_back(self) -> None:
        with self._changed:
            while self._sends and self._append(self._sends[0]):
                self._sends.popleft()
            self._changed.notify()

    def _append(self, send: _Send) -> bool:
        try:
            position = self._log.append(send.partition, send.timestamp_ms, send.key, send.value, send.headers)
        except BusUnavailable:
            return False
        send.future.set_result(position)
        return True

    def _run(self) -> None:
        with self._changed:
            while self._sends:
                now_s = time.monotonic()
                late = [send for send in self._sends if send.until_s <= now_s]
                for send in late:
                    self._sends.remove(send)
                    send.future.set_exception(BusUnavailable("the bus in memory is stopped"))
                if self._sends:
                    self._changed.wait(min(send.until_s for send in self._sends) - now_s)
            self._thread = None


class MemoryProducer:
    def __init__(self, log: MemoryLog, parked: _Parked, delivery_timeout_s: float) -> None:
        self._log = log
        self._parked = parked
        self._delivery_timeout_s = delivery_timeout_s
        self._spread = Spread()
        self._outstanding = Outstanding()
        self._closed = False

    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Future[Position]:
        size = check_record(key, value, headers)
        number = self._spread.choose(topic, self._log.partition_count(topic), key, partition)
        try:
            if self._closed:
                raise BusUnavailable("the producer is closed")
            future = self._outstanding.open(size)
        except BusUnavailable as error:
            return failed(error)
        at_ms = int(time.time() * 1000) if timestamp_ms is None else timestamp_ms
        until_s = time.monotonic() + self._delivery_timeout_s
        self._parked.send(_Send(until_s, TopicPartition(topic, number), at_ms, key, value, headers, future))
        return future

    def flush(self, timeout_s: float = 30.0) -> None:
        self._outstanding.wait(timeout_s)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._outstanding.wait(CLOSE_FLUSH_S)
        except BusUnavailable:
            return  # the futures say which records were not taken


class MemoryAdmin:
    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def apply(self, topics: Iterable[TopicSpec]) -> list[str]:
        return self._log.apply(topics)

    def topics(self) -> dict[str, int]:
        return self._log.topics()

    def lag(self, group: str) -> dict[TopicPartition, int]:
        return self._log.lag(group)

    def members(self, group: str) -> int:
        return self._log.members(group)

    def close(self) -> None:
        """Nothing is open."""
