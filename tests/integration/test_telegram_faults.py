"""What the emulated Bot API does wrong when it is asked to."""

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)

from tests.support.telegram import TOKEN, TelegramApi, telegram_api
from tests.support.telegram_bots import with_bot

ANN = 7
BEN = 8
#: Long enough for an answer that comes, short for one that never does.
SHORT_S = 0.5


@pytest.fixture(scope="module")
def process() -> Iterator[TelegramApi]:
    with telegram_api() as started:
        yield started


@pytest.fixture
def api(process: TelegramApi) -> Iterator[TelegramApi]:
    process.add_bot()
    for each in (ANN, BEN):
        process.add_private_chat(each)
    yield process
    process.set_faults()
    process.set_flood()
    process.set_outage("off")


async def send(bot: Bot, text: str = "x", chat_id: int = ANN) -> str:
    """The text that came back, or the error's name."""
    try:
        return str((await bot.send_message(chat_id, text)).text)
    except Exception as error:
        return type(error).__name__


def texts(api: TelegramApi, chat_id: int = ANN) -> list[str]:
    return [each.text for each in api.messages(chat_id)]


def raw(api: TelegramApi, method: str, **params: Any) -> httpx.Response:
    url = f"{api.base_url}/bot{TOKEN}/{method}"
    return httpx.post(url, json=params, trust_env=False, verify=False, timeout=SHORT_S)


def test_an_answer_of_429_says_when_to_come_back(api: TelegramApi) -> None:
    api.set_faults({"do": "429", "method": "sendMessage", "retry_after": 7})
    answer = raw(api, "sendMessage", chat_id=ANN, text="x")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests: retry after 7",
        "parameters": {"retry_after": 7},
    }
    api.set_faults({"do": "429", "method": "sendMessage", "retry_after": 7})

    async def talk(bot: Bot) -> str:
        with pytest.raises(TelegramRetryAfter) as told:
            await bot.send_message(ANN, "x")
        assert told.value.retry_after == 7
        return await send(bot, "later")

    assert with_bot(api, talk) == "later"
    assert texts(api) == ["later"]
    assert [each.fault for each in api.calls("sendMessage")[-2:]] == ["429", ""]


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"do": "500"}, TelegramServerError),
        ({"do": "502"}, TelegramServerError),
        ({"do": "502_html"}, ClientDecodeError),
        ({"do": "error", "error_code": 403, "description": "Forbidden: no"}, TelegramForbiddenError),
        ({"do": "cut"}, TelegramNetworkError),
        ({"do": "timeout_before"}, TelegramNetworkError),
    ],
)
def test_what_fails_before_is_not_done(
    api: TelegramApi, rule: dict[str, Any], error: type[Exception]
) -> None:
    api.set_faults({**rule, "method": "sendMessage"})
    assert with_bot(api, send, timeout_s=SHORT_S) == error.__name__
    call = api.calls("sendMessage")[-1]
    assert (texts(api), call.performed, call.fault) == ([], False, rule["do"])


@pytest.mark.parametrize("do", ["cut_after", "timeout_after"])
def test_what_fails_after_is_done_although_nobody_hears_it(api: TelegramApi, do: str) -> None:
    api.set_faults({"do": do, "method": "sendMessage"})
    assert with_bot(api, send, timeout_s=SHORT_S) == "TelegramNetworkError"
    call = api.calls("sendMessage")[-1]
    assert (texts(api), call.performed, call.answer) == (["x"], True, None)


def test_a_cut_ends_the_connection_at_once(api: TelegramApi) -> None:
    api.set_faults({"do": "cut", "method": "getMe"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        raw(api, "getMe")


def test_a_delay_is_a_late_answer(api: TelegramApi) -> None:
    api.set_faults({"do": "delay", "method": "getMe", "delay_s": 0.2})
    since = monotonic()
    assert raw(api, "getMe").json()["ok"]
    assert monotonic() - since >= 0.2


def test_a_rule_is_about_its_chat_and_its_turns(api: TelegramApi) -> None:
    api.set_faults(
        {"do": "500", "method": "sendMessage", "chat_id": BEN, "nth": 2, "times": 2},
        {"do": "error", "error_code": 403, "method": "sendMessage", "chat_id": ANN, "times": None},
    )

    async def talk(bot: Bot) -> tuple[list[str], list[str]]:
        return [await send(bot, chat_id=BEN) for _ in range(4)], [await send(bot) for _ in range(3)]

    assert with_bot(api, talk) == (
        ["x", "TelegramServerError", "TelegramServerError", "x"],
        ["TelegramForbiddenError"] * 3,
    )


def test_downloads_fail_as_methods_do(api: TelegramApi) -> None:
    file_id = api.send_file(ANN, "document", b"x").content["document"]["file_id"]
    path = raw(api, "getFile", file_id=file_id).json()["result"]["file_path"]
    api.set_faults({"do": "500", "method": "download"})
    with httpx.Client(base_url=f"{api.base_url}/file/bot{TOKEN}", trust_env=False, verify=False) as client:
        assert [client.get(f"/{path}").status_code for _ in range(2)] == [500, 200]
    assert [(each.fault, each.performed) for each in api.calls("download")[-2:]] == [
        ("500", False),
        ("", True),
    ]


def test_in_an_outage_nothing_answers_and_afterwards_all_is_there(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> list[str]:
        found = []
        for outage in ("off", "502", "refused", "off"):
            await asyncio.to_thread(api.set_outage, outage)
            found.append(await send(bot, outage))
        return found

    assert with_bot(api, talk) == ["off", "TelegramServerError", "TelegramNetworkError", "off"]
    assert texts(api) == ["off", "off"]
    assert [each.fault for each in api.calls("sendMessage")[-3:]] == ["", "outage", ""]


def test_a_poll_that_waits_is_cut_by_an_outage(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> str:
        before = len(api.calls("getUpdates"))
        polling = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.to_thread(api.calls, "getUpdates", at_least=before + 1)
        await asyncio.to_thread(api.set_outage, "refused")
        with pytest.raises(TelegramNetworkError, match=r"ServerDisconnected|ClientOSError"):
            await polling
        await asyncio.to_thread(api.set_outage, "off")
        return str((await bot.get_me()).username)

    assert with_bot(api, talk) == "parley_test_bot"


def test_who_sends_too_fast_to_a_chat_is_told_to_wait(api: TelegramApi) -> None:
    api.set_flood(per_chat=2)

    async def talk(bot: Bot) -> list[str]:
        found = [await send(bot, str(each)) for each in range(3)]
        found.append(await send(bot, "other", BEN))
        assert await bot.send_chat_action(ANN, "typing"), "not a send"
        with pytest.raises(TelegramRetryAfter) as told:
            await bot.send_message(ANN, "too early")
        assert told.value.retry_after == 1
        await asyncio.sleep(told.value.retry_after)
        return [*found, await send(bot, "in time")]

    assert with_bot(api, talk) == ["0", "1", "TelegramRetryAfter", "other", "in time"]
    assert [each.fault for each in api.calls("sendMessage", chat_id=ANN)[-3:]] == ["flood", "flood", ""]


def test_who_sends_too_fast_overall_is_told_to_wait(api: TelegramApi) -> None:
    api.set_flood(overall=3)

    async def talk(bot: Bot) -> list[str]:
        return [await send(bot, chat_id=each) for each in (ANN, BEN, ANN, BEN, ANN)]

    assert with_bot(api, talk) == ["x"] * 3 + ["TelegramRetryAfter"] * 2
