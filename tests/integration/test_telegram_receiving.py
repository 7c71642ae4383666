"""How a bot gets its updates from the emulated Bot API: long polling and webhooks."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

import httpx
import pytest
from aiogram import Bot, Dispatcher
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError
from aiogram.types import Message, Update

from tests.support.telegram import TOKEN, TelegramApi, telegram_api
from tests.support.telegram_bots import with_bot

ANN = 7


@pytest.fixture(scope="module")
def process() -> Iterator[TelegramApi]:
    with telegram_api() as started:
        started.set_backoff(first_s=0.02, most_s=0.05, timeout_s=5.0)
        yield started


@pytest.fixture
def api(process: TelegramApi) -> TelegramApi:
    process.add_bot()
    process.add_private_chat(ANN)
    return process


@dataclass
class Hook:
    """A bot's own address: answers with `statuses` in turn, and with 200 after them."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    answer: bytes = b""
    #: Requests wait here.
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    got: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head)}
        update = json.loads(await reader.readexactly(int(headers["content-length"])))
        self.got.append((headers, update))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.gate.wait()
        self.at_once -= 1
        status = self.statuses.pop(0) if self.statuses else 200
        told = (
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(self.answer)}\r\n"
        )
        writer.write(told.encode() + b"Connection: close\r\n\r\n" + self.answer)
        await writer.drain()
        writer.close()

    def ids(self) -> list[int]:
        return [update["update_id"] for _, update in self.got]


@asynccontextmanager
async def hooked(*statuses: int, answer: bytes = b"") -> AsyncIterator[Hook]:
    hook = Hook(statuses=list(statuses), answer=answer)
    hook.gate.set()
    listening = await asyncio.start_server(hook.talk, "127.0.0.1", 0)
    hook.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/telegram/bank"
    try:
        yield hook
    finally:
        listening.close()


async def all_delivered(api: TelegramApi) -> None:
    assert await asyncio.to_thread(api.pending, within_s=10.0) == []


def ids(updates: list[Update]) -> list[int]:
    return [each.update_id for each in updates]


def said(api: TelegramApi, *texts: str) -> list[int]:
    return [api.say(ANN, text).update_id or 0 for text in texts]


def test_an_offset_confirms_what_stands_before_it(api: TelegramApi) -> None:
    one, two, three = said(api, "1", "2", "3")
    assert (two, three) == (one + 1, one + 2)

    async def talk(bot: Bot) -> None:
        assert ids(await bot.get_updates(limit=2)) == [one, two]
        assert ids(await bot.get_updates()) == [one, two, three], "none of them is confirmed"
        assert ids(await bot.get_updates(offset=two)) == [two, three]
        assert ids(await bot.get_updates()) == [two, three]
        assert ids(await bot.get_updates(offset=-1)) == [three]
        assert ids(await bot.get_updates(offset=three + 1)) == []

    with_bot(api, talk)
    assert api.pending() == []


def test_a_long_poll_waits_for_what_comes(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> list[Update]:
        before = len(api.calls("getUpdates"))
        polling = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.to_thread(api.calls, "getUpdates", at_least=before + 1)
        assert not polling.done()
        await asyncio.to_thread(api.say, ANN, "now")
        return await polling

    since = monotonic()
    assert [each.message.text for each in with_bot(api, talk) if each.message] == ["now"]
    assert monotonic() - since < 10.0


def test_a_long_poll_ends_empty_when_its_time_is_over(api: TelegramApi) -> None:
    since = monotonic()
    assert with_bot(api, lambda bot: bot.get_updates(timeout=1)) == []
    assert monotonic() - since >= 1.0


def test_of_two_polls_the_earlier_one_is_ended(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        before = len(api.calls("getUpdates"))
        first = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.to_thread(api.calls, "getUpdates", at_least=before + 1)
        second = asyncio.create_task(bot.get_updates(timeout=20))
        with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request; make sure"):
            await first
        await asyncio.to_thread(api.say, ANN, "x")
        assert len(await second) == 1

    with_bot(api, talk)


def test_a_poll_whose_client_has_gone_takes_nothing(api: TelegramApi) -> None:
    before = len(api.calls("getUpdates"))
    url = httpx.URL(api.base_url)
    with socket.create_connection((url.host, url.port or 0)) as polling:
        polling.sendall(f"GET /bot{TOKEN}/getUpdates?timeout=50 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        api.calls("getUpdates", at_least=before + 1)
    until = monotonic() + 10.0
    while api.calls("getUpdates")[before].fault != "client gone":
        assert monotonic() < until
    sent = said(api, "x")
    assert api.calls("getUpdates")[before].answer is None
    assert ids(with_bot(api, lambda bot: bot.get_updates())) == sent


def test_with_a_webhook_nobody_polls(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        before = len(api.calls("getUpdates"))
        polling = asyncio.create_task(bot.get_updates(timeout=20))
        await asyncio.to_thread(api.calls, "getUpdates", at_least=before + 1)
        assert await bot.set_webhook("http://127.0.0.1:9/")
        with pytest.raises(TelegramConflictError, match="terminated by setWebhook request"):
            await polling
        with pytest.raises(
            TelegramConflictError, match="can't use getUpdates method while webhook is active"
        ):
            await bot.get_updates()
        assert await bot.delete_webhook()
        assert await bot.get_updates() == []

    with_bot(api, talk)


def test_bots_get_the_kinds_of_updates_that_they_ask_for(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        await bot.get_updates(allowed_updates=["edited_message"])
        message = api.say(ANN, "x")
        assert message.update_id is None
        edited = api.edit(ANN, message.message_id, "y")
        await bot.get_updates()
        assert (await bot.get_webhook_info()).allowed_updates == ["edited_message"]
        assert [each.event_type for each in await bot.get_updates(allowed_updates=[])] == ["edited_message"]
        again = api.say(ANN, "z")
        assert ids(await bot.get_updates()) == [edited.update_id, again.update_id]

    with_bot(api, talk)


def test_updates_are_injected_as_they_are(api: TelegramApi) -> None:
    user = {"id": ANN, "is_bot": False, "first_name": "Ann"}
    answer = {"poll_id": "1", "user": user, "option_ids": [0], "option_persistent_ids": ["a"]}
    poll = {"update_id": 900_000_000, "poll_answer": answer}
    assert api.inject(poll) == 900_000_000
    assert api.inject({"unheard_of": {"x": 1}}) == 900_000_001
    assert ids(with_bot(api, lambda bot: bot.get_updates())) == [900_000_000, 900_000_001]


def test_polls_get_an_update_twice(api: TelegramApi) -> None:
    api.deliver_twice(1)
    one, two = said(api, "1", "2")

    async def talk(bot: Bot) -> list[list[int]]:
        return [ids(await bot.get_updates(offset=offset)) for offset in (0, two + 1, two + 1)]

    assert with_bot(api, talk) == [[one, two], [one], []]


def test_polls_get_updates_out_of_order(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> list[int]:
        api.reorder(4, seed=3)
        last = said(api, *"12345678")[-1]
        got = ids(await bot.get_updates())
        assert sorted(got) == list(range(last - 7, last + 1)) != got
        assert await bot.get_updates(offset=last + 1) == []
        return [each - last for each in got]

    first = with_bot(api, talk)
    api.add_bot()
    api.add_private_chat(ANN)
    assert with_bot(api, talk) == first, "the same seed is the same order"


def test_aiogram_polls_by_itself(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> list[str]:
        heard: list[str] = []
        dispatcher = Dispatcher()

        @dispatcher.message()
        async def echo(message: Message) -> None:
            heard.append(message.text or "")
            await message.answer(f"<b>{message.text}</b>", parse_mode="HTML")
            if len(heard) == 2:
                await dispatcher.stop_polling()

        said(api, "1", "2")
        await dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False, polling_timeout=1)
        return heard

    assert with_bot(api, talk) == ["1", "2"]
    assert [each.html for each in api.messages(ANN) if each.by_bot] == ["<b>1</b>", "<b>2</b>"]


def test_a_webhook_gets_updates_with_its_secret(api: TelegramApi) -> None:
    early = said(api, "before")

    async def talk(bot: Bot) -> None:
        async with hooked() as hook:
            await bot.set_webhook(hook.url, secret_token="s-3_C")
            late = await asyncio.to_thread(said, api, "after")
            await all_delivered(api)
            assert hook.ids() == early + late
            assert {headers["x-telegram-bot-api-secret-token"] for headers, _ in hook.got} == {"s-3_C"}
            info = await bot.get_webhook_info()
            assert (info.url, info.pending_update_count, info.max_connections) == (hook.url, 0, 40)
            assert await bot.delete_webhook()
        assert (await bot.get_webhook_info()).url == ""

    with_bot(api, talk)


def test_a_webhook_without_a_secret_gets_none_and_what_was_pending_may_be_dropped(api: TelegramApi) -> None:
    said(api, "dropped")

    async def talk(bot: Bot) -> None:
        async with hooked() as hook:
            await bot.set_webhook(hook.url, drop_pending_updates=True)
            kept = await asyncio.to_thread(said, api, "kept")
            await all_delivered(api)
            assert hook.ids() == kept and "x-telegram-bot-api-secret-token" not in hook.got[0][0]
            await bot.delete_webhook()

    with_bot(api, talk)


def test_a_webhook_that_fails_is_asked_again(api: TelegramApi) -> None:
    before = len(api.deliveries())

    async def talk(bot: Bot) -> None:
        async with hooked(500, 404) as hook:
            await bot.set_webhook(hook.url)
            (one,) = await asyncio.to_thread(said, api, "x")
            await all_delivered(api)
            assert hook.ids() == [one] * 3
            info = await bot.get_webhook_info()
            assert (
                info.last_error_message == "Wrong response from the webhook: 404 X" and info.last_error_date
            )
        (two,) = await asyncio.to_thread(said, api, "nobody is there")
        await asyncio.to_thread(api.deliveries, at_least=before + 5)
        assert (await bot.get_webhook_info()).last_error_message == "Connection refused"
        await bot.delete_webhook()
        assert ids(await bot.get_updates()) == [two]

    with_bot(api, talk)
    found = api.deliveries()[before:][:5]
    assert [(each.attempt, each.status) for each in found] == [(1, 500), (2, 404), (3, 200), (1, 0), (2, 0)]
    assert found[1].at - found[0].at >= 0.02


def test_a_webhook_gets_no_more_at_once_than_it_wants(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        async with hooked() as hook:
            hook.gate.clear()
            api.hold_updates(True)
            await bot.set_webhook(hook.url, max_connections=2)
            await asyncio.to_thread(said, api, *"12345")
            assert hook.got == []
            await asyncio.to_thread(api.hold_updates, False)
            while hook.at_once < 2:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(api.pending)
            hook.gate.set()
            await all_delivered(api)
            assert (hook.most_at_once, len(hook.got)) == (2, 5)
            await bot.delete_webhook()

    with_bot(api, talk)


def test_webhooks_get_updates_twice_and_out_of_order(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> list[int]:
        async with hooked() as hook:
            api.hold_updates(True)
            api.reorder(5, seed=1)
            api.deliver_twice(1)
            await bot.set_webhook(hook.url, max_connections=1)
            sent = await asyncio.to_thread(said, api, *"12345")
            await asyncio.to_thread(api.hold_updates, False)
            await all_delivered(api)
            await bot.delete_webhook()
        assert sorted(hook.ids()) == [sent[0], *sent] and hook.ids() != sorted(hook.ids())
        return hook.ids()

    with_bot(api, talk)


def test_a_webhooks_answer_may_be_a_method(api: TelegramApi) -> None:
    answer = json.dumps({"method": "sendMessage", "chat_id": ANN, "text": "at once"}).encode()

    async def talk(bot: Bot) -> None:
        async with hooked(answer=answer) as hook:
            await bot.set_webhook(hook.url)
            await asyncio.to_thread(said, api, "x")
            shown = await asyncio.to_thread(api.messages, ANN, at_least=2)
            assert [(each.text, each.by_bot) for each in shown] == [("x", False), ("at once", True)]
            await bot.delete_webhook()

    with_bot(api, talk)


def test_webhooks_that_telegram_refuses(api: TelegramApi) -> None:
    async def talk(bot: Bot) -> None:
        for url, secret, why in (
            ("ftp://a.b/", "", "bad webhook: An HTTPS URL must be provided for webhook"),
            ("https://a.b/", "not so", "secret token contains unallowed characters"),
            ("https://a.b/", "s" * 257, "secret token is too long"),
        ):
            with pytest.raises(TelegramBadRequest, match=why):
                await bot.set_webhook(url, secret_token=secret)
        assert (await bot.get_webhook_info()).url == ""

    with_bot(api, talk)
