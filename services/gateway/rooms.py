"""Who listens to which conversation, and the deltas of the last minutes. No bus and no HTTP.

`Rooms` and `Connection` belong to the event loop's thread; the tail's thread only asks whether a room exists and fills
the `DeltaBuffer`, which has a lock.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from parley.ports.bus import Record
from schemas.base import AnyEvent, ConversationId

EndReason = Literal["slow", "draining", "tail_lost"]
MAX_QUEUED = 512
MAX_CONNECTIONS = 16
"""Streams one conversation may have open: a person has few tabs, a loop in somebody's script has many."""


class StreamEnded(Exception):
    """The stream must end; its client resumes from its cursor."""

    def __init__(self, reason: EndReason) -> None:
        super().__init__(reason)
        self.reason = reason


class TooManyConnections(Exception):
    """This conversation has as many streams open as it may."""


class Connection:
    """One stream's queue of events, bounded: a client that does not keep up is cut off and resumes."""

    def __init__(self) -> None:
        self._events: deque[AnyEvent] = deque()
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        self.end_reason: EndReason | None = None

    def put(self, event: AnyEvent) -> None:
        if len(self._events) >= MAX_QUEUED:
            self.end("slow")
        elif self.end_reason is None:
            self._events.append(event)
            self._changed.set()

    def end(self, reason: EndReason) -> None:
        if self.end_reason is None:
            self.end_reason = reason
            self._changed.set()
            self._over.set()

    async def over(self) -> None:
        """Returns once the stream was told to end, also while nobody asks for `next`."""
        await self._over.wait()

    async def next(self, timeout_s: float) -> AnyEvent | None:
        """The next event; None after `timeout_s` without any. Raises `StreamEnded`."""
        if self.end_reason is None and not self._events:
            self._changed.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                return None
        if self.end_reason is not None:
            raise StreamEnded(self.end_reason)
        return self._events.popleft()


class Rooms:
    """The connections of each conversation."""

    def __init__(self) -> None:
        self._rooms: dict[ConversationId, set[Connection]] = {}
        self._draining = False

    def __contains__(self, conversation_id: object) -> bool:
        """May be asked from any thread: a room that opens at this moment reads what it missed from the history."""
        return conversation_id in self._rooms

    def join(self, conversation_id: ConversationId) -> Connection:
        """Raises `TooManyConnections`, `StreamEnded` while draining."""
        if self._draining:
            raise StreamEnded("draining")
        room = self._rooms.setdefault(conversation_id, set())
        if len(room) >= MAX_CONNECTIONS:
            raise TooManyConnections
        connection = Connection()
        room.add(connection)
        return connection

    def leave(self, conversation_id: ConversationId, connection: Connection) -> None:
        room = self._rooms.get(conversation_id)
        if room is not None:
            room.discard(connection)
            if not room:
                del self._rooms[conversation_id]

    def deliver(self, events: Iterable[AnyEvent]) -> None:
        for event in events:
            for connection in self._rooms.get(event.envelope.conversation_id, ()):
                connection.put(event)

    def end(self, conversations: Sequence[ConversationId] | None, reason: EndReason) -> None:
        """End the streams of these conversations, or all of them."""
        for conversation_id in list(self._rooms) if conversations is None else conversations:
            for connection in self._rooms.get(conversation_id, ()):
                connection.end(reason)

    def drain(self) -> None:
        """End every stream and let no new one begin."""
        self._draining = True
        self.end(None, "draining")


@dataclass(slots=True)
class _Kept:
    records: deque[Record]
    newest_ms: int


class DeltaBuffer:
    """The deltas of replies in the making, as records: whoever reconnects in mid-stream gets them from the first on.

    Bounded by age, by conversation and in all. Thread-safe.
    """

    def __init__(self, *, keep_ms: int = 120_000, each: int = 1_024, total: int = 65_536) -> None:
        self._keep_ms = keep_ms
        self._each = each
        self._total = total
        self._count = 0
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = Lock()

    def add(self, conversation_id: str, record: Record) -> None:
        with self._lock:
            kept = self._kept.get(conversation_id)
            if kept is None:
                kept = self._kept[conversation_id] = _Kept(deque(), record.timestamp_ms)
            if len(kept.records) >= self._each:
                kept.records.popleft()
                self._count -= 1
            kept.records.append(record)
            kept.newest_ms = record.timestamp_ms
            self._count += 1
            self._kept.move_to_end(conversation_id)
            self._evict(record.timestamp_ms)

    def drop(self, conversation_id: str) -> None:
        """The reply is there: nobody needs its pieces any more."""
        with self._lock:
            self._forget(conversation_id)

    def of(self, conversation_id: str) -> list[Record]:
        with self._lock:
            kept = self._kept.get(conversation_id)
            return list(kept.records) if kept is not None else []

    def _evict(self, now_ms: int) -> None:
        while self._kept:
            oldest, kept = next(iter(self._kept.items()))
            if self._count <= self._total and now_ms - kept.newest_ms <= self._keep_ms:
                return
            self._forget(oldest)

    def _forget(self, conversation_id: str) -> None:
        kept = self._kept.pop(conversation_id, None)
        if kept is not None:
            self._count -= len(kept.records)
