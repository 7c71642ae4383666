"""What the Bot API's errors mean for a message, and that nothing that Telegram answers ends the connector."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any

import pytest
from aiogram import Bot

from connectors.kit.channel import Gone, Moved, NotSent, Refused, Unsure
from connectors.telegram.calls import called, make_bot
from tests.support.telegram import TOKEN, TelegramApi


@pytest.fixture(scope="module")
def api() -> Iterator[TelegramApi]:
    started = TelegramApi.start()
    started.add_bot()
    started.add_private_chat(5)
    yield started
    started.stop()


def sending(api: TelegramApi, url: str = "", chat: int = 5, text: str = "hello") -> Any:
    async def run() -> Any:
        bot = make_bot(TOKEN, url or api.base_url)
        call: Awaitable[Any] = Bot.send_message(bot, chat, text)
        try:
            return await called(call)
        finally:
            await bot.session.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ({"do": "429", "retry_after": 7}, NotSent),
        ({"do": "error", "error_code": 429, "description": "Too Many Requests: slow"}, NotSent),
        ({"do": "500"}, Unsure),
        ({"do": "502"}, Unsure),
        ({"do": "502_html"}, Unsure),
        ({"do": "cut"}, Unsure),
        ({"do": "cut_after"}, Unsure),
        ({"do": "error", "error_code": 401, "description": "Unauthorized"}, NotSent),
        ({"do": "error", "error_code": 403, "description": "Forbidden: bot was blocked by the user"}, Gone),
        ({"do": "error", "error_code": 400, "description": "Bad Request: chat not found"}, Gone),
        ({"do": "error", "error_code": 400, "description": "Bad Request: message is too long"}, Refused),
        (
            {
                "do": "error",
                "error_code": 400,
                "description": "Bad Request: group chat was upgraded",
                "parameters": {"migrate_to_chat_id": -100},
            },
            Moved,
        ),
    ],
)
def test_each_error_says_whether_it_may_have_arrived(
    api: TelegramApi, rule: dict[str, Any], error: type[Exception]
) -> None:
    api.set_faults({"method": "sendMessage", "times": 1, **rule})
    with pytest.raises(error) as raised:
        sending(api)
    assert type(raised.value) is error
    if isinstance(raised.value, NotSent) and "retry_after" in rule:
        assert raised.value.retry_after_s == rule["retry_after"]
    api.set_faults()
    assert sending(api).text == "hello"


def test_a_server_that_is_not_there_has_nothing(api: TelegramApi) -> None:
    with pytest.raises(NotSent):
        sending(api, url="http://127.0.0.1:9")


def test_an_address_that_swallows_all_has_nothing(api: TelegramApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is never made, as behind a firewall that drops packets: a full backlog here."""
    import socket

    from connectors.telegram import calls

    monkeypatch.setattr(calls, "CONNECT_WITHIN_S", 0.3)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(8)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        with pytest.raises(NotSent):
            sending(api, url=f"http://127.0.0.1:{port}")
        for each in waiting:
            each.close()
