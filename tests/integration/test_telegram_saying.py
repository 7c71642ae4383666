"""What the bot says by itself on Telegram: recorded, sent again where it certainly was not, never doubled; and what commands and buttons do."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.kit.channel import Message
from connectors.kit.sending import Sending
from connectors.telegram.channel import TelegramChannel
from connectors.telegram.saying import Saying
from parley.settings import Settings
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.outbound import CustomerArrived
from tests.support.effectors import WITHIN_S, until
from tests.support.inference import running
from tests.support.platform import events_on, records_on
from tests.support.small_tenant import TENANT
from tests.support.telegram import TOKEN, TelegramApi
from tests.support.telegram_platform import telegram_platform
from workers.embedded import Embedded
from workers.wiring import BUILDERS, Platform, build_worker

DICE = {"emoji": "🎲", "value": 6}
BUSY = {"method": "sendMessage", "do": "429", "retry_after": 1, "times": 1}
numbers = iter(range(8000, 9000))


@pytest.fixture
def platform(api: TelegramApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    with telegram_platform(api, Settings(home=tmp_path), monkeypatch) as opened:
        yield opened


@pytest.fixture
def on(platform: Platform) -> Iterator[Platform]:
    """Telegram's connector alone."""
    with running(build_worker("telegram", platform), 3 * WITHIN_S):
        yield platform


@pytest.fixture
def anna(api: TelegramApi) -> int:
    return api.add_private_chat(next(numbers), first_name="Anna", language_code="en")


def said(api: TelegramApi, chat: int) -> list[str]:
    """What the bot has said in a chat once it is done with every update."""
    assert api.pending(within_s=WITHIN_S) == []
    return [each.text for each in api.messages(chat) if each.by_bot]


def received(on: Platform) -> list[str]:
    """Each message of the log once."""
    found: dict[str, str] = {}
    for each in events_on(on, "conversation.events"):
        if isinstance(each.body, MessageReceived):
            found.setdefault(each.envelope.event_id, each.body.text)
    return list(found.values())


def roll(api: TelegramApi, chat: int) -> None:
    dice = {"message_id": 900, "date": 1, "chat": {"id": chat, "type": "private"}, "dice": DICE}
    api.inject({"message": {**dice, "from": {"id": chat, "is_bot": False, "first_name": "Anna"}}})


def last(api: TelegramApi, chat: int) -> tuple[int, dict[str, str]]:
    """The bot's last message, and its buttons' data by their labels."""
    said(api, chat)
    shown = [each for each in api.messages(chat) if each.by_bot][-1]
    return shown.message_id, shown.buttons


COMMANDS: dict[str, tuple[Callable[[TelegramApi, int], object], str]] = {
    "start": (lambda api, chat: api.start_bot(chat), "Hello!"),
    "help": (lambda api, chat: api.say(chat, "/help"), "Write your question"),
    "language": (lambda api, chat: api.say(chat, "/language"), "Which language"),
    "delete": (lambda api, chat: api.say(chat, "/delete"), "There is nothing kept"),
    "dice": (roll, "I cannot read this kind"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_telegram_does_not_take_yet_is_said_later(
    on: Platform, api: TelegramApi, anna: int, name: str
) -> None:
    act, words = COMMANDS[name]
    api.set_faults({**BUSY, "chat_id": anna})
    act(api, anna)
    [text] = said(api, anna)
    first, second = api.calls("sendMessage", chat_id=anna)
    assert text.startswith(words) and second.at - first.at >= 1.0


@pytest.mark.parametrize("name", COMMANDS)
def test_an_update_that_comes_twice_is_answered_once(
    on: Platform, api: TelegramApi, anna: int, name: str
) -> None:
    api.deliver_twice(1)
    COMMANDS[name][0](api, anna)
    said(api, anna)
    api.say(anna, "hello")  # its answer came behind whatever was doubled
    assert len(said(api, anna)) == 1 and len(api.calls("sendMessage", chat_id=anna)) == 1


@pytest.mark.parametrize("do", ["500", "cut_after", "cut"])
def test_what_may_have_arrived_is_not_said_again(on: Platform, api: TelegramApi, anna: int, do: str) -> None:
    api.set_faults({"method": "sendMessage", "chat_id": anna, "do": do, "times": 1})
    api.deliver_twice(1)
    api.say(anna, "/help")
    shown = said(api, anna)
    assert len(api.calls("sendMessage", chat_id=anna)) == 1 and len(shown) == (do == "cut_after")


@pytest.mark.parametrize("times", [1, 2])
def test_who_erases_everything_is_told_so_and_the_button_is_answered(
    on: Platform, api: TelegramApi, anna: int, times: int
) -> None:
    api.say(anna, "hello")
    api.say(anna, "/delete")
    message, buttons = last(api, anna)
    before = len(api.calls("answerCallbackQuery"))
    api.set_faults(
        {**BUSY, "chat_id": anna},
        {"method": "answerCallbackQuery", "do": "429", "retry_after": 1, "times": 1},
        {"method": "editMessageReplyMarkup", "do": "cut", "times": 1},
    )
    api.deliver_twice(times - 1)
    api.press(anna, message, buttons["Erase everything"])
    assert [each[:30] for each in said(api, anna)[1:]] == ["Everything that was kept about"]
    answered = [each.performed for each in api.calls("answerCallbackQuery")[before:]]
    assert answered == [False, True, True][: times + 1], "refused, then answered; and again to a repeat"
    [asked] = [each for each in api.messages(anna) if each.message_id == message]
    assert "reply_markup" not in asked.message and len(on.store.erasures()) == 1


def test_an_old_button_erases_nothing_that_came_later(on: Platform, api: TelegramApi, anna: int) -> None:
    api.say(anna, "hello")
    api.say(anna, "/delete")
    message, buttons = last(api, anna)
    api.press(anna, message, buttons["Erase everything"])
    said(api, anna)
    api.say(anna, "hello again")
    said(api, anna)
    kept = on.store.channels.chat(TENANT, "telegram", str(anna))
    assert kept is not None
    # Telegram shows the keyboard no more; a client that was away still has it.
    for data in (buttons["Erase everything"], "delete:yes"):
        press = {
            "id": f"q-{data}", "from": {"id": anna, "is_bot": False, "first_name": "A"}, "chat_instance": "1",
            "data": data, "message": {"message_id": message, "date": 1, "chat": {"id": anna, "type": "private"}},
        }  # fmt: skip
        api.inject({"callback_query": press})
        assert said(api, anna)[-1].startswith("That button asked about an earlier conversation")
    assert on.store.channels.chat(TENANT, "telegram", str(anna)) == kept and len(on.store.erasures()) == 1


def test_a_button_of_an_inline_message_is_answered(on: Platform, api: TelegramApi, anna: int) -> None:
    press = {
        "id": "inline-1", "from": {"id": anna, "is_bot": False, "first_name": "A"}, "chat_instance": "1",
        "data": "up:r", "inline_message_id": "far away",
    }  # fmt: skip
    api.inject({"callback_query": press})
    until(
        lambda: [e for e in api.calls("answerCallbackQuery") if e.params["callback_query_id"] == "inline-1"]
    )


@pytest.mark.parametrize(
    ("asked", "chosen"),
    [("ZH", "zh"), ("zh-hant", "zh"), ("zh_TW", "zh"), ("中文", "zh"), ("English", "en"), ("Klingon", None)],
)
def test_a_language_is_named_as_people_do(
    on: Platform, api: TelegramApi, anna: int, asked: str, chosen: str | None
) -> None:
    api.say(anna, f"/language {asked}")
    [text] = said(api, anna)
    assert (text == "Which language shall we use?") == (chosen is None)
    held = on.store.channels.chat(TENANT, "telegram", str(anna))
    assert (held.language if held is not None else None) == chosen


def test_a_text_beyond_one_message_of_ours_is_logged_as_two(
    on: Platform, api: TelegramApi, anna: int
) -> None:
    words = " ".join(["please", "help", "somebody"] * 195)
    assert 4_000 < len(words) <= 4_096
    api.deliver_twice(1)
    api.say(anna, words)
    assert said(api, anna) == [] and " ".join(received(on)) == words and len(received(on)) == 2


def test_whoever_asks_for_a_human_brings_their_words(on: Platform, api: TelegramApi, anna: int) -> None:
    api.say(anna, "/human my card was stolen yesterday")
    until(lambda: received(on))
    assert received(on) == ["I want to talk to a human.\n\nmy card was stolen yesterday"]


def sources(on: Platform) -> list[str]:
    """Each of the log once."""
    events = events_on(on, "conversation.events")
    found = {e.envelope.event_id: e.body.source for e in events if isinstance(e.body, ConversationStarted)}
    return [each for each in found.values() if each is not None]


@pytest.mark.parametrize(
    ("payload", "logged"),
    [
        ("campaign-42", ["campaign-42"]),
        ("card_4111111111111111", ["card_[card_1]"]),
        ("x" * 65, []),
        ("two words", []),
        ("<b>", []),
    ],
)
def test_where_a_customer_comes_from_is_logged_masked(
    on: Platform, api: TelegramApi, anna: int, payload: str, logged: list[str]
) -> None:
    api.deliver_twice(1)
    api.start_bot(anna, payload)
    [greeting] = said(api, anna)
    assert greeting.startswith("Hello!") and sources(on) == logged
    raw = b"".join(record.value or b"" for record in records_on(on, "conversation.events"))
    assert payload.encode() not in raw


def test_human_agents_see_where_a_customer_comes_from(
    platform: Platform, api: TelegramApi, anna: int
) -> None:
    embedded = Embedded(platform, (*BUILDERS, "telegram"))
    embedded.start()
    try:
        api.start_bot(anna, "campaign-42")
        said(api, anna)
        api.start_bot(anna, "article-7")
        assert len(said(api, anna)) == 2, "nothing of it is for the customer"

        def arrived() -> list[str]:
            bodies = [each.body for each in events_on(platform, "chat.outbound")]
            return [each.source for each in bodies if isinstance(each, CustomerArrived)]

        until(lambda: len(arrived()) == 2)
        assert arrived() == ["campaign-42", "article-7"]
        held = platform.store.channels.chat(TENANT, "telegram", str(anna))
        assert held is not None
        rows = platform.store.history(held.conversation_id)
        assert [(row.type, row.audience) for row in rows] == [("CustomerArrived", "staff")] * 2
    finally:
        embedded.stop()
    assert embedded.failed is None


def test_commands_count_among_what_a_chat_may_write(platform: Platform, api: TelegramApi, anna: int) -> None:
    settings = platform.settings.model_copy(update={"messages_per_minute": 3})
    with running(build_worker("telegram", replace(platform, settings=settings)), 3 * WITHIN_S):
        for _ in range(4):
            api.say(anna, "/help")
        until(lambda: sum(each.by_bot for each in api.messages(anna)) == 4)
        texts = [each.text for each in api.messages(anna) if each.by_bot]
        assert sum(each.startswith("Write your question") for each in texts) == 3
        assert sum(each.startswith("You are writing faster") for each in texts) == 1


# -- one answer, in an event loop of the test -------------------------------------------------------------------------


def with_saying(
    platform: Platform, api: TelegramApi, talk: Callable[[Saying], Any], hold_s: float = 30.0
) -> Any:
    async def run() -> Any:
        channel = TelegramChannel({TENANT: TOKEN}, api.base_url)
        sending = Sending(channel, platform.store.channels, platform.clock, "a process")
        saying = Saying(sending, TENANT, 42, platform.clock, hold_s)
        try:
            return await talk(saying)
        finally:
            await saying.close()
            await channel.close()

    return asyncio.run(run())


def test_an_update_is_held_no_longer_than_it_may_be_and_its_answer_comes_all_the_same(
    platform: Platform, api: TelegramApi, anna: int
) -> None:
    api.set_faults({**BUSY, "chat_id": anna})

    async def talk(saying: Saying) -> None:
        one, two = saying.name(anna, 1), saying.name(anna, 2)
        await saying.say(anna, one, Message("one", plain=True))
        assert not await saying.said(one)
        await saying.say(anna, two, Message("two", plain=True))
        assert api.messages(anna) == [] and not await saying.said(two), (
            "the chat's later one is not held anew"
        )
        while not await saying.said(two):
            await asyncio.sleep(0.05)
        assert [each.text for each in api.messages(anna)] == ["one", "two"]

    with_saying(platform, api, talk, 0.3)


def test_what_a_process_leaves_is_said_by_the_next(platform: Platform, api: TelegramApi, anna: int) -> None:
    api.set_faults({**BUSY, "chat_id": anna})

    async def begin(saying: Saying) -> None:
        await saying.say(anna, saying.name(anna, 3), Message("three", plain=True))

    with_saying(platform, api, begin, 0.1)
    assert api.messages(anna) == []
    with_saying(platform, api, begin)
    with_saying(platform, api, begin)
    assert [each.text for each in api.messages(anna)] == ["three"]


def test_no_record_of_what_the_bot_says_names_a_chat(platform: Platform, api: TelegramApi, anna: int) -> None:
    async def talk(saying: Saying) -> Any:
        await saying.say(anna, saying.name(anna, 4), Message("four", plain=True))
        return platform.store.channels.deliveries([saying.name(anna, 4)])

    [record] = with_saying(platform, api, talk)
    assert record.state == "sent" and record.customer_id == record.conversation_id == record.outbound_id
