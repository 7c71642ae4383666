"""Sending encoded events in order and waiting until the bus has acknowledged every one of them."""

from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from parley.codec import Outgoing
from parley.errors import BusUnavailable
from parley.ports.bus import Position, Producer

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
    futures = [send(producer, record) for record in records]
    for future in futures:
        try:
            future.result(timeout=ACK_TIMEOUT_S)
        except FutureTimeout as error:
            raise BusUnavailable(f"no acknowledgement within {ACK_TIMEOUT_S:g} s") from error
