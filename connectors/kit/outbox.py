"""The way out: a worker that reads `chat.outbound` for one channel, and sends what its customers are to get, each chat in order.

Four rules: a repeated record finds its deliveries recorded, and sends nothing; one chat is one line, in the order
of the log; a chat that waits makes no other wait, and takes no place of theirs (`parking`); what became of each event
goes back to the log as `DeliveryReported`.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import uuid4

from cachetools import LRUCache

from connectors.kit.channel import Channel, Message, Opened, Refused
from connectors.kit.deltas import DeltaTail
from connectors.kit.edits import Place, in_place, places_of
from connectors.kit.parking import Parking, record_of
from connectors.kit.previews import Previews, in_its_place
from connectors.kit.reporting import hides_values, reports, revealed
from connectors.kit.sending import ERASED, Left, Outcome, Sending, Waits
from parley.codec import conversation_of
from parley.errors import TransientError, UnknownTenant
from parley.ports.bus import Record, TopicPartition
from parley.ports.channels import Chat
from parley.runtime.deadletters import FloodGuard
from parley.runtime.faults import describe
from parley.runtime.handling import Ended, Handling, Item
from parley.runtime.intake import Intake
from schemas.base import AnyEvent, ConversationId, EventId, TenantId
from schemas.conversation_events import CloseRequested, DeliveryReported
from schemas.outbound import AgentMessageEdited
from schemas.topics import CHAT_OUTBOUND

log = logging.getLogger(__name__)

AT_ONCE = 500
HIGH = 4_000
PLACES = 500
"""Chats of one tenant that are sent to at once; what is more is parked, so that a slow receiver leaves room for other tenants."""
LOOK_EVERY_S = 0.25
TAKE_AT_ONCE = 50
BEHIND = "earlier messages of the chat wait"
DRAIN_S = 10.0
THREADS = 32
"""For the store and the bus, which are waited for; the channel's own calls are in the event loop."""
OTHERS_REMEMBERED = 100_000
"""Conversations of other channels, which are most of the log: each is looked up once."""
RECENT = 10_000


class Outbox:
    """Implements `workers.wiring.Runner`."""

    def __init__(self, opened: Opened, channel: Channel, *, flood: FloodGuard | None = None) -> None:
        self.name: str = channel.name
        self.ready = Flag()
        self._opened = opened
        self._channel = channel
        self._flood = flood or FloodGuard()
        self._loop: asyncio.AbstractEventLoop
        self._sending = Sending(channel, opened.store.channels, opened.clock, str(uuid4()))
        self._previews = Previews(channel, self._sending, opened.clock, self._may_begin)
        channel.attach(self._previews)
        #: By conversation, what is still to be done of it; one task works on each.
        self._lanes: dict[ConversationId, deque[Record]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resumes: set[asyncio.Task[None]] = set()
        self._places: Counter[TenantId] = Counter()
        self._parking = Parking(channel.name, opened.store.channels, opened.clock, self._insist)
        self._others: LRUCache[ConversationId, None] = LRUCache(OTHERS_REMEMBERED)
        #: Those whose texts in the making may be shown: their partition was ours lately.
        self._recent: LRUCache[ConversationId, Chat] = LRUCache(RECENT)
        self._deltas = DeltaTail(opened.bus, opened.codec, self._recent, self._made)
        self._handling: Handling | None = None
        self._fault: BaseException | None = None
        self.intake = Intake(
            self.name,
            CHAT_OUTBOUND.name,
            opened.clock,
            opened.metrics,
            take=lambda records: self._call(partial(self._arrived, records)),
            drop=lambda partitions: self._call(partial(self._dropped, frozenset(partitions))),
            at_once=AT_ONCE,
            high=HIGH,
        )

    def run(self, stop: Flag) -> None:
        """Until `stop`; what is being sent then is sent to its end, and the rest is left to the next owner. Raises `ConfigurationError`,
        `NewerVersion`, `TooManyInvalid`, `UnknownTopic`: somebody has to act.
        """
        self._loop = asyncio.new_event_loop()
        pool = ThreadPoolExecutor(THREADS, thread_name_prefix=f"{self.name}-store")
        self._loop.set_default_executor(pool)
        producer = self._opened.bus.producer()
        self._handling = handling = Handling(self.intake, self._opened.codec, producer, self._flood, stop)
        loop = Thread(target=self._loop.run_forever, name=f"{self.name}-outbox", daemon=True)
        loop.start()
        try:
            self._await(self._channel.open())
            self.intake.open(self._opened.bus)
            self._deltas.start()
            self._call(lambda: self._spawn(self._resuming()))
            try:
                self.ready.set()
                while not stop.is_set() and self._fault is None:
                    self.intake.step()
                self._await(self._leave())
                self.intake.drain(DRAIN_S)
                self._await(self._resumed())
            finally:
                handling.closing.set()
                self._deltas.close()
                self._await(self._end())
                self.intake.close()
        finally:
            self._await(self._channel.close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            loop.join(DRAIN_S)
            producer.close()
            if not loop.is_alive():
                self._loop.run_until_complete(self._loop.shutdown_default_executor())
                self._loop.close()
        if self._fault is not None:
            raise self._fault

    # -- the event loop -----------------------------------------------------------------------------------------------

    def _arrived(self, records: Sequence[Record]) -> None:
        for record in records:
            conversation_id = conversation_of(record)
            if conversation_id in self._others:
                self.intake.finish(record)
            elif (lane := self._lanes.get(conversation_id)) is not None:
                lane.append(record)
            else:
                self._lanes[conversation_id] = deque([record])
                self._spawn(self._lane(conversation_id))

    def _dropped(self, partitions: frozenset[TopicPartition]) -> None:
        """Another owner's by now: what was begun is ended, and nothing more is begun."""
        for lane in self._lanes.values():
            kept = [record for record in lane if record.topic_partition not in partitions]
            lane.clear()
            lane.extend(kept)
        self._recent.clear()

    async def _leave(self) -> None:
        self._sending.close()
        for lane in self._lanes.values():
            self.intake.leave(lane)
            lane.clear()

    async def _resumed(self) -> None:
        if self._resumes:
            await asyncio.wait(self._resumes, timeout=DRAIN_S)

    async def _end(self) -> None:
        """What a channel is still called for is for the next owner to find as it stands."""
        await self._previews.close(DRAIN_S)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN_S)

    async def _lane(self, conversation_id: ConversationId) -> None:
        lane = self._lanes[conversation_id]
        try:
            chat = await self._insist(partial(self._opened.store.channels.chat_of, conversation_id))
            if chat is None or chat.channel != self._channel.name:
                self._others[conversation_id] = None
                while lane:
                    self.intake.finish(lane.popleft())
                return
            while lane:
                await self._handle(lane.popleft())
        except TransientError:  # this process ends, and the store is away
            self.intake.leave(lane)
        finally:
            del self._lanes[conversation_id]

    async def _handle(self, record: Record) -> None:
        try:
            await self._work(record)
        except asyncio.CancelledError:
            self.intake.leave([record])
            raise
        except (TransientError, Left):  # this process ends, and the next owner reads the record again
            self.intake.leave([record])

    async def _work(self, record: Record, *, parked: bool = False) -> None:
        """Raises `Waits` for what is parked already."""
        handling = self._handling
        assert handling is not None  # `run` makes it before the first record
        for item in await asyncio.to_thread(handling.read, [record]):
            try:
                results = await self._results(item.event, parked)
            except Waits as waits:
                if parked:
                    raise
                # No text in the making goes before it.
                self._recent.pop(item.event.envelope.conversation_id, None)
                await self._parking.park(item.event, record, waits.until)
                results = [] if waits.reason is None else [self._parking.report(item.event, waits.reason)]
            await asyncio.to_thread(handling.finish, [Ended(item, results)])
            await self._close_if_gone(item, results)

    async def _resuming(self) -> None:
        """Takes up chats that have waited long enough, of tenants that have places."""
        handling = self._handling
        assert handling is not None  # `run` makes it before the event loop
        with suppress(TransientError):  # this process ends, and the store is away
            while not handling.ends():
                full = [tenant for tenant, taken in self._places.items() if taken >= PLACES]
                found = await self._parking.take_due(full, TAKE_AT_ONCE)
                for chat in found:
                    self._places[chat.tenant] += 1
                    self._spawn(self._resume(chat), self._resumes)
                if len(found) < TAKE_AT_ONCE:
                    await asyncio.sleep(LOOK_EVERY_S)

    async def _resume(self, chat: Chat) -> None:
        handling = self._handling
        assert handling is not None  # `run` makes it before the first chat
        until = self._opened.clock.now()
        try:
            while rows := await self._parking.rows(chat):
                for row in rows:
                    if handling.ends():
                        raise Left
                    await self._work(record_of(row), parked=True)
                    await self._parking.done(row)
            return
        except Waits as waits:
            until = waits.until
        except (TransientError, Left):  # this process ends: the chat is anybody's
            pass
        finally:
            self._places[chat.tenant] -= 1
        with suppress(TransientError):  # its lease ends by itself
            await self._parking.postpone(chat, until)

    async def _results(self, event: AnyEvent, parked: bool) -> list[AnyEvent]:
        """Sends what the event is in this channel; what follows from that for the log. Raises `Waits`."""
        chat_of = partial(self._opened.store.channels.chat_of, event.envelope.conversation_id)
        chat: Chat | None = await self._insist(chat_of)
        if chat is None:  # erased meanwhile
            return []
        self._recent[chat.conversation_id] = chat
        try:
            outcomes = await self._delivered(event, chat, parked)
        except (UnknownTenant, Refused) as error:
            outcomes = [Outcome("failed", str(error))]
        except (TransientError, Left, Waits):
            raise
        except Exception as error:
            # A fault of ours with this event; those after it are to go out all the same.
            log.error("%s: event %s: %s", self.name, event.envelope.event_id, describe(error))
            outcomes = [Outcome("failed", type(error).__name__)]
        if not outcomes or ERASED in {each.reason for each in outcomes}:
            return []
        return reports(event, outcomes, self._channel.name, self._opened.clock.now())

    async def _delivered(self, event: AnyEvent, chat: Chat, parked: bool) -> list[Outcome]:
        """Empty for what is nothing in this channel."""
        envelope = event.envelope
        config = await self._insist(
            partial(self._opened.configs.get, envelope.tenant, envelope.tenant_version)
        )
        if hides_values(event, config):
            event = await self._insist(partial(revealed, self._opened.vault, event, self._opened.clock.now()))
        if not parked:
            await self._channel.notice(event, chat)
        preview = await self._previews.place_of(chat, event.body)
        messages = list(self._channel.messages(event, chat, config))
        if messages and chat.closed is not None:
            return [Outcome("failed", chat.closed)]
        if preview is not None and messages and self._previews.is_settled(event.body):
            messages = in_its_place(messages, preview)
        if not messages or parked:
            return await self._sent(event, chat, messages, preview)
        # Its chat waits as long as it does already; where that ended a moment ago, it is tried at once.
        if chat.waits_until is not None or self._places[chat.tenant] >= PLACES:
            raise Waits(self._opened.clock.now(), BEHIND if chat.waits_until is not None else None)
        self._places[chat.tenant] += 1
        try:
            return await self._sent(event, chat, messages, preview)
        finally:
            self._places[chat.tenant] -= 1

    async def _sent(
        self, event: AnyEvent, chat: Chat, messages: Sequence[Message], preview: str | None
    ) -> list[Outcome]:
        """Raises `Waits`. `preview` is where the text in the making stands that the event ends."""
        envelope = event.envelope
        outcomes: list[Outcome] = []
        places = await self._standing(event) if messages else []
        if isinstance(event.body, AgentMessageEdited):
            messages = in_place(messages, places)
        for part, message in enumerate(messages):
            outcomes.append(
                await self._sending.deliver(chat, envelope.event_id, part, message, envelope.occurred_at)
            )
            if outcomes[-1].gone:
                return outcomes
        for left in filter(None, places[len(messages) :]):
            outcomes.append(await self._sending.take_back(chat, left))
        if preview is not None and not await self._stands(envelope.event_id, preview):
            await self._previews.take_back(chat, event.body, preview)
        return outcomes

    async def _stands(self, outbound_id: EventId, place: str) -> bool:
        """Whether a message of this event is at this place."""
        return any(each.external_id == place for each in await self._sending.held(outbound_id))

    async def _standing(self, event: AnyEvent) -> list[Place]:
        """Where in the chat the message stands that this event edits; nothing for every other event."""
        body, opened = event.body, self._opened
        if not isinstance(body, AgentMessageEdited):
            return []
        name = event.envelope.conversation_id
        find = partial(places_of, opened.store, opened.store.channels, opened.codec, name)
        return list(await self._insist(partial(find, body.message_id, body.seq)))

    async def _close_if_gone(self, item: Item, results: Sequence[AnyEvent]) -> None:
        """After the log has it: who comes after a crash finds the chat open, and says so once more under the same id."""
        reports = [each.body for each in results if isinstance(each.body, DeliveryReported)]
        if any(isinstance(each.body, CloseRequested) for each in results):
            close = self._opened.store.channels.set_closed
            await self._insist(
                partial(close, item.event.envelope.conversation_id, (reports[0].reason or "")[:128])
            )

    async def _insist(self, call: Any) -> Any:
        handling = self._handling
        assert handling is not None
        return await asyncio.to_thread(handling.insist, f"{self.name} store", call)

    def _spawn(self, work: Coroutine[Any, Any, None], among: set[asyncio.Task[None]] | None = None) -> None:
        task = self._loop.create_task(work)
        for tasks in (self._tasks, among):
            if tasks is not None:
                tasks.add(task)
                task.add_done_callback(tasks.discard)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: %s", self.name, describe(error))
            self._fault = self._fault or error

    def _may_begin(self, conversation_id: ConversationId) -> bool:
        chat = self._recent.get(conversation_id)
        return chat is not None and chat.waits_until is None and conversation_id not in self._lanes

    def _delta(self, event: AnyEvent) -> None:
        chat = self._recent.get(event.envelope.conversation_id)
        if chat is not None:
            self._spawn(self._channel.notice(event, chat))

    # -- other threads ------------------------------------------------------------------------------------------------

    def _made(self, event: AnyEvent) -> None:
        self._call(partial(self._delta, event))

    def _call(self, work: Any) -> None:
        self._loop.call_soon_threadsafe(work)

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()
