"""A scripted effector, its worker in a thread, and what became of the requests that were sent to it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any

from parley.domain.events import follow
from parley.runtime.effector import EffectorWorker, FailureReason
from parley.runtime.handling import Results
from schemas.base import AnyEvent, Event, MessageId
from schemas.conversation_events import MessageUnderstood, UnderstandingFailed
from schemas.topics import WORK_UNDERSTAND
from schemas.work import UnderstandingRequested
from tests.support.platform import events_on
from tests.support.stories import NINE, event
from workers.wiring import Platform

WITHIN_S = 30.0


class Scripted:
    """Understands what `answer` says of each text; counts its calls."""

    name = "intent"
    topic = WORK_UNDERSTAND.name

    def __init__(
        self, answer: Callable[[str], object] = lambda text: None, batch: int = 8, calls: int = 1
    ) -> None:
        self.batch = batch
        self.calls = calls
        self.batches: list[list[str]] = []
        self._answer = answer

    def prepare(self) -> None:
        """Nothing to load."""

    def deadline(self, event: Event[UnderstandingRequested]) -> datetime:
        return event.body.deadline

    def handle(self, events: Sequence[Event[UnderstandingRequested]]) -> list[Results]:
        self.batches.append([each.body.text for each in events])
        for each in events:
            self._answer(each.body.text)
        return [
            [
                follow(
                    e.envelope,
                    MessageUnderstood(message_id=e.body.message_id, language="en", intents=(), model="t"),
                    0,
                )
            ]
            for e in events
        ]

    def failed(self, event: Event[UnderstandingRequested], reason: FailureReason) -> Results:
        return [
            follow(
                event.envelope, UnderstandingFailed(message_id=event.body.message_id, reason=reason), "failed"
            )
        ]


def request(number: int, text: str = "hello", deadline_s: float = 60) -> AnyEvent:
    body = UnderstandingRequested(
        message_id=MessageId(f"m-{number}"), text=text, epoch=0, deadline=NINE + timedelta(seconds=deadline_s)
    )
    return event(body, number, conversation=f"c-{number}")


def make_worker(on: Platform, effector: Scripted | None = None) -> EffectorWorker:
    return EffectorWorker(effector or Scripted(), on.bus, on.codec, on.clock, on.metrics)


@contextmanager
def running(
    on: Platform, effector: Scripted | None = None, *, worker: EffectorWorker | None = None
) -> Iterator[EffectorWorker]:
    """Stopped at the end, and then it has drained."""
    worker = worker or make_worker(on, effector)
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield worker
    finally:
        stop.set()
        thread.join(WITHIN_S)
    assert not thread.is_alive()


def until(check: Callable[[], Any]) -> Any:
    end = monotonic() + WITHIN_S
    while monotonic() < end:
        found = check()
        if found:
            return found
        Flag().wait(0.005)  # the workers' threads are to get on meanwhile
    raise AssertionError("it did not happen in time")


def results(on: Platform) -> dict[str, str]:
    """What became of each message: `understood`, or the reason of its failure."""
    found: dict[str, str] = {}
    for each in events_on(on, "conversation.events"):
        if isinstance(each.body, MessageUnderstood):
            found[each.body.message_id] = "understood"
        elif isinstance(each.body, UnderstandingFailed):
            found[each.body.message_id] = each.body.reason
    return found


def lag(on: Platform) -> int:
    """Requests that the group has not committed; also of partitions where it has committed nothing yet."""
    with closing(on.bus.reader([Scripted.topic])) as reader, closing(on.bus.consumer("intent", [])) as group:
        ends = reader.end_offsets(reader.assignment())
        return sum(end - (group.committed(partition) or 0) for partition, end in ends.items())
