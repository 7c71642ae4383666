"""Dead letters: a record that cannot be dealt with, kept as it was, with the reason and where it came from.

Also the flood guard: when too many records go this way, the deployment is wrong and the worker stops instead.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from parley.codec import Outgoing
from parley.errors import TooManyInvalid
from parley.ports.bus import Record
from schemas.base import rfc3339
from schemas.topics import dead_letter_topic

REASON = "dlq_reason"
ORIGIN = "dlq_origin"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it is read back. `origin` is `topic/partition/offset`; `reason` holds no text of a customer."""

    record: Record
    reason: str
    topic: str
    partition: int
    offset: int
    worker: str
    at: str


def bury(record: Record, reason: str, worker: str, at: datetime) -> Outgoing:
    """The record's own bytes and headers, with where it was and why it is here."""
    headers = (
        *record.headers,
        (REASON, reason.encode()[:4_000]),
        (ORIGIN, f"{record.topic}/{record.partition}/{record.offset}".encode()),
        ("dlq_worker", worker.encode()),
        ("dlq_at", rfc3339(at).encode()),
    )
    return Outgoing(dead_letter_topic(record.topic), record.key or b"", record.value or b"", headers)


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
    )


class FloodGuard:
    """Raises `TooManyInvalid` when at least `minimum` of the last `window` records, and more than `share` of them, were invalid."""

    def __init__(self, window: int = 500, share: float = 0.5, minimum: int = 50) -> None:
        self._last: deque[bool] = deque(maxlen=window)
        self._share = share
        self._minimum = minimum

    def count(self, valid: int, invalid: int) -> None:
        """Take note of a batch, before anything of it is committed."""
        self._last.extend([True] * valid + [False] * invalid)
        bad = self._last.count(False)
        if bad >= self._minimum and bad > self._share * len(self._last):
            raise TooManyInvalid(
                f"{bad} of the last {len(self._last)} records could not be read: this looks like a wrong deployment; "
                "the worker stops, and nothing of the last batch was committed"
            )
