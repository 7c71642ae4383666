"""The effector's loop: poll, call the port for a batch, publish the results, commit what is done without a gap.

The calls run in threads of their own while the loop polls on, so that a slow model server never costs the group
membership. At least once: a crash between the results and the commit repeats the call, and the repeated result, having
the same id, loses.
"""

import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Condition, Thread
from threading import Event as Flag
from time import perf_counter
from typing import Any, Literal, Protocol

from parley.codec import Codec, Outgoing
from parley.errors import (
    BusUnavailable,
    InvalidEvent,
    KeyErased,
    RequestRefused,
    Superseded,
    TransientError,
)
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Consumer, Producer, Record, TopicPartition
from parley.ports.clock import Clock
from parley.runtime.backoff import Backoff
from parley.runtime.deadletters import FloodGuard, bury
from parley.runtime.faults import describe
from parley.runtime.progress import Progress
from parley.runtime.publishing import publish
from schemas.base import AnyEvent, Event

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 0.2
"""A commit costs a round trip; what a crash within that time repeats has the same ids and loses."""

FailureReason = Literal["deadline", "unavailable", "refused", "error"]
Results = Sequence[AnyEvent]


class Effector(Protocol):
    """One call to the world between two pure translations. No rules. `handle` is called from several threads."""

    @property
    def name(self) -> str: ...

    @property
    def topic(self) -> str: ...

    @property
    def batch(self) -> int:
        """How many events one call takes at most."""

    @property
    def calls(self) -> int:
        """How many calls may be under way at once."""

    def prepare(self) -> None:
        """Called once before the first record: load what the first customer would otherwise wait for."""

    def deadline(self, event: Event[Any]) -> datetime: ...

    def handle(self, events: Sequence[Event[Any]]) -> Sequence[Results]:
        """The results of each event, in order. Raises `TransientError` (again later), `RequestRefused` (never)."""

    def failed(self, event: Event[Any], reason: FailureReason) -> Results:
        """The `…Failed` event that says so."""


@dataclass(frozen=True, slots=True)
class Item:
    record: Record
    event: AnyEvent


class EffectorWorker:
    """Runs one effector over the partitions that its group gives it. Also its consumer's `RebalanceListener`."""

    def __init__(
        self,
        effector: Effector,
        bus: Bus,
        codec: Codec,
        clock: Clock,
        metrics: WorkerMetrics,
        *,
        drain_s: float = 10.0,
    ) -> None:
        self.name = effector.name
        self._effector = effector
        self._bus = bus
        self._codec = codec
        self._clock = clock
        self._metrics = metrics
        self._drain_s = drain_s
        self._high = max(2 * effector.batch, 2 * effector.calls * effector.batch)
        self._flood = FloodGuard()
        self._progress = Progress()
        self._queue: deque[Item] = deque()
        self._changed = Condition()
        self._closing = False
        self._stop = Flag()
        self._fault: BaseException | None = None
        self._consumer: Consumer | None = None
        self._committed_at = 0.0

    def run(self, stop: Flag) -> None:
        """Until `stop`; then finishes what it has begun. Raises `NewerVersion`, `TooManyInvalid`, `UnknownTopic`."""
        self._stop = stop
        producer = self._bus.producer()
        self._consumer = consumer = self._bus.consumer(self.name, [self._effector.topic], listener=self)
        threads = [
            Thread(target=self._work, args=(producer,), name=f"{self.name}-{number}", daemon=True)
            for number in range(self._effector.calls)
        ]
        try:
            self._prepare()
            for thread in threads:
                thread.start()
            while not stop.is_set() and self._fault is None:
                self._step(consumer, producer)
            self._drain(consumer)
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            for thread in threads:
                if thread.is_alive():
                    thread.join(timeout=self._drain_s)
            consumer.close()
            producer.close()
        if self._fault is not None:
            raise self._fault

    def _prepare(self) -> None:
        """A store or an index that is not there yet is no reason to stop: it is loaded with the first record then."""
        try:
            self._effector.prepare()
        except TransientError as error:
            log.warning("%s: not prepared yet: %s", self.name, error)

    # -- the polling thread -------------------------------------------------------------------------------------------

    def _step(self, consumer: Consumer, producer: Producer) -> None:
        waiting = self._progress.open_count()
        if waiting >= self._high and not consumer.paused():
            consumer.pause(consumer.assignment())
        elif waiting <= self._high // 2 and consumer.paused():
            consumer.resume(consumer.paused())
        records = consumer.poll(0.05 if waiting else 0.25, self._effector.batch)
        if records:
            self._accept(records, producer)
        if perf_counter() - self._committed_at >= COMMIT_EVERY_S:
            self._commit(consumer)

    def _accept(self, records: Sequence[Record], producer: Producer) -> None:
        items, letters = [], []
        now = self._clock.now()
        for record in records:
            self._progress.begin(record.topic_partition, record.offset)
            try:
                event = self._codec.decode(record)
            except InvalidEvent as error:
                letters.append((record, bury(record, str(error), self.name, now)))
                continue
            if isinstance(event, Event):
                items.append(Item(record, event))
            else:
                self._done(record, event.envelope.type, "erased")
        self._flood.count(len(items), len(letters))
        if letters:
            self._publish(producer, [letter for _, letter in letters])
            self._metrics.dead_letters.labels(self.name, self._effector.topic).inc(len(letters))
            for record, _ in letters:
                self._done(record, "unreadable", "dead_letter")
        oldest_ms = min(record.timestamp_ms for record in records)
        self._metrics.oldest.labels(self.name).set(now.timestamp() - oldest_ms / 1000)
        with self._changed:
            self._queue.extend(items)
            self._changed.notify(-(-len(items) // self._effector.batch))

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
            self._metrics.retries.labels(self.name, "commit").inc()
            self._progress.give_back(offsets)
            log.warning("%s: offsets not committed yet: %s", self.name, error)

    def _drain(self, consumer: Consumer) -> None:
        """Finish what was begun, within the drain time; what was not begun is left to the next owner."""
        with self._changed:
            for item in self._queue:
                self._progress.forget(item.record.topic_partition)
            self._queue.clear()
        consumer.pause(consumer.assignment())
        until = perf_counter() + self._drain_s
        while self._progress.open_count() and perf_counter() < until:
            consumer.poll(0.05, 1)
        self._commit(consumer)

    # -- assignment ---------------------------------------------------------------------------------------------------

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        for partition in partitions:
            self._progress.own(partition)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        if self._consumer is not None:
            self._commit(self._consumer)
        self.lost(partitions)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        with self._changed:
            kept = [item for item in self._queue if item.record.topic_partition not in partitions]
            self._queue.clear()
            self._queue.extend(kept)
        for partition in partitions:
            self._progress.forget(partition)

    # -- the calling threads ------------------------------------------------------------------------------------------

    def _work(self, producer: Producer) -> None:
        try:
            while items := self._next_items():
                began = perf_counter()
                self._call(items, producer)
                self._metrics.seconds.labels(self.name).observe(perf_counter() - began)
                self._metrics.batch.labels(self.name).observe(len(items))
        except BaseException as error:
            if isinstance(error, BusUnavailable) and self._stop.is_set():
                return  # stopping while the bus is away: uncommitted, so the next owner does it again
            self._fault = error
            log.error("%s: a calling thread failed: %s", self.name, describe(error))

    def _next_items(self) -> list[Item]:
        """The next batch; empty when the worker closes."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            if self._closing:
                return []
            return [self._queue.popleft() for _ in range(min(self._effector.batch, len(self._queue)))]

    def _call(self, items: list[Item], producer: Producer) -> None:
        """Until each has its results or its failure: passing errors are retried within each record's own deadline."""
        backoff = Backoff(0.2, 5.0)
        while items := self._expire(items, producer):
            try:
                self._finish(items, self._effector.handle([item.event for item in items]), producer)
                return
            except TransientError as error:
                self._metrics.retries.labels(self.name, type(error).__name__).inc()
                log.warning("%s: tries again: %s", self.name, error)
                if self._stop.wait(backoff.next()):
                    return self._abandon(items)
            except Exception as error:
                if len(items) > 1:
                    for item in items:
                        self._call([item], producer)
                    return
                self._give_up(items[0], error, producer)
                return

    def _expire(self, items: list[Item], producer: Producer) -> list[Item]:
        now = self._clock.now()
        late = [item for item in items if self._effector.deadline(item.event) <= now]
        for item in late:
            self._finish([item], [self._effector.failed(item.event, "deadline")], producer, outcome="late")
        return [item for item in items if item not in late] if late else items

    def _give_up(self, item: Item, error: Exception, producer: Producer) -> None:
        refused = isinstance(error, RequestRefused)
        if not refused:
            log.error("%s: event %s failed: %s", self.name, item.event.envelope.event_id, describe(error))
        results = self._effector.failed(item.event, "refused" if refused else "error")
        self._finish([item], [results], producer, outcome="failed")

    def _finish(
        self, items: Sequence[Item], results: Sequence[Results], producer: Producer, outcome: str = "handled"
    ) -> None:
        outgoing = []
        for event in (event for each in results for event in each):
            try:
                outgoing.append(self._codec.encode(event))
            except KeyErased:
                continue  # erased in the meantime: there is nobody left to tell
        self._publish(producer, outgoing)
        for item in items:
            self._done(item.record, item.event.envelope.type, outcome)

    def _publish(self, producer: Producer, outgoing: Sequence[Outgoing]) -> None:
        """Keep trying: the work is done, and only the bus is away."""
        backoff = Backoff()
        while True:
            try:
                return publish(producer, outgoing)
            except BusUnavailable as error:
                self._metrics.retries.labels(self.name, "publish").inc()
                log.warning("%s: results wait for the bus: %s", self.name, error)
                if self._stop.wait(backoff.next()):
                    raise

    def _done(self, record: Record, kind: str, outcome: str) -> None:
        self._progress.finish(record.topic_partition, record.offset)
        self._metrics.handled.labels(self.name, kind, outcome).inc()

    def _abandon(self, items: Sequence[Item]) -> None:
        """Stopping in the middle of retries: left uncommitted, so the next owner takes them up."""
        for item in items:
            self._progress.forget(item.record.topic_partition)
