"""The decider's loop: poll, judge, one transaction, publish; hand-over, crash counts, timers, waiting for what is down.

One thread runs it. What makes it safe is in the store: a partition's offset moves by compare-and-swap under a fence that
each new owner raises, in the same transaction as everything that was decided. Kafka's own commit is only for lag tools.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from threading import Event as Flag
from time import perf_counter
from typing import Generic, TypeVar

from parley.codec import Codec
from parley.domain.deciding import Decider
from parley.errors import (
    AlreadySeen,
    BusUnavailable,
    ConfigurationError,
    NewerVersion,
    ParleyError,
    StoreUnavailable,
    Superseded,
    TooManyInvalid,
    TransientError,
    UnknownTopic,
)
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Consumer, Producer, Record, TopicPartition
from parley.ports.clock import Clock
from parley.ports.store import Commit, DecisionStore, left_behind
from parley.runtime.backoff import Backoff
from parley.runtime.deadletters import FloodGuard
from parley.runtime.faults import describe
from parley.runtime.holdings import Holdings
from parley.runtime.judging import Judge, Verdict
from parley.runtime.lagging import LagGauge
from parley.runtime.publishing import Leaving, publish
from parley.runtime.tenants import TenantConfigs
from parley.runtime.timers import DueTimers

log = logging.getLogger(__name__)

S = TypeVar("S")

MAX_BATCH = 500
MAX_ATTEMPTS = 3
CLOSE_S = 5.0
"""How long a worker that leaves waits for what the bus has not acknowledged; the outbox keeps it for the next owner."""
LAG_EVERY_S = 1.0
"""The bus's own commit serves lag tools only, and costs a round trip: not after every batch."""
NO_FAULT_OF_THE_RECORD = (
    TransientError,
    Superseded,
    NewerVersion,
    TooManyInvalid,
    UnknownTopic,
    ConfigurationError,
)
"""Errors of the world or of the deployment: waiting or stopping helps. Any other one is tried record by record."""


class DeciderWorker(Generic[S]):
    """Runs one decider over the partitions that its group gives it. Also its consumer's `RebalanceListener`."""

    def __init__(
        self,
        decider: Decider[S],
        bus: Bus,
        store: DecisionStore,
        codec: Codec,
        tenants: TenantConfigs,
        clock: Clock,
        metrics: WorkerMetrics,
        *,
        max_batch: int = MAX_BATCH,
        flood: FloodGuard | None = None,
    ) -> None:
        self.name = decider.name
        self._topic = decider.topic.name
        self._bus = bus
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._max_batch = max_batch
        self._judge = Judge(decider, codec, store, tenants)
        self._flood = flood or FloodGuard()
        self.ready = Flag()
        self._holdings = Holdings(store, decider.name)
        self._to_take: set[TopicPartition] = set()
        self._leaving = Leaving()
        self._timers = DueTimers(store, codec, decider.name, clock)
        self._lag = LagGauge(metrics, decider.name)
        self._to_tell: dict[TopicPartition, int] = {}
        self._told_at = 0.0
        self._concluded = 0
        self._stop = Flag()
        self._broken = False
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None

    # -- the loop -----------------------------------------------------------------------------------------------------

    def run(self, stop: Flag) -> None:
        """Until `stop`; then drains. Raises `NewerVersion`, `TooManyInvalid`, `UnknownTopic`, `ConfigurationError`: somebody
        has to act.
        """
        self._stop = stop
        backoff = Backoff()
        try:
            self.open()
            while not stop.is_set():
                try:
                    self.step()
                    backoff.reset()
                except (StoreUnavailable, BusUnavailable) as error:
                    self._metrics.retries.labels(self.name, type(error).__name__).inc()
                    log.warning("%s waits: %s", self.name, error)
                    self._start_over()
                    self._idle(backoff.next())
        except BaseException:
            self._broken = True  # whoever takes the partitions has to be careful
            raise
        finally:
            self.close()

    def open(self) -> None:
        """Join the group; `run` does it by itself."""
        self._producer = self._bus.producer()
        self._consumer = self._bus.consumer(self.name, [self._topic], listener=self)
        self.ready.set()

    def step(self, timeout_s: float = 0.25) -> int:
        """One turn of the loop: take what was assigned, poll, process, fire timers. Returns how many records it concluded."""
        consumer = self._live_consumer()
        records = consumer.poll(timeout_s, self._max_batch)
        # What came from partitions that are not taken yet is read again, from SQL's offset, once they are.
        ours = [record for record in records if record.topic_partition in self._holdings]
        if self._to_take:
            self._take(consumer)
        before = self._concluded
        if ours:
            self._process(ours)
        else:
            self._leaving.settle()
        self._fire_timers()
        self._judge.forget_idle()
        if perf_counter() - self._told_at >= LAG_EVERY_S:
            self._tell_bus()
        if self._lag.due():
            self._lag.look(consumer, self._holdings.next_offsets())
        return self._concluded - before

    @property
    def owned(self) -> frozenset[TopicPartition]:
        """The partitions that this worker has taken."""
        return self._holdings.partitions()

    def _live_consumer(self) -> Consumer:
        if self._consumer is None:
            self.open()
        assert self._consumer is not None  # _open has just made it
        return self._consumer

    def _idle(self, seconds: float) -> None:
        """Wait, polling on with everything paused, so that the group does not think this worker dead."""
        consumer = self._live_consumer()
        consumer.pause(consumer.assignment())
        self._stop.wait(seconds)
        try:
            consumer.poll(0.0, 1)
        finally:
            consumer.resume(consumer.assignment())

    # -- assignment ---------------------------------------------------------------------------------------------------

    def assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self._to_take.update(partitions)

    def revoked(self, partitions: Sequence[TopicPartition]) -> None:
        """What was decided is committed; what was not acknowledged yet, the next owner publishes from the outbox."""
        self._tell_bus()
        fences = self._holdings.fences(partitions)
        self._drop(partitions)
        if self._broken:
            return
        try:
            self._store.release(self.name, fences)
        except StoreUnavailable:
            log.warning("%s could not mark its partitions as left; the next owner will be careful", self.name)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._drop(partitions)

    def _drop(self, partitions: Sequence[TopicPartition]) -> None:
        self._judge.forget()
        self._to_take.difference_update(partitions)
        self._holdings.drop(partitions)
        for partition in partitions:
            self._to_tell.pop(partition, None)

    def _start_over(self) -> None:
        """Nobody knows what the store holds now: take every partition again before going on."""
        held = self._holdings.partitions()
        self._to_take.update(held)
        self._holdings.drop(held)
        self._judge.forget()
        self._leaving.forget()

    def _take(self, consumer: Consumer) -> None:
        """Raise the fences, publish what predecessors left behind, wait for it, and only then begin at SQL's offset."""
        self._judge.forget()
        taking = sorted(self._to_take & consumer.assignment())
        leases = self._store.raise_fence(self.name, taking)
        left = self._store.outbox(self.name, taking)
        publish(self._live_producer(), [record for entry in left for record in entry.records])
        self._store.delete_outbox(self.name, [entry.entry_id for entry in left])
        self._holdings.take(leases, consumer)
        self._timers.look_again()
        self._to_take.clear()

    def _live_producer(self) -> Producer:
        assert self._producer is not None  # made together with the consumer
        return self._producer

    # -- a batch ------------------------------------------------------------------------------------------------------

    def _process(self, records: list[Record]) -> None:
        began = perf_counter()
        careful = [record for record in records if self._holdings.is_careful(record.topic_partition)]
        others = [record for record in records if not self._holdings.is_careful(record.topic_partition)]
        try:
            if others:
                self._together(others)
            if careful:
                self._one_by_one(careful)
        except Superseded:
            self._superseded(records)
        self._observe(records, perf_counter() - began)

    def _together(self, records: Sequence[Record], *, again: bool = False) -> None:
        try:
            self._conclude(records, self._judge.judge(records, self._clock.now(), ask=again), again=again)
        except AlreadySeen:
            self._together(records, again=True)
        except NO_FAULT_OF_THE_RECORD:
            raise
        except Exception as error:
            log.error(
                "%s: a batch failed, its records are handled one by one: %s", self.name, describe(error)
            )
            self._one_by_one(records)

    def _one_by_one(self, records: Sequence[Record]) -> None:
        for record in records:
            self._alone(record)
            self._holdings.calm_down(record.topic_partition)
        tails = {record.topic_partition: record.offset for record in records}
        for partition, offset in tails.items():
            self._store.clear_attempts(self.name, partition, offset + 1)

    def _alone(self, record: Record) -> None:
        """Until it is handled, or was given up after `MAX_ATTEMPTS`. An error in giving up ends the worker."""
        while True:
            attempt = self._holdings.attempt(record)
            try:
                self._conclude([record], self._verdict(record, attempt))
                return
            except NO_FAULT_OF_THE_RECORD:
                self._holdings.interrupted(record, attempt)
                raise
            except Exception as error:
                place = f"{record.topic}/{record.partition}/{record.offset}"
                log.error("%s: attempt %d at %s failed: %s", self.name, attempt, place, describe(error))
                if attempt > MAX_ATTEMPTS:
                    raise

    def _verdict(self, record: Record, attempt: int) -> Verdict[S]:
        now = self._clock.now()
        if attempt <= MAX_ATTEMPTS:
            return self._judge.judge([record], now, ask=True)
        return self._judge.skip(record, f"brought the {self.name} worker down {MAX_ATTEMPTS} times", now)

    def _conclude(self, records: Sequence[Record], verdict: Verdict[S], *, again: bool = False) -> None:
        """Commit the verdict, then publish what it says. `again` where the guard has counted these records before.

        Raises `AlreadySeen`, `Superseded`, `TooManyInvalid`.
        """
        if not again:
            self._flood.count(len(records) - verdict.invalid, verdict.invalid)
        commit = self._commit(records, verdict)
        self._store.commit(commit)
        self._leaving.deleted()
        self._judge.keep(verdict)
        self._timers.note(commit.timers)
        self._holdings.advanced(commit.advances)
        self._to_tell.update({advance.partition: advance.next_offset for advance in commit.advances})
        self._leaving.send(self._live_producer(), left_behind(commit))
        self._concluded += len(records)
        for (kind, outcome), count in Counter(verdict.outcomes).items():
            self._metrics.handled.labels(self.name, kind, outcome).inc(count)
        if verdict.invalid:
            self._metrics.dead_letters.labels(self.name, self._topic).inc(verdict.invalid)

    def _commit(self, records: Sequence[Record], verdict: Verdict[S]) -> Commit:
        return Commit(
            group=self.name,
            advances=self._holdings.advances(records),
            seen=verdict.seen,
            states=verdict.stored,
            history=verdict.history,
            projections=list(verdict.projections.values()),
            timers=list(verdict.timers.values()),
            timers_cancelled=verdict.timers_cancelled,
            outbox=verdict.outbox,
            published=self._leaving.arrived(),
            skipped=verdict.skipped,
            erased=verdict.erased,
        )

    def _tell_bus(self) -> None:
        """For lag tools only: the truth is in SQL, so a failure here is none."""
        self._told_at = perf_counter()
        if not self._to_tell or self._consumer is None:
            return
        try:
            self._consumer.commit(self._to_tell)
        except (Superseded, BusUnavailable):
            log.debug("%s: the bus did not take the offsets; SQL has them", self.name)
        self._to_tell = {}

    def _superseded(self, records: Sequence[Record]) -> None:
        """Another worker was there first: drop the batch; if the partitions are still ours, read their offsets again."""
        self._metrics.superseded.labels(self.name).inc()
        log.warning("%s: superseded, %d records dropped", self.name, len(records))
        self._start_over()

    def _observe(self, records: Sequence[Record], seconds: float) -> None:
        self._metrics.seconds.labels(self.name).observe(seconds)
        self._metrics.batch.labels(self.name).observe(len(records))
        oldest_ms = min(record.timestamp_ms for record in records)
        self._metrics.oldest.labels(self.name).set(self._clock.now().timestamp() - oldest_ms / 1000)

    # -- timers, end --------------------------------------------------------------------------------------------------

    def _fire_timers(self) -> None:
        fired = self._timers.fire(self._live_producer(), sorted(self.owned))
        if fired:
            self._metrics.timers.labels(self.name).inc(fired)

    def close(self) -> None:
        """Leave the group in good order; `revoked` marks the partitions as cleanly left, unless this worker broke."""
        try:
            self._leaving.settle(CLOSE_S)
        except ParleyError:
            log.warning("%s: its last outbox entries stay; the next owner publishes them", self.name)
        try:
            self._store.delete_outbox(self.name, self._leaving.arrived())
        except StoreUnavailable:
            log.warning(
                "%s: acknowledged outbox entries stay; the next owner publishes them again", self.name
            )
        if self._consumer is not None:
            self._consumer.close()
        if self._producer is not None:
            self._producer.close()
