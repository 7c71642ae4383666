"""Long polling: one bot's updates, confirmed to Telegram only after each of them is in the log, or answered, or kept in the store.

Telegram keeps an update until a later `offset` confirms it and all before it (Bot API, `getUpdates`), so a crash repeats and never loses. What one update waits
for holds up no other chat: it is not confirmed, and those behind it are read all the same, up to the hundred that Telegram shows.
"""

import asyncio
import logging
from collections.abc import Mapping

from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramConflictError
from aiogram.types import Update
from pydantic import ValidationError

from connectors.kit.channel import NotSent, Refused, Unsure
from connectors.kit.http import first_fault
from connectors.telegram.calls import called
from connectors.telegram.lanes import Lanes
from connectors.telegram.reading import KINDS, read_update
from connectors.telegram.translate import Arrival, arrival_of
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe

log = logging.getLogger(__name__)

WAIT_S = 25
"""How long Telegram holds an empty answer."""
AT_ONCE = 100
LOOK_S, LOOK_MOST_S = 0.1, 1.0
"""While an update is under way, the next ones are asked for so often: Telegram answers at once, since that one is not confirmed."""
CONFLICT_AGAIN_S = 10.0


class Poller:
    """Until it is cancelled. What was taken and not confirmed by then comes again, and decides nothing twice."""

    def __init__(self, bot: Bot, lanes: Lanes, wait_s: int = WAIT_S) -> None:
        self._bot = bot
        self._lanes = lanes
        self._wait_s = wait_s
        #: By id, the updates from the first one that is not confirmed on; None: it means nothing to us.
        self._window: dict[int, asyncio.Task[None] | None] = {}

    async def run(self) -> None:
        try:
            await self._run()
        finally:
            tasks = self._under_way()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self) -> None:
        """A webhook that was set before is given up: Telegram has one way or the other."""
        offset: int | None = None
        backoff, looking = Backoff(0.5, 30.0), Backoff(LOOK_S, LOOK_MOST_S)
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
            self._begin(updates)
            if tasks := self._under_way():
                await asyncio.wait(tasks, timeout=looking.next())
            confirmed = self._confirmed(offset)
            if confirmed != offset:
                looking.reset()
            offset = confirmed

    async def _poll(self, offset: int | None) -> dict[int, Update | None]:
        """By id; None for one that cannot be read."""
        wait_s = 0 if self._under_way() else self._wait_s
        try:
            found = await called(
                self._bot.get_updates(
                    offset=offset,
                    limit=AT_ONCE,
                    timeout=wait_s,
                    allowed_updates=KINDS,
                    request_timeout=wait_s + 10,
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

    def _begin(self, updates: Mapping[int, Update | None]) -> None:
        """Each that is not known yet, those of a chat one after the other."""
        chats: dict[int, list[Arrival]] = {}
        for update_id, update in updates.items():
            if update_id in self._window:
                continue
            self._window[update_id] = None
            arrival = None if update is None else _meant(update)
            if arrival is not None:
                chats.setdefault(arrival.chat, []).append(arrival)
        for arrivals in chats.values():
            task = asyncio.create_task(self._lanes.take(arrivals))
            self._window.update(dict.fromkeys((each.update_id for each in arrivals), task))

    def _under_way(self) -> set[asyncio.Task[None]]:
        return {task for task in self._window.values() if task is not None and not task.done()}

    def _confirmed(self, offset: int | None) -> int | None:
        """The first update that is under way, or the one behind all that are known; what lies before is forgotten."""
        if not self._window:
            return offset
        open_ = (number for number, task in self._window.items() if task is not None and not task.done())
        first = min(open_, default=max(self._window) + 1)
        for number in [number for number in self._window if number < first]:
            del self._window[number]
        return first


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
            found[number] = read_update(each)
        except ValidationError as error:
            log.error("telegram: update %d cannot be read and is passed over: %s", number, first_fault(error))
            found[number] = None
    return found
