"""What came in and waits to be taken: sealed, in its order, gone with its customer."""

from collections.abc import Iterator

import pytest

from connectors.kit.inbox import Inbox, Incoming
from connectors.kit.waiting import WaitingRoom
from parley.backends.memory_bus import MemoryBus
from parley.errors import KeyErased
from parley.ports.channels import Chat
from parley.ports.keys import Erasure
from parley.runtime.disclosing import Disclosure
from parley.settings import Settings
from schemas.conversation_events import MessageReceived
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import TENANT
from workers.wiring import Platform


@pytest.fixture
def on() -> Iterator[Platform]:
    made = make_platform(
        MemoryBus(), settings=Settings(bus_url="memory:", secret="s" * 32, messages_per_minute=1)
    )
    yield made
    made.bus.close()


@pytest.fixture
def inbox(on: Platform) -> Iterator[Inbox]:
    made = Inbox(on, "telegram", TENANT)
    yield made
    made.close()


@pytest.fixture
def room(on: Platform) -> WaitingRoom:
    return WaitingRoom(on, "telegram", TENANT)


@pytest.fixture
def chat(inbox: Inbox) -> Chat:
    return inbox.writing_chat("4711", "en")


def test_what_is_kept_comes_back_in_order_until_it_is_done_with(room: WaitingRoom, chat: Chat) -> None:
    room.keep(chat, [(9, b'"nine"'), (8, b'"eight"')])
    room.keep(chat, [(8, b'"again"')])
    assert room.first(chat) == [(8, b'"eight"'), (9, b'"nine"')] and room.chats() == [chat]
    room.done(chat, 8)
    assert room.first(chat) == [(9, b'"nine"')]
    room.done(chat, 9)
    assert room.first(chat) == [] and room.chats() == []


def test_it_is_sealed_and_told_to_its_customer(on: Platform, room: WaitingRoom, chat: Chat) -> None:
    room.keep(chat, [(9, b'{"text": "my letter"}')])
    [row] = on.store.held(TENANT, chat.customer_id)["waiting"]
    assert b"letter" not in row["value"]
    disclosure = Disclosure(on.store, on.keys, on.media, on.codec, TENANT, chat.customer_id)
    [told] = disclosure.document([], on.clock.now())["tables"]["waiting"]
    assert told["value"] == {"text": "my letter"}


def test_what_an_erased_customer_left_is_dropped(
    on: Platform, room: WaitingRoom, chat: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    room.keep(chat, [(9, b"1")])
    on.keys.erase(TENANT, chat.customer_id)
    assert room.first(chat) == [] == room.chats() and "is passed over" in caplog.text
    with pytest.raises(KeyErased):
        room.keep(chat, [(10, b"1")])


def test_somebody_who_was_erased_and_is_back_has_a_chat_of_a_new_customer(
    on: Platform, inbox: Inbox, chat: Chat
) -> None:
    on.keys.erase(TENANT, chat.customer_id)
    with pytest.raises(KeyErased, match="nobody erased it"):
        inbox.writing_chat("4711")
    on.store.list_erasures([Erasure(TENANT, chat.customer_id, on.clock.now())])
    again = inbox.writing_chat("4711")
    assert again.customer_id != chat.customer_id and inbox.chat("4711") == again


def test_a_text_that_was_masked_before_is_in_the_log_as_any_other(
    on: Platform, inbox: Inbox, chat: Chat
) -> None:
    masked = inbox.masked(chat, "1", "My card is 4111 1111 1111 1111")
    assert (masked.text, masked.kinds) == ("My card is [card_1]", ("card",))
    inbox.take(Incoming("4711", "1", masked.text, masked=masked.kinds))
    [body] = [
        each.body for each in events_on(on, "conversation.events") if isinstance(each.body, MessageReceived)
    ]
    assert (body.text, body.masked) == ("My card is [card_1]", ("card",))
    assert inbox.safe_name("bill.pdf") == "bill.pdf"
    assert inbox.safe_name("4111 1111 1111 1111.pdf") is inbox.safe_name(None) is None


def test_how_long_a_chat_must_wait_is_told_and_nothing_used_up(inbox: Inbox) -> None:
    assert inbox.wait_s("4711") == 0.0 == inbox.wait_s("4711")
    inbox.take(Incoming("4711", "1", "Hello"))
    assert 55.0 < inbox.wait_s("4711") <= 60.0 and inbox.wait_s("4712") == 0.0
