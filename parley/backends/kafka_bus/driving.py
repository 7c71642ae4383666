"""kafka-python's consumer, made to call the rebalance listener in the polling thread, to be woken from another, and to poll in one go.

kafka-python 3.0 runs a listener on its network thread, where it may not commit, seek or ask for offsets (they would wait
for that very thread), its `poll` cannot be interrupted, and each of its polls waits three times for the network thread, which
was most of what a record cost where records come one by one. This is the one place that reaches into its private parts;
`tests/contract/test_bus_groups.py` fails when a new release moves them.
"""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, NamedTuple

from kafka import AsyncConsumerRebalanceListener, KafkaConsumer
from kafka.errors import KafkaTimeoutError
from kafka.future import Future
from kafka.util import Timer

from parley.ports.bus import RebalanceListener, TopicPartition

LEAVE_TIMEOUT_MS = 1_000
METADATA_TIMEOUT_MS = 3_000


class _Asked(NamedTuple):
    """The network thread asks the polling thread to call the listener, and waits at the gate."""

    call: Callable[[Sequence[TopicPartition]], None]
    partitions: Sequence[TopicPartition]
    gate: Future


class _Handover(AsyncConsumerRebalanceListener):  # type: ignore[misc]  # kafka-python has no annotations
    """What kafka-python calls on its network thread; hands each call over to the polling thread."""

    def __init__(self, listener: RebalanceListener) -> None:
        self._listener = listener
        self.asked: SimpleQueue[_Asked | None] = SimpleQueue()
        self.silent = False

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        await self._hand_over(self._listener.revoked, revoked)

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        await self._hand_over(self._listener.assigned, assigned)

    async def on_partitions_lost(self, lost: Collection[Any]) -> None:
        await self._hand_over(self._listener.lost, lost)

    async def _hand_over(
        self, call: Callable[[Sequence[TopicPartition]], None], partitions: Collection[Any]
    ) -> None:
        if self.silent or not partitions:
            return
        gate = Future()
        self.asked.put(_Asked(call, sorted(TopicPartition(*partition) for partition in partitions), gate))
        await gate


class DrivenConsumer(KafkaConsumer):  # type: ignore[misc]  # kafka-python has no annotations
    """Belongs to the polling thread, `ring` excepted."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._handover: _Handover | None = None
        # Both belong to the network thread.
        self._rung = False
        self._woken: Future | None = None
        self._fetcher.fetch_records = self._fetch_records
        self._coordinator.ensure_coordinator_ready = self._ensure_coordinator

    def drive(self, topics: Sequence[str], listener: RebalanceListener) -> None:
        """Join the group; the listener is called inside `turn`."""
        self._handover = _Handover(listener)
        # The one place where kafka-python's polling thread waits for a rebalance.
        self._coordinator.ensure_active_group = self._rejoin
        self.subscribe(topics, listener=self._handover)
        # Without it the first assignment is made before the topics are known, is empty, and is made again.
        known = self._cluster.request_update()
        self._manager.run(self._manager.wait_for, known, METADATA_TIMEOUT_MS)

    def turn(self, timeout_s: float, max_records: int) -> list[Any]:
        """One turn of kafka-python's poll loop: what is there, or what comes until the time is over or the bell rings."""
        batches = self._poll_once(Timer(int(timeout_s * 1000)), max_records)
        return [record for records in batches.values() for record in records]

    def ring(self) -> None:
        """End the turn in progress, if it waits for records, or else the next one. From any thread."""
        self._manager.call_soon(self._end_turn)

    def lapse(self) -> None:
        """Leave the group without a word to the listener; the next turn tells it what was lost and joins again."""
        self._coordinator.maybe_leave_group(timeout_ms=LEAVE_TIMEOUT_MS)

    def is_member(self) -> bool:
        return bool(self.group_metadata().generation_id >= 0)

    def leave(self, timeout_s: float) -> None:
        """Close for good, without a word to the listener."""
        if self._handover is not None:
            self._handover.silent = True
        self.close(autocommit=False, timeout_ms=int(timeout_s * 1000))

    def _rejoin(self, timeout_ms: float | None = None) -> bool:
        """`ensure_active_group`, but the polling thread serves the listener's calls while it waits."""
        assert self._handover is not None  # set before the subscription that leads here
        asked = self._handover.asked
        joined = self._manager.call_soon(self._join, timeout_ms)
        joined.add_both(lambda _: asked.put(None))
        failure: BaseException | None = None
        while (question := asked.get()) is not None:
            try:
                question.call(question.partitions)
            except BaseException as error:
                failure = error
            finally:
                self._manager.call_soon(_resolve, question.gate)
        if failure is not None:
            raise failure
        if joined.exception is not None:
            raise joined.exception
        if not joined.value:
            # The time was over in the middle. If new metadata was the cause, kafka-python would forget that it is joining
            # (its leader has noted the metadata as dealt with) and wait for ever.
            self._coordinator.request_rejoin()
        return bool(joined.value)

    async def _join(self, timeout_ms: float | None) -> bool:
        """On the network thread. What was joined between two polls counts: kafka-python would drop that answer and ask
        again, whereupon every other member has to join again, and with short polls the group never settles.
        """
        earlier = self._coordinator._join_task
        if earlier is not None and earlier.succeeded():
            self._coordinator._join_task = answered = Future()
            self._manager.call_soon(_resolve, answered, earlier.value)
        return bool(await self._coordinator.ensure_active_group_async(timeout_ms))

    def _fetch_records(
        self, max_records: int, update_offsets: bool = True, timeout_ms: float | None = None
    ) -> tuple[dict[Any, list[Any]], bool]:
        """`Fetcher.fetch_records`, but what is there is given out without waiting until the next fetch is under way, and what is
        not there costs one wait for the network thread instead of two.
        """
        fetcher = self._fetcher
        records, more = fetcher.fetched_records(max_records, update_offsets=update_offsets)
        if records:
            if not more:
                self._manager.call_soon(self._fetch_next)
            return records, False
        self._manager.run(self._fetch_and_wait, timeout_ms)
        records, _ = fetcher.fetched_records(max_records, update_offsets=update_offsets)
        return records, False

    async def _fetch_and_wait(self, timeout_ms: float | None) -> None:
        """On the network thread: until a fetch is answered, offsets were reset, the bell rings or the time is over."""
        fetcher = self._fetcher
        await self._fetch_next()
        if not self._rung and not fetcher._completed_fetches:
            self._woken = woken = Future()
            for each in (*fetcher._fetch_futures, fetcher._reset_task):
                if each is not None and not each.is_done:
                    each.add_both(partial(_resolve, woken))
            with suppress(KafkaTimeoutError):
                await self._manager.wait_for(woken, timeout_ms)
            self._woken = None
        self._rung = False

    async def _fetch_next(self) -> None:
        """On the network thread. A partition of which something is left here would be missing in the next fetch, and its new records would
        wait for that one's end, which may be half a second: so there is none before everything was given out.
        """
        if not self._fetcher._completed_fetches and not self._fetcher._next_partition_records:
            await self._fetcher._send_fetches_async()

    def _end_turn(self) -> None:
        """On the network thread."""
        self._rung = True
        if self._woken is not None:
            _resolve(self._woken)

    def _ensure_coordinator(self, timeout_ms: float | None = None) -> bool:
        """`ensure_coordinator_ready`, which asks the network thread even where the coordinator is known, as it nearly always is."""
        coordinator = self._coordinator
        if not coordinator.coordinator_unknown():
            return True
        return bool(type(coordinator).ensure_coordinator_ready(coordinator, timeout_ms))


def _resolve(future: Future, value: Any = None) -> None:
    if not future.is_done:
        future.success(value)
