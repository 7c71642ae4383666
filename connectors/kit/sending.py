"""One message on its way into a chat, at most once: recorded before the channel is called, and never called for again where nobody can
say what became of it.

| what the channel says | the record | then |
|---|---|---|
| sent, with its id | `sent` | |
| certainly not sent (no connection, too many) | `held` | again, after what the channel asks for (`Waits`) |
| nothing, or an error half-way | `unknown` | never again: the human agent is told |
| no | `failed` | |

A sender that finds another's `sending` waits as long as a call may last, and then marks it `unknown`: that one is gone, or hangs. Where it hung and wakes, its own `sent` no longer
fits, and it deletes what it has sent.

An edit is a message that replaces one: the same record, but `held` after a lost answer, since doing it again does no harm; where the channel refuses it, it is sent as a correction.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cachetools import LRUCache

from connectors.kit.channel import (
    EDIT_WITHIN_S,
    SEND_WITHIN_S,
    Channel,
    Gone,
    Message,
    Moved,
    NotSent,
    Refused,
    Unsure,
)
from parley.errors import TransientError
from parley.ports.channels import ChannelStore, Chat, Delivery, DeliveryState
from parley.ports.clock import Clock
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe
from schemas.base import ConversationId, EventId

log = logging.getLogger(__name__)

T = TypeVar("T")

GIVE_UP_AFTER = timedelta(hours=6)
"""A message that could not be sent for so long says nothing any more to whoever waited for it."""
CALL_LASTS = timedelta(seconds=EDIT_WITHIN_S + SEND_WITHIN_S + 10.0)
"""A sender whose partition was taken away in good order is done by then, and says so itself."""
LOOK_EVERY_S = 0.5
LEAST_WAIT_S, MOST_WAIT_S = 0.5, 60.0
"""Between tries of a chat where the channel does not say when, doubling from the one to the other."""
WAITING_REMEMBERED = 100_000
CLOSED = "the chat is closed: "
"""What the reason begins with where it holds for all that follows."""
ERASED = "the customer was erased"
LATE = "another sender had taken over"
MOVED_AWAY = "the chat has moved to one that is another conversation"
LEFT_OVER = "a part of the message as it was before is still there"
TAKE_BACK_TRIES, TAKE_BACK_WAIT_S = 5, 5.0
GONE_SENDER = "its sender was gone before it could tell"


class Left(Exception):
    """It is held, and the next owner sends it: this process ends."""


class Waits(Exception):
    """It is held, or was not begun: to be tried again at `until`. `reason` is what the channel said; None: only a place was missing."""

    def __init__(self, until: datetime, reason: str | None) -> None:
        super().__init__(reason)
        self.until = until
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outcome:
    state: DeliveryState
    reason: str | None = None

    @property
    def gone(self) -> bool:
        """Nothing more can be sent into this chat. It follows from the record, so that a crash forgets nothing of it."""
        return (self.reason or "").startswith(CLOSED)

    @property
    def told(self) -> str | None:
        """The reason as it is reported."""
        return self.reason.removeprefix(CLOSED) if self.reason is not None else None


def _outcome(delivery: Delivery) -> Outcome:
    return Outcome(delivery.state, delivery.reason)


class Sending:
    """Belongs to one event loop. `sender` names this process, and no other that ever was."""

    def __init__(self, channel: Channel, store: ChannelStore, clock: Clock, sender: str) -> None:
        self._channel = channel
        self._store = store
        self._clock = clock
        self._sender = sender
        #: Those that the channel was called for: a record of ours that says `sending` without it was written, and its answer lost.
        self._called: set[tuple[EventId, int]] = set()
        self._closing = asyncio.Event()
        self._backoffs: LRUCache[ConversationId, Backoff] = LRUCache(WAITING_REMEMBERED)

    def close(self) -> None:
        """What waits to be sent again is left."""
        self._closing.set()

    async def deliver(
        self, chat: Chat, outbound_id: EventId, part: int, message: Message, since: datetime
    ) -> Outcome:
        """Returns once its record says how it ended. Waits as long as the store is away. Raises `Left`, and, until `GIVE_UP_AFTER` from
        `since`, `Waits`.
        """
        place = (outbound_id, part)
        try:
            taken = await self._take(chat, outbound_id, part)
            while isinstance(taken, Delivery):
                self._called.add(place)
                ended = await self._attempt(chat, taken, message, since)
                if isinstance(ended, Outcome):
                    return ended
                self._called.discard(place)
                if await self._insist(lambda: self._store.chat_of(chat.conversation_id)) is None:
                    return Outcome("failed", ERASED)
                taken = await self._take(chat, outbound_id, part)
            return taken
        finally:
            self._called.discard(place)

    async def _take(self, chat: Chat, outbound_id: EventId, part: int) -> Delivery | Outcome:
        """The delivery as ours to send, or how it has ended already."""
        await self._turn(chat)
        asked = Delivery(
            outbound_id,
            part,
            chat.tenant,
            chat.conversation_id,
            chat.customer_id,
            self._channel.name,
            self._sender,
            "sending",
            self._clock.now(),
        )
        while True:
            held = await self._insist(lambda: self._store.begin_delivery(asked))
            if held.state == "held":
                ours = await self._change(held, "sending", sender=self._sender)
                if ours is not None:
                    return ours
            elif held.state != "sending":
                return _outcome(held)
            elif held.sender == self._sender and (outbound_id, part) not in self._called:
                return held
            elif self._clock.now() - held.changed_at < CALL_LASTS:
                await self._wait(LOOK_EVERY_S)
            else:
                await self._change(held, "unknown", reason=GONE_SENDER)

    async def _attempt(
        self, chat: Chat, delivery: Delivery, message: Message, since: datetime
    ) -> Outcome | None:
        """None: it was not sent, and another may have it by now. Raises `Waits`."""
        while True:
            try:
                external_id = await self._put(chat, message)
            except NotSent as error:
                return await self._not_sent(delivery, error, since)
            except Moved as error:
                moved = await self._moved(chat, error.address)
                if moved is None:
                    return await self._end(delivery, "failed", MOVED_AWAY)
                chat = moved
            except Gone as error:
                return await self._end(delivery, "failed", f"{CLOSED}{error}")
            except Refused as error:
                return await self._end(delivery, "failed", str(error))
            except Unsure as error:
                return await self._end(delivery, "unknown", str(error))
            except Exception as error:  # a fault of ours, at whatever moment: it may have been sent
                log.error("%s: %s", self._channel.name, describe(error))
                return await self._end(delivery, "unknown", type(error).__name__)
            else:
                return await self._sent(chat, delivery, external_id, message)

    async def _put(self, chat: Chat, message: Message) -> str:
        """Where it replaces one, in that one's place as long as the channel lets it."""
        if message.replaces is None:
            return await self._channel.send(chat, message)
        try:
            await self._channel.edit(chat, message.replaces, message)
        except (Gone, NotSent):
            raise
        except Unsure as error:
            raise NotSent(str(error)) from error
        except Refused as error:
            log.info("%s: a correction is sent: %s", self._channel.name, error)
            return await self._channel.send(chat, message.anew)
        return message.replaces

    async def held(self, outbound_id: EventId) -> list[Delivery]:
        return await self._insist(lambda: self._store.deliveries([outbound_id]))

    async def ended(self, outbound_id: EventId) -> list[Delivery]:
        """Its records once nothing of it is on its way; what a sender has left that is gone is `unknown` from here on. Raises `Left`."""
        while True:
            found = await self.held(outbound_id)
            open_ = [each for each in found if each.state == "sending"]
            if not open_:
                return found
            for each in open_:
                if self._clock.now() - each.changed_at >= CALL_LASTS:
                    await self._change(each, "unknown", reason=GONE_SENDER)
            await self._wait(LOOK_EVERY_S)

    async def withdrawn(self, delivery: Delivery) -> None:
        """It is there no more."""
        await self._change(delivery, "withdrawn", external_id=delivery.external_id)

    async def take_back(self, chat: Chat, external_id: str) -> Outcome:
        """Delete what an edited message has left over."""
        backoff = Backoff(0.5)
        for _ in range(TAKE_BACK_TRIES):
            try:
                await self._turn(chat)
                await self._channel.withdraw(chat, external_id)
            except (NotSent, Unsure) as error:
                wait_s = error.retry_after_s if isinstance(error, NotSent) else None
                await self._wait(min(backoff.next() if wait_s is None else wait_s, TAKE_BACK_WAIT_S))
            except (Moved, Refused) as error:
                return Outcome("failed", f"{LEFT_OVER}: {error}")
            else:
                return Outcome("sent")
        return Outcome("failed", f"{LEFT_OVER}: the channel is away")

    async def _not_sent(self, delivery: Delivery, error: NotSent, since: datetime) -> Outcome | None:
        held = await self._change(delivery, "held", reason=str(error))
        if held is None:
            return None
        now = self._clock.now()
        left_s = (since + GIVE_UP_AFTER - now).total_seconds()
        if left_s <= 0.0:
            return await self._end(held, "failed", str(error))
        backoff = self._backoffs.setdefault(delivery.conversation_id, Backoff(LEAST_WAIT_S, MOST_WAIT_S))
        wait_s = min(left_s, backoff.next() if error.retry_after_s is None else error.retry_after_s)
        log.warning("%s: tries again in %.1f s: %s", self._channel.name, wait_s, error)
        raise Waits(now + timedelta(seconds=wait_s), str(error))

    async def _wait(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._closing.wait(), seconds)
            raise Left

    async def _turn(self, chat: Chat) -> None:
        """Nothing is recorded meanwhile, so that who ends here leaves it to the next owner as it is. Raises `Left`."""
        turn = asyncio.ensure_future(self._channel.turn(chat))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({turn, closing}, return_when=asyncio.FIRST_COMPLETED)
            if not turn.done():
                raise Left
        finally:
            turn.cancel()
            closing.cancel()

    async def _moved(self, chat: Chat, address: str) -> Chat | None:
        """The chat under its new address; None where that is another conversation's."""
        store, name = self._store, chat.conversation_id
        await self._insist(lambda: store.move_chat(name, address))
        moved = await self._insist(lambda: store.chat_of(name))
        return moved if moved is not None and moved.address == address != chat.address else None

    async def _sent(self, chat: Chat, delivery: Delivery, external_id: str, message: Message) -> Outcome:
        self._backoffs.pop(chat.conversation_id, None)
        if await self._change(delivery, "sent", external_id=external_id) is not None:
            return Outcome("sent")
        found = await self._insist(lambda: self._of(delivery))
        if not found:  # its customer was erased meanwhile
            return Outcome("sent", ERASED)
        held = found[0]
        if external_id == message.replaces:  # an edit came late; what it has changed is an older message
            return _outcome(held)
        try:
            await self._channel.withdraw(chat, external_id)
        except Exception as error:
            log.warning("%s: %s, and its message stays: %s", self._channel.name, LATE, describe(error))
            return _outcome(held)
        await self._change(held, "withdrawn", external_id=external_id, reason=LATE)
        return Outcome("withdrawn", LATE)

    async def _end(self, delivery: Delivery, state: DeliveryState, reason: str) -> Outcome:
        await self._change(delivery, state, reason=reason)
        return Outcome(state, reason)

    async def _change(
        self,
        delivery: Delivery,
        state: DeliveryState,
        *,
        sender: str | None = None,
        external_id: str | None = None,
        reason: str | None = None,
    ) -> Delivery | None:
        """A change whose answer was lost is found done at the next try."""
        now = self._clock.now()

        def change() -> Delivery | None:
            done = self._store.change_delivery(
                delivery, state, now, sender=sender, external_id=external_id, reason=reason
            )
            if done is not None:
                return done
            found = self._of(delivery)
            same = [
                each
                for each in found
                if (each.state, each.changed_at, each.sender) == (state, now, sender or delivery.sender)
            ]
            return same[0] if same else None

        return await self._insist(change)

    def _of(self, delivery: Delivery) -> list[Delivery]:
        return [each for each in self._store.deliveries([delivery.outbound_id]) if each.part == delivery.part]

    async def _insist(self, call: Callable[[], T]) -> T:
        """What was sent must be recorded, however long the store is away."""
        backoff = Backoff()
        while True:
            try:
                return await asyncio.to_thread(call)
            except TransientError as error:
                log.warning("%s: the store is away: %s", self._channel.name, error)
                await asyncio.sleep(backoff.next())
