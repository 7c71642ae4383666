"""Texts in the making as messages, for a channel that has no other way to show them: one message a generation, which its reply takes the place of.

It is recorded as every message is, under the generation's id; so whoever comes after a crash knows it, and its reply replaces it or it is taken back. Not before the
chat's earlier messages are sent, and never again where nobody can say whether it arrived.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from typing import Any

from cachetools import LRUCache

from connectors.kit.channel import Channel, Message, Unsure
from connectors.kit.sending import GIVE_UP_AFTER, Left, Sending
from parley.ports.channels import Chat, Delivery
from parley.ports.clock import Clock
from parley.runtime.faults import describe
from schemas.base import ConversationId, EventId, GenerationId
from schemas.outbound import EpochRaised, ReplyReady

log = logging.getLogger(__name__)


UNSURE_REMEMBERED = 10_000


class Previews:
    """Belongs to one event loop. `may_begin` tells whether a chat is this process's and has no message on its way."""

    def __init__(
        self, channel: Channel, sending: Sending, clock: Clock, may_begin: Callable[[ConversationId], bool]
    ) -> None:
        self._channel = channel
        self._sending = sending
        self._clock = clock
        self._may_begin = may_begin
        self._under_way: dict[ConversationId, asyncio.Task[None]] = {}
        #: Generations whose message an edit may still reach that gave no answer.
        self._unsure: LRUCache[str, None] = LRUCache(UNSURE_REMEMBERED)

    async def begin(self, chat: Chat, generation: GenerationId, message: Message) -> str | None:
        """Sends it; the channel's name for the message. None where it was not sent, or is not to be now."""
        if not await self._run(chat, lambda: self._send(chat, generation, message)):
            return None
        return await self._place(generation)

    async def go_on(self, chat: Chat, generation: GenerationId, place: str, message: Message) -> None:
        """Have it read so. Raises what `Channel.edit` raises."""
        await self._run(chat, lambda: self._edit(chat, generation, place, message))

    async def _run(self, chat: Chat, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """To its end, whatever becomes of who waits: what the channel was called for is over before its reply comes. False: not now."""
        name = chat.conversation_id
        if name in self._under_way or not self._may_begin(name):
            return False
        task = self._under_way[name] = asyncio.ensure_future(work())
        task.add_done_callback(partial(self._done, name))
        await asyncio.shield(task)
        return True

    def _done(self, name: ConversationId, task: asyncio.Task[None]) -> None:
        del self._under_way[name]
        if not task.cancelled():
            task.exception()  # told to who waits, if anybody does

    async def place_of(self, chat: Chat, body: object) -> str | None:
        """Where the text stands that this event ends: nothing of it is on its way any more. None where there is none. Raises `Left`."""
        if not isinstance(body, ReplyReady | EpochRaised) or body.generation_id is None:
            return None
        if (task := self._under_way.get(chat.conversation_id)) is not None:
            await asyncio.wait([task])
        return await self._place(body.generation_id)

    def is_settled(self, body: object) -> bool:
        """Whether the reply may take its place: an edit that gave no answer could still come, and undo it."""
        return isinstance(body, ReplyReady) and body.generation_id not in self._unsure

    async def take_back(self, chat: Chat, body: object, place: str) -> None:
        """Delete the message at this place: what it began to say is not said, or is said elsewhere."""
        assert isinstance(body, ReplyReady | EpochRaised) and body.generation_id is not None  # it has a place
        outcome = await self._sending.take_back(chat, place)
        if outcome.state != "sent":
            log.warning("a text in the making stays: %s", outcome.reason)
        for held in await self._sending.held(EventId(body.generation_id)):
            await self._sending.withdrawn(held)

    async def close(self, within_s: float) -> None:
        tasks = list(self._under_way.values())
        if tasks:
            await asyncio.wait(tasks, timeout=within_s)
        for task in tasks:
            task.cancel()

    async def _send(self, chat: Chat, generation: GenerationId, message: Message) -> None:
        """Once: its reply comes all the same, so nothing waits here until the channel is back."""
        since = self._clock.now() - GIVE_UP_AFTER
        try:
            await self._sending.deliver(chat, EventId(generation), 0, message, since)
        except Left:
            log.info("a text in the making is left to the next owner")
        except Exception as error:
            log.error("a text in the making is not shown: %s", describe(error))

    async def _edit(self, chat: Chat, generation: GenerationId, place: str, message: Message) -> None:
        try:
            await self._channel.edit(chat, place, message)
        except Unsure:
            self._unsure[generation] = None
            raise

    async def _place(self, generation: GenerationId) -> str | None:
        held: list[Delivery] = await self._sending.ended(EventId(generation))
        return next((each.external_id for each in held if each.state == "sent"), None)


def in_its_place(messages: list[Message], place: str) -> list[Message]:
    """The reply's first message takes the place of the text in the making."""
    return [replace(messages[0], replaces=place), *messages[1:]]
