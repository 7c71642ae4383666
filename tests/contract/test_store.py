"""The store port, one suite on every backend: in memory, SQLite, PostgreSQL."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import inspect

from infra.dev.postgres import PostgresServer
from infra.migrations import upgrade_keys, upgrade_store
from parley.backends.keys import CachedKeys, open_keys
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.backends.sql import tables as t
from parley.backends.sql.decisions import pack, unpack
from parley.backends.sql.engine import make_engine
from parley.codec import Outgoing
from parley.domain.readmodel import ConversationRow, DeliveryRow, DeliveryStatus, FeedbackRow
from parley.errors import (
    AlreadySeen,
    ConfigurationError,
    KeyErased,
    StoreUnavailable,
    Superseded,
    UnknownTenant,
)
from parley.ids import named_id
from parley.ports.bus import TopicPartition
from parley.ports.channels import Chat, Delivery, Parked, Waiting
from parley.ports.keys import KEY_BYTES, Erasure
from parley.ports.links import Link
from parley.ports.store import (
    AccessKey,
    Advance,
    AuditEntry,
    Claim,
    Commit,
    EntryId,
    HistoryRow,
    OutboxEntry,
    Store,
    StoredState,
    Timer,
)
from parley.ports.vault import MaskedValue
from schemas.base import ConversationId, CustomerId, EventId, MessageId, ReplyId, TenantId
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
P0, P1 = TopicPartition("conversation.events", 0), TopicPartition("conversation.events", 1)
G = "dialogue"


def eid(name: object) -> EventId:
    return named_id("test", str(name))


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return "memory:" if request.param == "memory" else f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    if database_url == "memory:":
        yield MemoryStore()
        return
    upgrade_store(database_url)
    opened = open_store(database_url)
    yield opened
    opened.close()


def commit(advance: Advance, **fields: object) -> Commit:
    return Commit(group=G, advances=[advance], **fields)  # type: ignore[arg-type]  # tests pass the right ones


def record(text: str, partition: int | None = None) -> Outgoing:
    return Outgoing("chat.outbound", b"c-1", text.encode(), (("type", b"X"),), partition)


def history(seq: int, conversation: str = "c-1") -> HistoryRow:
    return HistoryRow(
        ConversationId(conversation),
        seq,
        2,
        eid(f"{conversation}/{seq}"),
        "ReplyReady",
        "both",
        NINE,
        (("type", b"ReplyReady"),),
        b"{}",
    )


def conversation(
    name: str = "c-1", tenant: str = "bank", open_messages: int = 1, minutes: int = 0, status: str = "open"
) -> ConversationRow:
    return ConversationRow(
        conversation_id=ConversationId(name),
        tenant=TenantId(tenant),
        customer_id=CustomerId("x"),
        channel="web",
        language="zh",
        owner="bot",
        human_agent_id=None,
        status="closed" if status == "closed" else "open",
        epoch=1,
        seq=7,
        open_messages=open_messages,
        last_intent="fees",
        started_at=NINE,
        updated_at=NINE + timedelta(minutes=minutes),
    )


def timer(name: str, seconds: int, partition: TopicPartition = P0) -> Timer:
    return Timer(
        eid(name), partition, "c-1", "turn_deadline", 3, NINE + timedelta(seconds=seconds), '{"a":1}'
    )


def test_a_first_owner_finds_no_offset_and_a_clean_partition(store: Store) -> None:
    lease = store.raise_fence(G, [P0])[P0]
    assert (lease.fence, lease.next_offset, lease.clean) == (1, None, True)
    assert store.offsets(G, [P0, P1]) == {P0: None, P1: None}


def test_fences_grow_and_remember_whether_the_last_owner_left_cleanly(store: Store) -> None:
    first = store.raise_fence(G, [P0, P1])
    assert store.raise_fence(G, [P0])[P0].clean is False
    store.release(G, {P0: first[P0].fence, P1: first[P1].fence})
    again = store.raise_fence(G, [P0, P1])
    assert (again[P0].clean, again[P1].clean) == (False, True), (
        "an old fence may not mark a partition as left"
    )
    assert again[P0].fence == 3


def test_groups_do_not_see_each_other(store: Store) -> None:
    lease = store.raise_fence(G, [P0])[P0]
    store.commit(commit(Advance(P0, lease.fence, None, 5), seen=[eid(1)], states=[StoredState("c-1", b"s")]))
    assert store.raise_fence("assignment", [P0])[P0].next_offset is None
    assert store.seen("assignment", [eid(1)]) == set()
    assert store.states("assignment", ["c-1"]) == {}


def test_a_commit_writes_everything(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(
        commit(
            Advance(P0, fence, None, 10),
            seen=[eid(1), eid(2)],
            states=[StoredState("c-1", b"\x00state")],
            history=[history(1), history(2)],
            projections=[conversation()],
            timers=[timer("t", 60)],
            outbox={P0: [record("one"), record("two", 3)]},
            skipped=[(P0, 4)],
        )
    )
    assert store.offsets(G, [P0]) == {P0: 10}
    assert store.seen(G, [eid(1), eid(2), eid(3)]) == {eid(1), eid(2)}
    assert store.states(G, ["c-1", "c-2"]) == {"c-1": b"\x00state"}
    assert store.history(ConversationId("c-1")) == [history(1), history(2)]
    assert store.conversation(ConversationId("c-1")) == conversation()
    [entry] = store.outbox(G, [P0])
    assert entry == OutboxEntry(EntryId(P0, 10), (record("one"), record("two", 3)))
    assert store.timers(G, [P0], 10) == [timer("t", 60)]
    assert store.skips(G, P0.topic) == [(P0, 4)]


@pytest.mark.parametrize("wrong", ["fence", "offset", "first"])
def test_a_commit_under_a_wrong_fence_or_offset_writes_nothing(store: Store, wrong: str) -> None:
    fences = store.raise_fence(G, [P0, P1])
    store.commit(commit(Advance(P0, fences[P0].fence, None, 10)))
    bad = {
        "fence": Advance(P0, fences[P0].fence - 1, 10, 11),
        "offset": Advance(P0, fences[P0].fence, 9, 11),
        "first": Advance(P0, fences[P0].fence, None, 11),
    }[wrong]
    good = Advance(P1, fences[P1].fence, None, 3)
    with pytest.raises(Superseded):
        store.commit(
            Commit(
                G,
                [good, bad],
                seen=[eid(1)],
                states=[StoredState("c-1", b"s")],
                history=[history(1)],
                projections=[conversation()],
                timers=[timer("t", 0)],
                outbox={P0: [record("x")]},
            )
        )
    assert store.offsets(G, [P0, P1]) == {P0: 10, P1: None}
    assert store.seen(G, [eid(1)]) == set()
    assert store.states(G, ["c-1"]) == {}
    assert store.history(ConversationId("c-1")) == []
    assert store.conversation(ConversationId("c-1")) is None
    assert store.outbox(G, [P0]) == []
    assert store.timers(G, [P0], 10) == []


def test_of_many_who_race_for_an_offset_exactly_one_wins(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    won: list[int] = []
    barrier = threading.Barrier(8)

    def race(number: int) -> None:
        barrier.wait()
        try:
            store.commit(
                commit(Advance(P0, fence, None, 1), states=[StoredState("c-1", str(number).encode())])
            )
        except Superseded:
            return
        won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.states(G, ["c-1"]) == {"c-1": str(won[0]).encode()}


def test_states_are_replaced(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(commit(Advance(P0, fence, None, 1), states=[StoredState("c-1", b"old")]))
    twice = [StoredState("c-1", b"new"), StoredState("c-2", b"s"), StoredState("c-1", b"newest")]
    store.commit(commit(Advance(P0, fence, 1, 2), states=twice))
    assert store.states(G, ["c-1", "c-2"]) == {"c-1": b"newest", "c-2": b"s"}


def test_a_commit_with_an_event_that_was_seen_writes_nothing(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(commit(Advance(P0, fence, None, 1), seen=[eid(1)]))
    again = commit(
        Advance(P0, fence, 1, 2),
        seen=[eid(2), eid(1)],
        states=[StoredState("c-1", b"s")],
        outbox={P0: [record("x")]},
    )
    with pytest.raises(AlreadySeen):
        store.commit(again)
    assert store.offsets(G, [P0]) == {P0: 1}
    assert store.seen(G, [eid(2)]) == set() and store.states(G, ["c-1"]) == {}
    assert store.outbox(G, [P0]) == []


def test_a_commit_may_be_larger_than_any_statement(store: Store) -> None:
    fences = store.raise_fence(G, [P0, P1])
    ids = [eid(number) for number in range(2_500)]
    rows = [history(seq, f"c-{seq % 3}") for seq in range(1, 2_501)]
    advances = [Advance(P0, fences[P0].fence, None, 9), Advance(P1, fences[P1].fence, None, 9)]
    store.commit(Commit(G, advances, seen=ids, history=rows))
    assert store.seen(G, ids) == set(ids)
    assert sum(len(store.history(ConversationId(f"c-{n}"), limit=5_000)) for n in range(3)) == 2_500
    with pytest.raises(AlreadySeen):
        store.commit(commit(Advance(P0, fences[P0].fence, 9, 10), seen=[eid("new"), *ids[::-1]]))
    assert store.seen(G, [eid("new")]) == set()


def test_a_thousand_ids_and_keys_are_looked_up_at_once(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    ids = [eid(number) for number in range(1_000)]
    states = [StoredState(f"c-{number}", b"s") for number in range(1_000)]
    store.commit(commit(Advance(P0, fence, None, 1), seen=ids, states=states))
    assert store.seen(G, ids) == set(ids)
    assert len(store.states(G, [state.key for state in states])) == 1_000
    assert store.seen(G, []) == set() and store.states(G, []) == {}


def test_the_outbox_keeps_its_order_and_acknowledged_entries_go_with_the_next_commit(store: Store) -> None:
    fences = store.raise_fence(G, [P0, P1])
    store.commit(commit(Advance(P0, fences[P0].fence, None, 1), outbox={P0: [record("1")]}))
    store.commit(commit(Advance(P1, fences[P1].fence, None, 1), outbox={P1: [record("other")]}))
    store.commit(commit(Advance(P0, fences[P0].fence, 1, 2), outbox={P0: [record("2")]}))
    assert [entry.records[0].value for entry in store.outbox(G, [P0])] == [b"1", b"2"]
    store.commit(commit(Advance(P0, fences[P0].fence, 2, 3), published=[EntryId(P0, 1)]))
    [left] = store.outbox(G, [P0])
    assert left.entry_id == EntryId(P0, 2)
    store.delete_outbox("assignment", [left.entry_id])
    assert store.outbox(G, [P0]) == [left]
    store.delete_outbox(G, [left.entry_id])
    assert store.outbox(G, [P0]) == [] and len(store.outbox(G, [P1])) == 1
    assert store.outbox(G, []) == []


def test_an_outbox_takes_any_bytes() -> None:
    odd = Outgoing("t.dlq", b"\xff\xfe", bytes(range(256)), (("h", b"\x80"),), 2)
    assert unpack(pack([odd, record("plain")])) == (odd, record("plain"))


def test_timers_come_by_due_time_and_partition_and_go_when_cancelled(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    timers = [timer("late", 9), timer("early", 1), timer("other", 1, P1), timer("future", 99)]
    store.commit(commit(Advance(P0, fence, None, 1), timers=timers))
    assert [each.timer_id for each in store.timers(G, [P0], 10)] == [eid("early"), eid("late"), eid("future")]
    assert store.timers(G, [P0], 1) == [timer("early", 1)]
    store.commit(commit(Advance(P0, fence, 1, 2), timers_cancelled=[eid("early")]))
    store.delete_timers([eid("late")])
    assert store.timers(G, [P0], 10) == [timer("future", 99)]
    assert len(store.timers(G, [P0, P1], 10)) == 2 and store.timers("assignment", [P0, P1], 10) == []


def two_conversations(store: Store) -> int:
    """Everything that a store may hold of `c-1`, whose customer is `x`, and of `c-2`, whose customer is `y`; the fence of P0."""
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(
        commit(
            Advance(P0, fence, None, 5),
            states=[StoredState("c-1", b"1"), StoredState("c-2", b"2")],
            history=[history(1), history(2), history(1, "c-2")],
            projections=[
                conversation(),
                verdict("c-1", "x"),
                replace(conversation("c-2"), customer_id=CustomerId("y")),
                verdict("c-2", "y"),
                told("c-1", "a", "sent"),
                told("c-2", "a", "sent", customer="y"),
            ],
            timers=[timer("a", 1), timer("b", 2), replace(timer("other", 1), key="c-2")],
        )
    )
    claims = [
        Claim(ConversationId(name), "m-1", MessageId(eid(name)), "digest", NINE) for name in ("c-1", "c-2")
    ]
    store.claim(claims)
    store.add_values([value(1), value(1, "c-2", customer_id=CustomerId("y"))])
    for name, customer in (("c-1", "x"), ("c-2", "y")):
        held = (ConversationId(name), CustomerId(customer))
        store.channels.open_chat(Chat(TENANT, "telegram", name, *held, NINE))
        sending = Delivery(eid(name), 0, TENANT, *held, "telegram", "one", "sending", NINE)
        store.channels.begin_delivery(sending)
        store.channels.park(
            [Parked(eid(name), held[0], 1, TENANT, held[1], "telegram", (), b"sealed")], {held[0]: NINE}
        )
        store.channels.keep_waiting([Waiting(held[0], 1, TENANT, held[1], "telegram", b"sealed")])
    store.links.link(Link.of(TENANT, CustomerId("x"), CustomerId("z"), "mei", NINE))
    store.links.link(Link.of(TENANT, CustomerId("y"), CustomerId("z"), "mei", NINE))
    return fence


def verdict(name: str, customer: str) -> FeedbackRow:
    return FeedbackRow(
        ConversationId(name), ReplyId("r"), "customer", TENANT, CustomerId(customer), 1, "siv1:x", eid(name), NINE
    )  # fmt: skip


def test_of_an_erased_key_everything_goes_and_nothing_else(store: Store) -> None:
    fence = two_conversations(store)
    other = replace(timer("other", 1), key="c-2")
    store.commit(
        commit(
            Advance(P0, fence, 5, 6), erased={"c-1", "c-3"}, states=[StoredState("c-4", b"4")], timers=[other]
        )
    )
    assert store.states(G, ["c-1", "c-2", "c-4"]) == {"c-2": b"2", "c-4": b"4"}
    assert [held.key for held in store.timers(G, [P0], 10)] == ["c-2"]
    assert [row.conversation_id for row in store.conversations(None)] == ["c-2"]
    left = store.held(TENANT, CustomerId("x"))
    del left["customer_links"]  # of the customer, and of no conversation: the purge of the erasure takes them
    assert {name: len(rows) for name, rows in left.items() if rows} == {}
    assert store.history(ConversationId("c-1")) == [] and len(store.history(ConversationId("c-2"))) == 1


EACH = {
    "states": 1, "timers": 2, "history": 2, "claims": 1, "conversations": 1, "feedback": 1, "masked_values": 1,
    "chats": 1, "deliveries": 1, "parked": 1, "waiting": 1, "delivery_states": 1, "customer_links": 1,
}  # fmt: skip


def test_what_is_held_about_a_customer_is_found_and_purged_in_every_table(store: Store) -> None:
    two_conversations(store)
    assert store.conversations_of(TENANT, CustomerId("x")) == ["c-1"]
    held = store.held(TENANT, CustomerId("x"))
    assert {name: len(rows) for name, rows in held.items()} == EACH
    [link] = held.pop("customer_links")
    assert (link["customer_id"], link["linked_id"]) == ("x", "z")
    assert {row.get("conversation_id", row.get("state_key")) for rows in held.values() for row in rows} == {
        "c-1"
    }
    strangers = [(TenantId("mobile"), CustomerId("x")), (TENANT, CustomerId("nobody"))]
    assert set(store.purge(strangers).values()) == {0}
    assert store.purge([*strangers, (TENANT, CustomerId("x"))]) == EACH
    assert set(store.purge([(TENANT, CustomerId("x"))]).values()) == {0}
    left = store.held(TENANT, CustomerId("y"))
    assert {name: len(rows) for name, rows in left.items()} == {**EACH, "timers": 1, "history": 1}


def test_customers_are_linked_once_and_apart_again(store: Store) -> None:
    one, two, three = (CustomerId(name) for name in ("u-1", "u-2", "u-3"))
    first, second = (Link.of(TENANT, two, other, "mei", NINE) for other in (one, three))
    assert (first.customer_id, first.linked_id) == (one, two)
    assert store.links.link(first) and store.links.link(second)
    assert not store.links.link(replace(first, by="bo", at=NINE + timedelta(hours=1)))
    assert store.links.link(Link.of(TenantId("mobile"), one, three, "mei", NINE))
    assert store.links.links(TENANT, [one]) == [first]
    assert store.links.links(TENANT, [two]) == [first, second] == store.links.links(TENANT, [three, one])
    assert store.links.unlink(TENANT, two, one) and not store.links.unlink(TENANT, one, two)
    assert store.links.links(TENANT, [one, two]) == [second]
    assert store.purge([(TENANT, three)])["customer_links"] == 1
    assert store.links.links(TENANT, [one, two, three]) == []
    assert len(store.links.links(TenantId("mobile"), [three])) == 1


def test_the_conversations_of_several_customers_newest_first(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    rows = [
        conversation("a", minutes=1),
        replace(conversation("b", minutes=3), customer_id=CustomerId("y")),
        conversation("c", "mobile", minutes=4),
        replace(conversation("d", minutes=2), customer_id=CustomerId("z")),
    ]
    store.commit(commit(Advance(P0, fence, None, 1), projections=rows))
    found = store.conversations_with(TENANT, [CustomerId("x"), CustomerId("y")])
    assert [row.conversation_id for row in found] == ["b", "a"]
    assert store.conversations_with(TENANT, []) == []


def test_erasures_and_what_was_done_stay_listed(store: Store) -> None:
    first = Erasure(TENANT, CustomerId("x"), NINE)
    store.list_erasures([first])
    store.list_erasures([first._replace(erased_at=NINE + timedelta(days=1)), Erasure(*first)])
    assert store.erasures() == [first]
    entry = AuditEntry(NINE, "cli", "erase", TENANT, CustomerId("x"), {"rows": {"states": 1}})
    store.note(entry)
    store.note(entry._replace(tenant=TenantId("mobile"), customer_id=None, details={}))
    assert store.noted(TENANT) == [entry] and len(store.noted()) == 2
    store.purge([(TENANT, CustomerId("x"))])
    assert store.noted(TENANT) == [entry] and store.erasures() == [first]


def test_attempts_are_counted_until_they_are_cleared(store: Store) -> None:
    assert [store.count_attempt(G, P0, 7) for _ in range(3)] == [1, 2, 3]
    assert store.count_attempt(G, P0, 8) == 1
    store.clear_attempts(G, P0, 8)
    assert store.count_attempt(G, P0, 7) == 1
    assert store.count_attempt(G, P0, 8) == 2


def test_seen_ids_are_forgotten_after_their_time(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(commit(Advance(P0, fence, None, 1), seen=[eid(1), eid(2), eid(3)]))
    assert store.forget_seen(datetime.now(UTC) - timedelta(days=1), 10) == 0
    assert store.forget_seen(datetime.now(UTC) + timedelta(seconds=1), 2) == 2
    assert store.forget_seen(datetime.now(UTC) + timedelta(seconds=1), 2) == 1
    assert store.seen(G, [eid(1), eid(2), eid(3)]) == set()


def test_lists_and_histories(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    rows = [
        conversation("a", minutes=1),
        conversation("b", minutes=2, open_messages=2),
        conversation("c", "mobile", minutes=3, status="closed", open_messages=0),
    ]
    store.commit(
        commit(Advance(P0, fence, None, 1), projections=rows, history=[history(n) for n in range(1, 8)])
    )
    assert [row.conversation_id for row in store.conversations(None)] == ["c", "b", "a"]
    assert [row.conversation_id for row in store.conversations(TenantId("bank"), limit=1)] == ["b"]
    assert [row.conversation_id for row in store.conversations(None, status="closed")] == ["c"]
    assert store.open_messages() == {"bank": 3}
    assert [row.seq for row in store.history(ConversationId("c-1"), after_seq=3, limit=2)] == [4, 5]
    assert store.conversation(ConversationId("nobody")) is None


def test_all_of_a_tenants_conversations_in_pages(store: Store) -> None:
    """None is missed or repeated where one changes between two pages; a list of the newest would have both."""
    fence = store.raise_fence(G, [P0])[P0].fence
    rows = [conversation(name, minutes=n) for n, name in enumerate(("c", "a", "e", "b", "d"))]
    rows += [conversation("x", "mobile"), replace(conversation("y", minutes=9), channel="call")]
    store.commit(commit(Advance(P0, fence, None, 1), projections=rows))
    bank = TenantId("bank")
    first = store.conversations_by_id(bank, limit=2)
    assert first == [rows[1], rows[3]]
    store.commit(commit(Advance(P0, fence, 1, 2), projections=[conversation("a", minutes=60)]))
    after = first[-1].conversation_id
    assert [row.conversation_id for row in store.conversations_by_id(bank, after=after)] == [
        "c",
        "d",
        "e",
        "y",
    ]
    since = NINE + timedelta(minutes=3)
    assert [row.conversation_id for row in store.conversations_by_id(bank, since=since)] == [
        "a",
        "b",
        "d",
        "y",
    ]
    assert [row.conversation_id for row in store.conversations_by_id(bank, channel="call")] == ["y"]
    assert store.conversations_by_id(bank, after=ConversationId("y")) == []


def test_a_channels_name_may_be_as_long_as_the_contracts_allow(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    name = "c" * 32
    row, reported = replace(conversation(), channel=name), replace(told("c-1", "a", "sent"), channel=name)
    store.commit(commit(Advance(P0, fence, None, 1), projections=[row, reported]))
    assert store.conversation(ConversationId("c-1")) == row
    assert store.deliveries(ConversationId("c-1")) == [reported]
    chat = store.channels.open_chat(Chat(TENANT, name, "1", ConversationId("c-1"), CustomerId("x"), NINE))
    assert store.channels.chat(TENANT, name, "1") == chat
    sending = Delivery(
        eid("d"), 0, TENANT, chat.conversation_id, chat.customer_id, name, "s", "sending", NINE
    )
    assert store.channels.begin_delivery(sending) == sending
    store.channels.park(
        [Parked(eid("p"), chat.conversation_id, 1, TENANT, chat.customer_id, name, (), b"")],
        {chat.conversation_id: NINE},
    )
    assert store.channels.parked(chat.conversation_id, 1)[0].channel == name


def test_the_last_verdict_on_a_reply_counts(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence

    def verdict(score: int, event: str) -> FeedbackRow:
        return FeedbackRow(
            ConversationId("c-1"),
            ReplyId("r"),
            "customer",
            TENANT,
            CustomerId("x"),
            score,
            "sealed",
            eid(event),
            NINE,
        )

    store.commit(commit(Advance(P0, fence, None, 1), projections=[verdict(1, "a")]))
    store.commit(commit(Advance(P0, fence, 1, 2), projections=[verdict(-1, "b")]))
    assert store.feedback(ConversationId("c-1")) == [verdict(-1, "b")]


def told(name: str, event: str, state: DeliveryStatus, minutes: int = 0, customer: str = "x") -> DeliveryRow:
    return DeliveryRow(
        ConversationId(name), eid(event), state, TENANT, CustomerId(customer), "telegram", f"why {state}",
        NINE + timedelta(minutes=minutes),
    )  # fmt: skip


def test_of_a_deliverys_states_the_one_that_holds_is_read_whatever_their_order(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    first = [told("c-1", "a", "sent"), told("c-1", "b", "failed"), told("c-2", "c", "unknown")]
    late = [told("c-1", "a", "accepted", 5), told("c-1", "b", "sent", 5), told("c-1", "b", "failed", 6)]
    store.commit(commit(Advance(P0, fence, None, 1), projections=first))
    store.commit(commit(Advance(P0, fence, 1, 2), projections=late))
    assert store.deliveries(ConversationId("c-1")) == [
        told("c-1", "a", "sent"),
        told("c-1", "b", "failed", 6),
    ]
    store.commit(commit(Advance(P0, fence, 2, 3), projections=[told("c-2", "c", "delivered", 1)]))
    assert store.deliveries(ConversationId("c-2")) == [told("c-2", "c", "delivered", 1)]
    store.rewrite([ConversationId("c-1")], [], [told("c-1", "a", "sent")])
    assert store.deliveries(ConversationId("c-1")) == [told("c-1", "a", "sent")]
    assert len(store.deliveries(ConversationId("c-2"))) == 1


def test_a_rewrite_replaces_only_what_it_names(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(
        commit(
            Advance(P0, fence, None, 1),
            projections=[conversation("a"), conversation("b")],
            history=[history(1, "a"), history(2, "a"), history(1, "b")],
        )
    )
    store.rewrite([ConversationId("a")], [history(1, "a")], [conversation("a", minutes=5)])
    assert [row.seq for row in store.history(ConversationId("a"))] == [1]
    assert len(store.history(ConversationId("b"))) == 1
    assert store.conversation(ConversationId("a")) == conversation("a", minutes=5)


def test_tenant_versions_never_change_and_one_is_current(store: Store) -> None:
    assert store.put(VERSION, CONFIG, CONTENT, NINE) is True
    assert store.put(VERSION, CONFIG, CONTENT, NINE) is False
    other = CONFIG.model_copy(update={"site_url": "/other"})
    assert store.put("fedcba9876543210", other, CONTENT, NINE + timedelta(hours=1)) is True
    assert store.current(TENANT) == "fedcba9876543210"
    assert store.config(TENANT, VERSION) == CONFIG
    assert store.content(TENANT, VERSION) == CONTENT
    assert [(v.version, v.current) for v in store.versions()] == [
        (VERSION, False),
        ("fedcba9876543210", True),
    ]


@pytest.mark.parametrize("ask", ["current", "config", "content"])
def test_unknown_tenants_are_said_so(store: Store, ask: str) -> None:
    with pytest.raises(UnknownTenant, match="nobody"):
        store.current(TenantId("nobody")) if ask == "current" else getattr(store, ask)(
            TenantId("nobody"), "x"
        )


def test_access_keys_are_found_by_hash_and_revoked(store: Store) -> None:
    key = AccessKey("ab" * 32, TENANT, "widget", "site", ("https://bank.example",), NINE)
    store.put_key(key)
    assert store.key("ab" * 32) == key and store.key("cd" * 32) is None
    assert store.keys(TENANT) == [key] and store.keys(TenantId("mobile")) == [] and store.keys() == [key]
    store.revoke_key("ab" * 32, NINE + timedelta(days=1))
    found = store.key("ab" * 32)
    assert found is not None and found.revoked_at == NINE + timedelta(days=1)


def claim(client: str, message: str, digest: str = "d", where: str = "c-1") -> Claim:
    return Claim(ConversationId(where), client, MessageId(message), digest, NINE)


def test_the_first_claim_of_an_id_holds_also_within_one_call(store: Store) -> None:
    assert store.claim([]) == []
    assert store.claim([claim("a", "m1"), claim("a", "m2", "other"), claim("a", "m3", where="c-2")]) == [
        claim("a", "m1"),
        claim("a", "m1"),
        claim("a", "m3", where="c-2"),
    ]
    assert store.claim([claim("a", "m9", "later")]) == [claim("a", "m1")]
    assert store.forget_claims(NINE, 9) == 0
    assert store.forget_claims(NINE + timedelta(seconds=1), 1) == 1
    assert store.forget_claims(NINE + timedelta(seconds=1), 9) == 1
    assert store.claim([claim("a", "m9")]) == [claim("a", "m9")]


def value(number: int, conversation: str = "c-1", **fields: object) -> MaskedValue:
    own = {
        "kind": "card",
        "customer_id": CustomerId("x"),
        "digest": b"d%d" % number,
        "sealed": None,
        "expires_at": None,
    }
    return MaskedValue(
        conversation_id=ConversationId(conversation),
        number=number,
        tenant=TENANT,
        source="m-1",
        masked_at=NINE,
        **{**own, **fields},  # type: ignore[arg-type]  # tests pass the right ones
    )


def test_a_masked_value_has_its_place_and_keeps_it(store: Store) -> None:
    soon = NINE + timedelta(days=1)
    first, second = value(1, sealed=b"\x00\xff", expires_at=soon), value(2)
    assert store.add_values([second, first, value(1, "c-2"), value(1, kind="account")])
    assert not store.add_values([value(1, digest=b"late"), value(3)])
    c1 = ConversationId("c-1")
    assert store.values(c1) == [value(1, kind="account"), first, second, value(3)]
    again = value(2, sealed=b"again", expires_at=soon)
    store.replace_values([again])
    store.add_values([])
    assert store.values(c1)[2] == again
    assert store.values(ConversationId("nobody's")) == []


def test_originals_expire_and_a_customers_values_are_erased(store: Store) -> None:
    ends = [NINE + timedelta(days=number) for number in range(4)]
    store.add_values([value(number, sealed=b"s", expires_at=end) for number, end in enumerate(ends, 1)])
    store.add_values([value(1, "c-2", customer_id=CustomerId("y")), value(2, "c-3")])
    c1 = ConversationId("c-1")
    assert store.forget_originals(ends[0], 9) == 0
    assert store.forget_originals(ends[2], 1) == 1
    assert store.forget_originals(ends[2], 9) == 1
    assert store.forget_originals(ends[2], 9) == 0
    assert sorted(row.sealed is not None for row in store.values(c1)) == [False, False, True, True]
    assert [row.digest for row in store.values(c1)] == [b"d1", b"d2", b"d3", b"d4"]
    assert store.purge([(TENANT, CustomerId("x"))])["masked_values"] == 5
    assert store.purge([(TENANT, CustomerId("x"))])["masked_values"] == 0
    assert store.values(c1) == []
    assert len(store.values(ConversationId("c-2"))) == 1


def test_times_come_back_aware_and_in_utc(store: Store) -> None:
    fence = store.raise_fence(G, [P0])[P0].fence
    store.commit(commit(Advance(P0, fence, None, 1), projections=[conversation()]))
    row = store.conversation(ConversationId("c-1"))
    assert row is not None and row.started_at.utcoffset() == timedelta(0)


def test_it_answers_and_closes(store: Store) -> None:
    store.ping()
    store.close()


# -- SQL only -------------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgres"])
def sql_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        url: str = request.getfixturevalue("postgres_url")
        return url
    return f"sqlite:///{tmp_path / 'db.sqlite'}"


def test_tables_and_migrations_agree_and_upgrading_twice_is_harmless(sql_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    upgrade_store(sql_url)
    upgrade_store(sql_url)
    engine = make_engine(sql_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "schema_version_store"})
        assert compare_metadata(context, t.metadata) == []
        assert "conversations" in inspect(connection).get_table_names()
    engine.dispose()


def test_a_database_that_is_not_there_is_a_store_that_is_unavailable(tmp_path: Path) -> None:
    store = open_store("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    with pytest.raises(StoreUnavailable, match="database"):
        store.ping()
    with pytest.raises(ConfigurationError, match="allowed"):
        open_store("mysql://x")
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="cannot write"):
        open_store(f"sqlite:///{file}/below/x.db")


def test_keys_are_made_once_kept_and_erased_for_good(sql_url: str) -> None:
    upgrade_keys(sql_url)
    keys = open_keys(sql_url)
    key = keys.create(TENANT, CustomerId("x"))
    assert len(key) == KEY_BYTES and keys.create(TENANT, CustomerId("x")) == key == keys.get(
        TENANT, CustomerId("x")
    )
    assert keys.create(TenantId("mobile"), CustomerId("x")) != key
    with pytest.raises(KeyErased, match="never"):
        keys.get(TENANT, CustomerId("stranger"))
    keys.erase(TENANT, CustomerId("x"))
    for call in (keys.get, keys.create):
        with pytest.raises(KeyErased):
            call(TENANT, CustomerId("x"))
    keys.close()


def test_erasures_are_applied_again_after_a_backup_was_restored(sql_url: str) -> None:
    upgrade_keys(sql_url)
    keys = open_keys(sql_url)
    keys.create(TENANT, CustomerId("x"))
    keys.create(TENANT, CustomerId("y"))
    engine = make_engine(sql_url)
    with engine.begin() as connection:  # as a backup from before the erasure would have left it
        connection.execute(t.erasures.insert(), [{"tenant": TENANT, "customer_id": "x", "erased_at": NINE}])
    engine.dispose()
    upgrade_keys(sql_url)
    with pytest.raises(KeyErased):
        keys.get(TENANT, CustomerId("x"))
    assert len(keys.get(TENANT, CustomerId("y"))) == KEY_BYTES
    keys.close()


def test_everybody_who_was_erased_is_listed_and_a_list_from_elsewhere_is_applied(sql_url: str) -> None:
    upgrade_keys(sql_url)
    keys = open_keys(sql_url)
    x, y = CustomerId("x"), CustomerId("y")
    keys.create(TENANT, x)
    keys.create(TENANT, y)
    assert keys.made_at(TENANT, x) is not None and keys.made_at(TENANT, CustomerId("z")) is None
    assert keys.apply_erasures([Erasure(TENANT, x, NINE), Erasure(TenantId("mobile"), y, NINE)]) == 1
    keys.erase(TENANT, x)
    assert keys.erasures() == [Erasure(TENANT, x, NINE), Erasure(TenantId("mobile"), y, NINE)]
    assert keys.made_at(TENANT, x) is None and keys.apply_erasures() == 0
    assert len(keys.get(TENANT, y)) == KEY_BYTES
    keys.close()


def test_an_erased_keys_bytes_leave_the_sqlite_file_and_its_wal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'keys.db'}"
    upgrade_keys(url)
    keys, elsewhere = open_keys(url), open_keys(url)
    made = [keys.create(TENANT, CustomerId(str(number))) for number in range(200)]
    assert len(elsewhere.get(TENANT, CustomerId("7"))) == KEY_BYTES  # another process's connection stays open

    def found(key: bytes) -> bool:
        return any(key in path.read_bytes() for path in tmp_path.iterdir())

    assert all(map(found, made))
    for number in range(100):
        keys.erase(TENANT, CustomerId(str(number)))
    assert keys.wipe() is None
    assert [found(key) for key in made] == [False] * 100 + [True] * 100
    keys.close()
    elsewhere.close()


def test_an_erased_keys_bytes_leave_the_postgresql_table(postgres: PostgresServer, postgres_url: str) -> None:
    upgrade_keys(postgres_url)
    keys = open_keys(postgres_url)
    gone, kept = keys.create(TENANT, CustomerId("x")), keys.create(TENANT, CustomerId("y"))

    def found(key: bytes) -> bool:
        with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("CHECKPOINT")
        return any(key in path.read_bytes() for path in postgres.data_dir.rglob("base/*/*") if path.is_file())

    assert found(gone) and found(kept)
    keys.erase(TENANT, CustomerId("x"))
    assert found(gone), "if a plain DELETE were enough, nothing would have to be rewritten"
    assert keys.wipe() is None
    assert not found(gone) and found(kept)
    keys.close()


def test_a_cached_key_is_forgotten_when_erased_here_and_soon_when_erased_elsewhere(sql_url: str) -> None:
    upgrade_keys(sql_url)
    keys = open_keys(sql_url)
    here = CachedKeys(keys, kept=1, for_s=60)
    here.create(TENANT, CustomerId("x"))
    here.create(TENANT, CustomerId("y"))
    here.erase(TENANT, CustomerId("x"))
    with pytest.raises(KeyErased):
        here.get(TENANT, CustomerId("x"))
    brief = CachedKeys(keys, for_s=0)
    brief.get(TENANT, CustomerId("y"))
    keys.erase(TENANT, CustomerId("y"))
    with pytest.raises(KeyErased):
        brief.get(TENANT, CustomerId("y"))
    assert len(here.get(TENANT, CustomerId("y"))) == KEY_BYTES
    keys.close()
