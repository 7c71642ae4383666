"""Sending encoded events in order and waiting until the bus has acknowledged every one of them."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from parley.codec import Outgoing
from parley.errors import BusUnavailable, ParleyError
from parley.ports.bus import Position, Producer
from parley.ports.store import EntryId, OutboxEntry

ACK_TIMEOUT_S = 60.0


def send(producer: Producer, outgoing: Outgoing) -> "Future[Position]":
    """A refusal that the producer raises at once is in the future too, so that all records of a batch have one."""
    try:
        return producer.send(
            outgoing.topic,
            key=outgoing.key,
            value=outgoing.value,
            headers=outgoing.headers,
            partition=outgoing.partition,
        )
    except ParleyError as error:
        refused: Future[Position] = Future()
        refused.set_exception(error)
        return refused


def publish(producer: Producer, records: Sequence[Outgoing]) -> None:
    """Send all, then wait for all. Raises `BusUnavailable`; some may have arrived then, and are sent again later."""
    _wait([send(producer, record) for record in records])


class Leaving:
    """A decider's batches on their way to the bus, one at a time: while one is being acknowledged, the next is decided and
    committed, but not sent. Whatever happens, the outbox in SQL holds all that was not acknowledged, in order.
    """

    def __init__(self) -> None:
        self._sent: list[tuple[EntryId, list[Future[Position]]]] = []
        self._arrived: list[EntryId] = []

    def send(self, producer: Producer, entries: Sequence[OutboxEntry]) -> None:
        """Wait for the batch before, then send this one. Raises `BusUnavailable` for the one before."""
        self.settle()
        self._sent = [
            (entry.entry_id, [send(producer, record) for record in entry.records]) for entry in entries
        ]

    def settle(self, timeout_s: float = ACK_TIMEOUT_S) -> None:
        """Wait until nothing is under way. Raises `BusUnavailable`, or what else the bus refused a record with."""
        while self._sent:
            entry_id, futures = self._sent[0]
            _wait(futures, timeout_s)
            self._arrived.append(entry_id)
            del self._sent[0]

    def arrived(self) -> list[EntryId]:
        """Acknowledged entries, which may be deleted. Does not wait."""
        futures = (future for _, each in self._sent for future in each)
        if all(future.done() and future.exception() is None for future in futures):
            self.settle()
        return list(self._arrived)

    def deleted(self) -> None:
        """What `arrived` has told is gone from SQL."""
        self._arrived.clear()

    def forget(self) -> None:
        """Whoever takes the partitions next publishes what the outbox holds."""
        self._sent, self._arrived = [], []


def _wait(futures: Sequence["Future[Position]"], timeout_s: float = ACK_TIMEOUT_S) -> None:
    for future in futures:
        try:
            future.result(timeout=timeout_s)
        except FutureTimeout as error:
            raise BusUnavailable(f"no acknowledgement within {timeout_s:g} s") from error
