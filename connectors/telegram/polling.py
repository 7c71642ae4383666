"""Long polling: one bot's updates, confirmed to Telegram only after each of them is in the log.

Telegram keeps an update until a later `offset` confirms it (Bot API, `getUpdates`), so a crash repeats and never loses. Chats are taken side by
side, each in its own order.
"""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic

from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramConflictError
from aiogram.types import Update
from pydantic import ValidationError

from connectors.kit.channel import NotSent, Refused, Unsure
from connectors.kit.http import first_fault
from connectors.kit.inbox import TooMany
from connectors.telegram.calls import called
from connectors.telegram.door import Door
from connectors.telegram.translate import Arrival, arrival_of
from parley.errors import TransientError
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe

log = logging.getLogger(__name__)

WAIT_S = 25
"""How long Telegram holds an empty answer."""
AT_ONCE = 100
KINDS = ["message", "edited_message", "callback_query", "my_chat_member"]
CONFLICT_AGAIN_S = 10.0
FLOOD_S = 30.0
"""So long one chat that writes too fast may hold up all that come after it; what is more of it by then is passed over, as it was told."""


class Poller:
    """Until it is cancelled. What was taken and not confirmed by then comes again, and decides nothing twice."""

    def __init__(self, bot: Bot, door: Door, wait_s: int = WAIT_S) -> None:
        self._bot = bot
        self._door = door
        self._wait_s = wait_s

    async def run(self) -> None:
        """A webhook that was set before is given up: Telegram has one way or the other."""
        offset: int | None = None
        backoff = Backoff(0.5, 30.0)
        given_up = False
        while True:
            try:
                given_up = given_up or await called(self._bot.delete_webhook())
                updates = await self._poll(offset)
            except (
                Exception
            ) as error:  # whatever it is, this loop goes on: nobody else reads the bot's updates
                wait_s = error.retry_after_s if isinstance(error, NotSent) else None
                told = str(error) if isinstance(error, NotSent | Unsure | Refused) else describe(error)
                log.warning("telegram: no updates: %s", told)
                await asyncio.sleep(wait_s if wait_s is not None else backoff.next())
                continue
            backoff.reset()
            if updates:
                await self._take_all([each for each in updates.values() if each is not None])
                offset = max(updates) + 1

    async def _poll(self, offset: int | None) -> dict[int, Update | None]:
        """By id; None for one that cannot be read."""
        try:
            found = await called(
                self._bot.get_updates(
                    offset=offset,
                    limit=AT_ONCE,
                    timeout=self._wait_s,
                    allowed_updates=KINDS,
                    request_timeout=self._wait_s + 10,
                )
            )
            return {each.update_id: each for each in found}
        except Unsure as error:
            if isinstance(error.__cause__, ClientDecodeError):
                return _one_by_one(error.__cause__.data)
            if isinstance(error.__cause__, TelegramConflictError):
                raise NotSent(
                    "another process reads this bot's updates, or it has a webhook (409 Conflict)",
                    CONFLICT_AGAIN_S,
                ) from error
            raise

    async def _take_all(self, updates: Sequence[Update]) -> None:
        chats: dict[int, list[Arrival]] = {}
        for update in updates:
            if (arrival := _meant(update)) is not None:
                chats.setdefault(arrival.chat, []).append(arrival)
        await asyncio.gather(*(self._take(arrivals) for arrivals in chats.values()))

    async def _take(self, arrivals: Sequence[Arrival]) -> None:
        until = monotonic() + FLOOD_S
        for arrival in arrivals:
            await self._insist(arrival, until)

    async def _insist(self, arrival: Arrival, until: float) -> None:
        """As long as the log is away, or the tenant is above its limits. One that is a fault of ours is told and passed over, or no later
        one would ever come.
        """
        backoff = Backoff()
        while True:
            try:
                return await self._door.take(arrival)
            except TransientError as error:
                log.warning("telegram: an update waits: %s", error)
                await asyncio.sleep(backoff.next())
            except TooMany as error:
                if error.of == "chat" and monotonic() + error.retry_after_s > until:
                    log.warning("telegram: update %d is passed over: %s", arrival.update_id, error)
                    return
                await asyncio.sleep(error.retry_after_s)
            except Exception as error:
                log.error("telegram: update %d is passed over: %s", arrival.update_id, describe(error))
                return


def _meant(update: Update) -> Arrival | None:
    try:
        return arrival_of(update)
    except Exception as error:
        log.error("telegram: update %d is passed over: %s", update.update_id, describe(error))
        return None


def _one_by_one(answer: object) -> dict[int, Update | None]:
    """One update that is not as aiogram knows them would else keep all others from being read, for ever. Raises `Unsure` for no answer at all."""
    results = answer.get("result") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        raise Unsure("Telegram's answer to getUpdates is none")
    found: dict[int, Update | None] = {}
    for each in results:
        number = each.get("update_id") if isinstance(each, dict) else None
        if not isinstance(number, int):
            continue
        try:
            found[number] = Update.model_validate(each)
        except ValidationError as error:
            log.error("telegram: update %d cannot be read and is passed over: %s", number, first_fault(error))
            found[number] = None
    return found
