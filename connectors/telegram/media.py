"""A file that a customer sent: asked for at Telegram, loaded as far as its limit, and told for what it is by its content."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping
from time import monotonic
from typing import Literal

import aiohttp
from aiogram import Bot
from cachetools import TTLCache

from connectors.kit.channel import NotSent, Refused, Unsure
from connectors.kit.content import Kind, fits
from connectors.kit.inbox import NewFile
from connectors.telegram.calls import called
from connectors.telegram.sharing import Shared
from parley.runtime.backoff import Backoff

log = logging.getLogger(__name__)

FETCH_WITHIN_S = 30.0
"""For all tries together: the customer's later messages wait meanwhile."""
TRIES = 3
ASK_WITHIN_S = 8
IDLE_S = 6.0
"""A connection on which nothing comes for so long is given up, and the file is asked for again."""
AWAY_S, AWAY_WITHIN_S = 60.0, 5.0
"""After a file that did not come, the next ones are waited for so little, so that texts are not held up by an album."""
AT_ONCE = 4
"""Files of one bot that are in memory at a time."""
CHUNK = 64 << 10
CHAT_BYTES = 200_000_000
CHAT_WITHIN_S = 3_600.0
"""One chat may send so much in that time: nobody fills a disk."""
TOO_BIG = "file is too big"

Reason = Literal["file_too_large", "file_refused", "file_too_many", "file_not_fetched"]


class Unfit(Exception):
    """It is not taken, and `reason` is what the customer is told."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Fetching:
    """One bot's files. `limits` in bytes by kind; 0: that kind is not taken at all. Belongs to one event loop."""

    def __init__(self, bot: Bot, limits: Mapping[Kind, int]) -> None:
        self._bot = bot
        self._limits = limits
        self._places = asyncio.Semaphore(AT_ONCE)
        #: By chat, how many bytes it has sent of late.
        self._sent: TTLCache[int, list[int]] = TTLCache(100_000, CHAT_WITHIN_S)
        #: Until when it is taken for certain that files do not come.
        self._away_until = 0.0

    def limit(self, kind: Kind) -> int:
        return self._limits[kind]

    async def fetch(self, chat: int, shared: Shared) -> NewFile:
        """Raises `Unfit`."""
        limit = self._limits[shared.kind]
        if limit == 0:
            raise Unfit("file_refused")
        while (shared.bytes or 0) > limit:
            if shared.smaller is None:
                raise Unfit("file_too_large")
            shared = shared.smaller
        sent = self._sent.setdefault(chat, [0])
        if sent[0] + (shared.bytes or 0) > CHAT_BYTES:
            raise Unfit("file_too_many")
        async with self._places:
            content = await self._content(shared, limit)
        sent[0] += len(content)
        media_type = fits(shared.kind, content)
        if media_type is None:
            raise Unfit("file_refused")
        return NewFile(shared.kind, media_type, content, shared.name)

    async def _content(self, shared: Shared, limit: int) -> bytes:
        backoff = Backoff(0.5)
        away = monotonic() < self._away_until
        within_s, tries = (AWAY_WITHIN_S, 1) if away else (FETCH_WITHIN_S, TRIES)
        try:
            async with asyncio.timeout(within_s):
                for left in reversed(range(tries)):
                    try:
                        content = await self._try(shared, limit)
                        self._away_until = 0.0
                        return content
                    except (NotSent, Unsure) as error:
                        log.warning("telegram: a file was not fetched (%d tries left): %s", left, error)
                        wait_s = error.retry_after_s if isinstance(error, NotSent) else None
                        if left:
                            await asyncio.sleep(wait_s if wait_s is not None else backoff.next())
        except TimeoutError:
            log.warning("telegram: a file was not fetched within %g s", within_s)
        except Refused as error:
            raise Unfit("file_too_large" if TOO_BIG in str(error) else "file_not_fetched") from error
        self._away_until = monotonic() + AWAY_S
        raise Unfit("file_not_fetched")

    async def _try(self, shared: Shared, limit: int) -> bytes:
        """Raises `NotSent`, `Unsure`, `Refused`, and `Unfit` as soon as there is more than the limit."""
        file = await called(self._bot.get_file(shared.file_id, request_timeout=ASK_WITHIN_S))
        if not file.file_path:
            raise Refused("Telegram names no path for the file")
        url = self._bot.session.api.file_url(self._bot.token, file.file_path)
        # No total of its own: where it ended in the same moment as ours, aiohttp would take our cancellation for its own.
        timeout = aiohttp.ClientTimeout(None, sock_connect=IDLE_S, sock_read=IDLE_S)
        # As it is: what is packed on the way would be unpacked here, whatever it grows to.
        plain = {"Accept-Encoding": "identity"}
        loading = self._bot.session.stream_content(url, plain, timeout=timeout, chunk_size=CHUNK)  # type: ignore[arg-type]  # passed on to aiohttp as it is
        try:
            return await _loaded(loading, limit)
        except aiohttp.ClientResponseError as error:
            # Its words hold the address, and that the token.
            kind = Refused if error.status in (400, 404) else Unsure
            raise kind(f"HTTP {error.status}") from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unsure(f"the file did not come ({type(error).__name__})") from None
        finally:
            await loading.aclose()


async def _loaded(loading: AsyncGenerator[bytes, None], limit: int) -> bytes:
    content = bytearray()
    async for chunk in loading:
        content += chunk
        if len(content) > limit:
            raise Unfit("file_too_large")
    return bytes(content)
