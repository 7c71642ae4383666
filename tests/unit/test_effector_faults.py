"""The effector's loop where the world fails: nothing is lost, no call is repeated for it, and no record ends the worker."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from threading import Event as Flag
from threading import Thread, current_thread

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.codec import Codec
from parley.errors import (
    ConfigurationError,
    NewerVersion,
    RecordTooLarge,
    StoreUnavailable,
)
from parley.ports.bus import MAX_RECORD_BYTES, Headers, Position, Producer, TopicPartition
from parley.runtime.effector import EffectorWorker
from parley.runtime.lagging import lag as lag_of
from schemas.base import CustomerId, TenantId
from schemas.topics import WORK_UNDERSTAND
from tests.support.effectors import WITHIN_S, Scripted, lag, make_worker, request, results, running, until
from tests.support.platform import DictKeys, ManualClock, make_platform, records_on, send
from workers.wiring import Platform

TOPIC = WORK_UNDERSTAND.name
DLQ = f"{TOPIC}.dlq"


class Seconds:
    """The clock of the sessions, moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Keys(DictKeys):
    """A key store that is away as long as `away` says so, and as slow as `hold` makes it."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self.hold: Callable[[], object] = lambda: None

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        self.hold()
        if self.away:
            raise StoreUnavailable("keys: away")
        return super().get(tenant, customer)


@pytest.fixture
def keys() -> Keys:
    return Keys()


@pytest.fixture
def on(keys: Keys) -> Platform:
    return on_bus(MemoryBus(), keys)


def on_bus(bus: MemoryBus, keys: Keys) -> Platform:
    made = make_platform(bus, clock=ManualClock())
    return replace(made, keys=keys, codec=Codec(keys))


def memory(on: Platform) -> MemoryBus:
    assert isinstance(on.bus, MemoryBus)
    return on.bus


def tries(on: Platform, what: str) -> float:
    labels = {"worker": "intent", "what": what}
    return on.registry.get_sample_value("parley_retries_total", labels) or 0.0


# -- the key store ----------------------------------------------------------------------------------------------------


def test_requests_wait_while_the_key_store_is_away(on: Platform, keys: Keys) -> None:
    send(on, *(request(number) for number in range(20)))
    keys.away = True
    effector = Scripted()
    with running(on, effector):
        until(lambda: tries(on, "decode") >= 2)
        assert effector.batches == [] and lag(on) == 20
        keys.away = False
        until(lambda: len(results(on)) == 20 and lag(on) == 0)
    assert records_on(on, DLQ) == []


def test_a_slow_key_store_does_not_cost_the_group_membership(keys: Keys) -> None:
    session, go_on = Seconds(), Flag()
    on = on_bus(MemoryBus(session), keys)
    send(on, request(1))
    keys.hold = lambda: go_on.wait(WITHIN_S)
    effector = Scripted()
    with running(on, effector) as worker:
        until(lambda: worker.intake.under_way())
        for _ in range(3):
            session.now += 6
            until(lambda: worker.intake._consumer._member.seen_s == session.now)  # type: ignore[union-attr]  # it has polled
        go_on.set()
        until(lambda: results(on) and lag(on) == 0)
    assert len(effector.batches) == 1


def test_a_result_waits_for_the_key_store_and_the_call_is_not_repeated(on: Platform, keys: Keys) -> None:
    send(on, request(1))

    def answer(text: str) -> None:
        keys.away = True

    effector = Scripted(answer)
    with running(on, effector):
        until(lambda: tries(on, "encode") >= 1)
        keys.away = False
        until(lambda: lag(on) == 0)
    assert results(on) == {"m-1": "understood"} and len(effector.batches) == 1


def test_stopping_while_the_key_store_is_away_leaves_all_to_the_next_owner(on: Platform, keys: Keys) -> None:
    send(on, request(1))
    keys.away = True
    with running(on):
        until(lambda: tries(on, "decode") >= 1)
    assert lag(on) == 1
    keys.away = False
    with running(on):
        until(lambda: lag(on) == 0)
    assert results(on) == {"m-1": "understood"}


def test_who_is_erased_during_the_call_hears_nothing_more(on: Platform, keys: Keys) -> None:
    gone = request(1)
    send(on, gone, request(2))
    with running(on, Scripted(lambda text: keys.erase(gone.envelope.tenant, gone.envelope.customer_id))):
        until(lambda: lag(on) == 0)
    assert results(on) == {"m-2": "understood"} and records_on(on, DLQ) == []


# -- the bus ----------------------------------------------------------------------------------------------------------


class Small:
    """A producer whose bus takes no results of some conversations: as they are sent, or later, in the future."""

    def __init__(self, real: Producer, *too_large: bytes, later: bool) -> None:
        self._real = real
        self._too_large = too_large
        self._later = later

    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Future[Position]:
        if key in self._too_large and ("type", b"MessageUnderstood") in headers:
            error = RecordTooLarge("too large")
            if not self._later:
                raise error
            future: Future[Position] = Future()
            future.set_exception(error)
            return future
        return self._real.send(
            topic, key=key, value=value, headers=headers, partition=partition, timestamp_ms=timestamp_ms
        )

    def flush(self, timeout_s: float = 30.0) -> None:
        self._real.flush(timeout_s)

    def close(self) -> None:
        self._real.close()


@pytest.mark.parametrize("later", [False, True])
def test_a_result_that_is_too_large_fails_its_record_alone(on: Platform, later: bool) -> None:
    send(on, *(request(number) for number in range(4)))
    producer = Small(on.bus.producer(), b"c-2", later=later)
    worker = EffectorWorker(Scripted(), on.bus, on.codec, on.clock, on.metrics, producer=producer)
    with running(on, worker=worker):
        until(lambda: len(results(on)) == 4 and lag(on) == 0)
    assert results(on) == {"m-0": "understood", "m-1": "understood", "m-2": "error", "m-3": "understood"}


def test_an_unreadable_record_as_large_as_the_bus_allows_is_a_dead_letter(on: Platform) -> None:
    on.bus.producer().send(TOPIC, key=b"k", value=b"x" * (MAX_RECORD_BYTES - 1)).result(5)
    send(on, request(1))
    with running(on):
        until(lambda: results(on) and lag(on) == 0)
    [letter] = records_on(on, DLQ)
    assert dict(letter.headers)["dlq_truncated"] == str(MAX_RECORD_BYTES).encode()


def test_results_wait_for_the_bus_and_the_call_is_not_repeated(on: Platform) -> None:
    effector = Scripted(lambda text: memory(on).stop())
    send(on, request(1))
    producer = on.bus.producer(delivery_timeout_s=0.05)
    worker = EffectorWorker(effector, on.bus, on.codec, on.clock, on.metrics, producer=producer)
    with running(on, worker=worker):
        until(lambda: tries(on, "publish") >= 1)
        memory(on).start()
        until(lambda: lag(on) == 0)
    assert results(on) == {"m-1": "understood"} and len(effector.batches) == 1


def test_stopping_while_the_bus_is_away_leaves_the_record_to_the_next_owner(keys: Keys) -> None:
    session = Seconds()
    on = on_bus(MemoryBus(session), keys)
    send(on, request(1))
    producer = on.bus.producer(delivery_timeout_s=0.05)
    effector = Scripted(lambda text: memory(on).stop())
    worker = EffectorWorker(effector, on.bus, on.codec, on.clock, on.metrics, producer=producer)
    with running(on, worker=worker):
        until(lambda: tries(on, "publish") >= 1)
    memory(on).start()
    assert results(on) == {} and lag(on) == 1
    session.now += 11  # the bus did not hear that the member left
    with running(on):
        until(lambda: results(on) and lag(on) == 0)


def test_offsets_that_could_not_be_committed_are_committed_later(on: Platform) -> None:
    send(on, request(1))
    with running(on) as worker:
        worker.intake._committed_at = float("inf")  # not yet
        until(lambda: results(on))
        memory(on).stop()
        worker.intake._committed_at = 0.0
        until(lambda: tries(on, "commit") >= 1)
        memory(on).start()
        until(lambda: lag(on) == 0)


# -- the deployment ---------------------------------------------------------------------------------------------------


def test_an_error_of_the_deployment_stops_the_worker_and_fails_no_record(on: Platform) -> None:
    def answer(text: str) -> None:
        raise ConfigurationError("no such table; run: parley db upgrade")

    send(on, request(1))
    with pytest.raises(ConfigurationError):
        make_worker(on, Scripted(answer)).run(Flag())
    assert results(on) == {} and lag(on) == 1


def test_what_was_done_before_a_newer_version_is_committed(on: Platform) -> None:
    first, newer = on.codec.encode(request(1)), on.codec.encode(request(2))
    producer = on.bus.producer()
    headers = tuple((name, b"2" if name == "version" else value) for name, value in newer.headers)
    for each, with_headers in ((first, first.headers), (newer, headers)):
        producer.send(TOPIC, key=each.key, value=each.value, headers=with_headers, partition=0).result(5)
    with pytest.raises(NewerVersion):
        make_worker(on, Scripted(batch=1)).run(Flag())
    assert results(on) == {"m-1": "understood"} and lag(on) == 1


# -- partitions that come and go --------------------------------------------------------------------------------------


def test_stopping_commits_what_is_finished_and_leaves_what_was_not_begun(on: Platform) -> None:
    begun, go_on = Flag(), Flag()
    calls: list[str] = []

    def answer(text: str) -> None:
        calls.append(text)
        if len(calls) == 2:
            begun.set()
            go_on.wait(WITHIN_S)

    producer = on.bus.producer()
    for each in (on.codec.encode(request(number)) for number in range(4)):
        producer.send(TOPIC, key=each.key, value=each.value, headers=each.headers, partition=0).result(5)
    worker = make_worker(on, Scripted(answer, batch=1))
    worker.intake._committed_at = float("inf")  # only at the end
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    assert begun.wait(WITHIN_S)
    until(lambda: len(worker._queue) == 2)
    stop.set()
    until(lambda: not worker._queue)
    go_on.set()
    thread.join(WITHIN_S)
    assert results(on) == {"m-0": "understood", "m-1": "understood"} and lag(on) == 2


def test_what_is_done_is_committed_before_a_partition_is_given_up(on: Platform) -> None:
    send(on, *(request(number) for number in range(24)))
    effector = Scripted()
    with running(on, effector) as worker:
        until(lambda: len(results(on)) == 24 and worker.intake.under_way() == 0)
        worker.intake._committed_at = float("inf")  # only by what is told of the assignment
        other = on.bus.consumer("intent", [TOPIC])
        until(lambda: other.poll(0.01) or len(other.assignment()) == 6)
        assert other.poll(0.1) == []
        other.close()
    assert lag(on) == 0


def test_what_waits_of_a_partition_that_is_given_up_is_done_by_its_next_owner(on: Platform) -> None:
    hold = Flag()
    send(on, *(request(number) for number in range(24)))
    slow = Scripted(lambda text: hold.wait(WITHIN_S), batch=1)
    quick = Scripted()
    with running(on, slow) as first:
        until(lambda: len(first._queue) >= 2)
        with running(on, quick) as second:
            until(lambda: second.intake._consumer and len(second.intake._consumer.assignment()) == 6)
            hold.set()
            until(lambda: len(results(on)) == 24 and lag(on) == 0)
    assert quick.batches and slow.batches


class Stalls(ManualClock):
    """Its first look, in the polling thread, takes longer than the session lasts."""

    def __init__(self, session: Seconds) -> None:
        super().__init__()
        self._session = session
        self._left = [11.0]

    def now(self) -> datetime:
        if self._left and current_thread().name == "polling":
            self._session.now += self._left.pop()
        return super().now()


def test_a_worker_that_stalled_begins_its_partitions_anew(keys: Keys) -> None:
    """What it still does of the old assignment is published, has the same ids and commits nothing."""
    session = Seconds()
    on = replace(on_bus(MemoryBus(session), keys), clock=Stalls(session))
    send(on, *(request(number) for number in range(3)))
    effector = Scripted(batch=1)
    worker, stop = make_worker(on, effector), Flag()
    thread = Thread(target=worker.run, args=(stop,), name="polling")
    thread.start()
    until(lambda: len(results(on)) == 3 and lag(on) == 0)
    stop.set()
    thread.join(WITHIN_S)
    assert session.now == 11.0 and worker.intake.under_way() == 0


def test_what_is_assigned_while_the_others_are_paused_is_paused_too(on: Platform) -> None:
    hold = Flag()
    other = on.bus.consumer("intent", [TOPIC])
    other.poll(0)
    with running(on, Scripted(lambda text: hold.wait(WITHIN_S), batch=1)) as worker:
        until(
            lambda: (
                other.poll(0.01),
                worker.intake._consumer and len(worker.intake._consumer.assignment()) == 6,
            )[1]
        )
        consumer = worker.intake._consumer
        assert consumer is not None
        send(on, *(request(number) for number in range(60)))
        until(consumer.paused)
        other.close()
        until(lambda: len(consumer.paused()) == 12)
        assert worker.intake.under_way() <= worker.intake._high + 1
        hold.set()
        until(lambda: lag(on) == 0)


# -- what is measured -------------------------------------------------------------------------------------------------


def test_the_lag_counts_what_is_not_done_of_the_partitions_owned(
    on: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parley.runtime.lagging.LAG_EVERY_S", 0.0)
    hold = Flag()
    send(on, *(request(number) for number in range(9)))

    def shown() -> float | None:
        return on.registry.get_sample_value("parley_lag_records", {"worker": "intent"})

    with running(on, Scripted(lambda text: hold.wait(WITHIN_S))):
        until(lambda: shown() == 9)
        hold.set()
        until(lambda: shown() == 0)


def test_the_lag_begins_at_the_position_where_nothing_else_is_known(on: Platform) -> None:
    reader = on.bus.reader([TOPIC], start="earliest")
    send(on, *(request(number) for number in range(5)))
    assert lag_of(reader, {}) == 5
    reader.poll(0.1)
    assert lag_of(reader, {}) == 0
    whole = dict.fromkeys(reader.assignment(), 0)
    assert lag_of(reader, whole) == 5 and lag_of(reader, {TopicPartition("other", 0): 0}) == 0
    assert lag_of(on.bus.consumer("idle", [TOPIC]), {}) == 0
