"""Dead letters: a record that cannot be dealt with, kept as it was, with the reason and where it came from.

Also the flood guard: when too many records go this way, the deployment is wrong and the worker stops instead.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from parley.codec import Outgoing
from parley.errors import TooManyInvalid
from parley.ports.bus import MAX_RECORD_BYTES, Headers, Record
from schemas.base import rfc3339
from schemas.topics import dead_letter_topic

REASON = "dlq_reason"
ORIGIN = "dlq_origin"
TRUNCATED = "dlq_truncated"
TRUNCATED_BYTES = 40
"""Room that the header needs which says that, and from how many bytes, a record was cut."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it is read back. `reason` holds no text of a customer; `cut_from` is the size in bytes of a record
    that did not fit with its reason, and None where it is all here.
    """

    record: Record
    reason: str
    topic: str
    partition: int
    offset: int
    worker: str
    at: str
    cut_from: int | None = None


def bury(record: Record, reason: str, worker: str, at: datetime) -> Outgoing:
    """The record's own bytes and headers, with where it was and why it is here; cut at its end where that is too much."""
    added: Headers = (
        (REASON, reason.encode()[:4_000]),
        (ORIGIN, f"{record.topic}/{record.partition}/{record.offset}".encode()),
        ("dlq_worker", worker.encode()),
        ("dlq_at", rfc3339(at).encode()),
    )
    key, value = record.key or b"", record.value or b""
    bytes_before = _headers_size(record.headers) + len(key) + len(value)
    room = MAX_RECORD_BYTES - _headers_size(added)
    if bytes_before <= room:
        return Outgoing(dead_letter_topic(record.topic), key, value, (*record.headers, *added))
    headers, room = _fitting(record.headers, room - TRUNCATED_BYTES)
    key = key[:room]
    value = value[: room - len(key)]
    added = (*added, (TRUNCATED, str(bytes_before).encode()))
    return Outgoing(dead_letter_topic(record.topic), key, value, (*headers, *added))


def _fitting(headers: Headers, room: int) -> tuple[Headers, int]:
    """Of the headers, those for which there is room, and the room that they leave."""
    kept = []
    for header in headers:
        size = _headers_size((header,))
        if size <= room:
            kept.append(header)
            room -= size
    return tuple(kept), room


def _headers_size(headers: Headers) -> int:
    return sum(len(name.encode()) + len(value) for name, value in headers)


def exhume(record: Record) -> DeadLetter:
    """The dead letter that a record of a `.dlq` topic is."""
    found = {name: value.decode(errors="replace") for name, value in record.headers}
    topic, partition, offset = found.get(ORIGIN, f"{record.topic.removesuffix('.dlq')}/-1/-1").rsplit("/", 2)
    return DeadLetter(
        record=record,
        reason=found.get(REASON, ""),
        topic=topic,
        partition=int(partition),
        offset=int(offset),
        worker=found.get("dlq_worker", ""),
        at=found.get("dlq_at", ""),
        cut_from=int(found[TRUNCATED]) if TRUNCATED in found else None,
    )


def original(letter: DeadLetter) -> Record:
    """The record as it was before it was buried."""
    headers = tuple((name, value) for name, value in letter.record.headers if not name.startswith("dlq_"))
    return letter.record._replace(
        topic=letter.topic, partition=letter.partition, offset=letter.offset, headers=headers
    )


class FloodGuard:
    """Raises `TooManyInvalid`, unless it is `off`, when this looks like a wrong deployment and not like single bad records. Thread-safe.

    - Of the last `window` records at least `minimum`, and more than `share` of all, were invalid.
    - Nothing valid was read since the start, and `unproven` records were invalid. Without this, a worker that its supervisor starts
      again and again, each time with an empty window, would bury a whole topic, some records a start. So it buries fewer than
      `unproven` a start, and none where they come in one batch, as they do from a backlog; a single one is buried at once.
    """

    def __init__(
        self,
        window: int = 500,
        share: float = 0.5,
        minimum: int = 50,
        unproven: int = 10,
        *,
        off: bool = False,
    ) -> None:
        self._off = off
        self._last: deque[bool] = deque(maxlen=window)
        self._share = share
        self._minimum = minimum
        self._unproven = unproven
        self._proven = False
        self._lock = Lock()

    def count(self, valid: int, invalid: int) -> None:
        """Take note of a batch, before anything of it is committed."""
        with self._lock:
            self._proven = self._proven or valid > 0
            self._last.extend([True] * valid + [False] * invalid)
            bad, read = self._last.count(False), len(self._last)
            many = self._minimum if self._proven else self._unproven
        if not self._off and bad >= many and bad > self._share * read:
            raise TooManyInvalid(
                f"{bad} of the last {read} records could not be read: this looks like a wrong deployment; "
                "the worker stops, and nothing of the last batch was committed. If they are to become dead letters all the same: "
                "PARLEY_BURY_ANYWAY=true for one start"
            )
