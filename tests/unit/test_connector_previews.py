"""Texts in the making as messages: recorded, in their turn, replaced by their reply or taken back."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.kit.channel import Message, NotSent, Refused, Unsure
from connectors.kit.outbox import Outbox
from parley.backends.memory_bus import MemoryBus
from parley.ports.channels import Chat, Delivery
from schemas.base import AnyEvent, ConversationId, CustomerId, EventId, GenerationId, MessageId, ReplyId
from schemas.outbound import CustomerMessage, EpochRaised, ReplyReady
from tests.support.effectors import until
from tests.support.inference import lag
from tests.support.platform import make_platform, send
from tests.support.scripted_channel import ScriptedChannel, delivering, reports
from tests.support.small_tenant import TENANT
from tests.support.stories import NINE, event
from workers.wiring import Platform

AT = datetime.now(UTC)
CHAT = Chat(TENANT, "telegram", "at-c-1", ConversationId("c-1"), CustomerId("customer-of-c-1"), NINE)
G = GenerationId("6f0c2f0e-0000-5000-8000-000000000001")


@pytest.fixture
def on() -> Platform:
    made = make_platform(MemoryBus())
    made.store.channels.open_chat(CHAT)
    return made


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


def asked(seq: int = 1) -> AnyEvent:
    return event(CustomerMessage(seq=seq, epoch=0, message_id=MessageId(f"m-{seq}"), text="?"), seq, at=AT)


def reply(text: str, seq: int = 2, generation: GenerationId | None = G) -> AnyEvent:
    body = ReplyReady(
        seq=seq, epoch=0, reply_id=ReplyId(f"r-{seq}"), kind="answer", answers=(), text=text, language="en",
        generation_id=generation,
    )  # fmt: skip
    return event(body, seq, at=AT)


def raised(seq: int = 2) -> AnyEvent:
    return event(EpochRaised(seq=seq, epoch=1, reason="new_message", generation_id=G), seq, at=AT)


def call(outbox: Outbox, work: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run_coroutine_threadsafe(work, outbox._loop).result(10.0)


def begun(on: Platform, outbox: Outbox, channel: ScriptedChannel, text: str = "It co") -> str | None:
    """The chat is this process's once something of it came, and the text begins."""
    send(on, asked())
    until(lambda: lag(on, "telegram", "chat.outbound") == 0 and not outbox._lanes)
    place: str | None = call(outbox, channel.previews.begin(CHAT, G, Message(text, plain=True)))
    return place


def settled(on: Platform, outbox: Outbox) -> None:
    until(lambda: lag(on, "telegram", "chat.outbound") == 0 and not outbox._lanes)


def states(on: Platform) -> list[str]:
    return [each.state for each in on.store.channels.deliveries([EventId(G)])]


def texts(channel: ScriptedChannel) -> list[str]:
    return [text for _, text in channel.sent]


def test_a_text_grows_in_one_message_and_its_reply_takes_the_place(
    on: Platform, channel: ScriptedChannel
) -> None:
    with delivering(on, channel) as outbox:
        place = begun(on, outbox, channel)
        assert place == "1" and states(on) == ["sent"]
        call(outbox, channel.previews.go_on(CHAT, G, place, Message("It costs", plain=True)))
        assert texts(channel) == ["It costs"]
        send(on, reply("It costs 4.|More."))
        until(lambda: reports(on))
    assert texts(channel) == ["It costs 4.", "More."] and channel.withdrawn == []
    assert list(reports(on).values()) == [("sent", None)]


@pytest.mark.parametrize("ends", [raised(), reply("Sorry.", generation=None)], ids=["raised", "another"])
def test_what_a_later_epoch_ends_is_taken_back(
    on: Platform, channel: ScriptedChannel, ends: AnyEvent
) -> None:
    with delivering(on, channel) as outbox:
        begun(on, outbox, channel)
        send(on, raised(), *([ends] if isinstance(ends.body, ReplyReady) else []))
        settled(on, outbox)
    assert channel.withdrawn == [("at-c-1", "It co")] and states(on) == ["withdrawn"]
    assert texts(channel)[1:] == (["Sorry."] if isinstance(ends.body, ReplyReady) else [])


def test_after_a_crash_the_next_one_replaces_it_all_the_same(on: Platform, channel: ScriptedChannel) -> None:
    with delivering(on, channel) as outbox:
        begun(on, outbox, channel)
    with delivering(on, channel):
        send(on, reply("It costs 4."))
        until(lambda: reports(on))
    assert texts(channel) == ["It costs 4."]


def test_one_that_nobody_knows_of_is_not_sent_again_and_the_reply_is(
    on: Platform, channel: ScriptedChannel
) -> None:
    channel.script["at-c-1"].append(Unsure("no answer"))
    with delivering(on, channel) as outbox:
        assert begun(on, outbox, channel) is None
        assert call(outbox, channel.previews.begin(CHAT, G, Message("It costs", plain=True))) is None
        send(on, reply("It costs 4."))
        until(lambda: reports(on))
    assert channel.asked == [("at-c-1", "It co"), ("at-c-1", "It costs 4.")] and states(on) == ["unknown"]


def test_one_that_is_not_sent_at_once_is_not_sent_at_all(on: Platform, channel: ScriptedChannel) -> None:
    channel.script["at-c-1"].append(NotSent("429", 60.0))
    with delivering(on, channel) as outbox:
        assert begun(on, outbox, channel) is None and states(on) == ["failed"]
        send(on, reply("It costs 4."))
        until(lambda: reports(on))
    assert texts(channel) == ["It costs 4."]


def test_where_an_edit_gave_no_answer_the_reply_is_a_message_of_its_own(
    on: Platform, channel: ScriptedChannel
) -> None:
    """It may still arrive, and would put the half text back in the reply's place."""
    with delivering(on, channel) as outbox:
        place = begun(on, outbox, channel)
        assert place is not None
        channel.edit_script.append(Unsure("no answer"))
        with pytest.raises(Unsure):
            call(outbox, channel.previews.go_on(CHAT, G, place, Message("It costs", plain=True)))
        send(on, reply("It costs 4."))
        until(lambda: reports(on) and channel.withdrawn)
    assert channel.withdrawn == [("at-c-1", "It co")] and texts(channel)[1:] == ["It costs 4."]


def test_where_the_reply_may_not_take_its_place_it_is_taken_back(
    on: Platform, channel: ScriptedChannel
) -> None:
    with delivering(on, channel) as outbox:
        begun(on, outbox, channel)
        channel.edit_script.append(Refused("message can't be edited"))
        send(on, reply("It costs 4."))
        until(lambda: reports(on) and channel.withdrawn)
    assert channel.withdrawn == [("at-c-1", "It co")] and texts(channel)[1:] == ["It costs 4."]


def test_its_reply_waits_for_what_is_on_its_way(on: Platform, channel: ScriptedChannel) -> None:
    with delivering(on, channel) as outbox:
        send(on, asked())
        settled(on, outbox)
        channel.go_on.clear()
        begin = asyncio.run_coroutine_threadsafe(
            channel.previews.begin(CHAT, G, Message("It co", plain=True)), outbox._loop
        )
        until(lambda: channel.asked)
        begin.cancel()  # whoever shows it stops: the reply is there
        send(on, reply("It costs 4."))
        until(lambda: outbox._lanes)
        assert channel.asked == [("at-c-1", "It co")]
        channel.go_on.set()
        until(lambda: reports(on))
    assert texts(channel) == ["It costs 4."]


def test_it_overtakes_no_message_and_is_nobody_elses(on: Platform, channel: ScriptedChannel) -> None:
    with delivering(on, channel) as outbox:
        until(outbox.ready.is_set)
        assert call(outbox, channel.previews.begin(CHAT, G, Message("It co", plain=True))) is None, (
            "the chat is not ours yet"
        )
        send(on, asked())
        settled(on, outbox)
        channel.go_on.clear()
        send(on, reply("An earlier answer.", 2, None))
        until(lambda: channel.asked)
        assert call(outbox, channel.previews.begin(CHAT, G, Message("It co", plain=True))) is None
        channel.go_on.set()
        until(lambda: reports(on))
    assert texts(channel) == ["An earlier answer."] and states(on) == []


def test_what_a_dead_sender_had_begun_is_waited_for_and_then_unknown(
    on: Platform, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import timedelta

    from connectors.kit import sending

    monkeypatch.setattr(sending, "CALL_LASTS", timedelta(seconds=0.3))
    monkeypatch.setattr(sending, "LOOK_EVERY_S", 0.05)
    on.store.channels.begin_delivery(
        Delivery(
            EventId(G), 0, TENANT, CHAT.conversation_id, CHAT.customer_id, "telegram", "dead", "sending",
            datetime.now(UTC),
        )
    )  # fmt: skip
    with delivering(on, channel):
        send(on, reply("It costs 4."))
        until(lambda: reports(on))
    assert states(on) == ["unknown"] and texts(channel) == ["It costs 4."]
