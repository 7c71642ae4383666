"""The effector's loop: poll, call the port for a batch, publish the results, commit what is done without a gap.

All that may have to wait (decoding, which asks the key store; the calls; publishing) is done in threads of their own while the loop
polls on (`parley.runtime.intake`). At least once: a crash between the results and the commit repeats the call, and the repeated result,
having the same id, loses.
"""

import logging
from collections import deque
from collections.abc import Collection, Sequence
from datetime import datetime
from threading import Condition, Thread
from threading import Event as Flag
from time import perf_counter
from typing import Any, Literal, Protocol

from parley.codec import Codec
from parley.errors import ConfigurationError, RequestRefused, TransientError, UnknownTopic
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Producer, Record, TopicPartition
from parley.ports.clock import Clock
from parley.runtime.backoff import Backoff
from parley.runtime.deadletters import FloodGuard
from parley.runtime.faults import describe
from parley.runtime.handling import Ended, Handling, Item, Results
from parley.runtime.intake import Intake
from schemas.base import Event

log = logging.getLogger(__name__)

READ_AHEAD = 4
"""Batches a call that are read ahead at most: as many as last until the polling thread, which waits with all paused, is back."""

NO_FAULT_OF_THE_RECORD = (UnknownTopic, ConfigurationError)
"""Errors of the deployment: somebody has to act, and until then no record is failed for them."""

FailureReason = Literal["deadline", "unavailable", "refused", "error"]


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


class EffectorWorker:
    """Runs one effector over the partitions that its group gives it.

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
        self._flood = flood or FloodGuard()
        self.ready = Flag()
        at_once = effector.calls * effector.batch
        self.intake = Intake(
            effector.name,
            effector.topic,
            clock,
            metrics,
            take=self._take,
            drop=self._drop,
            at_once=at_once,
            high=READ_AHEAD * at_once,
        )
        self._queue: deque[Record] = deque()
        self._changed = Condition()
        self._fault: BaseException | None = None

    def run(self, stop: Flag) -> None:
        """Until `stop`; then finishes what it has begun. Raises `NewerVersion`, `TooManyInvalid`, `UnknownTopic`,
        `ConfigurationError`: somebody has to act.
        """
        producer = self._producer or self._bus.producer()
        handling = Handling(self.intake, self._codec, producer, self._flood, stop)
        self.intake.open(self._bus)
        threads = [
            Thread(target=self._work, args=(handling,), name=f"{self.name}-{number}", daemon=True)
            for number in range(self._effector.calls)
        ]
        try:
            self._prepare()
            self.ready.set()
            for thread in threads:
                thread.start()
            while not stop.is_set() and self._fault is None:
                self.intake.step()
            self._leave_queue()
            self.intake.drain(self._drain_s)
        finally:
            with self._changed:
                handling.closing.set()
                self._changed.notify_all()
            for thread in threads:
                if thread.is_alive():
                    thread.join(timeout=self._drain_s)
            self.intake.close()
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

    def _take(self, records: Sequence[Record]) -> None:
        with self._changed:
            self._queue.extend(records)
            self._changed.notify(-(-len(records) // self._effector.batch))

    def _drop(self, partitions: Collection[TopicPartition]) -> None:
        with self._changed:
            kept = [record for record in self._queue if record.topic_partition not in partitions]
            self._queue.clear()
            self._queue.extend(kept)

    def _leave_queue(self) -> None:
        """What was not begun is left to the next owner."""
        with self._changed:
            self.intake.leave(self._queue)
            self._queue.clear()

    # -- the calling threads ------------------------------------------------------------------------------------------

    def _work(self, handling: Handling) -> None:
        records: list[Record] = []
        try:
            while records := self._next_records(handling.closing):
                began = perf_counter()
                self._call(handling.read(records), handling)
                self._metrics.seconds.labels(self.name).observe(perf_counter() - began)
                self._metrics.batch.labels(self.name).observe(len(records))
        except BaseException as error:
            self.intake.leave(records)
            if isinstance(error, TransientError) and handling.ends():
                return  # stopping while something is away: uncommitted, so the next owner does it again
            self._fault = error
            log.error("%s: a calling thread failed: %s", self.name, describe(error))

    def _next_records(self, closing: Flag) -> list[Record]:
        """The next batch; empty when the worker closes."""
        with self._changed:
            while not self._queue and not closing.is_set():
                self._changed.wait()
            if closing.is_set():
                return []
            return [self._queue.popleft() for _ in range(min(self._effector.batch, len(self._queue)))]

    def _call(self, items: list[Item], handling: Handling) -> None:
        """Until each has its results or its failure: passing errors are retried within each record's own deadline."""
        backoff = Backoff(0.2, 5.0)
        while items := self._expire(items, handling):
            try:
                results = self._effector.handle([item.event for item in items])
                return handling.finish([Ended(*each) for each in zip(items, results, strict=True)])
            except TransientError as error:
                handling.wait(type(error).__name__, error, backoff)
            except NO_FAULT_OF_THE_RECORD:
                raise
            except Exception as error:
                if len(items) == 1:
                    return self._give_up(items[0], error, handling)
                for item in items:
                    self._call([item], handling)
                return

    def _expire(self, items: list[Item], handling: Handling) -> list[Item]:
        now = self._clock.now()
        late = [item for item in items if self._effector.deadline(item.event) <= now]
        for item in late:
            handling.finish([Ended(item, self._effector.failed(item.event, "deadline"), "late")])
        return [item for item in items if item not in late] if late else items

    def _give_up(self, item: Item, error: Exception, handling: Handling) -> None:
        """Also what could not be published: a result that is too large for the bus."""
        refused = isinstance(error, RequestRefused)
        if not refused:
            log.error("%s: event %s failed: %s", self.name, item.event.envelope.event_id, describe(error))
        results = self._effector.failed(item.event, "refused" if refused else "error")
        handling.finish([Ended(item, results, "failed")])
