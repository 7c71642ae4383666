"""The effector's loop: poll, call the port for a batch, publish the results, commit what is done without a gap.

All that may have to wait (decoding, which asks the key store; the calls; publishing) is done in threads of their own while the loop
polls on, so that nothing slow or away ever costs the group membership. At least once: a crash between the results and the
commit repeats the call, and the repeated result, having the same id, loses.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from threading import Condition, Thread
from threading import Event as Flag
from time import perf_counter
from typing import Any, Literal, Protocol, TypeVar

from parley.codec import Codec, Outgoing
from parley.errors import (
    BusUnavailable,
    ConfigurationError,
    InvalidEvent,
    KeyErased,
    RequestRefused,
    Superseded,
    TransientError,
    UnknownTopic,
)
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Consumer, Producer, Record, TopicPartition
from parley.ports.clock import Clock
from parley.runtime.backoff import Backoff
from parley.runtime.deadletters import FloodGuard, bury
from parley.runtime.faults import describe
from parley.runtime.lagging import LagGauge
from parley.runtime.progress import Progress
from parley.runtime.publishing import publish
from schemas.base import AnyEvent, Event

log = logging.getLogger(__name__)

COMMIT_EVERY_S = 0.2
"""A commit costs a round trip; what a crash within that time repeats has the same ids and loses."""

READ_AHEAD = 4
"""Batches a call that are read ahead at most: as many as last until the polling thread, which waits with all paused, is back."""

NO_FAULT_OF_THE_RECORD = (UnknownTopic, ConfigurationError)
"""Errors of the deployment: somebody has to act, and until then no record is failed for them."""

FailureReason = Literal["deadline", "unavailable", "refused", "error"]
Results = Sequence[AnyEvent]
T = TypeVar("T")


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
        """The results of each event, in order. Raises `TransientError` (again later), `RequestRefused` (never again),
        `ConfigurationError` (somebody has to act); anything else fails the event.
        """

    def failed(self, event: Event[Any], reason: FailureReason) -> Results:
        """The `…Failed` event that says so."""


@dataclass(frozen=True, slots=True)
class Item:
    record: Record
    event: AnyEvent


class EffectorWorker:
    """Runs one effector over the partitions that its group gives it. Also its consumer's `RebalanceListener`.

    A `producer` that is given is shared, and closed by whoever gave it.
    """

    def __init__(
        self,
        effector: Effector,
        bus: Bus,
        codec: Codec,
        clock: Clock,
        metrics: WorkerMetrics,
        *,
        producer: Producer | None = None,
        drain_s: float = 10.0,
        flood: FloodGuard | None = None,
    ) -> None:
        self.name = effector.name
        self._effector = effector
        self._bus = bus
        self._codec = codec
        self._clock = clock
        self._metrics = metrics
        self._producer = producer
        self._drain_s = drain_s
        self._at_once = effector.calls * effector.batch
        self._high = READ_AHEAD * self._at_once
        self._flood = flood or FloodGuard()
        self._progress = Progress()
        self._lag = LagGauge(metrics, effector.name)
        self._queue: deque[Record] = deque()
        self._changed = Condition()
        self._closing = False
        self._stop = Flag()
        self._fault: BaseException | None = None
        self._consumer: Consumer | None = None
        self._committed_at = 0.0

    def run(self, stop: Flag) -> None:
        """Until `stop`; then finishes what it has begun. Raises `NewerVersion`, `TooManyInvalid`, `UnknownTopic`,
        `ConfigurationError`: somebody has to act.
        """
        self._stop = stop
        producer = self._producer or self._bus.producer()
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
                self._step(consumer)
            self._drain(consumer)
        finally:
            with self._changed:
                self._closing = True
                self._changed.notify_all()
            for thread in threads:
                if thread.is_alive():
                    thread.join(timeout=self._drain_s)
            consumer.close()
            if self._producer is None:
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

    def _step(self, consumer: Consumer) -> None:
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

    def _accept(self, records: Sequence[Record]) -> None:
        for record in records:
            self._progress.begin(record.topic_partition, record.offset)
        oldest_ms = min(record.timestamp_ms for record in records)
        self._metrics.oldest.labels(self.name).set(self._clock.now().timestamp() - oldest_ms / 1000)
        with self._changed:
            self._queue.extend(records)
            self._changed.notify(-(-len(records) // self._effector.batch))

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
            self._leave(self._queue)
            self._queue.clear()
        until = perf_counter() + self._drain_s
        while self._progress.open_count() and perf_counter() < until:
            _pause_all(consumer)
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
            kept = [record for record in self._queue if record.topic_partition not in partitions]
            self._queue.clear()
            self._queue.extend(kept)
        for partition in partitions:
            self._progress.forget(partition)

    # -- the calling threads ------------------------------------------------------------------------------------------

    def _work(self, producer: Producer) -> None:
        records: list[Record] = []
        try:
            while records := self._next_records():
                began = perf_counter()
                self._call(self._read(records, producer), producer)
                self._metrics.seconds.labels(self.name).observe(perf_counter() - began)
                self._metrics.batch.labels(self.name).observe(len(records))
        except BaseException as error:
            self._leave(records)
            if isinstance(error, TransientError) and self._ends():
                return  # stopping while something is away: uncommitted, so the next owner does it again
            self._fault = error
            log.error("%s: a calling thread failed: %s", self.name, describe(error))

    def _next_records(self) -> list[Record]:
        """The next batch; empty when the worker closes."""
        with self._changed:
            while not self._queue and not self._closing:
                self._changed.wait()
            if self._closing:
                return []
            return [self._queue.popleft() for _ in range(min(self._effector.batch, len(self._queue)))]

    def _read(self, records: Sequence[Record], producer: Producer) -> list[Item]:
        """What is to be handled. The others are done with it: erased ones, and unreadable ones as dead letters."""
        items: list[Item] = []
        unreadable: list[tuple[Record, str]] = []
        for record in records:
            try:
                event = self._insist("decode", partial(self._codec.decode, record))
            except InvalidEvent as error:
                unreadable.append((record, str(error)))
                continue
            if isinstance(event, Event):
                items.append(Item(record, event))
            else:
                self._done(record, event.envelope.type, "erased")
        self._flood.count(len(records) - len(unreadable), len(unreadable))
        if unreadable:
            self._bury(unreadable, producer)
        return items

    def _bury(self, unreadable: Sequence[tuple[Record, str]], producer: Producer) -> None:
        now = self._clock.now()
        self._publish(producer, [bury(record, reason, self.name, now) for record, reason in unreadable])
        self._metrics.dead_letters.labels(self.name, self._effector.topic).inc(len(unreadable))
        for record, _ in unreadable:
            self._done(record, "unreadable", "dead_letter")

    def _call(self, items: list[Item], producer: Producer) -> None:
        """Until each has its results or its failure: passing errors are retried within each record's own deadline."""
        backoff = Backoff(0.2, 5.0)
        while items := self._expire(items, producer):
            try:
                results = self._effector.handle([item.event for item in items])
                return self._finish(items, results, producer)
            except TransientError as error:
                self._wait(type(error).__name__, error, backoff)
            except NO_FAULT_OF_THE_RECORD:
                raise
            except Exception as error:
                if len(items) == 1:
                    return self._give_up(items[0], error, producer)
                for item in items:
                    self._call([item], producer)
                return

    def _expire(self, items: list[Item], producer: Producer) -> list[Item]:
        now = self._clock.now()
        late = [item for item in items if self._effector.deadline(item.event) <= now]
        for item in late:
            self._finish([item], [self._effector.failed(item.event, "deadline")], producer, outcome="late")
        return [item for item in items if item not in late] if late else items

    def _give_up(self, item: Item, error: Exception, producer: Producer) -> None:
        """Also what could not be published: a result that is too large for the bus."""
        refused = isinstance(error, RequestRefused)
        if not refused:
            log.error("%s: event %s failed: %s", self.name, item.event.envelope.event_id, describe(error))
        results = self._effector.failed(item.event, "refused" if refused else "error")
        self._finish([item], [results], producer, outcome="failed")

    def _finish(
        self, items: Sequence[Item], results: Sequence[Results], producer: Producer, outcome: str = "handled"
    ) -> None:
        encoded = [self._encode(event) for each in results for event in each]
        self._publish(producer, [outgoing for outgoing in encoded if outgoing is not None])
        for item in items:
            self._done(item.record, item.event.envelope.type, outcome)

    def _encode(self, event: AnyEvent) -> Outgoing | None:
        """None for an event of a customer who was erased in the meantime: there is nobody left to tell."""
        try:
            return self._insist("encode", partial(self._codec.encode, event))
        except KeyErased:
            return None

    def _publish(self, producer: Producer, outgoing: Sequence[Outgoing]) -> None:
        self._insist("publish", partial(publish, producer, outgoing))

    def _insist(self, what: str, attempt: Callable[[], T]) -> T:
        """Keep trying what waits only for the world. Raises `TransientError` when the worker ends meanwhile."""
        backoff = Backoff()
        while True:
            try:
                return attempt()
            except TransientError as error:
                self._wait(what, error, backoff)

    def _wait(self, what: str, error: TransientError, backoff: Backoff) -> None:
        """Before the next try; there is none, and the error is raised, when the worker ends meanwhile."""
        self._metrics.retries.labels(self.name, what).inc()
        log.warning("%s: tries again (%s): %s", self.name, what, error)
        self._stop.wait(backoff.next())
        if self._ends():
            raise error

    def _ends(self) -> bool:
        return self._stop.is_set() or self._closing

    def _done(self, record: Record, kind: str, outcome: str) -> None:
        self._progress.finish(record.topic_partition, record.offset)
        self._metrics.handled.labels(self.name, kind, outcome).inc()

    def _leave(self, records: Iterable[Record]) -> None:
        """To the next owner, uncommitted."""
        for record in records:
            self._progress.leave(record.topic_partition, record.offset)


def _pause_all(consumer: Consumer) -> None:
    """Also what was assigned while the others were paused already."""
    consumer.pause(consumer.assignment() - consumer.paused())
