"""Messages that wait in the store: a chat whose channel is away costs no place among the records under way, however much is said in it.

A message that was certainly not sent is parked, as the log had it, and its record is done; so is what follows in the chat, until all of it
went out, in its order. A chat is tried again by whoever takes it when its time has come. It is the taker's for `LEASE`; where that one
is gone or slow, and two try, each message's own record still has it sent once and in order (`sending`).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from parley.domain.events import follow
from parley.ports.bus import Record
from parley.ports.channels import ChannelStore, Chat, Parked
from parley.ports.clock import Clock
from schemas.base import AnyEvent, TenantId
from schemas.conversation_events import DeliveryReported
from schemas.outbound import Outbound
from schemas.parts import Channel
from schemas.topics import CHAT_OUTBOUND

LEASE = timedelta(seconds=60.0)
AT_ONCE = 500
NOWHERE = -1
"""The partition of a record that was parked: its own was committed, and it counts for none."""


class _Waiting(NamedTuple):
    row: Parked
    until: datetime
    done: "asyncio.Future[None]"


class Parking:
    """One channel's; belongs to one event loop. `insist` makes a call of the store in a thread, as long as the store is away."""

    def __init__(
        self, channel: Channel, store: ChannelStore, clock: Clock, insist: Callable[[Any], Any]
    ) -> None:
        self._channel = channel
        self._store = store
        self._clock = clock
        self._insist = insist
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def park(self, event: AnyEvent, record: Record, until: datetime) -> None:
        """Those that are parked meanwhile are written together: a transaction costs the same for one as for hundreds."""
        assert (
            isinstance(event.body, Outbound) and record.value is not None
        )  # it was read from `chat.outbound`
        envelope = event.envelope
        row = Parked(
            envelope.event_id,
            envelope.conversation_id,
            event.body.seq,
            envelope.tenant,
            envelope.customer_id,
            self._channel,
            record.headers,
            record.value,
        )
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(row, until, done))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await done

    async def take_due(self, without: Collection[TenantId], at_most: int) -> list[Chat]:
        now = self._clock.now()
        take = partial(self._store.take_due, self._channel, now, now + LEASE, at_most, without)
        found: list[Chat] = await self._insist(take)
        return found

    async def rows(self, chat: Chat) -> list[Parked]:
        found: list[Parked] = await self._insist(partial(self._store.parked, chat.conversation_id, AT_ONCE))
        return found

    async def done(self, row: Parked) -> None:
        await self._insist(partial(self._store.unpark, row.conversation_id, [row.outbound_id]))

    async def postpone(self, chat: Chat, until: datetime) -> None:
        """Where it is still the caller's: else somebody else has settled that."""
        await self._insist(partial(self._store.postpone, chat, until))

    def report(self, event: AnyEvent, reason: str) -> AnyEvent:
        """That it is going to be sent, and why it is not yet."""
        told = DeliveryReported(
            outbound_id=event.envelope.event_id, channel=self._channel, state="accepted", reason=reason
        )
        return follow(event.envelope, told, "delivery-accepted", self._clock.now())

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]
                until = {each.row.conversation_id: each.until for each in reversed(batch)}
                try:
                    await self._insist(partial(self._store.park, [each.row for each in batch], until))
                except Exception as error:  # nothing of it was written: each waiter gets the reason
                    _end(batch, error)
                else:
                    _end(batch, None)
        finally:
            self._writing = None


def _end(batch: Collection[_Waiting], error: Exception | None) -> None:
    for each in batch:
        if each.done.done():
            continue
        if error is None:
            each.done.set_result(None)
        else:
            each.done.set_exception(error)


def record_of(row: Parked) -> Record:
    """As it was read from the log."""
    key = row.conversation_id.encode()
    return Record(CHAT_OUTBOUND.name, NOWHERE, row.seq, 0, key, row.value, row.headers)
