"""The read model made anew from the log: the same rows as live, in small transactions."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.backends.memory_store import MemoryStore
from parley.domain.conversation import Conversation
from parley.domain.deciding import Decision
from parley.domain.readmodel import Projection
from parley.ids import named_id
from parley.ports.store import HistoryRow
from parley.runtime import rebuild
from parley.runtime.exports import read_records
from parley.runtime.rebuild import Rebuilt, rebuild_read_model
from schemas.base import AnyEvent, ConversationId, ReplyId
from schemas.conversation_events import DeliveryReported
from schemas.other_events import FeedbackGiven
from schemas.tenant import TenantConfig
from tests.support.platform import ManualClock, make_platform, send
from tests.support.small_tenant import TENANT
from tests.support.stories import event
from tests.unit.test_decider_loop import LOG, message, start
from tests.unit.test_exports import send_at, sweep, under, work
from workers.dialogue import DialogueDecider
from workers.feedback import FeedbackDecider
from workers.wiring import Platform

Rows = tuple[object, ...]


@pytest.fixture
def on() -> Platform:
    return make_platform(MemoryBus(), clock=ManualClock())


def again(on: Platform, *deciders: DialogueDecider | FeedbackDecider) -> list[Rebuilt]:
    return [
        rebuild_read_model(
            decider, read_records(on.bus, [decider.topic.name]), on.store, on.codec, on.configs.get
        )
        for decider in deciders or (DialogueDecider(),)
    ]


def rows(on: Platform, *names: str) -> list[Rows]:
    """All that can be read of these conversations."""
    ids = [ConversationId(name) for name in names]
    read = on.store
    return [(read.conversation(n), read.history(n), read.feedback(n), read.deliveries(n)) for n in ids]


def delivered(name: str, state: str, number: int = 1) -> AnyEvent:
    body = DeliveryReported.model_validate(
        {"outbound_id": named_id(name, str(number)), "channel": "telegram", "state": state}
    )
    return event(body, state, number, conversation=name)


def verdict(score: int, comment: str | None = None, conversation: str = "c-1") -> AnyEvent:
    body = FeedbackGiven.model_validate({"reply_id": ReplyId("r"), "score": score, "comment": comment})
    return event(body, score, conversation=conversation)


class Poisoned(DialogueDecider):
    """Fails at one message."""

    def handle(
        self, state: Conversation | None, event: AnyEvent, tenant: TenantConfig
    ) -> Decision[Conversation]:
        if event.envelope.event_id == message(1).envelope.event_id:
            raise RuntimeError("bug")
        return super().handle(state, event, tenant)


def test_histories_lists_and_verdicts_are_as_they_were(on: Platform) -> None:
    for name in ("c-1", "c-2", "c-3"):
        send(
            on,
            start(name),
            message(1, name),
            message(2, name),
            verdict(-1, "bad", name),
            verdict(1, "good", name),
            delivered(name, "failed"),
            delivered(name, "sent"),
            delivered(name, "accepted", 2),
        )
    work(on, DialogueDecider(), FeedbackDecider())
    before = rows(on, "c-1", "c-2", "c-3")
    assert isinstance(on.store, MemoryStore)
    on.store.rewrite([ConversationId(name) for name in ("c-1", "c-2", "c-3")], [], [])
    on.store._feedback.clear()
    talk, feedback = again(on, DialogueDecider(), FeedbackDecider())
    assert rows(on, "c-1", "c-2", "c-3") == before
    assert (talk.conversations, talk.records, talk.incomplete) == (3, 18, 0)
    assert [row.state for row in on.store.deliveries(ConversationId("c-1"))] == ["failed", "accepted"]
    assert (feedback.verdicts, feedback.records) == (6, 6)
    [kept] = on.store.feedback(ConversationId("c-1"))
    assert kept.score == 1 and kept.comment is not None and "good" not in kept.comment


def test_what_was_wrong_is_gone_and_repeating_it_changes_nothing(on: Platform) -> None:
    send(on, start(), message(1))
    work(on, DialogueDecider())
    before = rows(on, "c-1")
    [row] = on.store.history(ConversationId("c-1"))
    on.store.rewrite([], [replace(row, seq=99)], [])
    for _ in range(2):
        again(on)
        assert rows(on, "c-1") == before


def test_what_was_given_up_live_stays_given_up(on: Platform) -> None:
    send(on, start(), message(1), message(2))
    work(on, Poisoned())
    before = rows(on, "c-1")
    again(on)
    assert rows(on, "c-1") == before


def test_repeats_dead_letters_and_strangers_change_nothing(on: Platform) -> None:
    stranger = under(message(3), customer_id="a-stranger")
    send(on, start(), message(1), message(1), under(message(2), tenant_version="feedfacecafebeef"), stranger)
    producer = on.bus.producer()
    producer.send(LOG, key=b"c-1", value=b"garbage").result(5)
    work(on, DialogueDecider())
    before = rows(on, "c-1")
    again(on)
    assert rows(on, "c-1") == before


def test_the_rows_of_an_erased_customer_go_and_no_others(on: Platform) -> None:
    for name in ("c-1", "c-2"):
        send(on, start(name), message(1, name), delivered(name, "sent"))
    work(on, DialogueDecider())
    other = rows(on, "c-2")
    on.keys.erase(TENANT, message(1).envelope.customer_id)
    [done] = again(on)
    assert (done.conversations, done.erased) == (1, 1)
    assert rows(on, "c-1") == [(None, [], [], [])] and rows(on, "c-2") == other


def test_a_conversation_whose_beginning_has_expired_stays_as_it_is(on: Platform) -> None:
    now = datetime.now(UTC)
    send_at(on, start("c-1"), now - timedelta(days=401))
    for told in (message(1, "c-1"), start("c-2"), message(1, "c-2")):
        send_at(on, told, now)
    work(on, DialogueDecider())
    sweep(on, now)
    before = rows(on, "c-1", "c-2")
    [done] = again(on)
    assert (done.conversations, done.incomplete) == (1, 1)
    assert rows(on, "c-1", "c-2") == before


def test_rows_are_written_a_few_at_a_time(on: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("c-1", "c-2", "c-3", "c-4"):
        send(on, start(name), *(message(number, name) for number in range(5)))
    work(on, DialogueDecider())
    before = rows(on, "c-1", "c-2", "c-3", "c-4")
    sizes: list[int] = []
    write = on.store.rewrite

    def rewrite(
        names: Collection[ConversationId],
        history: Collection[HistoryRow],
        projections: Iterable[Projection],
    ) -> None:
        sizes.append(len(history))
        write(names, history, projections)

    monkeypatch.setattr(on.store, "rewrite", rewrite)
    monkeypatch.setattr(rebuild, "ROWS_AT_ONCE", 4)
    again(on)
    assert rows(on, "c-1", "c-2", "c-3", "c-4") == before
    assert max(sizes) <= 5 and sum(sizes) == sum(len(history) for _, history, *_ in before)  # type: ignore[arg-type,misc]  # it is a list
