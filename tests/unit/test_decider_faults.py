"""The decider's loop where records are odd or the world fails: nothing is lost, nothing settled twice, nobody dies of it."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from parley.backends.sqlite_bus import SqliteBus
from parley.cli.admin import specs
from parley.codec import Codec
from parley.domain.conversation import Conversation
from parley.domain.deciding import Decision
from parley.errors import (
    BusUnavailable,
    ConfigurationError,
    RecordTooLarge,
    StoreUnavailable,
    TooManyInvalid,
)
from parley.ports.bus import MAX_RECORD_BYTES, Headers
from parley.ports.store import Commit
from parley.runtime import decider, judging
from parley.runtime.decider import DeciderWorker
from schemas.base import AnyEvent, CustomerId, Event
from schemas.conversation_events import MessageFailed
from schemas.outbound import MessageSettled
from schemas.tenant import TenantConfig
from tests.support.platform import ManualClock, events_on, make_platform, records_on, send
from tests.unit.test_decider_loop import LOG, echoes, lag, message, platform, start, work_off, worker
from workers.dialogue import DialogueDecider
from workers.wiring import Platform

Worker = DeciderWorker[Conversation]


def taken(one: Worker) -> Worker:
    one.open()
    while not one.owned:
        one.step(0.0)
    return one


def survive(one: Worker, steps: int = 12) -> None:
    """Step as `run` does, starting over after every error of the world."""
    for _ in range(steps):
        try:
            one.step(0.0)
        except (StoreUnavailable, BusUnavailable):
            one._start_over()


def settlements(on: Platform) -> list[tuple[str, str]]:
    return [
        (each.message_id, each.outcome)
        for e in events_on(on, "chat.outbound")
        if isinstance(e.body, MessageSettled)
        for each in e.body.settlements
    ]


def letters(on: Platform) -> list[str]:
    return [dict(record.headers)["dlq_reason"].decode() for record in records_on(on, f"{LOG}.dlq")]


def put(on: Platform, value: bytes, *, key: bytes = b"c-1", headers: Headers = ()) -> None:
    producer = on.bus.producer()
    producer.send(LOG, key=key, value=value, headers=headers).result(5)
    producer.close()


class Away:
    """Something that is not there for a while."""

    def __init__(self, what: Any) -> None:
        self.what = what
        self.away = False

    def __getattr__(self, name: str) -> Any:
        if self.away:
            raise StoreUnavailable("away")
        return getattr(self.what, name)


class Refusing:
    """A store that refuses commits; everything else is the real one's."""

    def __init__(self, on: Platform, refuse: Callable[[Commit], Exception | None]) -> None:
        self._on = on
        self._refuse = refuse
        self.commits = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._on.store, name)

    def commit(self, commit: Commit) -> None:
        error = self._refuse(commit)
        if error is not None:
            raise error
        self.commits += 1
        self._on.store.commit(commit)


def on_store(on: Platform, store: Any) -> Worker:
    return DeciderWorker(DialogueDecider(), on.bus, store, on.codec, on.configs, on.clock, on.metrics)


def test_what_the_bus_refused_stays_in_the_outbox_when_the_worker_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on = platform()
    one = taken(worker(on))
    send(on, start(), message(1))
    producer = one._live_producer()
    real = producer.send

    def refuse(topic: str, **record: Any) -> Any:
        if topic == "work.understand":
            raise RecordTooLarge("refused at once")
        return real(topic, **record)

    monkeypatch.setattr(producer, "send", refuse)
    for _ in range(3):
        one.step(0.0) if not one._leaving._sent else None
    partitions = sorted(one.owned)
    one.close()
    [entry] = on.store.outbox("dialogue", partitions)
    assert [record.topic for record in entry.records] == ["chat.outbound", "work.understand"]
    two = taken(worker(on))
    work_off(two, on=on)
    assert set(echoes(on)) == {"m-1"}
    assert len(events_on(on, "work.understand")) == 1


def test_an_unreadable_record_of_the_largest_size_is_buried_too() -> None:
    on = platform()
    send(on, start(), message(1))
    put(on, b"x" * (MAX_RECORD_BYTES - 3))
    one = taken(worker(on))
    work_off(one, on=on)
    one.close()
    assert echoes(on) == ["m-1"]
    assert len(letters(on)) == 1


class Verbose(DialogueDecider):
    """Writes more than a record can hold, as a rule without a bound would."""

    def handle(
        self, state: Conversation | None, event: AnyEvent, tenant: TenantConfig
    ) -> Decision[Conversation]:
        decision = super().handle(state, event, tenant)
        if "endless" not in getattr(event.body, "text", ""):
            return decision
        echo = next(e for e in decision.events if e.envelope.type == "CustomerMessage")
        longer = echo.body.model_copy(update={"text": "x" * 2_000_000})
        return replace(decision, events=[Event(echo.envelope, longer)])


def test_a_decision_that_no_bus_would_take_is_never_committed() -> None:
    on = platform()
    send(on, message(1), message(2, text="endless"), message(3))
    one = taken(worker(on, Verbose()))
    work_off(one, on=on)
    assert echoes(on) == ["m-1", "m-3"]
    assert ("m-2", "failed") in settlements(on)


def test_an_outage_of_the_key_store_is_no_fault_of_a_record() -> None:
    on = platform()
    keys = Away(on.keys)
    one = DeciderWorker(
        DialogueDecider(), on.bus, on.store, Codec(keys), on.configs, on.clock, on.metrics
    )  # the key store is a database of its own
    taken(one)
    one._holdings._careful = dict.fromkeys(one.owned, 100)
    send(on, start(), message(1))
    keys.away = True
    survive(one)
    keys.away = False
    work_off(one, on=on)
    assert (echoes(on), letters(on), settlements(on)) == (["m-1"], [], [])


def test_commits_that_fail_while_the_database_fails_over_are_no_fault_of_a_record() -> None:
    on = platform()
    left = [StoreUnavailable("failing over")] * 5
    store = Refusing(on, lambda commit: left.pop() if left and commit.seen else None)
    one = taken(on_store(on, store))
    one._holdings._careful = dict.fromkeys(one.owned, 100)
    send(on, message(1))
    survive(one)
    work_off(one, on=on)
    assert (echoes(on), letters(on), settlements(on)) == (["m-1"], [], [])


def test_an_attempt_that_killed_the_process_counts_and_one_that_was_interrupted_does_not() -> None:
    on = platform()
    send(on, message(1))
    [record] = records_on(on, LOG)
    one = worker(on)
    assert [one._holdings.attempt(record) for _ in range(2)] == [1, 2]
    one._holdings.interrupted(record, 2)
    assert [one._holdings.attempt(record), one._holdings.attempt(record)] == [2, 3]


def test_a_record_of_another_customer_is_a_dead_letter_and_changes_nothing() -> None:
    on = platform()
    send(on, message(1))
    one = taken(worker(on))
    work_off(one, on=on)
    one.close()
    other = message(2)
    strange = other.envelope.model_copy(update={"customer_id": CustomerId("somebody-else")})
    send(on, Event(strange, other.body), message(3), Event(strange, message(4).body))
    two = taken(worker(on))
    work_off(two, on=on)
    assert echoes(on) == ["m-1", "m-3"]
    assert letters(on) == [
        "customer_id: is not that of the customer whose conversation this is"
    ]  # one id, twice


def test_a_strangers_record_alone_in_its_batch_is_a_dead_letter_too() -> None:
    on = platform()
    send(on, message(1))
    one = taken(worker(on))
    work_off(one, on=on)
    one.close()
    other = message(2)
    strange = other.envelope.model_copy(update={"customer_id": CustomerId("somebody-else")})
    send(on, Event(strange, other.body))
    two = taken(worker(on))
    work_off(two, on=on)
    send(on, message(3))
    work_off(two, on=on)
    assert echoes(on) == ["m-1", "m-3"]
    assert len(letters(on)) == 1


def test_a_commit_that_the_database_refuses_is_tried_record_by_record() -> None:
    on = platform()
    bad = message(2).envelope.event_id
    refused = ValueError("value too long for type character varying(64)")
    store = Refusing(on, lambda commit: refused if bad in commit.seen and commit.states else None)
    send(on, message(1), message(2), message(3))
    one = taken(on_store(on, store))
    work_off(one, on=on)
    assert echoes(on) == ["m-1", "m-3"]
    assert letters(on) == ["brought the dialogue worker down 3 times"]
    assert ("m-2", "failed") in settlements(on)


def test_a_worker_that_can_not_even_give_a_record_up_ends_and_leaves_its_partitions_unclean() -> None:
    on = platform()
    store = Refusing(on, lambda commit: ValueError("a bug in the store") if commit.advances else None)
    send(on, message(1))
    one = on_store(on, store)
    with pytest.raises(ValueError, match="a bug in the store"):
        one.run(Flag())
    partition = records_on(on, LOG)[0].topic_partition
    [lease] = on.store.raise_fence("dialogue", [partition]).values()
    assert not lease.clean
    assert echoes(on) == [] and lag(on) == 1


def test_a_header_without_a_value_or_not_in_utf8_is_a_dead_letter() -> None:
    on = platform()
    good = on.codec.encode(message(1))
    put(on, good.value, headers=(*good.headers, ("baggage", b"")))
    put(on, good.value, headers=(*good.headers[1:], ("event_id", b"\xff")))
    one = taken(worker(on))
    work_off(one, on=on)
    assert [reason.split(":")[0] for reason in letters(on)] == ["headers", "headers"]


def test_a_record_under_another_key_is_a_dead_letter() -> None:
    on = platform()
    outgoing = on.codec.encode(message(1))
    put(on, outgoing.value, key=b"another conversation", headers=outgoing.headers)
    one = taken(worker(on))
    work_off(one, on=on)
    assert [reason.split(":")[0] for reason in letters(on)] == ["key"]
    assert echoes(on) == []


def test_an_erased_customers_open_message_no_longer_counts() -> None:
    clock = ManualClock()
    on = platform(clock)
    send(on, start(), message(1))
    one = taken(worker(on))
    work_off(one, on=on)
    assert on.store.open_messages() == {"bank": 1}
    on.keys.erase(message(1).envelope.tenant, message(1).envelope.customer_id)
    clock.move(3600)
    for _ in range(5):
        one.step(0.0)
    work_off(one, on=on)
    assert on.store.open_messages() == {}
    assert on.store.states("dialogue", ["c-1"]) == {}
    assert on.store.timers("dialogue", sorted(one.owned), 10) == []
    assert letters(on) == []


def test_what_is_erased_between_decision_and_commit_is_not_kept() -> None:
    on = platform()
    one = taken(worker(on))
    judge: judging.Judge[Conversation] = one._judge
    dump = judge._dump

    def erase_first(key: str, state: Conversation, envelope: Any) -> bytes:
        on.keys.erase(envelope.tenant, envelope.customer_id)
        return dump(key, state, envelope)

    judge._dump = erase_first  # type: ignore[method-assign]  # the erasure comes in at the worst moment
    send(on, start(), message(1))
    work_off(one, on=on)
    assert on.store.states("dialogue", ["c-1"]) == {}
    assert on.store.conversation(message(1).envelope.conversation_id) is None


class Broken(DialogueDecider):
    def handle(
        self, state: Conversation | None, event: AnyEvent, tenant: TenantConfig
    ) -> Decision[Conversation]:
        raise RuntimeError("a wrong deployment")


def test_a_bug_that_fails_at_every_record_stops_the_worker_instead_of_emptying_the_topic() -> None:
    on = platform()
    send(on, *(message(n, f"c-{n % 7}") for n in range(300)))
    one = taken(worker(on, Broken()))
    with pytest.raises(TooManyInvalid):
        for _ in range(20):
            one.step(0.0)
    assert len(letters(on)) <= 50


def test_a_batch_that_is_judged_twice_is_counted_once() -> None:
    on = platform()
    send(on, *(message(n) for n in range(30)))
    one = taken(worker(on))
    work_off(one, on=on)
    for _ in range(30):
        put(on, b"garbage")
    send(on, message(1))
    work_off(one, on=on)
    assert len(letters(on)) == 30


def test_a_repeat_that_is_given_up_settles_nothing_again() -> None:
    on = platform()
    send(on, message(1))
    one = taken(worker(on))
    work_off(one, on=on)
    send(on, message(1))
    again = records_on(on, LOG)[-1]
    for _ in range(3):  # killed three times at this record, for whatever reason
        on.store.count_attempt("dialogue", again.topic_partition, again.offset)
    one._holdings._careful[again.topic_partition] = 5
    work_off(one, on=on)
    assert [e for e in events_on(on, LOG) if isinstance(e.body, MessageFailed)] == []
    assert letters(on) == [] and on.store.skips("dialogue", LOG) == []


def test_after_an_error_of_its_own_a_worker_goes_on_in_batches() -> None:
    on = platform()
    store = Refusing(on, lambda commit: None)
    one = taken(on_store(on, store))
    one._start_over()
    while not one.owned:
        one.step(0.0)
    send(on, *(message(n, f"c-{n}") for n in range(200)))
    work_off(one, on=on)
    assert store.commits < 20


def test_after_a_predecessor_that_broke_the_next_one_is_careful_with_its_partitions_only() -> None:
    on = platform()
    one = taken(worker(on))
    one._broken = True
    one.close()
    store = Refusing(on, lambda commit: None)
    two = taken(on_store(on, store))
    send(on, *(message(n) for n in range(20)))
    work_off(two, on=on)
    assert store.commits == 20
    assert len(set(echoes(on))) == 20


def test_a_log_that_was_made_anew_under_a_kept_database_stops_the_worker(tmp_path: Path) -> None:
    first = SqliteBus(tmp_path / "a.db")
    on = make_platform(first, clock=ManualClock())
    send(on, *(message(n) for n in range(30)))
    one = taken(worker(on))
    work_off(one, on=on)
    one.close()
    first.close()
    second = SqliteBus(tmp_path / "b.db")
    admin = second.admin()
    admin.apply(specs(on.settings))
    admin.close()
    now = replace(on, bus=second)
    with pytest.raises(ConfigurationError, match="the log was lost or made anew"):
        worker(now).run(Flag())
    second.close()


class Silent:
    """A producer that never hears from its broker."""

    def send(self, *_: object, **__: object) -> "Future[object]":
        return Future()

    def close(self) -> None:
        """Nothing is open."""


def test_a_worker_that_leaves_does_not_wait_for_a_broker_that_is_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decider, "CLOSE_S", 0.05)
    on = platform()
    one = taken(worker(on))
    send(on, message(1))
    one._producer = Silent()  # type: ignore[assignment]  # a broker that is away
    while not one._leaving._sent:
        one.step(0.0)
    partitions = sorted(one.owned)
    one.close()
    assert len(on.store.outbox("dialogue", partitions)) == 1
