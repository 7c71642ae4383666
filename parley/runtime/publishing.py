"""Sending encoded events in order and waiting until the bus has acknowledged every one of them."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from parley.codec import Outgoing
from parley.errors import BusUnavailable
from parley.ports.bus import Position, Producer
from parley.ports.store import EntryId, OutboxEntry

ACK_TIMEOUT_S = 60.0


def send(producer: Producer, outgoing: Outgoing) -> "Future[Position]":
    return producer.send(
        outgoing.topic,
        key=outgoing.key,
        value=outgoing.value,
        headers=outgoing.headers,
        partition=outgoing.partition,
    )


def publish(producer: Producer, records: Sequence[Outgoing]) -> None:
    """Send all, then wait for all. Raises `BusUnavailable`; some may have arrived then, and are sent again later."""
    _wait([send(producer, record) for record in records])


class Leaving:
    """A decider's batches on their way to the bus, one at a time: while one is being acknowledged, the next is decided and
    committed, but not sent. Whatever happens, the outbox in SQL holds all that was not acknowledged, in order.
    """

    def __init__(self) -> None:
        self._futures: list[Future[Position]] = []
        self._entries: list[EntryId] = []
        self._arrived: list[EntryId] = []

    def send(self, producer: Producer, entries: Sequence[OutboxEntry]) -> None:
        """Wait for the batch before, then send this one. Raises `BusUnavailable` for either."""
        self.settle()
        self._entries = [entry.entry_id for entry in entries]
        self._futures = [send(producer, record) for entry in entries for record in entry.records]

    def settle(self) -> None:
        """Wait until nothing is under way. Raises `BusUnavailable`."""
        _wait(self._futures)
        self._arrived += self._entries
        self._futures, self._entries = [], []

    def arrived(self) -> list[EntryId]:
        """Acknowledged entries, which may be deleted. Does not wait."""
        if all(future.done() and future.exception() is None for future in self._futures):
            self.settle()
        return list(self._arrived)

    def deleted(self) -> None:
        """What `arrived` has told is gone from SQL."""
        self._arrived.clear()

    def forget(self) -> None:
        """Whoever takes the partitions next publishes what the outbox holds."""
        self._futures, self._entries, self._arrived = [], [], []


def _wait(futures: Sequence["Future[Position]"]) -> None:
    for future in futures:
        try:
            future.result(timeout=ACK_TIMEOUT_S)
        except FutureTimeout as error:
            raise BusUnavailable(f"no acknowledgement within {ACK_TIMEOUT_S:g} s") from error
