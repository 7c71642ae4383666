"""Telegram's connector is killed again and again in the middle of five hundred updates, messages and commands: nothing is lost or doubled on the way in, and
what goes out goes out once, or is known to be unsure.
"""

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from typing import Any

import pytest

from parley.ids import named_id
from parley.ports.channels import Delivery
from schemas.base import EventId
from schemas.conversation_events import DeliveryReported, MessageReceived
from schemas.outbound import MessageSettled, ReplyReady
from tests.support.durable import durable_platform
from tests.support.files import JPEG
from tests.support.platform import events_on
from tests.support.processes import ParleyProcess
from tests.support.small_tenant import TENANT
from tests.support.telegram import TOKEN, TelegramApi
from workers.embedded import Embedded
from workers.wiring import Platform

DICE = "dice"
CHATS, EACH, KILLS = 25, 20, 4
WITHIN_S = 150.0
PER_MINUTE, FLOODS = 60, 2
"""What a chat may write, and how many chats write more."""
FLOOD = PER_MINUTE + 20
TEXTS = ("What does the account cost?", "my card was stolen", "hello", "我的卡丢了怎么办")
COMMANDS = ("/start campaign-42", "/help", "/language", "/delete", DICE)
"""What the bot answers by itself; each fourth update is one of these."""


@pytest.fixture
def api() -> Iterator[TelegramApi]:
    started = TelegramApi.start()
    started.add_bot()
    yield started
    started.stop()


@pytest.fixture(params=["sqlite", "kafka"])
def stage(
    request: pytest.FixtureRequest, api: TelegramApi, tmp_path: Path
) -> Iterator[tuple[Platform, ParleyProcess]]:
    """All workers in this process, and the connector in one of its own."""
    platform, environment = durable_platform(
        request, tmp_path / "home", PARLEY_TELEGRAM_TOKEN=TOKEN, PARLEY_TELEGRAM_API_URL=api.base_url
    )
    workers = Embedded(platform)
    workers.start()
    connector = ParleyProcess("telegram", ["worker", "telegram"], environment, tmp_path)
    connector.start()
    yield platform, connector
    connector.stop()
    workers.stop()
    assert workers.failed is None
    platform.close()


def until(check: Callable[[], Any], process: ParleyProcess) -> Any:
    end = monotonic() + WITHIN_S
    while not (found := check()):
        Flag().wait(0.5)  # reading the whole log takes the workers' time
        assert monotonic() < end, process.output()[-3000:]
    return found


def messages(on: Platform) -> dict[str, str]:
    """By event id, what came in."""
    found = [each for each in events_on(on, "conversation.events") if isinstance(each.body, MessageReceived)]
    return {
        each.envelope.event_id: each.body.text for each in found if isinstance(each.body, MessageReceived)
    }


@pytest.mark.timeout(420)
def test_what_comes_in_is_there_once_and_what_goes_out_at_most_once(
    stage: tuple[Platform, ParleyProcess], api: TelegramApi
) -> None:
    on, connector = stage
    chats = [api.add_private_chat(7000 + number, language_code="en") for number in range(CHATS)]
    answers: dict[EventId, int] = {}
    for turn in range(EACH):
        for chat in chats:
            if (command := command_at(turn)) is None:
                api.say(chat, f"{TEXTS[turn % len(TEXTS)]} ({turn})")
            else:
                update = roll(api, chat) if command == DICE else api.say(chat, command).update_id
                answers[named_id("telegram-said", TOKEN.partition(":")[0], str(update))] = chat
        if turn % (EACH // KILLS) == EACH // KILLS - 1:
            api.calls("sendMessage", at_least=turn, within_s=60.0)
            connector.kill()
            connector.start()
    until(lambda: len(messages(on)) == CHATS * len(WRITTEN) and not api.pending(), connector)
    assert sorted(messages(on).values()) == sorted(
        f"{TEXTS[turn % len(TEXTS)]} ({turn})" for turn in WRITTEN for _ in chats
    )
    replies = until(lambda: _answered(on), connector)
    until(lambda: {each.outbound_id for each in _final(on, replies)} == replies, connector)
    reported = {
        each.body.outbound_id
        for each in events_on(on, "conversation.events")
        if isinstance(each.body, DeliveryReported)
    }
    until(lambda: reported <= replies, connector)
    until(lambda: len(_final(on, answers.keys())) == len(answers), connector)
    deliveries, said = _final(on, replies), _final(on, answers.keys())
    for chat in chats:
        held = on.store.channels.chat(TENANT, "telegram", str(chat))
        assert held is not None
        mine = [each for each in deliveries if each.conversation_id == held.conversation_id]
        mine += [each for each in said if answers[each.outbound_id] == chat]
        known = {each.external_id for each in mine if each.state == "sent"}
        shown = {str(each.message_id) for each in api.messages(chat) if each.by_bot}
        unsure = [each for each in mine if each.state == "unknown"]
        assert {each.state for each in mine} <= {"sent", "unknown"}
        assert known <= shown, "something that was sent is not there"
        assert len(shown - known) <= len(unsure), "something was sent twice"


def command_at(turn: int) -> str | None:
    return COMMANDS[turn // 4 % len(COMMANDS)] if turn % 4 == 3 else None


WRITTEN = [turn for turn in range(EACH) if command_at(turn) is None]


def roll(api: TelegramApi, chat: int) -> int:
    person = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "en"}
    dice = {"emoji": "🎲", "value": 6}
    message = {"message_id": 90_000, "date": 1, "chat": {"id": chat, "type": "private"}, "dice": dice}
    return api.inject({"message": {**message, "from": person}})


def _answered(on: Platform) -> set[EventId]:
    """The replies' ids, once every message is settled."""
    outbound = events_on(on, "chat.outbound")
    settled = {
        s.message_id for e in outbound if isinstance(e.body, MessageSettled) for s in e.body.settlements
    }
    if len(settled) < CHATS * len(WRITTEN):
        return set()
    return {each.envelope.event_id for each in outbound if isinstance(each.body, ReplyReady)}


def _final(on: Platform, ids: Collection[EventId]) -> list[Delivery]:
    found = on.store.channels.deliveries(ids)
    return [each for each in found if each.state not in ("sending", "held")]


@pytest.fixture(params=["sqlite", pytest.param("kafka", marks=pytest.mark.slow)])
def flooded(
    request: pytest.FixtureRequest, api: TelegramApi, tmp_path: Path
) -> Iterator[tuple[Platform, ParleyProcess]]:
    """The connector alone, in a process of its own."""
    platform, environment = durable_platform(
        request,
        tmp_path / "home",
        PARLEY_TELEGRAM_TOKEN=TOKEN,
        PARLEY_TELEGRAM_API_URL=api.base_url,
        PARLEY_MESSAGES_PER_MINUTE=str(PER_MINUTE),
    )
    connector = ParleyProcess("telegram", ["worker", "telegram"], environment, tmp_path)
    connector.start()
    yield platform, connector
    connector.stop()
    platform.close()


@pytest.mark.timeout(420)
def test_of_a_flood_and_of_files_that_wait_in_the_store_nothing_is_lost_or_doubled(
    flooded: tuple[Platform, ParleyProcess], api: TelegramApi
) -> None:
    """Killed while it keeps them, and again and again while it takes them in."""
    on, connector = flooded
    chats = [api.add_private_chat(8000 + number, language_code="en") for number in range(FLOODS)]
    sent = []
    api.hold_updates(True)
    for number in range(FLOOD):
        for chat in chats:
            sent.append(f"message {number} of {chat}")
            if number % 20 == 7:
                api.send_file(chat, "photo", JPEG + bytes([number]), caption=sent[-1])
            else:
                api.say(chat, sent[-1])
    api.hold_updates(False)
    waiting = on.store.channels.waiting_chats
    for _ in range(KILLS):
        known = len(messages(on))
        until(lambda known=known: waiting(TENANT, "telegram") and len(messages(on)) > known, connector)  # type: ignore[misc]  # a default is how a lambda keeps it
        connector.kill()
        connector.start()
    until(lambda: not api.pending() and not waiting(TENANT, "telegram"), connector)
    found = list(messages(on).values())
    assert sorted(found) == sorted(sent)
    for chat in chats:
        mine = [text for text in found if text.endswith(f"of {chat}")]
        assert mine == [text for text in sent if text.endswith(f"of {chat}")], "out of order"
