"""The polling side of an effector: reads ahead, keeps count of what is under way, commits what is done without a gap.

It belongs to one thread, which only polls, so that nothing slow ever costs the group membership. `finish` and `leave` may be called from any.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from time import perf_counter

from parley.errors import BusUnavailable, Superseded
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Consumer, Record, TopicPartition
from parley.ports.clock import Clock
from parley.runtime.lagging import LagGauge
from parley.runtime.progress import Progress

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 0.2
"""A commit costs a round trip; what a crash within that time repeats has the same ids and loses."""


class Intake:
    """Also its consumer's `RebalanceListener`.

    `take` is given what was read, in the polling thread, and must not wait. `drop` names partitions that are ours no more: what
    of them was not begun must not begin. From `high` records under way on all partitions are paused, until half of them are done.
    """

    def __init__(
        self,
        name: str,
        topic: str,
        clock: Clock,
        metrics: WorkerMetrics,
        *,
        take: Callable[[Sequence[Record]], None],
        drop: Callable[[Collection[TopicPartition]], None],
        at_once: int,
        high: int,
    ) -> None:
        self.name = name
        self._topic = topic
        self.clock = clock
        self.metrics = metrics
        self._take = take
        self._drop = drop
        self._at_once = at_once
        self._high = high
        self._progress = Progress()
        self._lag = LagGauge(metrics, name)
        self._consumer: Consumer | None = None
        self._committed_at = 0.0

    # -- the polling thread -------------------------------------------------------------------------------------------

    def open(self, bus: Bus) -> None:
        self._consumer = bus.consumer(self.name, [self._topic], listener=self)

    def step(self) -> None:
        """Poll once, and commit when it is time."""
        consumer = self._opened()
        waiting = self._progress.open_count()
        if waiting >= self._high:
            _pause_all(consumer)
        elif waiting <= self._high // 2 and consumer.paused():
            consumer.resume(consumer.paused())
        records = consumer.poll(0.05 if waiting else 0.25, self._at_once)
        if records:
            self._accept(records)
        if perf_counter() - self._committed_at >= COMMIT_EVERY_S:
            self._commit(consumer)
        if self._lag.due():
            self._lag.look(consumer, self._progress.next_offsets())

    def drain(self, within_s: float) -> None:
        """Poll on, reading nothing, until all that is under way is finished or left, or the time is over."""
        consumer = self._opened()
        until = perf_counter() + within_s
        while self._progress.open_count() and perf_counter() < until:
            _pause_all(consumer)
            consumer.poll(0.05, 1)
        self._commit(consumer)

    def close(self) -> None:
        self._opened().close()

    def _opened(self) -> Consumer:
        assert self._consumer is not None  # `open` comes first
        return self._consumer

    def _accept(self, records: Sequence[Record]) -> None:
        for record in records:
            self._progress.begin(record.topic_partition, record.offset)
        oldest_ms = min(record.timestamp_ms for record in records)
        self.metrics.oldest.labels(self.name).set(self.clock.now().timestamp() - oldest_ms / 1000)
        self._take(records)

    def _commit(self, consumer: Consumer) -> None:
        self._committed_at = perf_counter()
        offsets = self._progress.take_commits()
        if not offsets:
            return
        try:
            consumer.commit(offsets)
        except Superseded:
            log.info("%s: partitions moved on before the commit; their records are handled again", self.name)
        except BusUnavailable as error:
            self.metrics.retries.labels(self.name, "commit").inc()
            self._progress.give_back(offsets)
            log.warning("%s: offsets not committed yet: %s", self.name, error)

    # -- assignment ---------------------------------------------------------------------------------------------------

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._progress.own(partition)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        if self._consumer is not None:
            self._commit(self._consumer)
        self.lost(partitions)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._drop(partitions)
        for partition in partitions:
            self._progress.forget(partition)

    # -- any thread ---------------------------------------------------------------------------------------------------

    def finish(self, record: Record) -> None:
        """All that follows from this record is on the bus: it may be committed."""
        self._progress.finish(record.topic_partition, record.offset)

    def leave(self, records: Iterable[Record]) -> None:
        """To the next owner, uncommitted."""
        for record in records:
            self._progress.leave(record.topic_partition, record.offset)

    def under_way(self) -> int:
        """Records read, and neither finished nor left."""
        return self._progress.open_count()


def _pause_all(consumer: Consumer) -> None:
    """Also what was assigned while the others were paused already."""
    consumer.pause(consumer.assignment() - consumer.paused())
