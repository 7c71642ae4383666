"""What an effector does with records besides the call: decode them, bury what cannot be read, publish what follows, count it as done.

Runs in threads that may wait: what is away (key store, bus) is waited for, until the worker ends.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Event as Flag
from typing import TypeVar

from parley.codec import Codec, Outgoing
from parley.errors import InvalidEvent, KeyErased, TransientError
from parley.ports.bus import Producer, Record
from parley.runtime.backoff import Backoff
from parley.runtime.deadletters import FloodGuard, bury
from parley.runtime.intake import Intake
from parley.runtime.publishing import publish
from schemas.base import AnyEvent, Event

log = logging.getLogger(__name__)

Results = Sequence[AnyEvent]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    record: Record
    event: AnyEvent


@dataclass(frozen=True, slots=True)
class Ended:
    """A record with all that follows from it, and how it is counted."""

    item: Item
    results: Results
    outcome: str = "handled"


class Handling:
    """Thread-safe. `stopping` turns true when the worker is told to stop, `closing` when nothing may go on any more."""

    def __init__(
        self, intake: Intake, codec: Codec, producer: Producer, flood: FloodGuard, stopping: Flag
    ) -> None:
        """Under the name, the clock and the metrics of what it finishes records of."""
        self._name = intake.name
        self._clock = intake.clock
        self._metrics = intake.metrics
        self._intake = intake
        self._codec = codec
        self._producer = producer
        self._flood = flood
        self._stopping = stopping
        self.closing = Flag()

    def read(self, records: Sequence[Record]) -> list[Item]:
        """What is to be handled. The others are done with it: erased ones, and unreadable ones as dead letters.

        Raises `NewerVersion`, `TooManyInvalid`, and `TransientError` when the worker ends meanwhile.
        """
        items: list[Item] = []
        unreadable: list[tuple[Record, str]] = []
        for record in records:
            try:
                event = self.insist("decode", partial(self._codec.decode, record))
            except InvalidEvent as error:
                unreadable.append((record, str(error)))
                continue
            if isinstance(event, Event):
                items.append(Item(record, event))
            else:
                self._done(record, event.envelope.type, "erased")
        self._flood.count(len(records) - len(unreadable), len(unreadable))
        if unreadable:
            self._bury(unreadable)
        return items

    def finish(self, ended: Sequence[Ended]) -> None:
        """Publish everything, wait for the acknowledgements, and count the records as done.

        Raises `RecordTooLarge` for what no bus would take, and `TransientError` when the worker ends meanwhile.
        """
        encoded = [self._encode(event) for each in ended for event in each.results]
        self._publish([outgoing for outgoing in encoded if outgoing is not None])
        for each in ended:
            self._done(each.item.record, each.item.event.envelope.type, each.outcome)

    def insist(self, what: str, attempt: Callable[[], T]) -> T:
        """Keep trying what waits only for the world. Raises `TransientError` when the worker ends meanwhile."""
        backoff = Backoff()
        while True:
            try:
                return attempt()
            except TransientError as error:
                self.wait(what, error, backoff)

    def wait(self, what: str, error: TransientError, backoff: Backoff) -> None:
        """Before the next try; there is none, and the error is raised, when the worker ends meanwhile."""
        self._metrics.retries.labels(self._name, what).inc()
        log.warning("%s: tries again (%s): %s", self._name, what, error)
        self._stopping.wait(backoff.next())
        if self.ends():
            raise error

    def ends(self) -> bool:
        return self._stopping.is_set() or self.closing.is_set()

    def _bury(self, unreadable: Sequence[tuple[Record, str]]) -> None:
        now = self._clock.now()
        self._publish([bury(record, reason, self._name, now) for record, reason in unreadable])
        for record, _ in unreadable:
            self._metrics.dead_letters.labels(self._name, record.topic).inc()
            self._done(record, "unreadable", "dead_letter")

    def _encode(self, event: AnyEvent) -> Outgoing | None:
        """None for an event of a customer who was erased in the meantime: there is nobody left to tell."""
        try:
            return self.insist("encode", partial(self._codec.encode, event))
        except KeyErased:
            return None

    def _publish(self, outgoing: Sequence[Outgoing]) -> None:
        self.insist("publish", partial(publish, self._producer, outgoing))

    def _done(self, record: Record, kind: str, outcome: str) -> None:
        self._intake.finish(record)
        self._metrics.handled.labels(self._name, kind, outcome).inc()
