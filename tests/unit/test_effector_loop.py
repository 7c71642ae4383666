"""The effector's loop on an in-memory bus: batches, retries within the deadline, failures as events, redelivery, drain."""

from threading import Event as Flag
from threading import Thread

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.errors import GeneratorUnavailable, NewerVersion, RequestRefused, TooManyInvalid
from parley.ports.bus import TopicPartition
from parley.runtime.progress import Progress
from schemas.topics import WORK_UNDERSTAND
from tests.support.effectors import WITHIN_S, Scripted, lag, make_worker, request, results, running, until
from tests.support.platform import ManualClock, make_platform, records_on, send
from workers.wiring import Platform


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
        make_worker(on).run(Flag())
    other = make_platform(MemoryBus())
    producer = other.bus.producer()
    for _ in range(120):
        producer.send(WORK_UNDERSTAND.name, key=b"k", value=b"x").result(5)
    with pytest.raises(TooManyInvalid):
        make_worker(other, Scripted(batch=120)).run(Flag())


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
    worker = make_worker(on, Scripted(answer))
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


def test_no_commit_passes_by_what_was_left() -> None:
    progress = Progress()
    progress.own(P)
    for offset in (5, 6, 7):
        progress.begin(P, offset)
    progress.leave(P, 6)
    assert progress.open_count() == 2
    for offset in (5, 6, 7):
        progress.finish(P, offset)
    assert progress.take_commits() == {P: 6} and progress.open_count() == 0
    assert progress.next_offsets() == {P: 6}
    progress.forget(P)
    assert progress.open_count() == 0 and progress.next_offsets() == {}


def test_a_partition_that_was_given_up_counts_no_more() -> None:
    progress = Progress()
    progress.own(P)
    progress.begin(P, 1)
    progress.forget(P)
    progress.finish(P, 1)
    progress.give_back({P: 2})
    assert progress.take_commits() == {} and progress.open_count() == 0
