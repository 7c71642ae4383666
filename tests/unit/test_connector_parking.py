"""Messages that wait: they cost no place, keep their order, and are neither lost nor sent twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep

import pytest

from connectors.kit import outbox as outbox_module
from connectors.kit.channel import Message, NotSent
from infra.migrations import upgrade_store
from parley.backends.memory_bus import MemoryBus
from parley.backends.sql import open_store
from parley.ports.channels import Chat
from schemas.base import AnyEvent, ConversationId, CustomerId, Event, ReplyId, TenantId
from schemas.outbound import ReplyReady
from schemas.topics import CHAT_OUTBOUND
from tests.support.effectors import until
from tests.support.inference import lag
from tests.support.platform import ManualClock, make_platform, records_on, send
from tests.support.scripted_channel import ScriptedChannel, all_reports, delivering, reports
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from tests.support.stories import NINE, event
from workers.wiring import Platform

AT = datetime.now(UTC)
DEAD = TenantId("dead")
CHATS, EACH = 500, 20


class OneIsDead(ScriptedChannel):
    """Nothing is sent for the tenants in `dead`."""

    def __init__(self) -> None:
        super().__init__()
        self.dead = {DEAD}

    async def send(self, chat: Chat, message: Message) -> str:
        if chat.tenant in self.dead:
            self.asked.append((chat.address, message.text))
            raise NotSent("the receiver is not reached")
        return await super().send(chat, message)

    def texts(self, name: str) -> list[str]:
        return [text for at, text in self.sent if at == f"at-{name}"]


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Platform]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    upgrade_store(url)
    made = make_platform(MemoryBus(), open_store(url), clock=ManualClock(AT))
    made.store.put(VERSION, CONFIG.model_copy(update={"id": DEAD}), CONTENT, AT)
    yield made
    made.store.close()
    made.bus.close()


@pytest.fixture
def channel() -> OneIsDead:
    return OneIsDead()


def open_chat(on: Platform, name: str, tenant: TenantId = DEAD) -> None:
    customer = CustomerId(f"customer-of-{name}")
    on.store.channels.open_chat(Chat(tenant, "telegram", f"at-{name}", ConversationId(name), customer, NINE))


def reply(text: str, seq: int, name: str, tenant: TenantId = DEAD) -> AnyEvent:
    body = ReplyReady(
        seq=seq, epoch=1, reply_id=ReplyId(f"r-{seq}"), kind="answer", answers=(), text=text, language="en"
    )
    made = event(body, seq, at=AT, conversation=name)
    return Event(made.envelope.model_copy(update={"tenant": tenant}), made.body)


def move(on: Platform, seconds: float) -> None:
    assert isinstance(on.clock, ManualClock)
    on.clock.move(seconds)


def patiently(check: Callable[[], bool]) -> None:
    """On two busy cores, a database file among them."""
    end = monotonic() + 150.0
    while not check():
        assert monotonic() < end, "it did not happen in time"
        sleep(0.2)


def read_all(on: Platform) -> bool:
    return lag(on, "telegram", CHAT_OUTBOUND.name) == 0


@pytest.mark.timeout(300)
def test_ten_thousand_messages_of_a_dead_tenant_stop_nobody_else(on: Platform, channel: OneIsDead) -> None:
    names = [f"d-{number}" for number in range(CHATS)]
    for name in names:
        open_chat(on, name)
    open_chat(on, "alive", TENANT)
    send(on, *(reply(f"{name}: {seq}", seq, name) for seq in range(1, EACH + 1) for name in names))
    with delivering(on, channel):
        patiently(lambda: read_all(on))
        parked = sum(len(on.store.channels.parked(ConversationId(name), 100)) for name in names)
        assert parked == CHATS * EACH and channel.sent == []
        began = monotonic()
        send(on, *(reply(f"hello {seq}", seq, "alive", TENANT) for seq in range(1, 6)))
        until(lambda: len(channel.sent) == 5)
        assert monotonic() - began < 2.0
    assert channel.texts("alive") == [f"hello {seq}" for seq in range(1, 6)]


def test_what_was_parked_goes_out_once_and_each_chat_in_order(on: Platform, channel: OneIsDead) -> None:
    names = [f"d-{number}" for number in range(40)]
    said = [reply(f"{name}: {seq}", seq, name) for seq in range(1, 9) for name in names]
    for name in names:
        open_chat(on, name)
    send(on, *said)
    with delivering(on, channel):
        patiently(lambda: read_all(on))
    assert channel.sent == []
    channel.dead.clear()
    move(on, 300)
    with delivering(on, channel):
        patiently(lambda: len(reports(on)) == len(said))
    assert all(channel.texts(name) == [f"{name}: {seq}" for seq in range(1, 9)] for name in names)
    assert set(reports(on).values()) == {("sent", None)}
    assert all(on.store.channels.parked(ConversationId(name), 1) == [] for name in names)


def test_what_waits_is_told_as_accepted_and_why(on: Platform, channel: OneIsDead) -> None:
    open_chat(on, "d")
    first, second = reply("first", 1, "d"), reply("second", 2, "d")
    with delivering(on, channel):
        send(on, first, second)
        until(lambda: len(all_reports(on)) == 2)
    assert {each.outbound_id: (each.state, each.reason) for each in all_reports(on)} == {
        first.envelope.event_id: ("accepted", "the receiver is not reached"),
        second.envelope.event_id: ("accepted", "earlier messages of the chat wait"),
    }
    assert [text for _, text in channel.asked] == ["first"]


def test_what_is_said_while_a_chat_is_taken_up_goes_out_behind(on: Platform, channel: OneIsDead) -> None:
    open_chat(on, "d")
    with delivering(on, channel):
        send(on, reply("1", 1, "d"), reply("2", 2, "d"))
        until(lambda: len(all_reports(on)) == 2)
        channel.dead.clear()
        channel.go_on.clear()
        move(on, 2)
        until(lambda: len(channel.asked) == 2)  # the first one is on its way
        send(on, reply("3", 3, "d"))
        until(lambda: read_all(on))
        channel.go_on.set()
        until(lambda: len(reports(on)) == 3)
        send(on, reply("4", 4, "d"))
        until(lambda: len(reports(on)) == 4)
    assert channel.texts("d") == ["1", "2", "3", "4"]


def test_what_is_sent_again_to_its_end_when_the_worker_stops_is_not_unknown(
    on: Platform, channel: OneIsDead
) -> None:
    open_chat(on, "d")
    said = [reply(str(seq), seq, "d") for seq in (1, 2)]
    with delivering(on, channel):
        send(on, *said)
        until(lambda: len(all_reports(on)) == 2)
    channel.dead.clear()
    channel.go_on.clear()
    move(on, 2)
    with delivering(on, channel) as worker:
        until(lambda: len(channel.asked) == 2)
        worker._loop.call_later(0.5, channel.go_on.set)
    assert channel.texts("d") == ["1"]
    assert reports(on) == {said[0].envelope.event_id: ("sent", None)}
    with delivering(on, channel):
        until(lambda: len(reports(on)) == 2)
    assert channel.texts("d") == ["1", "2"]


def test_a_record_that_was_parked_and_comes_again_is_sent_once(on: Platform, channel: OneIsDead) -> None:
    """Its worker died between the two, or another one had the partition by then."""
    open_chat(on, "d")
    first, second = reply("first", 1, "d"), reply("second", 2, "d")
    with delivering(on, channel):
        send(on, first, second, first)
        until(lambda: read_all(on))
        channel.dead.clear()
        move(on, 2)
        until(lambda: len(reports(on)) == 2)
        send(on, first, second)
        until(lambda: read_all(on))
    assert channel.texts("d") == ["first", "second"]


def test_whoever_died_with_a_chat_in_hand_has_it_for_a_minute(on: Platform, channel: OneIsDead) -> None:
    open_chat(on, "d")
    with delivering(on, channel):
        send(on, reply("first", 1, "d"))
        until(lambda: len(all_reports(on)) == 1)
    channel.dead.clear()
    now = on.clock.now() + timedelta(seconds=2)
    [taken] = on.store.channels.take_due("telegram", now, now + timedelta(seconds=60), 9)
    assert taken.conversation_id == "d"
    move(on, 30)
    with delivering(on, channel):
        send(on, reply("second", 2, "d"))
        until(lambda: read_all(on))
        assert channel.sent == []
        move(on, 40)
        until(lambda: len(reports(on)) == 2)
    assert channel.texts("d") == ["first", "second"]


def test_a_slow_receiver_leaves_room_for_other_tenants(
    on: Platform, channel: OneIsDead, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a tenant no more than so many chats are sent to at once; the others are parked, and go out after."""
    monkeypatch.setattr(outbox_module, "PLACES", 3)
    channel.dead.clear()
    channel.go_on.clear()
    names = [f"s-{number}" for number in range(20)]
    for name in names:
        open_chat(on, name)
    with delivering(on, channel):
        send(on, *(reply(f"{name}: {seq}", seq, name) for seq in (1, 2) for name in names))
        until(lambda: sum(bool(on.store.channels.parked(ConversationId(n), 1)) for n in names) == 17)
        until(lambda: len(channel.asked) == 3)
        told = {each.reason for each in all_reports(on)}
        assert told <= {"earlier messages of the chat wait"}, "nothing went wrong with the others"
        channel.go_on.set()
        until(lambda: len(reports(on)) == 40)
    assert all(channel.texts(name) == [f"{name}: 1", f"{name}: 2"] for name in names)


def test_who_is_erased_while_messages_are_parked_is_sent_nothing_more(
    on: Platform, channel: OneIsDead
) -> None:
    open_chat(on, "d")
    with delivering(on, channel):
        send(on, reply("first", 1, "d"), reply("second", 2, "d"))
        until(lambda: len(all_reports(on)) == 2)
        on.store.purge([(DEAD, CustomerId("customer-of-d"))])
        channel.dead.clear()
        move(on, 5)
        send(on, reply("third", 3, "d"))
        until(lambda: read_all(on))
    assert channel.sent == [] and reports(on) == {}
    assert on.store.channels.parked(ConversationId("d"), 9) == []


def test_what_is_parked_is_sealed(on: Platform, channel: OneIsDead) -> None:
    open_chat(on, "d")
    said = reply("a word of its own", 1, "d")
    with delivering(on, channel):
        send(on, said)
        until(lambda: len(all_reports(on)) == 1)
    [row] = on.store.channels.parked(ConversationId("d"), 9)
    [record] = records_on(on, CHAT_OUTBOUND.name)
    assert (row.value, row.headers) == (record.value, record.headers) and b"word" not in row.value
    assert row.outbound_id == said.envelope.event_id
