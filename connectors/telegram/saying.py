"""What the bot says by itself, to commands, buttons and what it cannot read: recorded and sent as every message is (`connectors.kit.sending`).

Its id follows from the update that it answers, so a repeated update says nothing twice, and that it was said tells that the update is done
with. Its record is in no conversation and names no customer: whoever was erased is told so all the same, and once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import monotonic

from connectors.kit.channel import Gone, Message, Moved, NotSent, Refused, Unsure
from connectors.kit.sending import Left, Sending, Waits
from connectors.telegram.calls import called
from parley.errors import TransientError
from parley.ids import named_id
from parley.ports.channels import Chat
from parley.ports.clock import Clock
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe
from schemas.base import ConversationId, CustomerId, EventId, TenantId

log = logging.getLogger(__name__)

HOLD_S = 30.0
"""So long the update of an answer that Telegram does not take yet stays unconfirmed, and with it all of its chat: whoever is killed by then
finds it again. After that it is sent when its time comes, by this process alone.
"""
DRAIN_S = 10.0
INSIST_S, INSIST_TRIES = 20.0, 8
"""For a call that may be made twice; a button waits for its answer no longer than that."""


class Saying:
    """One bot's; belongs to one event loop. `sending` is nobody else's."""

    def __init__(
        self, sending: Sending, tenant: TenantId, bot_id: int, clock: Clock, hold_s: float = HOLD_S
    ) -> None:
        self._sending = sending
        self._tenant = tenant
        self._bot_id = bot_id
        self._clock = clock
        self._hold_s = hold_s
        self._closing = asyncio.Event()
        #: What is on its way, by its id; by chat the last of it, and since when something of the chat is.
        self._tasks: dict[EventId, asyncio.Task[None]] = {}
        self._last: dict[int, asyncio.Task[None]] = {}
        self._since: dict[int, float] = {}

    def name(self, *parts: object) -> EventId:
        """The id of what is said once about these: an update, an album."""
        return named_id("telegram-said", str(self._bot_id), *map(str, parts))

    async def said(self, name: EventId) -> bool:
        """Whether that was said, or given up for good."""
        return any(each.state not in ("sending", "held") for each in await self._sending.held(name))

    async def say(self, chat: int, name: EventId, message: Message) -> None:
        """In its turn in the chat. Returns when it was sent, or never will be; at the latest once answers of this chat have waited for
        `hold_s`. Raises `TransientError`: this process ends.
        """
        task = self.begin(chat, name, message)
        done, _ = await asyncio.wait({task}, timeout=self._since[chat] + self._hold_s - monotonic())
        if not done:
            log.warning("telegram: an answer waits, and its update does not any more")
        elif not task.cancelled() and (error := task.exception()) is not None:
            raise error

    def begin(self, chat: int, name: EventId, message: Message) -> "asyncio.Task[None]":
        """What need not be waited for: it is sent in its turn, unless this process ends before."""
        task = self._tasks.get(name)
        if task is None:
            task = asyncio.ensure_future(self._deliver(chat, name, message, self._last.get(chat)))
            self._since.setdefault(chat, monotonic())
            self._tasks[name] = self._last[chat] = task
            task.add_done_callback(lambda ended: self._done(chat, name, ended))
        return task

    async def close(self) -> None:
        """What waits is left; what Telegram is called for is heard to its end."""
        self._closing.set()
        self._sending.close()
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _deliver(
        self, chat: int, name: EventId, message: Message, before: "asyncio.Task[None] | None"
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
        since = self._clock.now()
        place = self._place(chat, name)
        while True:
            try:
                outcome = await self._sending.deliver(place, name, 0, message, since)
            except Waits as waits:
                await self._wait((waits.until - self._clock.now()).total_seconds())
            except Left:
                raise _ends() from None
            else:
                if outcome.state != "sent":
                    log.warning("telegram: an answer is %s: %s", outcome.state, outcome.told)
                return

    def _place(self, chat: int, name: EventId) -> Chat:
        """The chat as the record has it: without its address, and nobody's."""
        now = self._clock.now()
        return Chat(self._tenant, "telegram", str(chat), ConversationId(name), CustomerId(name), now)

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), max(0.0, seconds))
            raise _ends()

    def _done(self, chat: int, name: EventId, task: "asyncio.Task[None]") -> None:
        del self._tasks[name]
        if self._last.get(chat) is task:
            del self._last[chat], self._since[chat]
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("telegram: an answer is left: %s", describe(error))


async def insist(call: Callable[[], Awaitable[object]], within_s: float = INSIST_S) -> None:
    """A call that does no harm when it is made twice: again after what Telegram asks for, or no answer. Nothing depends on it."""
    until = monotonic() + within_s
    backoff = Backoff(0.5, 5.0)
    for left in reversed(range(INSIST_TRIES)):
        try:
            await called(call())
            return
        except (Refused, Gone, Moved) as error:
            log.info("telegram: a call is not made: %s", error)
            return
        except (NotSent, Unsure) as error:
            asked = error.retry_after_s if isinstance(error, NotSent) else None
            wait_s = backoff.next() if asked is None else asked
            if not left or monotonic() + wait_s > until:
                log.warning("telegram: a call is given up: %s", error)
                return
            await asyncio.sleep(wait_s)


def _ends() -> TransientError:
    return TransientError("this process ends before the answer was sent")
