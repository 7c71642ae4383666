"""The door in: each delivery of a channel is in the log once, masked and sealed, before the channel is told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from threading import Thread

import pytest

from connectors.kit.inbox import IdReused, Inbox, Incoming, MessageTooLong, TooMany
from parley.backends.memory_bus import MemoryBus
from parley.domain.readmodel import ConversationRow
from parley.errors import KeyErased, UnknownTenant
from parley.ports.bus import TopicPartition
from parley.ports.keys import Erasure
from parley.ports.store import Advance, Commit
from parley.settings import Settings
from schemas.base import MAX_MESSAGE_CHARS, ConversationId, CustomerId, TenantId
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.tenant import Limits
from tests.support.platform import events_on, make_platform, records_on
from tests.support.small_tenant import CONFIG, CONTENT, TENANT
from workers.wiring import Platform

LOG = "conversation.events"
P0 = TopicPartition(LOG, 0)


@pytest.fixture
def on() -> Iterator[Platform]:
    made = make_platform(MemoryBus(), settings=Settings(bus_url="memory:", secret="s" * 32))
    yield made
    made.bus.close()


@pytest.fixture
def inbox(on: Platform) -> Iterator[Inbox]:
    made = Inbox(on, "telegram", TENANT)
    yield made
    made.close()


def conversation(name: str, open_messages: int) -> ConversationRow:
    at = datetime(2026, 11, 30, tzinfo=UTC)
    return ConversationRow(
        ConversationId(name), TENANT, CustomerId("x"), "web", "en", "bot", None, "open", 1, 1, open_messages,
        None, at, at,
    )  # fmt: skip


def received(on: Platform) -> dict[str, list[str]]:
    """By message, the text of each record of it."""
    found: dict[str, list[str]] = {}
    for each in events_on(on, LOG):
        if isinstance(each.body, MessageReceived):
            found.setdefault(each.body.message_id, []).append(each.body.text)
    return found


def test_the_first_message_begins_the_conversation(on: Platform, inbox: Inbox) -> None:
    taken = inbox.take(Incoming("4711", "1", "What does it cost?", "en-GB"))
    started, message = events_on(on, LOG)
    assert started.body == ConversationStarted(channel="telegram", language="en")
    assert isinstance(message.body, MessageReceived)
    assert (message.body.message_id, message.body.text) == (taken, "What does it cost?")
    assert (message.body.channel, message.body.client_message_id) == ("telegram", "telegram:1")
    held = inbox.chat("4711")
    assert held is not None and held.conversation_id == message.envelope.conversation_id
    inbox.take(Incoming("4711", "2", "And abroad?"))
    assert len({each.envelope.conversation_id for each in events_on(on, LOG)}) == 1
    assert sum(isinstance(each.body, ConversationStarted) for each in events_on(on, LOG)) == 1


def test_a_repeat_has_the_same_id_whenever_and_whoever_takes_it(on: Platform, inbox: Inbox) -> None:
    first = inbox.take(Incoming("4711", "1", "Hello"))
    inbox.take(Incoming("4711", "2", "Later"))
    other = Inbox(on, "telegram", TENANT)
    assert other.take(Incoming("4711", "1", "Hello")) == first == inbox.take(Incoming("4711", "1", "Hello"))
    other.close()
    assert received(on)[first] == ["Hello"] * 3  # one id: whoever decides sees one message
    assert len(received(on)) == 2


def test_an_id_that_stands_for_another_text_is_refused(on: Platform, inbox: Inbox) -> None:
    inbox.take(Incoming("4711", "1", "Hello"))
    with pytest.raises(IdReused, match="'1' was used for another text"):
        inbox.take(Incoming("4711", "1", "Good evening"))
    assert list(received(on).values()) == [["Hello"]]


def test_ids_are_no_high_water_mark(on: Platform, inbox: Inbox) -> None:
    for number in ("9", "3", "7", "1"):
        inbox.take(Incoming("4711", number, f"number {number}"))
    assert sorted(text for texts in received(on).values() for text in texts) == [
        f"number {n}" for n in (1, 3, 7, 9)
    ]


def test_of_many_at_once_in_a_new_chat_all_are_in_one_conversation(on: Platform, inbox: Inbox) -> None:
    def take(number: int) -> None:
        inbox.take(Incoming("4711", str(number), f"number {number}"))

    threads = [Thread(target=take, args=(number,)) for number in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    events = events_on(on, LOG)
    assert len(received(on)) == 12 and len({each.envelope.conversation_id for each in events}) == 1
    assert isinstance(events[0].body, ConversationStarted)
    assert len({e.envelope.event_id for e in events if isinstance(e.body, ConversationStarted)}) == 1


def test_the_same_message_id_in_another_chat_is_another_message(on: Platform, inbox: Inbox) -> None:
    assert inbox.take(Incoming("4711", "1", "Hello")) != inbox.take(Incoming("4712", "1", "Hello"))


def test_what_is_written_is_masked_and_sealed(on: Platform, inbox: Inbox) -> None:
    inbox.take(Incoming("4711", "1", "My card is 4111 1111 1111 1111, please block it"))
    [texts] = received(on).values()
    assert texts == ["My card is [card_1], please block it"]
    raw = b"".join(record.value or b"" for record in records_on(on, LOG))
    assert b"4111" not in raw and b"block" not in raw


@pytest.mark.parametrize("text", ["", "x" * (MAX_MESSAGE_CHARS + 1)])
def test_a_text_that_is_none_or_too_long_is_refused_and_nothing_written(
    on: Platform, inbox: Inbox, text: str
) -> None:
    with pytest.raises(MessageTooLong, match=f"text: {len(text)} characters; allowed: 1 to 4000"):
        inbox.take(Incoming("4711", "1", text))
    assert events_on(on, LOG) == [] and inbox.chat("4711") is None


def test_an_erased_customer_who_writes_again_is_somebody_new(on: Platform, inbox: Inbox) -> None:
    inbox.take(Incoming("4711", "1", "Hello"))
    before = inbox.chat("4711")
    assert before is not None
    on.keys.erase(TENANT, before.customer_id)
    with pytest.raises(KeyErased):  # a key that is only missing is no reason to delete anything
        inbox.take(Incoming("4711", "2", "It is me again"))
    assert inbox.chat("4711") == before
    on.store.list_erasures([Erasure(TENANT, before.customer_id, on.clock.now())])
    inbox.take(Incoming("4711", "2", "It is me again"))
    after = inbox.chat("4711")
    assert after is not None and after.customer_id != before.customer_id
    assert after.conversation_id != before.conversation_id
    assert list(received(on).values()) == [["It is me again"]]


def test_a_chat_whose_customer_is_back_can_be_sent_to_again(on: Platform, inbox: Inbox) -> None:
    chat = inbox.opened_chat("4711")
    on.store.channels.set_closed(chat.conversation_id, "blocked")
    inbox.take(Incoming("4711", "2", "Hello again"))
    held = inbox.chat("4711")
    assert held is not None and held.closed is None


def test_a_chat_that_was_opened_and_not_begun_is_begun_by_the_next_message(
    on: Platform, inbox: Inbox
) -> None:
    """Whoever opened it died before the first event was written."""
    from parley.ports.channels import Chat

    held = Chat(TENANT, "telegram", "4711", ConversationId("c-9"), CustomerId("u-9"), on.clock.now())
    on.store.channels.open_chat(held)
    inbox.take(Incoming("4711", "1", "Hello"))
    assert [e.envelope.type for e in events_on(on, LOG)] == ["ConversationStarted", "MessageReceived"]
    assert {e.envelope.conversation_id for e in events_on(on, LOG)} == {"c-9"}


def test_a_tenant_that_was_never_imported_is_named(on: Platform) -> None:
    inbox = Inbox(on, "telegram", TenantId("nobody"))
    with pytest.raises(UnknownTenant, match="nobody"):
        inbox.take(Incoming("4711", "1", "Hello"))
    inbox.close()


def limited(on: Platform, limits: Limits) -> None:
    config = CONFIG.model_copy(update={"limits": limits})
    on.store.put("f" * 16, config, CONTENT, on.clock.now())


def test_a_chat_that_floods_is_asked_to_wait_and_others_are_taken(on: Platform, inbox: Inbox) -> None:
    per_minute = on.settings.messages_per_minute
    limited(on, Limits(messages_per_second=1e6))
    for number in range(per_minute):
        inbox.take(Incoming("4711", str(number), f"number {number}"))
    for number in range(50):
        with pytest.raises(TooMany, match="too many of this chat") as refused:
            inbox.take(Incoming("4711", f"more-{number}", "and more"))
        assert refused.value.of == "chat" and 0 < refused.value.retry_after_s <= 60 / per_minute
    inbox.take(Incoming("4712", "1", "somebody else"))
    assert len(received(on)) == per_minute + 1


def test_a_tenant_above_its_rate_is_asked_to_wait_and_nothing_is_written(on: Platform, inbox: Inbox) -> None:
    limited(on, Limits(messages_per_second=2))
    for number in range(4):
        inbox.take(Incoming(f"chat {number}", "1", "hello"))
    with pytest.raises(TooMany, match="too many of this tenant") as refused:
        inbox.take(Incoming("one more", "1", "hello"))
    assert refused.value.of == "tenant" and 0 < refused.value.retry_after_s <= 0.5
    assert inbox.chat("one more") is None and len(received(on)) == 4


def test_a_tenants_unsettled_messages_are_counted_whichever_door_they_came_by(
    on: Platform, inbox: Inbox
) -> None:
    limited(on, Limits(messages_per_second=1e6, unsettled=3))
    row = conversation("c-9", open_messages=2)
    fence = on.store.raise_fence("dialogue", [P0])[P0].fence
    on.store.commit(Commit("dialogue", [Advance(P0, fence, None, 1)], projections=[row]))
    inbox.take(Incoming("4711", "1", "hello"))
    with pytest.raises(TooMany, match="this tenant"):
        inbox.take(Incoming("4711", "2", "hello"))
