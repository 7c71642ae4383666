"""What every producer does alike before and after its own backend: checks of a record, and the futures not yet resolved."""

from concurrent.futures import Future, wait
from itertools import count
from threading import Lock

from parley.backends.partitioner import partition_for
from parley.errors import BusUnavailable, RecordTooLarge
from parley.ports.bus import MAX_RECORD_BYTES, Headers, Position

MAX_BUFFERED_BYTES = 64 * 1_048_576
"""What one producer holds unacknowledged at most; more fails at once, so that an outage never eats the memory."""


def record_size(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """Bytes of key, value, header names and header values."""
    size = len(key or b"") + len(value or b"")
    for name, content in headers:
        size += len(content) + (len(name) if name.isascii() else len(name.encode()))
    return size


def check_record(key: bytes | None, value: bytes | None, headers: Headers) -> int:
    """The record's size. Raises `RecordTooLarge`; `ValueError` for a record with neither key nor value."""
    if key is None and value is None:
        raise ValueError("a record needs a key or a value")
    size = record_size(key, value, headers)
    if size > MAX_RECORD_BYTES:
        raise RecordTooLarge(f"a record of {size} bytes; at most {MAX_RECORD_BYTES} are allowed")
    return size


class Spread:
    """Chooses partitions: the given one, else the key's, else one after the other."""

    def __init__(self) -> None:
        self._turn = count()

    def choose(self, topic: str, partitions: int, key: bytes | None, partition: int | None) -> int:
        """Raises `ValueError` for a partition that the topic does not have."""
        if partition is not None:
            if not 0 <= partition < partitions:
                raise ValueError(f"topic {topic} has partitions 0 to {partitions - 1}, not {partition}")
            return partition
        if key is not None:
            return partition_for(key, partitions)
        return next(self._turn) % partitions


class Outstanding:
    """The sends that are not acknowledged yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sizes: dict[Future[Position], int] = {}
        self._bytes = 0

    def open(self, size: int) -> Future[Position]:
        """A future for a record of `size` bytes. Raises `BusUnavailable` when the buffer is full."""
        future: Future[Position] = Future()
        with self._lock:
            if self._bytes + size > MAX_BUFFERED_BYTES:
                raise BusUnavailable(f"{self._bytes} bytes wait for the bus already; the buffer is full")
            self._sizes[future] = size
            self._bytes += size
        future.add_done_callback(self._closed)
        return future

    def _closed(self, future: Future[Position]) -> None:
        with self._lock:
            self._bytes -= self._sizes.pop(future)

    def wait(self, timeout_s: float) -> None:
        """Until everything opened before is resolved. Raises `BusUnavailable` on time-out."""
        with self._lock:
            futures = list(self._sizes)
        left = wait(futures, timeout_s).not_done
        if left:
            raise BusUnavailable(
                f"{len(left)} of {len(futures)} records were not acknowledged within {timeout_s:g} s"
            )


def failed(error: Exception) -> Future[Position]:
    """A future that has failed already."""
    future: Future[Position] = Future()
    future.set_exception(error)
    return future
