"""Connectors' chats and deliveries, one suite on every backend: in memory, SQLite, PostgreSQL."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.migrations import upgrade_store
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.ids import named_id
from parley.ports.channels import Chat, Delivery, Parked, Waiting
from parley.ports.store import Store
from schemas.base import ConversationId, CustomerId, TenantId

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BANK, SHOP = TenantId("bank"), TenantId("shop")
C1, C2 = ConversationId("c-1"), ConversationId("c-2")
CHAT = Chat(BANK, "telegram", "4711", C1, CustomerId("u-1"), NINE, "en")
OUT = named_id("out")
SENDING = Delivery(OUT, 0, BANK, C1, CustomerId("u-1"), "telegram", "one", "sending", NINE)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("store_url")
    else:
        upgrade_store(url)
    opened = open_store(url)
    yield opened
    opened.close()


def test_a_chat_is_one_conversation_whoever_opens_it_first(store: Store) -> None:
    assert store.channels.open_chat(CHAT) == CHAT
    later = replace(CHAT, conversation_id=C2, customer_id=CustomerId("u-2"), language="zh")
    assert store.channels.open_chat(later) == CHAT
    assert store.channels.chat(BANK, "telegram", "4711") == CHAT == store.channels.chat_of(C1)
    assert store.channels.chat_of(C2) is None


def test_of_many_who_open_a_chat_at_once_all_get_the_same(store: Store) -> None:
    found: list[Chat] = []
    start = threading.Barrier(8)

    def opens(number: int) -> None:
        start.wait()
        found.append(store.channels.open_chat(replace(CHAT, conversation_id=ConversationId(f"c-{number}"))))

    threads = [threading.Thread(target=opens, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(found) == 8 and len({each.conversation_id for each in found}) == 1


def test_the_same_address_elsewhere_is_another_chat(store: Store) -> None:
    store.channels.open_chat(CHAT)
    for number, other in enumerate((replace(CHAT, tenant=SHOP), replace(CHAT, channel="api"))):
        made = replace(other, conversation_id=ConversationId(f"other-{number}"))
        assert store.channels.open_chat(made) == made
    assert store.channels.chat(BANK, "telegram", "4712") is None


def test_a_chat_changes_language_address_and_whether_it_can_be_sent_to(store: Store) -> None:
    store.channels.open_chat(CHAT)
    store.channels.set_language(C1, "zh")
    assert store.channels.set_closed(C1, "blocked") and not store.channels.set_closed(C1, "blocked")
    store.channels.move_chat(C1, "-100")
    moved = replace(CHAT, language="zh", closed="blocked", address="-100")
    assert store.channels.chat(BANK, "telegram", "-100") == moved
    assert store.channels.chat(BANK, "telegram", "4711") is None
    assert store.channels.set_closed(C1, None)
    assert not store.channels.set_closed(C2, None)


def test_an_address_that_is_taken_is_not_taken_over(store: Store) -> None:
    store.channels.open_chat(CHAT)
    other = store.channels.open_chat(replace(CHAT, address="-100", conversation_id=C2))
    store.channels.move_chat(C1, "-100")
    assert store.channels.chat_of(C1) == CHAT and store.channels.chat_of(C2) == other


def test_a_delivery_is_begun_once(store: Store) -> None:
    assert store.channels.begin_delivery(SENDING) == SENDING
    assert store.channels.begin_delivery(replace(SENDING, sender="two")) == SENDING
    second = replace(SENDING, part=1)
    assert store.channels.begin_delivery(second) == second
    assert store.channels.deliveries([OUT, named_id("other")]) == [SENDING, second]


def test_a_delivery_is_changed_by_whoever_knows_how_it_stands(store: Store) -> None:
    store.channels.begin_delivery(SENDING)
    later = NINE + timedelta(seconds=3)
    sent = replace(SENDING, state="sent", changed_at=later, external_id="77")
    assert store.channels.change_delivery(SENDING, "sent", later, external_id="77") == sent
    assert store.channels.deliveries([OUT]) == [sent]
    assert not store.channels.change_delivery(SENDING, "unknown", later, reason="timeout")
    assert not store.channels.change_delivery(replace(sent, sender="two"), "failed", later)
    assert store.channels.change_delivery(sent, "withdrawn", later, external_id="77", reason="late")
    [held] = store.channels.deliveries([OUT])
    assert held.sender == "one"
    assert (held.state, held.external_id, held.reason) == ("withdrawn", "77", "late")


def test_what_was_not_sent_is_taken_over_by_one_of_many(store: Store) -> None:
    store.channels.begin_delivery(SENDING)
    held = store.channels.change_delivery(SENDING, "held", NINE, reason="429")
    assert held is not None and held.state == "held"
    takers = [store.channels.change_delivery(held, "sending", NINE, sender=name) for name in ("two", "three")]
    assert takers == [replace(SENDING, sender="two"), None]


def test_old_deliveries_are_forgotten_a_little_at_a_time(store: Store) -> None:
    for number in range(5):
        store.channels.begin_delivery(replace(SENDING, part=number, changed_at=NINE + timedelta(days=number)))
    assert store.channels.forget_deliveries(NINE + timedelta(days=3), 2) == 2
    assert store.channels.forget_deliveries(NINE + timedelta(days=3), 9) == 1
    assert [each.part for each in store.channels.deliveries([OUT])] == [3, 4]


def test_both_go_with_their_customer(store: Store) -> None:
    store.channels.open_chat(CHAT)
    store.channels.begin_delivery(SENDING)
    other = store.channels.open_chat(
        replace(CHAT, address="4712", conversation_id=C2, customer_id=CustomerId("u-2"))
    )
    assert store.conversations_of(BANK, CustomerId("u-1")) == [C1]
    held = store.held(BANK, CustomerId("u-1"))
    assert [row["address"] for row in held["chats"]] == ["4711"] and len(held["deliveries"]) == 1
    gone = store.purge([(BANK, CustomerId("u-1"))])
    assert (gone["chats"], gone["deliveries"]) == (1, 1)
    assert store.channels.chat_of(C1) is None and store.channels.deliveries([OUT]) == []
    assert store.channels.chat_of(C2) == other


def parked(number: int, conversation: ConversationId = C1, customer: str = "u-1") -> Parked:
    return Parked(
        named_id(f"{conversation}-{number}"), conversation, number, BANK, CustomerId(customer), "telegram",
        (("type", b"ReplyReady"),), b"sealed %d" % number,
    )  # fmt: skip


def test_what_is_parked_is_kept_in_order_until_it_is_taken_out(store: Store) -> None:
    store.channels.open_chat(CHAT)
    store.channels.park([parked(9), parked(2)], {C1: NINE})
    store.channels.park([parked(4), replace(parked(2), value=b"again")], {C1: NINE + timedelta(hours=1)})
    assert store.channels.parked(C1, 10) == [parked(2), parked(4), parked(9)]
    assert store.channels.parked(C1, 1) == [parked(2)]
    assert store.channels.chat_of(C1) == replace(CHAT, waits_until=NINE)  # it waits already
    store.channels.unpark(C1, [parked(2).outbound_id, parked(4).outbound_id])
    assert store.channels.chat_of(C1) == replace(CHAT, waits_until=NINE)
    store.channels.unpark(C1, [parked(9).outbound_id])
    assert store.channels.chat_of(C1) == CHAT and store.channels.parked(C1, 10) == []


def test_nothing_is_parked_for_a_chat_that_is_gone(store: Store) -> None:
    store.channels.open_chat(CHAT)
    store.channels.park([parked(1), parked(1, C2)], {C1: NINE, C2: NINE})
    assert store.channels.parked(C2, 10) == [] and store.channels.parked(C1, 10) == [parked(1)]
    assert store.held(BANK, CustomerId("u-1"))["parked"][0]["seq"] == 1
    assert store.purge([(BANK, CustomerId("u-1"))])["parked"] == 1
    assert store.channels.parked(C1, 10) == []


def test_chats_that_waited_long_enough_are_one_takers(store: Store) -> None:
    later, lease = NINE + timedelta(minutes=1), NINE + timedelta(minutes=9)
    names = [ConversationId(f"c-{number}") for number in range(5)]
    for number, name in enumerate(names):
        tenant = SHOP if number == 4 else BANK
        made = replace(CHAT, tenant=tenant, address=str(number), conversation_id=name)
        store.channels.open_chat(made)
        store.channels.park([parked(1, name)], {name: NINE if number != 3 else later})
    take = store.channels.take_due
    assert take("api", NINE, lease, 9) == []
    [shop] = take("telegram", NINE, lease, 9, [BANK])
    assert (shop.conversation_id, shop.waits_until) == (names[4], lease)
    first = {each.conversation_id for each in take("telegram", NINE, lease, 2)}
    assert len(first) == 2
    assert {each.conversation_id for each in take("telegram", NINE, lease, 9)} == set(names[:3]) - first
    assert take("telegram", NINE, lease, 9) == []
    assert [each.conversation_id for each in take("telegram", later, lease, 9)] == [names[3]]
    assert store.channels.postpone(shop, later) and not store.channels.postpone(shop, NINE)
    assert take("telegram", later, lease, 9) == [shop]


def test_of_many_takers_each_chat_has_one_and_what_is_added_meanwhile_is_not_forgotten(store: Store) -> None:
    """Some add to a chat while another takes out its last: whatever stays makes the chat wait."""
    store.channels.open_chat(CHAT)
    taken: list[Chat] = []
    start = threading.Barrier(8)

    def work(number: int) -> None:
        start.wait()
        for step in range(20):
            mine = parked(number * 100 + step)
            store.channels.park([mine], {C1: NINE})
            taken.extend(store.channels.take_due("telegram", NINE, NINE + timedelta(minutes=step + 1), 5))
            if step < 19:
                store.channels.unpark(C1, [mine.outbound_id])

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    held = store.channels.chat_of(C1)
    assert len(store.channels.parked(C1, 200)) == 8 and held is not None and held.waits_until is not None
    store.channels.unpark(C1, [each.outbound_id for each in store.channels.parked(C1, 200)])
    assert store.channels.chat_of(C1) == CHAT


def waiting(position: int, conversation: ConversationId = C1, value: bytes = b"sealed") -> Waiting:
    return Waiting(conversation, position, BANK, CustomerId("u-1"), "telegram", value)


def test_what_waits_to_be_taken_in_is_kept_in_order_and_once(store: Store) -> None:
    store.channels.open_chat(CHAT)
    store.channels.keep_waiting([waiting(9), waiting(2**40)])
    store.channels.keep_waiting([waiting(4), waiting(9, value=b"again"), waiting(1, C2)])
    assert store.channels.waiting(C1, 10) == [waiting(4), waiting(9), waiting(2**40)]
    assert store.channels.waiting(C1, 1) == [waiting(4)] and store.channels.waiting(C2, 9) == []
    store.channels.drop_waiting(C1, [4, 9, 77])
    assert store.channels.waiting(C1, 10) == [waiting(2**40)]


def test_chats_with_something_to_take_in_are_found_until_it_is_gone(store: Store) -> None:
    names = [ConversationId(f"c-{number}") for number in range(3)]
    for number, name in enumerate(names):
        tenant = SHOP if number == 2 else BANK
        store.channels.open_chat(replace(CHAT, tenant=tenant, address=str(number), conversation_id=name))
    store.channels.keep_waiting([waiting(1, names[1]), waiting(2, names[1]), waiting(1, names[0])])
    store.channels.keep_waiting([replace(waiting(1, names[2]), tenant=SHOP)])
    found = store.channels.waiting_chats(BANK, "telegram")
    assert [each.conversation_id for each in found] == names[:2]
    assert store.channels.waiting_chats(BANK, "api") == []
    store.channels.drop_waiting(names[0], [1])
    assert [each.address for each in store.channels.waiting_chats(BANK, "telegram")] == ["1"]
    assert store.purge([(BANK, CustomerId("u-1"))])["waiting"] == 2
    assert store.channels.waiting_chats(BANK, "telegram") == []
