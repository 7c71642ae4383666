"""aiogram's own Bot, talking to the emulated Bot API."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from tests.support.telegram import TOKEN, TelegramApi

T = TypeVar("T")


class _PlainSession(AiohttpSession):
    async def close(self) -> None:
        """Without aiogram's quarter of a second for TLS to end, which nobody speaks here."""
        if self._session is not None:
            await self._session.close()


def with_bot(
    api: TelegramApi, conversation: Callable[[Bot], Awaitable[T]], token: str = TOKEN, timeout_s: float = 10.0
) -> T:
    """What the conversation returns; it has an event loop to itself."""

    async def talk() -> T:
        session = _PlainSession(api=TelegramAPIServer.from_base(api.base_url), timeout=timeout_s)
        async with Bot(token, session) as bot:
            return await conversation(bot)

    return asyncio.run(talk())
