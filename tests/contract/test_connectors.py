"""What every messaging channel's connector has to do: one suite, on each of them against servers like its own."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

import pytest

from connectors.kit import discovery
from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.sql import open_store
from parley.settings import Settings
from schemas.base import AnyEvent, Body, Event, GenerationId, MessageId, ReplyId
from schemas.conversation_events import CloseRequested, ConversationStarted, MessageReceived
from schemas.outbound import (
    AgentMessage,
    AgentMessageEdited,
    CustomerMessage,
    EpochRaised,
    OwnerChanged,
    ReplyDelta,
    ReplyReady,
)
from tests.support.connector_harness import (
    CopiedHarness,
    Fault,
    Harness,
    TelegramHarness,
    TelegramWebhookHarness,
    WebhookHarness,
    working,
)
from tests.support.effectors import until
from tests.support.histories import said
from tests.support.platform import events_on, make_platform, records_on, send
from tests.support.scripted_channel import reports
from tests.support.small_tenant import TENANT
from tests.support.stories import event
from workers.wiring import Platform

OURS: dict[str, Callable[[], Harness]] = {"telegram": TelegramHarness, "webhook": WebhookHarness}
HARNESSES = {**OURS, "telegram by webhook": TelegramWebhookHarness, "a copied folder": CopiedHarness}
LOG = "conversation.events"
AT = datetime.now(UTC)


def test_every_connector_is_in_the_suite() -> None:
    there = {name for name, each in discovery.found().items() if discovery.has_chats(each)}
    assert set(OURS) == there


@pytest.fixture(params=HARNESSES)
def harness(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Harness]:
    made = HARNESSES[request.param]()
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


@pytest.fixture
def on(tmp_path: Path, harness: Harness) -> Iterator[Platform]:
    """Its settings are read in the environment that the harness has made."""
    settings = Settings(home=tmp_path, demo=False)
    upgrade_store(settings.database)
    opened = make_platform(open_bus(settings.bus), open_store(settings.database), settings=settings)
    yield opened
    opened.close()


def received(on: Platform, text: str = "") -> list[tuple[str, str]]:
    """Ids and texts of messages in the log, each once, in its order; with a text: those that have it."""
    found: dict[str, str] = {}
    for each in events_on(on, LOG):
        if isinstance(each.body, MessageReceived) and text in each.body.text:
            found.setdefault(each.envelope.event_id, each.body.text)
    return list(found.items())


def outbound(on: Platform, harness: Harness, chat: str, body: Body, seq: int) -> AnyEvent:
    """As the dialogue worker says it in this chat's conversation."""
    held = on.store.channels.chat(TENANT, harness.channel, chat)
    assert held is not None
    made = event(body, seq, at=AT, conversation=held.conversation_id)
    return Event(made.envelope.model_copy(update={"customer_id": held.customer_id}), body)


def answer(text: str, seq: int, epoch: int = 1) -> ReplyReady:
    return ReplyReady(
        seq=seq,
        epoch=epoch,
        reply_id=ReplyId(f"r-{seq}"),
        kind="answer",
        answers=(),
        text=text,
        language="en",
    )


def reply(on: Platform, harness: Harness, chat: str, text: str, seq: int) -> AnyEvent:
    return outbound(on, harness, chat, answer(text, seq), seq)


def test_it_is_what_the_platform_looks_for(harness: Harness) -> None:
    connector = discovery.found()[harness.name]
    assert connector.configured()


def test_a_channel_that_nobody_configured_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [name for name, each in discovery.found().items() if each.configured()] == []


def test_what_is_taken_is_in_the_log_once_and_in_order(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        for number in range(6):
            harness.write("31", f"message {number}", number, times=1 + number % 2)
            assert len(received(on)) == number + 1, "it was told before the log had it"
    assert [text for _, text in received(on)] == [f"message {n}" for n in range(6)]
    first = events_on(on, LOG)[0]
    assert isinstance(first.body, ConversationStarted) and first.body.channel == harness.channel
    assert len({each.envelope.conversation_id for each in events_on(on, LOG)}) == 1


def test_each_chat_is_a_conversation_of_its_own(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        for chat in ("31", "32", "31"):
            harness.write(chat, f"from {chat}", 1 if chat == "32" else len(received(on)))
    owners: dict[str, set[str]] = {}
    for each in events_on(on, LOG):
        if isinstance(each.body, MessageReceived):
            owners.setdefault(each.body.text, set()).add(each.envelope.conversation_id)
    assert len(owners["from 31"]) == len(owners["from 32"]) == 1 and owners["from 31"] != owners["from 32"]


def test_what_is_written_is_masked_and_sealed(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        harness.write("31", "My card is 4111 1111 1111 1111, please block it", 1)
    assert [text for _, text in received(on)] == ["My card is [card_1], please block it"]
    raw = b"".join(record.value or b"" for record in records_on(on, LOG))
    assert b"4111" not in raw and b"block" not in raw


def test_what_is_no_delivery_is_refused_and_ends_nothing(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        for deliver in harness.nonsense():
            status = deliver()
            assert status == 0 or 400 <= status < 500, status
        assert received(on) == []
        harness.write("31", "and now a real one", 1)
    assert [text for _, text in received(on)] == ["and now a real one"]


def test_replies_go_out_in_order_and_are_reported(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        harness.write("31", "hello", 1)
        said = [reply(on, harness, "31", f"answer {n}", n) for n in range(1, 9)]
        send(on, *said, said[3])
        until(lambda: len(reports(on)) == 8)
    assert harness.shown("31") == [f"answer {n}" for n in range(1, 9)]
    assert set(reports(on).values()) == {("sent", None)}


def test_what_was_said_while_the_worker_was_away_is_sent_once(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        harness.write("31", "hello", 1)
        first = reply(on, harness, "31", "first", 1)
        send(on, first)
        until(lambda: reports(on))
    send(on, first, reply(on, harness, "31", "second", 2))
    with working(on, harness):
        until(lambda: len(reports(on)) == 2)
    assert harness.shown("31") == ["first", "second"]


@pytest.mark.parametrize(
    ("fault", "state", "arrived"),
    [
        ("not_sent", "sent", ["first", "second"]),
        ("unsure", "unknown", ["first", "second"]),
        ("refused", "failed", ["second"]),
    ],
)
def test_a_send_that_goes_wrong_is_known_for_what_it_is(
    on: Platform, harness: Harness, fault: Fault, state: str, arrived: list[str]
) -> None:
    with working(on, harness):
        harness.write("31", "hello", 1)
        harness.breaks("31", fault)
        first, second = (reply(on, harness, "31", text, n) for n, text in enumerate(("first", "second"), 1))
        send(on, first, second)
        until(lambda: len(reports(on)) == 2)
    assert reports(on)[first.envelope.event_id][0] == state
    assert reports(on)[second.envelope.event_id] == ("sent", None)
    assert harness.shown("31") == arrived


def test_an_agents_edit_reaches_the_customer_in_place_or_as_a_correction(
    on: Platform, harness: Harness
) -> None:
    told = {"epoch": 1, "message_id": MessageId("a-1"), "human_agent_id": "mei", "human_agent_name": "Mei"}
    with working(on, harness):
        harness.write("31", "hello", 1)
        bodies = (
            AgentMessage.model_validate({**told, "seq": 1, "text": "It costs 4."}),
            AgentMessageEdited.model_validate({**told, "seq": 2, "text": "It costs 5."}),
        )
        said(on, *(outbound(on, harness, "31", body, body.seq) for body in bodies))
        until(lambda: len(reports(on)) == 2)
    assert set(reports(on).values()) == {("sent", None)}
    *earlier, last = harness.shown("31")
    assert "It costs 5." in last
    assert earlier == [] or (len(earlier) == 1 and "It costs 4." in earlier[0] and "Correction" in last)


class Talk:
    """What is said, and begun to be said, in one chat; a new generation for each text in the making."""

    def __init__(self, on: Platform, harness: Harness) -> None:
        self._on, self._harness = on, harness
        self._count = 0
        harness.write("31", "hello", 1)

    def tell(self, *bodies: Body) -> None:
        for body in bodies:
            self._count += 1
            send(self._on, outbound(self._on, self._harness, "31", body, self._count))

    def begin(self, text: str, epoch: int) -> None:
        self._count += 1
        name = GenerationId(f"6f0c2f0e-0000-5000-8000-{self._count:012}")
        self.tell(ReplyDelta(generation_id=name, attempt=f"a{self._count}", epoch=epoch, index=0, text=text))

    def shows(self, text: str, epoch: int) -> None:
        """The customer sees what is begun, where this channel shows such. Until then it is begun again, for it may be lost: another thread
        reads it than what told of the chat.
        """

        def begun() -> bool:
            self.begin(text, epoch)
            end = monotonic() + 2.0
            while self._harness.shows_making and not self.seen(text) and monotonic() < end:
                sleep(0.05)
            return not self._harness.shows_making or self.seen(text)

        until(begun)

    def takes_back(self) -> None:
        if self._harness.shows_making:
            until(lambda: self.seen(""))

    def seen(self, text: str) -> bool:
        return [each.strip() for each in self._harness.making("31")[-1:]] == [text]


def asked(seq: int, epoch: int) -> CustomerMessage:
    return CustomerMessage(seq=seq, epoch=epoch, message_id=MessageId(f"m-{seq}"), text="hello")


def test_after_a_new_message_nothing_of_the_epoch_before_is_shown(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        talk = Talk(on, harness)
        talk.tell(asked(1, 1))
        talk.shows("It costs", 1)
        talk.tell(EpochRaised(seq=2, epoch=2, reason="new_message"))
        talk.takes_back()
        talk.begin("stale", 1)
        talk.shows("Both cost", 2)  # those of one chat are read in their order
        talk.tell(answer("Both cost 4.", 3, epoch=2))
        until(lambda: len(reports(on)) == 1)
    assert "stale" not in "".join(harness.making("31"))
    assert harness.shown("31") == ["Both cost 4."]


def test_while_a_human_has_the_chat_nothing_that_the_bot_began_is_shown(
    on: Platform, harness: Harness
) -> None:
    mei = {"human_agent_id": "mei", "human_agent_name": "Mei"}
    with working(on, harness):
        talk = Talk(on, harness)
        talk.tell(asked(1, 1))
        talk.shows("It costs", 1)
        talk.tell(
            OwnerChanged.model_validate({"seq": 2, "epoch": 2, "owner": "human", "reason": "claimed", **mei})
        )
        talk.takes_back()
        talk.begin("stale", 1)
        talk.tell(
            AgentMessage.model_validate({"seq": 3, "epoch": 2, "message_id": "a", "text": "I am Mei.", **mei})
        )
        until(lambda: len(reports(on)) == 1)
        talk.tell(OwnerChanged(seq=4, epoch=3, owner="bot", reason="released"), asked(5, 3))
        talk.begin("stale", 1)
        talk.begin("stale", 2)
        talk.shows("They cost", 3)
        talk.tell(answer("They cost 5.", 6, epoch=3))
        until(lambda: len(reports(on)) == 2)
    assert "stale" not in "".join(harness.making("31"))
    first, second = harness.shown("31")
    assert "I am Mei." in first and second == "They cost 5."


def test_what_was_settled_is_sent_although_the_epoch_has_risen_since(on: Platform, harness: Harness) -> None:
    """The epoch fences what is being written; what has a `seq` is the customer's to have."""
    with working(on, harness):
        talk = Talk(on, harness)
        talk.tell(EpochRaised(seq=1, epoch=2, reason="new_message"), answer("It costs 4.", 2, epoch=1))
        until(lambda: len(reports(on)) == 1)
    assert harness.shown("31") == ["It costs 4."]


def test_a_customer_who_is_gone_closes_the_conversation(on: Platform, harness: Harness) -> None:
    with working(on, harness):
        harness.write("31", "hello", 1)
        harness.breaks("31", "gone")
        send(on, reply(on, harness, "31", "first", 1))
        until(lambda: _closed(on, harness, "31"))  # after the log has it
    assert any(isinstance(each.body, CloseRequested) for each in events_on(on, LOG))
    assert harness.shown("31") == []


def _closed(on: Platform, harness: Harness, chat: str) -> str | None:
    held = on.store.channels.chat(TENANT, harness.channel, chat)
    assert held is not None
    return held.closed
