"""kafka-python's consumer, made to call the rebalance listener in the polling thread and to be woken from another.

kafka-python 3.0 runs a listener on its network thread, where it may not commit, seek or ask for offsets (they would wait
for that very thread), and its `poll` cannot be interrupted. This is the one place that reaches into its private parts;
`tests/contract/test_bus_groups.py` fails when a new release moves them.
"""

from collections.abc import Callable, Collection, Sequence
from queue import SimpleQueue
from threading import Lock
from typing import Any, NamedTuple

from kafka import AsyncConsumerRebalanceListener, KafkaConsumer
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


class _Bell(Future):  # type: ignore[misc]  # kafka-python has no annotations
    """A future that kafka-python's poll waits for among its own. Every turn adds its callback; only the last one counts."""

    def add_both(self, f: Callable[..., None], *args: Any, **kwargs: Any) -> "_Bell":
        with self._lock:
            if not self.is_done:
                self._callbacks.clear()
                self._errbacks.clear()
        super().add_both(f, *args, **kwargs)
        return self


class DrivenConsumer(KafkaConsumer):  # type: ignore[misc]  # kafka-python has no annotations
    """Belongs to the polling thread, `ring` excepted."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._bell_lock = Lock()
        self._bell = _Bell()
        self._handover: _Handover | None = None

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
        self._hang_bell()
        batches = self._poll_once(Timer(int(timeout_s * 1000)), max_records)
        return [record for records in batches.values() for record in records]

    def ring(self) -> None:
        """End the turn in progress, if it waits for records. From any thread."""
        with self._bell_lock:
            bell = self._bell
        self._manager.call_soon(_resolve, bell)

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

    def _hang_bell(self) -> None:
        """Put the bell among the answers that `poll` waits for. That list belongs to the network thread."""
        with self._bell_lock:
            if self._bell in self._fetcher._fetch_futures and not self._bell.is_done:
                return
            self._bell = _Bell()
            bell = self._bell
        self._manager.run(self._fetcher._fetch_futures.append, bell)


def _resolve(future: Future, value: Any = None) -> None:
    if not future.is_done:
        future.success(value)
