"""The decider's loop on an in-memory bus and store: crashes at each step, hand-over, zombies, poison, floods, timers."""

from collections.abc import Callable
from threading import Event as Flag

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.domain.conversation import Conversation
from parley.domain.deciding import Decision
from parley.errors import BusUnavailable, NewerVersion, StoreUnavailable, TooManyInvalid
from parley.ports.store import Commit
from parley.runtime.decider import DeciderWorker
from schemas.base import AnyEvent, Event, MessageId
from schemas.conversation_events import ConversationStarted, MessageFailed, MessageReceived, TimerFired
from schemas.outbound import CustomerMessage, MessageSettled, ReplyReady
from schemas.tenant import TenantConfig
from schemas.work import UnderstandingRequested
from tests.support.platform import ManualClock, events_on, make_platform, records_on, send
from tests.support.stories import event
from workers.dialogue import DialogueDecider
from workers.wiring import Platform

LOG = "conversation.events"


class Crash(BaseException):
    """The process is gone: nothing catches this."""


def platform(clock: ManualClock | None = None) -> Platform:
    return make_platform(MemoryBus(), clock=clock or ManualClock())


def worker(on: Platform, decider: DialogueDecider | None = None) -> DeciderWorker[Conversation]:
    return DeciderWorker(
        decider or DialogueDecider(),
        on.bus,
        on.store,
        on.codec,
        on.configs,
        on.clock,
        on.metrics,
    )


def message(number: int, conversation: str = "c-1", text: str = "Hello") -> AnyEvent:
    body = MessageReceived(message_id=MessageId(f"m-{number}"), text=text, channel="web")
    return event(body, number, conversation=conversation)


def start(conversation: str = "c-1") -> AnyEvent:
    return event(ConversationStarted(channel="web"), conversation=conversation)


def work_off(*workers: DeciderWorker[Conversation], on: Platform) -> None:
    """Step until nothing is left to read."""
    for _ in range(200):
        done = sum(each.step(0.0) for each in workers)
        if done == 0 and all(each.owned for each in workers) and lag(on) == 0:
            return
    raise AssertionError("the log is not worked off")


def lag(on: Platform) -> int:
    ends = {}
    admin = on.bus.admin()
    for partition in range(admin.topics()[LOG]):
        from parley.ports.bus import TopicPartition

        ends[TopicPartition(LOG, partition)] = 0
    for record in records_on(on, LOG):
        ends[record.topic_partition] = record.offset + 1
    held = on.store.offsets("dialogue", list(ends))
    return sum(end - (held[partition] or 0) for partition, end in ends.items())


def echoes(on: Platform) -> list[str]:
    return [e.body.message_id for e in events_on(on, "chat.outbound") if isinstance(e.body, CustomerMessage)]


def unique(events: list[AnyEvent]) -> list[str]:
    return list(dict.fromkeys(each.envelope.event_id for each in events))


def test_decides_publishes_and_keeps_what_it_decided() -> None:
    on = platform()
    send(on, start(), message(1), message(2))
    one = worker(on)
    one.open()
    work_off(one, on=on)
    one.close()
    assert echoes(on) == ["m-1", "m-2"]
    row = on.store.conversation(message(1).envelope.conversation_id)
    assert row is not None and (row.open_messages, row.seq, row.epoch) == (2, 3, 1)
    assert [h.seq for h in on.store.history(row.conversation_id)] == [1, 2, 3]
    assert len(events_on(on, "work.understand")) == 2


def test_a_repeated_event_is_dropped_in_one_batch_and_across_batches() -> None:
    on = platform()
    send(on, start(), message(1), message(1))
    one = worker(on)
    one.open()
    work_off(one, on=on)
    send(on, message(1))
    work_off(one, on=on)
    assert echoes(on) == ["m-1"]


def test_states_survive_a_restart() -> None:
    on = platform()
    send(on, start(), message(1))
    one = worker(on)
    one.open()
    work_off(one, on=on)
    one.close()
    send(on, message(2))
    two = worker(on)
    two.open()
    work_off(two, on=on)
    assert [e.body.seq for e in events_on(on, "chat.outbound") if isinstance(e.body, CustomerMessage)] == [
        1,
        2,
    ]


STEPS: dict[str, Callable[[DeciderWorker[Conversation], Platform], None]] = {}


def step(name: str) -> Callable[[Callable[[DeciderWorker[Conversation], Platform], None]], None]:
    def note(arrange: Callable[[DeciderWorker[Conversation], Platform], None]) -> None:
        STEPS[name] = arrange

    return note


def crash(*_: object, **__: object) -> None:
    raise Crash


@step("before it judges")
def _(one: DeciderWorker[Conversation], on: Platform) -> None:
    one._judge.judge = crash  # type: ignore[method-assign,assignment]  # the process dies here


@step("before the commit")
def _(one: DeciderWorker[Conversation], on: Platform) -> None:
    one._store = Dying(on, before=True)  # type: ignore[assignment]  # the process dies here


@step("after the commit, before publishing")
def _(one: DeciderWorker[Conversation], on: Platform) -> None:
    one._store = Dying(on, before=False)  # type: ignore[assignment]  # the process dies here


@step("after publishing, before anything is noted")
def _(one: DeciderWorker[Conversation], on: Platform) -> None:
    one._observe = crash  # type: ignore[method-assign]  # the process dies here


class Dying:
    """A store whose commit is the last thing that the process does."""

    def __init__(self, on: Platform, *, before: bool) -> None:
        self._on = on
        self._before = before

    def __getattr__(self, name: str) -> object:
        return getattr(self._on.store, name)

    def commit(self, commit: Commit) -> None:
        if not self._before:
            self._on.store.commit(commit)
        raise Crash


@pytest.mark.parametrize("where", list(STEPS))
def test_a_crash_anywhere_loses_nothing_and_decides_nothing_twice(where: str) -> None:
    on = platform()
    send(on, start(), message(1), message(2), message(3, "c-2"))
    one = worker(on)
    one.open()
    while not one.owned:
        one.step(0.0)
    STEPS[where](one, on)
    with pytest.raises(Crash):
        work_off(one, on=on)
    two = worker(on)
    two.open()
    assert one._consumer is not None
    one._consumer.close()  # the group notices that the dead one is gone
    two_offsets_are_sqls(two, on)
    found = events_on(on, "chat.outbound")
    assert sorted(set(echoes(on))) == ["m-1", "m-2", "m-3"]
    per_conversation = [
        e.body.seq for e in found if e.envelope.conversation_id == "c-1" and hasattr(e.body, "seq")
    ]
    assert list(dict.fromkeys(per_conversation)) == [1, 2, 3]
    assert len(unique(found)) == 4


def two_offsets_are_sqls(two: DeciderWorker[Conversation], on: Platform) -> None:
    work_off(two, on=on)


def test_what_a_predecessor_left_in_the_outbox_is_published_before_anything_new() -> None:
    on = platform()
    send(on, start(), message(1))
    one = worker(on)
    one.open()
    while not one.owned:
        one.step(0.0)
    STEPS["after the commit, before publishing"](one, on)
    with pytest.raises(Crash):
        work_off(one, on=on)
    assert echoes(on) == []
    send(on, message(2))
    assert one._consumer is not None
    one._consumer.close()
    two = worker(on)
    two.open()
    work_off(two, on=on)
    assert echoes(on) == ["m-1", "m-2"]


def test_a_zombie_that_wakes_up_writes_and_publishes_nothing() -> None:
    on = platform()
    zombie, heir = worker(on), worker(on)
    zombie.open()
    while not zombie.owned:
        zombie.step(0.0)
    send(on, start(), message(1))
    partitions = sorted(zombie.owned)
    on.store.raise_fence("dialogue", partitions)  # the heir has taken over while the zombie slept
    before = len(events_on(on, "chat.outbound"))
    records = records_on(on, LOG)
    zombie._process(records)
    assert len(events_on(on, "chat.outbound")) == before
    assert on.store.conversation(message(1).envelope.conversation_id) is None
    zombie.close()
    heir.open()
    work_off(heir, on=on)
    assert echoes(on) == ["m-1"]


class Poisoned(DialogueDecider):
    """Falls over one text, as a bug would."""

    def __init__(self) -> None:
        self.falls = 0

    def handle(
        self, state: Conversation | None, event: AnyEvent, tenant: TenantConfig
    ) -> Decision[Conversation]:
        if isinstance(event.body, MessageReceived) and event.body.text == "poison":
            self.falls += 1
            raise RuntimeError("a bug that quotes the text: poison")
        return super().handle(state, event, tenant)


def test_a_poisonous_record_is_given_up_after_three_attempts_and_its_message_settled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    on = platform()
    send(on, start(), message(1), message(2, text="poison"), message(3))
    decider = Poisoned()
    one = worker(on, decider)
    one.open()
    work_off(one, on=on)
    assert echoes(on) == ["m-1", "m-3"]
    assert decider.falls == 4  # once with its batch, three times alone
    [letter] = records_on(on, f"{LOG}.dlq")
    assert dict(letter.headers)["dlq_reason"] == b"brought the dialogue worker down 3 times"
    [failed] = [e for e in events_on(on, LOG) if isinstance(e.body, MessageFailed)]
    settled = [
        s
        for e in events_on(on, "chat.outbound")
        if isinstance(e.body, MessageSettled)
        for s in e.body.settlements
    ]
    assert [(s.message_id, s.outcome) for s in settled] == [("m-2", "failed")]
    assert failed.envelope.cause_id == message(2, text="poison").envelope.event_id
    assert len(on.store.skips("dialogue", LOG)) == 1
    assert "poison" not in caplog.text


def test_what_cannot_be_read_becomes_a_dead_letter_and_the_worker_lives() -> None:
    on = platform()
    send(on, start(), message(1))
    producer = on.bus.producer()
    producer.send(LOG, key=b"c-1", value=b"garbage", headers=(("x", b"y"),)).result(5)
    good = on.codec.encode(message(2))
    producer.send(LOG, key=good.key, value=b"{}", headers=good.headers).result(5)
    one = worker(on)
    one.open()
    work_off(one, on=on)
    assert [letter.value for letter in records_on(on, f"{LOG}.dlq")] == [b"garbage", b"{}"]
    assert echoes(on) == ["m-1"]


def test_a_newer_version_stops_the_worker() -> None:
    on = platform()
    outgoing = on.codec.encode(message(1))
    headers = tuple((name, b"999" if name == "version" else value) for name, value in outgoing.headers)
    on.bus.producer().send(LOG, key=outgoing.key, value=outgoing.value, headers=headers).result(5)
    with pytest.raises(NewerVersion, match="deploy the readers"):
        worker(on).run(Flag())


def test_a_flood_of_garbage_stops_the_worker_and_empties_nothing() -> None:
    on = platform()
    producer = on.bus.producer()
    for number in range(80):
        producer.send(LOG, key=b"k", value=str(number).encode()).result(5)
    with pytest.raises(TooManyInvalid):
        worker(on).run(Flag())
    assert records_on(on, f"{LOG}.dlq") == []
    assert lag(on) == 80


def test_an_unknown_tenant_version_is_a_dead_letter() -> None:
    on = platform()
    told = message(1)
    send(on, Event(told.envelope.model_copy(update={"tenant_version": "feedfacecafebeef"}), told.body))
    one = worker(on)
    one.open()
    work_off(one, on=on)
    [letter] = records_on(on, f"{LOG}.dlq")
    assert b"feedfacecafebeef" in dict(letter.headers)["dlq_reason"]


def test_an_erased_customer_is_passed_over() -> None:
    on = platform()
    send(on, start(), message(1), message(2, "c-2"))
    on.keys.erase(message(1).envelope.tenant, message(1).envelope.customer_id)
    one = worker(on)
    one.open()
    work_off(one, on=on)
    assert echoes(on) == ["m-2"]
    assert records_on(on, f"{LOG}.dlq") == []


def test_a_due_timer_fires_once_and_the_turn_ends() -> None:
    clock = ManualClock()
    on = platform(clock)
    send(on, start(), message(1))
    one = worker(on)
    one.open()
    work_off(one, on=on)
    clock.move(61)
    one.step(0.0)
    work_off(one, on=on)
    assert [e.envelope.type for e in events_on(on, LOG) if isinstance(e.body, TimerFired)] == ["TimerFired"]
    assert [e.body.kind for e in events_on(on, "chat.outbound") if isinstance(e.body, ReplyReady)] == [
        "apology"
    ]


class Flaky:
    """A store that is away for a while."""

    def __init__(self, on: Platform) -> None:
        self._on = on
        self.away = False

    def __getattr__(self, name: str) -> object:
        if self.away:
            raise StoreUnavailable("away")
        return getattr(self._on.store, name)


def test_a_store_that_goes_away_is_waited_for() -> None:
    on = platform()
    one = worker(on)
    store = Flaky(on)
    one._store = store  # type: ignore[assignment]  # stands in for a database that is restarted
    one._judge._store = store  # type: ignore[assignment]  # likewise
    one.open()
    while not one.owned:
        one.step(0.0)
    send(on, start(), message(1))
    store.away = True
    with pytest.raises(StoreUnavailable):
        for _ in range(10):
            one.step(0.0)
    one._start_over()
    store.away = False
    work_off(one, on=on)
    assert echoes(on) == ["m-1"]


class Refusing:
    """A producer whose bus has gone away."""

    def send(self, *_: object, **__: object) -> None:
        raise BusUnavailable("away")

    def close(self) -> None:
        """Nothing is open."""


def test_what_could_not_be_published_is_published_when_the_bus_is_back() -> None:
    on = platform()
    one = worker(on)
    one.open()
    while not one.owned:
        one.step(0.0)
    send(on, start(), message(1))
    kept, one._producer = one._producer, Refusing()  # type: ignore[assignment]  # stands in for a broker that is away
    with pytest.raises(BusUnavailable):
        for _ in range(10):
            one.step(0.0)
    one._producer = kept
    one._start_over()
    work_off(one, on=on)
    assert echoes(on) == ["m-1"]
    assert len(events_on(on, "work.understand")) == 1


def test_after_an_unclean_end_records_are_handled_one_at_a_time() -> None:
    on = platform()
    send(on, start(), message(1), message(2))
    one = worker(on)
    one.open()
    while not one.owned:
        one.step(0.0)
    STEPS["before it judges"](one, on)
    with pytest.raises(Crash):
        work_off(one, on=on)
    assert one._consumer is not None
    leases = on.store.raise_fence("dialogue", sorted(one.owned))
    assert all(not lease.clean for lease in leases.values())


def test_a_worker_that_leaves_in_good_order_leaves_its_partitions_clean() -> None:
    on = platform()
    one = worker(on)
    one.open()
    while not one.owned:
        one.step(0.0)
    partitions = sorted(one.owned)
    one.close()
    assert all(lease.clean for lease in on.store.raise_fence("dialogue", partitions).values())


def test_understanding_is_asked_for_with_the_turns_deadline() -> None:
    on = platform()
    send(on, start(), message(1))
    one = worker(on)
    one.open()
    work_off(one, on=on)
    [asked] = [e.body for e in events_on(on, "work.understand") if isinstance(e.body, UnderstandingRequested)]
    assert (asked.deadline - message(1).envelope.occurred_at).total_seconds() == 60
