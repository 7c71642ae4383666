"""Telegram's connector with all workers, against the Bot API's emulator: what customers write, and what they see."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag

import pytest

from parley.errors import ConfigurationError
from parley.settings import Settings
from schemas.base import ConversationId, MessageId
from schemas.conversation_events import (
    AgentEditSubmitted,
    AgentMessageSubmitted,
    ClaimRequested,
    CloseRequested,
    DeliveryReported,
    MessageReceived,
)
from schemas.other_events import FeedbackGiven
from tests.support.effectors import until
from tests.support.platform import events_on, records_on, send
from tests.support.small_tenant import TENANT
from tests.support.stories import event
from tests.support.telegram import TelegramApi
from tests.support.telegram_platform import telegram_platform
from workers.embedded import Embedded
from workers.wiring import BUILDERS, Platform, build_worker

ANNA, BO = 1001, 1002
DICE = {"emoji": "🎲", "value": 6}
ANSWER = "The Everyday account costs €4.50 a month."


@pytest.fixture
def platform(api: TelegramApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with telegram_platform(api, Settings(home=tmp_path), monkeypatch) as opened:
        yield opened


@pytest.fixture
def running(platform: Platform) -> Iterator[Platform]:
    embedded = Embedded(platform, (*BUILDERS, "telegram"))
    embedded.start()
    yield platform
    embedded.stop()
    assert embedded.failed is None


numbers = iter(range(2000, 3000))


@pytest.fixture
def anna(api: TelegramApi) -> int:
    """A chat of her own for each test."""
    return api.add_private_chat(next(numbers), first_name="Anna", language_code="en")


def received(on: Platform) -> list[str]:
    bodies = [each.body for each in events_on(on, "conversation.events")]
    return [body.text for body in bodies if isinstance(body, MessageReceived)]


def texts(api: TelegramApi, chat: int, at_least: int) -> list[str]:
    """What the bot has said in a chat, once there is so much of it."""
    until(lambda: sum(each.by_bot for each in api.messages(chat)) >= at_least)
    return [each.text for each in api.messages(chat) if each.by_bot]


def conversation(on: Platform, chat: int) -> ConversationId:
    held = on.store.channels.chat(TENANT, "telegram", str(chat))
    assert held is not None
    return held.conversation_id


def test_a_question_is_answered_with_its_source_and_rated(
    running: Platform, api: TelegramApi, anna: int
) -> None:
    api.say(anna, "What does the account cost?")
    [answer] = texts(api, anna, 1)
    assert answer.startswith(ANSWER) and "Sources" in answer
    [shown] = [each for each in api.messages(anna) if each.by_bot]
    up, down = shown.message["reply_markup"]["inline_keyboard"][0]
    assert (up["text"], down["text"]) == ("👍 Helpful", "👎 Not helpful")
    assert any(each.params["action"] == "typing" for each in api.calls("sendChatAction", chat_id=anna))
    api.press(anna, shown.message_id, up["callback_data"])
    [answered] = api.calls("answerCallbackQuery", at_least=1)
    assert answered.params["text"] == "Thank you!"
    [given] = [e.body for e in events_on(running, "feedback.events") if isinstance(e.body, FeedbackGiven)]
    assert given.score == 1 and up["callback_data"] == f"up:{given.reply_id}"
    until(lambda: _states(running))  # once the record of it is written
    [told] = [
        e.body for e in events_on(running, "conversation.events") if isinstance(e.body, DeliveryReported)
    ]
    assert (told.state, told.channel) == ("sent", "telegram")


def test_chinese_is_answered_in_chinese(running: Platform, api: TelegramApi) -> None:
    chat = api.add_private_chat(next(numbers), first_name="Bo", language_code="zh-hans")
    api.say(chat, "我的卡丢了怎么办")
    [answer] = texts(api, chat, 1)
    assert "冻结" in answer and "来源" in answer


def test_text_is_masked_before_the_log_and_no_chat_is_named_in_it(
    running: Platform, api: TelegramApi, anna: int
) -> None:
    api.say(anna, "My card is 4111 1111 1111 1111, please block it")
    until(lambda: received(running))
    assert received(running) == ["My card is [card_1], please block it"]
    raw = b"".join(r.value or b"" for r in records_on(running, "conversation.events"))
    assert b"4111" not in raw and str(anna).encode() not in raw


def test_updates_that_come_twice_and_out_of_order_are_each_taken_once(
    running: Platform, api: TelegramApi, anna: int
) -> None:
    api.hold_updates(True)
    api.deliver_twice(10)
    api.reorder(4, seed=3)
    for number in range(10):
        api.say(anna, f"message {number}")
    api.hold_updates(False)
    api.reorder(0)
    assert api.pending(within_s=10.0) == []
    events = [e for e in events_on(running, "conversation.events") if isinstance(e.body, MessageReceived)]
    ids = {each.envelope.event_id for each in events}
    assert len(ids) == 10
    assert {each.body.text for each in events if isinstance(each.body, MessageReceived)} == {
        f"message {n}" for n in range(10)
    }


def test_a_command_is_answered_at_once(running: Platform, api: TelegramApi, anna: int) -> None:
    api.start_bot(anna, "from-the-site")
    [greeting] = texts(api, anna, 1)
    assert greeting.startswith("Hello!") and "/human" in greeting
    api.say(anna, "/help")
    assert texts(api, anna, 2)[1].startswith("Write your question")
    assert received(running) == []
    menus = {each.params.get("language_code") for each in api.calls("setMyCommands", at_least=3)}
    assert menus >= {None, "en", "zh"}


def test_the_language_is_chosen(running: Platform, api: TelegramApi, anna: int) -> None:
    api.say(anna, "/language")
    texts(api, anna, 1)
    [asked] = [each for each in api.messages(anna) if each.by_bot]
    api.press(anna, asked.message_id, "language:zh")
    assert texts(api, anna, 2)[1] == "好的，我们用中文继续。"
    held = running.store.channels.chat(TENANT, "telegram", str(anna))
    assert held is not None and held.language == "zh"


def test_a_human_takes_over_and_signs(running: Platform, api: TelegramApi, anna: int) -> None:
    api.say(anna, "/human")
    texts(api, anna, 1)
    name, now = conversation(running, anna), datetime.now(UTC)
    [customer] = {e.envelope.customer_id for e in events_on(running, "conversation.events")}

    def command(body: ClaimRequested | AgentMessageSubmitted | AgentEditSubmitted, number: int) -> None:
        made = event(body, number, at=now, conversation=name)
        envelope = made.envelope.model_copy(update={"customer_id": customer})
        send(running, type(made)(envelope, body))

    command(ClaimRequested(human_agent_id="mei", human_agent_name="Mei <1>"), 1)
    words = AgentMessageSubmitted(
        message_id=MessageId("m-mei"), human_agent_id="mei", text="I am **here** & I help."
    )
    command(words, 2)
    until(lambda: any("here" in each.text for each in api.messages(anna) if each.by_bot))
    said = [each for each in api.messages(anna) if each.by_bot][-1]
    assert said.text == "Mei <1>\nI am here & I help."

    def edit(text: str, number: int) -> None:
        command(AgentEditSubmitted(message_id=MessageId("m-mei"), human_agent_id="mei", text=text), number)

    edit("I am **not** here.", 3)
    until(lambda: [each.before for each in api.messages(anna) if each.message_id == said.message_id] != [[]])
    [edited] = [each for each in api.messages(anna) if each.message_id == said.message_id]
    assert edited.html == "<b>Mei &lt;1&gt;</b>\nI am <b>not</b> here." and edited.before == [said.text]
    api.set_faults(
        {"method": "editMessageText", "do": "error", "description": "Bad Request: message can't be edited"}
    )
    edit("I was here.", 4)
    until(lambda: any("was here" in each.text for each in api.messages(anna)))
    assert [each for each in api.messages(anna) if each.by_bot][
        -1
    ].text == "Mei <1> · Correction\nI was here."
    until(lambda: len(_states(running)) == 4)
    assert set(_states(running)) == {"sent"}


def test_what_has_no_text_gets_a_polite_answer(running: Platform, api: TelegramApi, anna: int) -> None:
    dice = {"message_id": 900, "date": 1, "chat": {"id": anna, "type": "private"}, "dice": DICE}
    api.inject({"message": {**dice, "from": {"id": anna, "is_bot": False, "first_name": "Anna"}}})
    assert texts(api, anna, 1) == ["I cannot read this kind of message. Please write what you need."]
    chat = {"id": anna, "type": "private"}
    long = {"message_id": 901, "date": 1, "chat": chat, "text": "x" * 8_050}
    api.inject({"message": {**long, "from": {"id": anna, "is_bot": False, "first_name": "Anna"}}})
    assert "8,000" in texts(api, anna, 2)[1]


def test_a_reply_brings_what_it_quotes(running: Platform, api: TelegramApi, anna: int) -> None:
    first = api.say(anna, "What does the account cost?")
    texts(api, anna, 1)
    api.say(anna, "And this?", reply_to=first.message_id, quote="the account")
    until(lambda: len(received(running)) == 2)
    assert received(running)[1] == "> the account\n\nAnd this?"


def test_erasing_is_asked_for_and_done(running: Platform, api: TelegramApi, anna: int) -> None:
    api.say(anna, "What does the account cost?")
    texts(api, anna, 1)
    before = running.store.channels.chat(TENANT, "telegram", str(anna))
    assert before is not None
    api.say(anna, "/delete")
    texts(api, anna, 2)
    asked = [each for each in api.messages(anna) if each.by_bot][-1]
    api.press(anna, asked.message_id, "delete:no")
    assert texts(api, anna, 3)[2] == "Nothing was erased."
    api.say(anna, "/delete")
    texts(api, anna, 4)
    asked = [each for each in api.messages(anna) if each.by_bot][-1]
    api.press(anna, asked.message_id, asked.buttons["Erase everything"])
    assert "is being erased" in texts(api, anna, 5)[4]
    until(lambda: [each.customer_id for each in running.store.erasures()] == [before.customer_id])
    api.say(anna, "What does the account cost?")
    texts(api, anna, 6)
    after = running.store.channels.chat(TENANT, "telegram", str(anna))
    assert after is not None and after.customer_id != before.customer_id


def test_a_customer_who_blocks_the_bot_closes_the_conversation_and_may_come_back(
    running: Platform, api: TelegramApi, anna: int
) -> None:
    api.say(anna, "What does the account cost?")
    texts(api, anna, 1)
    api.block(anna)
    until(lambda: _closed(running, anna))
    [closed] = [
        e.body for e in events_on(running, "conversation.events") if isinstance(e.body, CloseRequested)
    ]
    assert closed.by == "system"
    api.unblock(anna)
    api.say(anna, "What does the account cost?")
    texts(api, anna, 2)
    assert _closed(running, anna) is None


def _closed(on: Platform, chat: int) -> str | None:
    held = on.store.channels.chat(TENANT, "telegram", str(chat))
    return held.closed if held is not None else None


def test_what_telegram_refuses_for_now_is_sent_later_and_what_is_unsure_never_again(
    running: Platform, api: TelegramApi, anna: int
) -> None:
    api.set_faults(
        {"method": "sendMessage", "chat_id": anna, "nth": 1, "times": 1, "do": "429", "retry_after": 1},
        {"method": "sendMessage", "chat_id": anna, "nth": 3, "times": 1, "do": "cut"},
    )
    api.say(anna, "What does the account cost?")
    assert len(texts(api, anna, 1)) == 1
    api.say(anna, "What does the account cost now?")
    until(lambda: "unknown" in _states(running))
    assert sorted(_states(running)) == ["accepted", "sent", "unknown"]
    assert len(api.calls("sendMessage", chat_id=anna)) == 3


def _states(on: Platform) -> list[str]:
    bodies = [each.body for each in events_on(on, "conversation.events")]
    return [body.state for body in bodies if isinstance(body, DeliveryReported)]


def test_an_outage_loses_nothing(running: Platform, api: TelegramApi, anna: int) -> None:
    api.say(anna, "What does the account cost?")
    texts(api, anna, 1)
    api.set_outage("refused")
    api.say(anna, "我的卡丢了怎么办")
    api.set_outage("off")
    assert "冻结" in texts(api, anna, 2)[1]


def test_groups_are_told_to_write_privately(running: Platform, api: TelegramApi) -> None:
    group = api.add_group(-500, BO)
    api.say(group, "What does the account cost?", user_id=BO)
    api.say(group, "/help", user_id=BO)
    [told] = texts(api, group, 1)
    assert told.startswith("I answer in private chats only") and received(running) == []


def test_a_tenant_that_was_never_imported_is_named_at_the_start(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_TELEGRAM_TENANT", "nobody")
    with pytest.raises(ConfigurationError, match="tenant nobody, which was never imported; allowed: bank"):
        build_worker("telegram", platform).run(Flag())


def test_a_token_that_telegram_refuses_is_told_at_the_start(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_TELEGRAM_TOKEN", "43:AAtest-token_of-nobody")
    with pytest.raises(ConfigurationError, match="the token of tenant bank is refused"):
        build_worker("telegram", platform).run(Flag())
