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
from parley.errors import AlreadySeen, BusUnavailable, ParleyError, StoreUnavailable, Superseded
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Consumer, Producer, Record, TopicPartition
from parley.ports.clock import Clock
from parley.ports.store import Advance, Commit, DecisionStore, Lease, left_behind
from parley.runtime.backoff import Backoff
from parley.runtime.deadletters import FloodGuard
from parley.runtime.faults import describe
from parley.runtime.judging import Judge, Verdict
from parley.runtime.publishing import Leaving, publish
from parley.runtime.tenants import TenantConfigs
from parley.runtime.timers import DueTimers

log = logging.getLogger(__name__)

S = TypeVar("S")

MAX_BATCH = 500
MAX_ATTEMPTS = 3
CAREFUL_RECORDS = 500
"""After a predecessor that did not leave in good order, so many records are handled one at a time."""
LAG_EVERY_S = 0.5
"""The bus's own commit serves lag tools only, and costs a round trip: not after every batch."""


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
    ) -> None:
        self.name = decider.name
        self._topic = decider.topic.name
        self._bus = bus
        self._store = store
        self._codec = codec
        self._clock = clock
        self._metrics = metrics
        self._max_batch = max_batch
        self._judge = Judge(decider, codec, store, tenants)
        self._flood = FloodGuard()
        self._leases: dict[TopicPartition, Lease] = {}
        self._next: dict[TopicPartition, int | None] = {}
        self._careful: dict[TopicPartition, int] = {}
        self._to_take: set[TopicPartition] = set()
        self._leaving = Leaving()
        self._timers = DueTimers(store, codec, decider.name, clock)
        self._to_tell: dict[TopicPartition, int] = {}
        self._told_at = 0.0
        self._concluded = 0
        self._stop = Flag()
        self._consumer: Consumer | None = None
        self._producer: Producer | None = None

    # -- the loop -----------------------------------------------------------------------------------------------------

    def run(self, stop: Flag) -> None:
        """Until `stop`; then drains. Raises `NewerVersion`, `TooManyInvalid`, `UnknownTopic`: somebody has to act."""
        self._stop = stop
        backoff = Backoff()
        self.open()
        try:
            while not stop.is_set():
                try:
                    self.step()
                    backoff.reset()
                except (StoreUnavailable, BusUnavailable) as error:
                    self._metrics.retries.labels(self.name, type(error).__name__).inc()
                    log.warning("%s waits: %s", self.name, error)
                    self._start_over()
                    self._idle(backoff.next())
        finally:
            self.close()

    def open(self) -> None:
        """Join the group; `run` does it by itself."""
        self._producer = self._bus.producer()
        self._consumer = self._bus.consumer(self.name, [self._topic], listener=self)

    def step(self, timeout_s: float = 0.25) -> int:
        """One turn of the loop: take what was assigned, poll, process, fire timers. Returns how many records it concluded."""
        consumer = self._live_consumer()
        records = consumer.poll(timeout_s, self._max_batch)
        # What came from partitions that are not taken yet is read again, from SQL's offset, once they are.
        ours = [record for record in records if record.topic_partition in self._leases]
        if self._to_take:
            self._take(consumer)
        before = self._concluded
        if ours:
            self._process(ours)
        else:
            self._leaving.settle()
        self._fire_timers()
        if perf_counter() - self._told_at >= LAG_EVERY_S:
            self._tell_bus()
        return self._concluded - before

    @property
    def owned(self) -> frozenset[TopicPartition]:
        """The partitions that this worker has taken."""
        return frozenset(self._leases)

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
        fences = {p: self._leases[p].fence for p in partitions if p in self._leases}
        self._drop(partitions)
        try:
            self._store.release(self.name, fences)
        except StoreUnavailable:
            log.warning("%s could not mark its partitions as left; the next owner will be careful", self.name)

    def lost(self, partitions: Sequence[TopicPartition]) -> None:
        self._drop(partitions)

    def _drop(self, partitions: Sequence[TopicPartition]) -> None:
        self._judge.forget()
        self._to_take.difference_update(partitions)
        for partition in partitions:
            self._leases.pop(partition, None)
            self._next.pop(partition, None)
            self._careful.pop(partition, None)
            self._to_tell.pop(partition, None)

    def _start_over(self) -> None:
        """Nobody knows what the store holds now: take every partition again before going on."""
        self._to_take.update(self._leases)
        self._leases.clear()
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
        beginnings = consumer.beginning_offsets(taking)
        for partition in taking:
            lease = leases[partition]
            consumer.seek(
                partition, beginnings[partition] if lease.next_offset is None else lease.next_offset
            )
            self._leases[partition] = lease
            self._next[partition] = lease.next_offset
            self._timers.look_again()
            if not lease.clean:
                self._careful[partition] = CAREFUL_RECORDS
        self._to_take.clear()

    def _live_producer(self) -> Producer:
        assert self._producer is not None  # made together with the consumer
        return self._producer

    # -- a batch ------------------------------------------------------------------------------------------------------

    def _process(self, records: list[Record]) -> None:
        if not records:
            return
        began = perf_counter()
        careful = any(self._careful.get(record.topic_partition, 0) > 0 for record in records)
        try:
            if careful:
                self._one_by_one(records)
            else:
                self._together(records)
        except Superseded:
            self._superseded(records)
        self._observe(records, perf_counter() - began)

    def _together(self, records: list[Record], *, ask: bool = False) -> None:
        try:
            verdict = self._judge.judge(records, self._clock.now(), ask=ask)
        except (ParleyError, KeyboardInterrupt):
            raise
        except Exception as error:
            log.error(
                "%s: a batch failed, its records are handled one by one: %s", self.name, describe(error)
            )
            self._one_by_one(records)
            return
        try:
            self._conclude(records, verdict)
        except AlreadySeen:
            self._together(records, ask=True)

    def _one_by_one(self, records: list[Record]) -> None:
        """Each record by itself, each attempt counted in SQL first, so that one that kills the process is found out too."""
        for record in records:
            self._alone(record)
            partition = record.topic_partition
            self._careful[partition] = max(0, self._careful.get(partition, 0) - 1)
        tails = {record.topic_partition: record.offset for record in records}
        for partition, offset in tails.items():
            self._store.clear_attempts(self.name, partition, offset + 1)

    def _alone(self, record: Record) -> None:
        while True:
            attempt = self._store.count_attempt(self.name, record.topic_partition, record.offset)
            now = self._clock.now()
            if attempt > MAX_ATTEMPTS:
                reason = f"brought the {self.name} worker down {MAX_ATTEMPTS} times"
                self._conclude([record], self._judge.skip(record, reason, now))
                return
            try:
                verdict = self._judge.judge([record], now, ask=True)
            except (ParleyError, KeyboardInterrupt):
                raise
            except Exception as error:
                log.error(
                    "%s: attempt %d at %s failed: %s", self.name, attempt, _place(record), describe(error)
                )
                continue
            self._conclude([record], verdict)
            return

    def _conclude(self, records: Sequence[Record], verdict: Verdict[S]) -> None:
        """Commit the verdict, then publish what it says. Raises `AlreadySeen`, `Superseded`, `TooManyInvalid`."""
        if not verdict.skipped:
            self._flood.count(len(records) - verdict.invalid, verdict.invalid)
        commit = self._commit(records, verdict)
        self._store.commit(commit)
        self._leaving.deleted()
        self._judge.keep(verdict)
        self._timers.note(commit.timers)
        for record in records:
            self._next[record.topic_partition] = self._to_tell[record.topic_partition] = record.offset + 1
        self._leaving.send(self._live_producer(), left_behind(commit))
        self._concluded += len(records)
        for (kind, outcome), count in Counter(verdict.outcomes).items():
            self._metrics.handled.labels(self.name, kind, outcome).inc(count)
        if verdict.invalid:
            self._metrics.dead_letters.labels(self.name, self._topic).inc(verdict.invalid)

    def _commit(self, records: Sequence[Record], verdict: Verdict[S]) -> Commit:
        last = {record.topic_partition: record.offset for record in records}
        return Commit(
            group=self.name,
            advances=[
                Advance(partition, self._leases[partition].fence, self._next[partition], offset + 1)
                for partition, offset in last.items()
            ],
            seen=verdict.seen,
            states=self._judge.stored_states(verdict),
            history=verdict.history,
            projections=list(verdict.projections.values()),
            timers=list(verdict.timers.values()),
            timers_cancelled=verdict.timers_cancelled,
            outbox=verdict.outbox,
            published=self._leaving.arrived(),
            skipped=verdict.skipped,
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
        fired = self._timers.fire(self._live_producer(), list(self._leases))
        if fired:
            self._metrics.timers.labels(self.name).inc(fired)

    def close(self) -> None:
        """Leave the group in good order; `revoked` marks the partitions as cleanly left."""
        try:
            self._leaving.settle()
            self._store.delete_outbox(self.name, self._leaving.arrived())
        except (StoreUnavailable, BusUnavailable):
            log.warning("%s: its last outbox entries stay; the next owner publishes them", self.name)
        if self._consumer is not None:
            self._consumer.close()
        if self._producer is not None:
            self._producer.close()


def _place(record: Record) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
