"""Agents' edits on a channel: in place as long as the channel lets them, else as a correction; recorded as every message is."""

from datetime import UTC, datetime

import pytest

from connectors.kit.channel import Gone, NotSent, Refused, Unsure, correction_word
from parley.backends.memory_bus import MemoryBus
from parley.ports.channels import Chat
from schemas.base import AnyEvent, ConversationId, CustomerId, MessageId
from schemas.outbound import AgentMessage, AgentMessageEdited
from tests.support.effectors import until
from tests.support.histories import said
from tests.support.platform import make_platform, send
from tests.support.scripted_channel import ScriptedChannel, delivering, reports
from tests.support.small_tenant import TENANT
from tests.support.stories import NINE, event
from workers.wiring import Platform

AT = datetime.now(UTC)
MEI = {"human_agent_id": "mei", "human_agent_name": "Mei"}


@pytest.fixture
def on() -> Platform:
    made = make_platform(MemoryBus())
    made.store.channels.open_chat(
        Chat(TENANT, "telegram", "at-c-1", ConversationId("c-1"), CustomerId("customer-of-c-1"), NINE)
    )
    return made


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


def wrote(text: str, seq: int, message_id: str = "a-1") -> AnyEvent:
    body = AgentMessage(seq=seq, epoch=1, message_id=MessageId(message_id), text=text, **MEI)
    return event(body, seq, at=AT)


def edit(text: str, seq: int, message_id: str = "a-1") -> AnyEvent:
    body = AgentMessageEdited(seq=seq, epoch=1, message_id=MessageId(message_id), text=text, **MEI)
    return event(body, seq, at=AT)


def texts(channel: ScriptedChannel) -> list[str]:
    return [text for _, text in channel.sent]


def delivered(on: Platform, channel: ScriptedChannel, *events: AnyEvent) -> dict[str, tuple[str, object]]:
    with delivering(on, channel):
        said(on, *events)
        until(lambda: len(reports(on)) >= len({each.envelope.event_id for each in events}))
    return reports(on)


def test_an_edit_takes_the_messages_place(on: Platform, channel: ScriptedChannel) -> None:
    told = delivered(on, channel, wrote("one", 1), wrote("other", 2, "a-2"), edit("two", 3), edit("three", 4))
    assert texts(channel) == ["three", "other"] and set(told.values()) == {("sent", None)}
    held = on.store.channels.deliveries([edit("x", 4).envelope.event_id])
    assert [(each.state, each.external_id) for each in held] == [("sent", "1")]


def test_each_part_has_its_place_and_what_is_more_is_sent(on: Platform, channel: ScriptedChannel) -> None:
    delivered(on, channel, wrote("a|b", 1), edit("A|B|C", 2), edit("x|y|z", 3))
    assert texts(channel) == ["x", "y", "z"]
    assert ("at-c-1", "corrected: C") in channel.asked


def test_what_is_left_over_is_taken_back(on: Platform, channel: ScriptedChannel) -> None:
    told = delivered(on, channel, wrote("a|b|c", 1), edit("A", 2), edit("x|y", 3))
    assert texts(channel) == ["x", "b", "c", "corrected: y"]
    assert channel.withdrawn == [("at-c-1", "b"), ("at-c-1", "c")] and set(told.values()) == {("sent", None)}


def test_that_something_is_left_over_and_stays_is_told(on: Platform, channel: ScriptedChannel) -> None:
    channel.refuses_to_withdraw = Refused("message can't be deleted for everyone")
    told = delivered(on, channel, wrote("a|b", 1), edit("A", 2))
    reason = "a part of the message as it was before is still there: message can't be deleted for everyone"
    assert told[edit("x", 2).envelope.event_id] == ("failed", reason)


def test_what_cannot_be_edited_any_more_is_corrected(on: Platform, channel: ScriptedChannel) -> None:
    channel.edit_script.append(Refused("message can't be edited"))
    told = delivered(on, channel, wrote("one", 1), edit("two", 2), edit("three", 3))
    assert texts(channel) == ["one", "three"], "the correction is what is edited from then on"
    assert set(told.values()) == {("sent", None)}


def test_what_was_never_known_to_arrive_is_corrected(on: Platform, channel: ScriptedChannel) -> None:
    channel.script["at-c-1"].append(Unsure("no answer"))
    told = delivered(on, channel, wrote("one", 1), edit("two", 2))
    assert texts(channel) == ["corrected: two"]
    assert [state for state, _ in told.values()] == ["unknown", "sent"]


def test_a_message_that_the_history_does_not_have_is_corrected(
    on: Platform, channel: ScriptedChannel
) -> None:
    delivered(on, channel, wrote("one", 1), edit("two", 2, "a-9"))
    assert texts(channel) == ["one", "corrected: two"]


@pytest.mark.parametrize("error", [NotSent("429", 0.05), Unsure("no answer")])
def test_an_edit_is_tried_again_since_that_does_no_harm(
    on: Platform, channel: ScriptedChannel, error: Exception
) -> None:
    channel.edit_script.append(error)
    told = delivered(on, channel, wrote("one", 1), edit("two", 2))
    assert texts(channel) == ["two"] and set(told.values()) == {("sent", None)}
    assert channel.asked.count(("at-c-1", "edit 1: two")) == 2


def test_an_edit_for_somebody_who_is_gone_closes_the_chat(on: Platform, channel: ScriptedChannel) -> None:
    channel.edit_script.append(Gone("bot was blocked by the user"))
    told = delivered(on, channel, wrote("one", 1), edit("two|three", 2))
    assert told[edit("x", 2).envelope.event_id] == ("failed", "bot was blocked by the user")
    assert texts(channel) == ["one"]


def test_a_record_that_comes_again_edits_nothing_again(on: Platform, channel: ScriptedChannel) -> None:
    delivered(on, channel, wrote("one", 1), edit("two", 2))
    before = len(channel.asked)
    with delivering(on, channel):
        send(on, edit("two", 2), wrote("later", 3, "a-3"))
        until(lambda: len(reports(on)) == 3)
    assert len(channel.asked) == before + 1


def test_the_word_for_it_is_in_the_customers_language() -> None:
    assert [correction_word(each) for each in ("zh-hans", "en", "de", None)] == [
        "更正",
        "Correction",
        "Correction",
        "Correction",
    ]
