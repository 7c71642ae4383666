"""The way out of a channel: at most once, in order, and what became of it in the log."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event as Flag

import pytest

from connectors.kit.channel import Gone, Moved, NotSent, Refused, Unsure
from parley.backends.memory_bus import MemoryBus
from parley.errors import StoreUnavailable
from parley.ports.channels import Chat, Delivery
from schemas.base import AnyEvent, ConversationId, CustomerId, MessageId, ReplyId
from schemas.conversation_events import CloseRequested
from schemas.outbound import AgentMessage, CustomerMessage, ReplyReady
from schemas.parts import Channel
from tests.support.effectors import until
from tests.support.inference import lag
from tests.support.platform import events_on, make_platform, send
from tests.support.scripted_channel import ScriptedChannel, delivering, reports
from tests.support.small_tenant import TENANT
from tests.support.stories import NINE, event
from workers.wiring import Platform

AT = datetime.now(UTC)


@pytest.fixture
def on() -> Platform:
    return make_platform(MemoryBus())


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


def chat(on: Platform, name: str = "c-1", channel: Channel = "telegram", closed: str | None = None) -> Chat:
    made = Chat(TENANT, channel, f"at-{name}", ConversationId(name), CustomerId(f"customer-of-{name}"), NINE)
    on.store.channels.open_chat(made)
    on.store.channels.set_closed(made.conversation_id, closed)
    return made


def reply(text: str, seq: int, name: str = "c-1") -> AnyEvent:
    body = ReplyReady(
        seq=seq, epoch=1, reply_id=ReplyId(f"r-{seq}"), kind="answer", answers=(), text=text, language="en"
    )
    return event(body, seq, at=AT, conversation=name)


def test_what_is_for_the_customer_is_sent_in_order_and_reported(
    on: Platform, channel: ScriptedChannel
) -> None:
    chat(on)
    said = [reply(f"answer {n}|second part", n) for n in range(1, 21)]
    with delivering(on, channel):
        send(on, *said)
        until(lambda: len(reports(on)) == 20)
    assert channel.sent == [("at-c-1", text) for n in range(1, 21) for text in (f"answer {n}", "second part")]
    assert set(reports(on).values()) == {("sent", None)}
    assert channel.noticed == ["ReplyReady"] * 20


def test_other_channels_conversations_and_other_events_are_passed_over(
    on: Platform, channel: ScriptedChannel
) -> None:
    chat(on)
    chat(on, "c-3", "api")
    with delivering(on, channel):
        send(on, reply("for the web", 1, "c-2"), reply("for the api", 1, "c-3"), reply("for telegram", 2))
        send(on, event(CustomerMessage(seq=1, epoch=1, message_id=MessageId("m"), text="hello")))
        until(lambda: reports(on) and lag(on, "telegram", "chat.outbound") == 0)
    assert channel.sent == [("at-c-1", "for telegram")] and len(reports(on)) == 1


def test_a_record_that_comes_again_is_not_sent_again(on: Platform, channel: ScriptedChannel) -> None:
    chat(on)
    with delivering(on, channel):
        send(on, reply("once", 1))
        until(lambda: reports(on))
    with delivering(on, channel):
        send(on, reply("once", 1), reply("then", 2))
        until(lambda: len(reports(on)) == 2)
    assert channel.sent == [("at-c-1", "once"), ("at-c-1", "then")]


def test_what_was_certainly_not_sent_is_sent_later_and_nobody_else_waits(
    on: Platform, channel: ScriptedChannel
) -> None:
    chat(on), chat(on, "c-2")
    channel.script["at-c-1"].extend([NotSent("429", 0.2), NotSent("no connection", 0.2)])
    with delivering(on, channel):
        send(on, reply("first", 1), reply("second", 2))
        send(on, *(reply(f"other {n}", n, "c-2") for n in (1, 2, 3)))
        until(lambda: len(reports(on)) == 5)
    mine = [text for at, text in channel.sent if at == "at-c-1"]
    assert mine == ["first", "second"] and channel.sent[-2:] == [("at-c-1", "first"), ("at-c-1", "second")]
    assert set(reports(on).values()) == {("sent", None)}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (Unsure("no answer"), ("unknown", "no answer")),
        (Refused("message is too long"), ("failed", "message is too long")),
        (RuntimeError("whatever"), ("unknown", "RuntimeError")),
    ],
)
def test_what_is_unsure_or_refused_is_not_sent_again(
    on: Platform, channel: ScriptedChannel, error: Exception, told: tuple[str, str]
) -> None:
    chat(on)
    channel.script["at-c-1"].append(error)
    first, second = reply("first", 1), reply("second", 2)
    with delivering(on, channel):
        send(on, first, second)
        until(lambda: len(reports(on)) == 2)
    assert channel.asked == [("at-c-1", "first"), ("at-c-1", "second")]
    assert reports(on)[first.envelope.event_id] == told
    assert reports(on)[second.envelope.event_id] == ("sent", None)


def test_a_customer_who_has_blocked_the_bot_closes_the_chat(on: Platform, channel: ScriptedChannel) -> None:
    made = chat(on)
    channel.script["at-c-1"].append(Gone("bot was blocked by the user"))
    with delivering(on, channel):
        send(on, reply("first|second", 1), reply("third", 2))
        until(lambda: len(reports(on)) == 2)
    assert channel.asked == [("at-c-1", "first")]
    assert set(reports(on).values()) == {("failed", "bot was blocked by the user")}
    held = on.store.channels.chat_of(made.conversation_id)
    assert held is not None and held.closed == "bot was blocked by the user"
    closed = [e.body for e in events_on(on, "conversation.events") if isinstance(e.body, CloseRequested)]
    assert closed == [CloseRequested(by="system")]


def test_a_chat_that_has_moved_is_followed(on: Platform, channel: ScriptedChannel) -> None:
    made = chat(on)
    channel.script["at-c-1"].append(Moved("-100"))
    with delivering(on, channel):
        send(on, reply("first", 1), reply("second", 2))
        until(lambda: len(reports(on)) == 2)
    assert channel.sent == [("-100", "first"), ("-100", "second")]
    held = on.store.channels.chat_of(made.conversation_id)
    assert held is not None and held.address == "-100"


def begun(on: Platform, said: AnyEvent, state: str = "sending", sender: str = "somebody else") -> Delivery:
    """As a sender that died left it."""
    delivery = Delivery(
        said.envelope.event_id, 0, TENANT, said.envelope.conversation_id, said.envelope.customer_id,
        "telegram", sender, "sending", NINE,
    )  # fmt: skip
    on.store.channels.begin_delivery(delivery)
    if state == "held":
        on.store.channels.change_delivery(delivery, "held", NINE)
    return delivery


def test_what_a_dead_sender_had_begun_is_unknown_and_never_sent_again(
    on: Platform, channel: ScriptedChannel
) -> None:
    chat(on)
    first, second = reply("first", 1), reply("second", 2)
    begun(on, first)
    begun(on, second, "held")
    with delivering(on, channel):
        send(on, first, second)
        until(lambda: len(reports(on)) == 2)
    assert channel.sent == [("at-c-1", "second")]
    assert reports(on)[first.envelope.event_id] == ("unknown", "its sender was gone before it could tell")
    assert reports(on)[second.envelope.event_id] == ("sent", None)


def test_another_sender_that_lives_is_waited_for(on: Platform, channel: ScriptedChannel) -> None:
    """Its partition was taken away while it called the channel; it says by itself what became of that."""
    chat(on)
    mine = replace(
        begun(on, reply("first", 1)),
        outbound_id=reply("second", 2).envelope.event_id,
        changed_at=on.clock.now(),
    )
    on.store.channels.begin_delivery(mine)
    with delivering(on, channel):
        send(on, reply("second", 2), reply("third", 3))
        Flag().wait(0.3)
        assert reports(on) == {} and channel.asked == []
        assert on.store.channels.change_delivery(mine, "sent", on.clock.now(), external_id="7")
        until(lambda: len(reports(on)) == 2)
    assert channel.sent == [("at-c-1", "third")] and set(reports(on).values()) == {("sent", None)}


@pytest.mark.parametrize("refuses", [False, True])
def test_who_wakes_after_another_took_over_deletes_what_it_has_sent(
    on: Platform, channel: ScriptedChannel, refuses: bool
) -> None:
    chat(on)
    said = reply("late", 1)
    channel.refuses_to_withdraw = Refused("too old") if refuses else None
    channel.go_on.clear()
    with delivering(on, channel):
        send(on, said)
        until(lambda: channel.asked)
        [mine] = on.store.channels.deliveries([said.envelope.event_id])
        assert on.store.channels.change_delivery(mine, "unknown", NINE, reason="taken over")
        channel.go_on.set()
        until(lambda: reports(on))
    [held] = on.store.channels.deliveries([said.envelope.event_id])
    assert channel.sent == [("at-c-1", "late")]
    assert channel.withdrawn == ([] if refuses else channel.sent)
    assert held.state == ("unknown" if refuses else "withdrawn")
    assert reports(on)[said.envelope.event_id] == (
        ("unknown", "taken over") if refuses else ("failed", "another sender had taken over")
    )


def test_what_waits_when_the_worker_stops_is_sent_by_the_next_one(
    on: Platform, channel: ScriptedChannel
) -> None:
    chat(on)
    channel.script["at-c-1"].append(NotSent("429", 2.0))
    with delivering(on, channel):
        send(on, reply("first", 1), reply("second", 2))
        until(lambda: _states(on, reply("first", 1)) == ["held"])
    assert channel.sent == [] and reports(on) == {}
    with delivering(on, channel):
        until(lambda: len(reports(on)) == 2)
    assert channel.sent == [("at-c-1", "first"), ("at-c-1", "second")]


def _waits(on: Platform, name: str = "c-1") -> bool:
    """Whether the chat waits, and nobody tries it just now."""
    held = on.store.channels.chat_of(ConversationId(name))
    assert held is not None
    return held.waits_until is not None and held.waits_until < on.clock.now() + timedelta(seconds=45)


def _states(on: Platform, said: AnyEvent) -> list[str]:
    return [each.state for each in on.store.channels.deliveries([said.envelope.event_id])]


def test_what_waits_for_hours_is_given_up(on: Platform, channel: ScriptedChannel) -> None:
    from tests.support.platform import ManualClock

    clock = ManualClock(AT)
    on = make_platform(MemoryBus(), clock=clock)
    chat(on)
    channel.script["at-c-1"].extend([NotSent("outage", 0.05)] * 1000)
    with delivering(on, channel):
        send(on, reply("first", 1))
        for hours in (0, 0, 7):
            asked = len(channel.asked)
            until(lambda: _waits(on))
            clock.at += timedelta(hours=hours, seconds=1)
            until(lambda asked=asked: len(channel.asked) > asked)  # type: ignore[misc]  # a default is how a lambda keeps it
        until(lambda: reports(on))
    assert set(reports(on).values()) == {("failed", "outage")}


def test_a_human_agents_words_show_the_customer_what_was_masked(
    on: Platform, channel: ScriptedChannel
) -> None:
    """Its placeholders are the customer's own values; nobody else's conversation has them."""
    from parley.domain.masking import masker_of
    from parley.domain.rights import Owner
    from parley.runtime.vault import Writing
    from schemas.privacy import Privacy

    made = chat(on)
    owner = Owner(TENANT, made.customer_id, made.conversation_id)
    findings = masker_of(()).find("My card is 4111 1111 1111 1111")
    masked = on.vault.write(Writing(owner, "m-1", Privacy(vault=True), on.clock.now()), findings)
    placeholder = masked.text.rpartition(" ")[2]
    config = on.store.config(TENANT, on.store.current(TENANT))
    words = AgentMessage(
        seq=1, epoch=1, message_id=MessageId("m-2"), human_agent_id="mei", human_agent_name="Mei",
        text=f"We have blocked {placeholder}",
    )  # fmt: skip
    with delivering(on, channel):
        send(on, event(words))
        until(lambda: reports(on))
    shown = "4111 1111 1111 1111" if config.privacy.vault else placeholder
    assert channel.sent == [("at-c-1", f"We have blocked {shown}")]


@pytest.fixture(autouse=True)
def nothing_is_left_under_way(on: Platform) -> Iterator[None]:
    yield
    on.bus.close()


def test_a_worker_that_stops_while_the_store_is_away_ends_in_good_order(
    on: Platform, channel: ScriptedChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    chat(on)
    asked = Flag()

    def away(_: ConversationId) -> Chat:
        asked.set()
        raise StoreUnavailable("away")

    with delivering(on, channel):
        monkeypatch.setattr(on.store.channels, "chat_of", away)
        send(on, reply("first", 1))
        assert asked.wait(10)
    monkeypatch.undo()
    with delivering(on, channel):
        until(lambda: reports(on))
    assert channel.sent == [("at-c-1", "first")]


def test_nothing_is_recorded_before_its_turn_and_a_stop_leaves_it_to_the_next(
    on: Platform, channel: ScriptedChannel
) -> None:
    chat(on)
    channel.turns.clear()
    with delivering(on, channel):
        send(on, reply("first", 1))
        until(lambda: channel.noticed)
        assert _states(on, reply("first", 1)) == []
    channel.turns.set()
    with delivering(on, channel):
        until(lambda: reports(on))
    assert channel.sent == [("at-c-1", "first")] and set(reports(on).values()) == {("sent", None)}


@pytest.mark.parametrize(
    ("error", "told"), [(Refused("no bot"), "no bot"), (ZeroDivisionError("secret"), "ZeroDivisionError")]
)
def test_an_event_that_cannot_be_sent_here_fails_and_the_next_goes_out(
    on: Platform, channel: ScriptedChannel, error: Exception, told: str
) -> None:
    chat(on)
    channel.breaks_on["first"] = error
    first, second = reply("first", 1), reply("second", 2)
    with delivering(on, channel):
        send(on, first, second)
        until(lambda: len(reports(on)) == 2)
    assert reports(on)[first.envelope.event_id] == ("failed", told)
    assert channel.sent == [("at-c-1", "second")]


def test_who_is_erased_while_a_message_waits_is_sent_nothing_more(
    on: Platform, channel: ScriptedChannel
) -> None:
    made = chat(on)
    channel.script["at-c-1"].append(NotSent("429", 0.5))
    with delivering(on, channel):
        send(on, reply("first", 1))
        until(lambda: _states(on, reply("first", 1)) == ["held"])
        on.store.purge([(TENANT, made.customer_id)])
        until(lambda: lag(on, "telegram", "chat.outbound") == 0)
    assert channel.sent == [] and _states(on, reply("first", 1)) == [] and reports(on) == {}


def test_that_a_chat_is_closed_is_said_once_more_after_a_crash(
    on: Platform, channel: ScriptedChannel
) -> None:
    """Its record says so: whoever comes after a sender that died before the log had it."""
    made = chat(on)
    said = reply("first", 1)
    begun(on, said)
    [delivery] = on.store.channels.deliveries([said.envelope.event_id])
    on.store.channels.change_delivery(delivery, "failed", AT, reason="the chat is closed: blocked")
    with delivering(on, channel):
        send(on, said)
        until(lambda: _closed(on, made))
    assert set(reports(on).values()) == {("failed", "blocked")} and channel.asked == []
    assert any(isinstance(each.body, CloseRequested) for each in events_on(on, "conversation.events"))


def _closed(on: Platform, made: Chat) -> str | None:
    held = on.store.channels.chat_of(made.conversation_id)
    return held.closed if held is not None else None
