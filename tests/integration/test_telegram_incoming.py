"""Telegram's updates on their way in by long polling: whatever one chat brings, none of it is lost and no other chat waits for it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from parley.settings import Settings
from schemas.conversation_events import MessageReceived
from tests.support.effectors import WITHIN_S, until
from tests.support.files import JPEG, PDF
from tests.support.inference import running
from tests.support.platform import events_on
from tests.support.small_tenant import TENANT
from tests.support.telegram import Json, TelegramApi
from tests.support.telegram_platform import telegram_platform
from workers.wiring import Platform, build_worker

PER_MINUTE = 60
ENDS_S = 3 * WITHIN_S
numbers = iter(range(6000, 7000))


@pytest.fixture
def api(api: TelegramApi) -> TelegramApi:
    """With a bot that has no updates yet."""
    api.add_bot()
    return api


@pytest.fixture
def on(api: TelegramApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    settings = Settings(home=tmp_path, secret="s" * 40, messages_per_minute=PER_MINUTE)
    with telegram_platform(api, settings, monkeypatch) as opened:
        yield opened


@pytest.fixture
def connector(on: Platform) -> Iterator[Platform]:
    """Telegram's connector alone."""
    with running(build_worker("telegram", on), ENDS_S):
        yield on


@pytest.fixture
def anna(api: TelegramApi) -> int:
    return api.add_private_chat(next(numbers), first_name="Anna", language_code="en")


@pytest.fixture
def bo(api: TelegramApi) -> int:
    return api.add_private_chat(next(numbers), first_name="Bo", language_code="en")


def messages(on: Platform) -> list[MessageReceived]:
    """Each message of the log once."""
    found: dict[str, MessageReceived] = {}
    for each in events_on(on, "conversation.events"):
        if isinstance(each.body, MessageReceived):
            found.setdefault(each.envelope.event_id, each.body)
    return list(found.values())


def received(on: Platform) -> list[str]:
    return [each.text for each in messages(on)]


def waiting(on: Platform) -> list[str]:
    """The chats of which something waits."""
    return [each.address for each in on.store.channels.waiting_chats(TENANT, "telegram")]


def said(api: TelegramApi, chat: int) -> list[str]:
    return [each.text for each in api.messages(chat) if each.by_bot]


def all_is_taken(api: TelegramApi, on: Platform) -> None:
    assert api.pending(within_s=WITHIN_S) == []
    until(lambda: waiting(on) == [])


def flood(api: TelegramApi, chat: int, many: int) -> list[str]:
    api.hold_updates(True)
    texts = [f"message {number}" for number in range(many)]
    for text in texts:
        api.say(chat, text)
    api.hold_updates(False)
    return texts


def test_a_flood_is_confirmed_at_once_taken_in_as_fast_as_its_chat_may_write_and_nobody_waits_for_it(
    connector: Platform, api: TelegramApi, anna: int, bo: int
) -> None:
    texts = flood(api, anna, PER_MINUTE + 8)
    began = time.monotonic()
    api.say(bo, "and I")
    until(lambda: "and I" in received(connector))
    assert api.pending(within_s=WITHIN_S) == []
    assert time.monotonic() - began < 6.0 and waiting(connector) == [str(anna)]
    until(lambda: waiting(connector) == [])
    assert [text for text in received(connector) if text != "and I"] == texts
    assert [text[:38] for text in said(api, anna)] == ["You are writing faster than I can read"]
    api.say(anna, "one more")
    until(lambda: "one more" in received(connector))


def test_three_hundred_of_one_chat_are_confirmed_within_seconds(
    connector: Platform, api: TelegramApi, anna: int, bo: int
) -> None:
    flood(api, anna, 300)
    api.say(bo, "and I")
    assert api.pending(within_s=15.0) == []
    chat = connector.store.channels.chat(TENANT, "telegram", str(anna))
    assert chat is not None
    logged = sum(text.startswith("message") for text in received(connector))
    assert logged + len(connector.store.channels.waiting(chat.conversation_id, 999)) >= 300
    assert "and I" in received(connector)


def test_what_waits_is_masked_sealed_and_outlives_the_process(
    on: Platform, api: TelegramApi, anna: int
) -> None:
    with running(build_worker("telegram", on), ENDS_S):
        flood(api, anna, PER_MINUTE + 9)
        api.say(anna, "My card is 4111 1111 1111 1111")
        assert api.pending(within_s=WITHIN_S) == [] and waiting(on) == [str(anna)]
    database = b"".join(each.read_bytes() for each in Path(on.settings.home).glob("*.db*"))
    assert b"4111 1111" not in database and b"My card" not in database
    assert "My card is [card_1]" not in received(on)
    with running(build_worker("telegram", on), ENDS_S):
        until(lambda: waiting(on) == [])
    assert received(on) == [*(f"message {number}" for number in range(PER_MINUTE + 9)), "My card is [card_1]"]
    assert messages(on)[-1].masked == ("card",)


def test_what_waits_is_taken_in_also_by_a_bot_that_has_a_webhook_by_now(
    on: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(build_worker("telegram", on), ENDS_S):
        flood(api, anna, PER_MINUTE + 3)
        assert api.pending(within_s=WITHIN_S) == [] and waiting(on) == [str(anna)]
    monkeypatch.setenv("PARLEY_TELEGRAM_WEBHOOK", "true")
    with running(build_worker("telegram", on), ENDS_S):
        until(lambda: waiting(on) == [])
    assert received(on) == [f"message {number}" for number in range(PER_MINUTE + 3)]


def test_a_repeat_of_what_waits_and_of_what_was_taken_in_is_nothing_new(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    many = PER_MINUTE // 2 + 2
    api.deliver_twice(many)
    texts = flood(api, anna, many)
    all_is_taken(api, connector)
    assert received(connector) == texts


def test_whoever_floods_may_still_be_erased_with_all_that_waits(
    connector: Platform, api: TelegramApi, anna: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from parley.runtime import erasing

    monkeypatch.setattr(erasing, "SETTLE_S", 0.0)
    flood(api, anna, PER_MINUTE + 60)
    assert api.pending(within_s=WITHIN_S) == []
    asked = [each for each in api.messages(anna) if each.by_bot][-1]
    chat = connector.store.channels.chat(TENANT, "telegram", str(anna))
    assert chat is not None
    api.inject(
        {
            "callback_query": {
                "id": "q", "from": {"id": anna, "is_bot": False, "first_name": "Anna"}, "chat_instance": "c",
                "data": f"delete:yes:{chat.conversation_id}", "message": asked.message,
            }
        }
    )  # fmt: skip
    until(lambda: connector.store.channels.chat(TENANT, "telegram", str(anna)) is None)
    assert waiting(connector) == [] and len(received(connector)) < PER_MINUTE + 60


def test_a_slow_file_holds_up_what_follows_in_its_chat_alone(
    connector: Platform, api: TelegramApi, anna: int, bo: int
) -> None:
    api.set_faults({"method": "download", "do": "delay", "delay_s": 4.0})
    api.send_file(anna, "document", PDF, caption="see this")
    api.say(anna, "please")
    api.say(bo, "and I")
    until(lambda: "and I" in received(connector))
    assert received(connector) == ["and I"] and api.pending(within_s=WITHIN_S) == []
    until(lambda: waiting(connector) == [])
    mine = [each for each in messages(connector) if each.text != "and I"]
    assert [(each.text, len(each.attachments)) for each in mine] == [("see this", 1), ("please", 0)]


def test_an_answer_that_telegram_does_not_take_holds_up_its_chat_alone(
    connector: Platform, api: TelegramApi, anna: int, bo: int
) -> None:
    """It is not confirmed meanwhile: who is killed now finds it again."""
    api.set_faults({"method": "sendMessage", "chat_id": anna, "do": "delay", "delay_s": 4.0})
    api.say(anna, "/help")
    until(lambda: api.calls("sendMessage", chat_id=anna))
    for number in range(3):
        api.say(bo, f"and I {number}")
    until(lambda: len(received(connector)) == 3)
    assert len(api.pending()) == 4
    assert api.pending(within_s=WITHIN_S) == [] and len(said(api, anna)) == 1


def test_a_part_that_nobody_knows_yet_costs_no_message(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    content = api.say(anna, "first").content
    origin = {"type": "from_the_future", "date": 1}
    api.inject({"message": {**content, "message_id": 900, "text": "My fee?", "forward_origin": origin}})
    api.inject({"message": {**_bare(content), "message_id": 901, "hologram": {"x": 1}}})
    api.inject({"message": {**_bare(content), "message_id": 902, "poll": {"id": "1"}}})
    api.say(anna, "last")
    all_is_taken(api, connector)
    assert received(connector) == ["first", "My fee?", "last"]
    assert [text[:33] for text in said(api, anna)] == ["I cannot read this kind of messag"] * 2


def test_of_an_album_the_caption_comes_first(connector: Platform, api: TelegramApi, anna: int) -> None:
    for number in range(3):
        caption = "What is this fee?" if number == 2 else ""
        api.send_file(anna, "photo", JPEG + bytes([number]), media_group_id="album", caption=caption)
    all_is_taken(api, connector)
    assert [(each.text, len(each.attachments)) for each in messages(connector)] == [
        ("What is this fee?", 1),
        ("", 1),
        ("", 1),
    ]
    assert {each.album for each in messages(connector)} == {"album"}


def edited(api: TelegramApi, content: Json, **changes: Any) -> None:
    api.inject({"edited_message": {**content, "edit_date": content["date"] + 1, **changes}})


def test_an_edit_counts_where_it_says_something_else(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    asked = api.say(anna, "What does it cost?").content
    edited(api, asked, link_preview_options={"is_disabled": True})
    edited(api, asked, text="What does it cost abroad?")
    edited(api, asked, text="/human")
    all_is_taken(api, connector)
    assert received(connector) == [
        "What does it cost?",
        "What does it cost abroad?",
        "I want to talk to a human.",
    ]


def test_a_file_that_an_edit_brings_is_taken_and_one_that_was_there_is_not(
    connector: Platform, api: TelegramApi, anna: int
) -> None:
    first = api.send_file(anna, "photo", JPEG + b"1").content
    other = api.send_file(anna, "photo", JPEG + b"2").content
    all_is_taken(api, connector)
    edited(api, first, caption="this one")
    edited(api, first, photo=other["photo"])
    all_is_taken(api, connector)
    found = messages(connector)
    assert [(each.text, len(each.attachments)) for each in found[2:]] == [("this one", 0), ("", 1)]
    assert found[3].attachments[0].digest == found[1].attachments[0].digest


def test_in_a_group_the_bot_answers_what_is_meant_for_it_and_in_its_topic(
    connector: Platform, api: TelegramApi
) -> None:
    group = api.add_group(-next(numbers), next(numbers), kind="supergroup")
    content = api.say(group, "/help@some_other_bot").content
    all_is_taken(api, connector)
    assert said(api, group) == []
    topic = {**content, "text": "/help@Parley_Test_Bot", "message_thread_id": 77, "is_topic_message": True}
    api.inject({"message": topic})
    until(lambda: len(said(api, group)) == 1)
    [sent] = api.calls("sendMessage", chat_id=group)
    assert sent.params["message_thread_id"] == "77"
    api.say(group, "/help")
    until(lambda: len(said(api, group)) == 2)
    assert "message_thread_id" not in api.calls("sendMessage", chat_id=group)[1].params


def _bare(content: Json) -> Json:
    return {name: value for name, value in content.items() if name not in ("text", "entities")}
