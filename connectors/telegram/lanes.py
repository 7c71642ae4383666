"""One bot's chats side by side: each one's updates are taken in their order, and none waits for another's flood or file.

A message above its chat's rate, one with a file to fetch, and what follows them in their chat are kept in the store, masked and sealed. With that
Telegram may forget them, and a lane of their own takes them as fast as the chat may write. A crash repeats what a lane was at, and loses nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from connectors.kit.inbox import Inbox, TooMany
from connectors.kit.waiting import WaitingRoom
from connectors.telegram.door import Door
from connectors.telegram.parcels import Parcel, captions_first, lack_caption, pack, unpack
from connectors.telegram.translate import Arrival, Commanded, Said, external_id
from connectors.telegram.turns import Turns
from connectors.telegram.versions import Versions
from parley.errors import TransientError, UnknownTenant
from parley.ports.channels import Chat
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe

log = logging.getLogger(__name__)

LOOK_EVERY_S = 10.0
"""How soon it is found what another process has left, or a lane that failed has not taken."""
TAKEN_UP = 100
"""Lanes of chats that an earlier process left, begun at a time: the others follow."""
ALBUM_S = 1.0
"""An album's pictures come one by one: so long its caption may come after the others."""


class _Lane:
    """`more`: something was kept since the store was last asked."""

    def __init__(self) -> None:
        self.more = True
        self.task: asyncio.Task[None] | None = None


class Lanes:
    """One bot's. Belongs to one event loop."""

    def __init__(self, bot_id: int, door: Door, inbox: Inbox, room: WaitingRoom) -> None:
        self._bot_id = bot_id
        self._door = door
        self._inbox = inbox
        self._room = room
        self._versions = Versions()
        self._turns = Turns()
        self._lanes: dict[int, _Lane] = {}

    async def run(self) -> None:
        """Until it is cancelled: takes what was kept and has no lane."""
        try:
            while True:
                try:
                    await self._take_up()
                except Exception as error:
                    log.warning("telegram: it is not known what waits: %s", describe(error))
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            tasks = [lane.task for lane in self._lanes.values() if lane.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def take(self, arrivals: Sequence[Arrival]) -> None:
        """One chat's, in order, behind those that it was called with before. Returns when each is in the log, or answered, or kept."""
        changed = [each for each in map(self._versions.changed, arrivals) if each is not None]
        if changed:
            async with self._turns.of(changed[0].chat):
                await self._take(changed)

    # -- as it comes --------------------------------------------------------------------------------------------------

    async def _take(self, arrivals: Sequence[Arrival]) -> None:
        """What is no message is done at once: whoever floods may still ask to be erased."""
        kept: list[Arrival] = []
        for each in arrivals:
            waits = _is_message(each) and bool(kept or each.chat in self._lanes or _has_file(each))
            if waits or not await _insist(each, partial(self._taken, each)):
                kept.append(each)
        if kept:
            await _insist(kept[0], partial(self._keep, kept))

    async def _taken(self, arrival: Arrival) -> bool:
        """False where its chat is above its rate. What others wrote in a group is nobody's to wait for."""
        try:
            await self._door.take(arrival)
        except TooMany as error:
            if error.of == "tenant":
                raise
            return not arrival.private
        return True

    async def _keep(self, arrivals: Sequence[Arrival]) -> bool:
        await asyncio.to_thread(self._write, arrivals)
        self._lane(arrivals[0].chat).more = True
        return True

    def _write(self, arrivals: Sequence[Arrival]) -> None:
        """All at once, so that a flood costs one transaction a poll."""
        chat = self._inbox.writing_chat(str(arrivals[0].chat), arrivals[0].language)
        parcels = [
            pack(
                each,
                partial(self._inbox.masked, chat, external_id(self._bot_id, each)),
                self._inbox.safe_name,
            )
            for each in arrivals
        ]
        self._room.keep(chat, parcels)

    # -- a lane -------------------------------------------------------------------------------------------------------

    async def _take_up(self) -> None:
        chats = await asyncio.to_thread(self._room.chats)
        left = [int(each.address) for each in chats if int(each.address) not in self._lanes]
        for chat in left[:TAKEN_UP]:
            self._lane(chat)

    def _lane(self, chat: int) -> _Lane:
        lane = self._lanes.get(chat)
        if lane is None:
            lane = self._lanes[chat] = _Lane()
            lane.task = asyncio.create_task(self._run(chat, lane))
        return lane

    async def _run(self, chat: int, lane: _Lane) -> None:
        """Until nothing of the chat waits. Where it fails, it is begun anew after a while."""
        try:
            while lane.more:
                lane.more = False
                while await self._take_first(chat):
                    pass
        except Exception as error:
            log.error("telegram: what waits of a chat is tried again later: %s", describe(error))
        finally:
            del self._lanes[chat]

    async def _take_first(self, address: int) -> bool:
        """Takes those that come first. False: there are none."""
        chat = await asyncio.to_thread(self._inbox.chat, str(address))
        if chat is None:
            return False
        found = await asyncio.to_thread(self._read, chat)
        if lack_caption(found):
            await asyncio.sleep(ALBUM_S)
            found = await asyncio.to_thread(self._read, chat)
        for position, arrival in captions_first(found):
            if arrival is not None:
                await asyncio.sleep(self._inbox.wait_s(str(address)))
                await _insist(arrival, partial(self._pass, arrival))
            await asyncio.to_thread(self._room.done, chat, position)
        return bool(found)

    def _read(self, chat: Chat) -> list[Parcel]:
        return [unpack(*each) for each in self._room.first(chat)]

    async def _pass(self, arrival: Arrival) -> bool:
        await self._door.take(arrival)
        return True


async def _insist(arrival: Arrival, call: Callable[[], Awaitable[bool]]) -> bool:
    """As long as the log is away, or the tenant is above its limits. One that is a fault of ours is told and passed over, or no later one of
    its chat would ever come.
    """
    backoff = Backoff()
    while True:
        try:
            return await call()
        except (TransientError, UnknownTenant) as error:
            log.warning("telegram: an update waits: %s", error)
            await asyncio.sleep(backoff.next())
        except TooMany as error:
            await asyncio.sleep(error.retry_after_s)
        except Exception as error:
            log.error("telegram: update %d is passed over: %s", arrival.update_id, describe(error))
            return True


def _is_message(arrival: Arrival) -> bool:
    """Whether it goes into the log as the customer's words, or as a file of theirs."""
    meaning = arrival.meaning
    said = isinstance(meaning, Said) or (isinstance(meaning, Commanded) and meaning.command == "human")
    return arrival.private and said


def _has_file(arrival: Arrival) -> bool:
    return isinstance(arrival.meaning, Said) and arrival.meaning.file is not None
