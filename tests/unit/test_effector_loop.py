"""The effector's loop on an in-memory bus: batches, retries within the deadline, failures as events, redelivery, drain."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.domain.events import follow
from parley.errors import GeneratorUnavailable, NewerVersion, RequestRefused, TooManyInvalid
from parley.ports.bus import TopicPartition
from parley.runtime.effector import EffectorWorker, FailureReason, Results
from parley.runtime.progress import Progress
from schemas.base import AnyEvent, Event, MessageId
from schemas.conversation_events import MessageUnderstood, UnderstandingFailed
from schemas.topics import WORK_UNDERSTAND
from schemas.work import UnderstandingRequested
from tests.support.platform import ManualClock, events_on, make_platform, records_on, send
from tests.support.stories import NINE, event
from workers.wiring import Platform

WITHIN_S = 10.0


class Scripted:
    """Understands what `answer` says of each text; counts its calls."""

    name = "intent"
    topic = WORK_UNDERSTAND.name

    def __init__(
        self, answer: Callable[[str], None] = lambda text: None, batch: int = 8, calls: int = 1
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


@contextmanager
def running(on: Platform, effector: Scripted) -> Iterator[EffectorWorker]:
    worker = EffectorWorker(effector, on.bus, on.codec, on.clock, on.metrics)
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    yield worker
    stop.set()
    thread.join(WITHIN_S)
    assert not thread.is_alive()


def until(check: Callable[[], Any]) -> Any:
    end = monotonic() + WITHIN_S
    while monotonic() < end:
        found = check()
        if found:
            return found
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
    admin = on.bus.admin()
    try:
        return sum(admin.lag("intent").values())
    finally:
        admin.close()


@pytest.fixture
def on() -> Platform:
    return make_platform(MemoryBus(), clock=ManualClock())


def test_every_request_has_its_result_and_its_offset_is_committed(on: Platform) -> None:
    send(on, *(request(number) for number in range(30)))
    effector = Scripted()
    with running(on, effector):
        until(lambda: len(results(on)) == 30 and lag(on) == 0)
    assert max(len(batch) for batch in effector.batches) <= 8
    assert len(effector.batches) < 30


def test_a_passing_error_is_retried(on: Platform) -> None:
    failures = iter([GeneratorUnavailable("busy"), GeneratorUnavailable("busy")])

    def answer(text: str) -> None:
        error = next(failures, None)
        if error is not None:
            raise error

    send(on, request(1))
    with running(on, Scripted(answer)):
        assert until(lambda: results(on)) == {"m-1": "understood"}


def test_retries_end_with_the_records_own_deadline(on: Platform) -> None:
    clock = on.clock
    assert isinstance(clock, ManualClock)

    def answer(text: str) -> None:
        clock.move(61)
        raise GeneratorUnavailable("away")

    send(on, request(1))
    with running(on, Scripted(answer)):
        assert until(lambda: results(on)) == {"m-1": "deadline"}


def test_what_comes_too_late_is_not_even_tried(on: Platform) -> None:
    send(on, request(1, deadline_s=-1), request(2))
    effector = Scripted()
    with running(on, effector):
        assert until(lambda: len(results(on)) == 2 and results(on)) == {
            "m-1": "deadline",
            "m-2": "understood",
        }
    assert sum(len(batch) for batch in effector.batches) == 1


def test_one_bad_record_of_a_batch_fails_alone(on: Platform, caplog: pytest.LogCaptureFixture) -> None:
    def answer(text: str) -> None:
        if text == "secret poison":
            raise RuntimeError(f"a bug that quotes {text}")
        if text == "refused":
            raise RequestRefused("no")

    send(on, request(1), request(2, "secret poison"), request(3, "refused"), request(4))
    with running(on, Scripted(answer)):
        found = until(lambda: len(results(on)) == 4 and results(on))
    assert found == {"m-1": "understood", "m-2": "error", "m-3": "refused", "m-4": "understood"}
    assert "poison" not in caplog.text


def test_what_cannot_be_read_becomes_a_dead_letter(on: Platform) -> None:
    on.bus.producer().send(WORK_UNDERSTAND.name, key=b"k", value=b"garbage").result(5)
    send(on, request(1))
    with running(on, Scripted()):
        until(lambda: results(on) and lag(on) == 0)
    [letter] = records_on(on, f"{WORK_UNDERSTAND.name}.dlq")
    assert letter.value == b"garbage" and dict(letter.headers)["dlq_worker"] == b"intent"


def test_a_newer_version_and_a_flood_stop_the_worker(on: Platform) -> None:
    outgoing = on.codec.encode(request(1))
    headers = tuple((name, b"2" if name == "version" else value) for name, value in outgoing.headers)
    on.bus.producer().send(outgoing.topic, key=b"k", value=outgoing.value, headers=headers).result(5)
    with pytest.raises(NewerVersion):
        EffectorWorker(Scripted(), on.bus, on.codec, on.clock, on.metrics).run(Flag())
    other = make_platform(MemoryBus())
    producer = other.bus.producer()
    for _ in range(120):
        producer.send(WORK_UNDERSTAND.name, key=b"k", value=b"x").result(5)
    with pytest.raises(TooManyInvalid):
        EffectorWorker(Scripted(batch=120), other.bus, other.codec, other.clock, other.metrics).run(Flag())


def test_an_erased_customers_request_is_passed_over(on: Platform) -> None:
    gone = request(1)
    send(on, gone, request(2))
    on.keys.erase(gone.envelope.tenant, gone.envelope.customer_id)
    with running(on, Scripted()):
        until(lambda: results(on) and lag(on) == 0)
    assert results(on) == {"m-2": "understood"}


def test_stopping_finishes_what_was_begun_and_commits_it(on: Platform) -> None:
    begun, go_on = Flag(), Flag()

    def answer(text: str) -> None:
        begun.set()
        go_on.wait(WITHIN_S)

    send(on, request(1))
    worker = EffectorWorker(Scripted(answer), on.bus, on.codec, on.clock, on.metrics)
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    assert begun.wait(WITHIN_S)
    stop.set()
    go_on.set()
    thread.join(WITHIN_S)
    assert results(on) == {"m-1": "understood"} and lag(on) == 0


def test_calls_run_side_by_side(on: Platform) -> None:
    together = Flag()
    inside: list[str] = []

    def answer(text: str) -> None:
        inside.append(text)
        if len(inside) >= 2:
            together.set()
        together.wait(WITHIN_S)

    send(on, request(1), request(2))
    with running(on, Scripted(answer, batch=1, calls=2)):
        until(lambda: len(results(on)) == 2)
    assert together.is_set()


P = TopicPartition("t", 0)


def test_only_the_prefix_without_a_gap_may_be_committed() -> None:
    progress = Progress()
    progress.own(P)
    for offset in (5, 6, 9):
        progress.begin(P, offset)
    progress.finish(P, 6)
    assert progress.take_commits() == {} and progress.open_count() == 2
    progress.finish(P, 5)
    assert progress.take_commits() == {P: 7}
    progress.give_back({P: 7})
    progress.finish(P, 9)
    assert progress.take_commits() == {P: 10}


def test_a_partition_that_was_given_up_counts_no_more() -> None:
    progress = Progress()
    progress.own(P)
    progress.begin(P, 1)
    progress.forget(P)
    progress.finish(P, 1)
    progress.give_back({P: 2})
    assert progress.take_commits() == {} and progress.open_count() == 0
