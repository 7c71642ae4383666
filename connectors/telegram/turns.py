"""One thing at a time for each chat, in the order of their coming."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Turns:
    """Belongs to one event loop. A chat of which nothing waits takes no memory."""

    def __init__(self) -> None:
        #: By chat, its lock and how many hold it or wait for it.
        self._chats: dict[Hashable, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, chat: Hashable) -> AsyncIterator[None]:
        lock, users = self._chats.get(chat, (asyncio.Lock(), 0))
        self._chats[chat] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._chats.pop(chat)
            if users > 1:
                self._chats[chat] = (lock, users - 1)
