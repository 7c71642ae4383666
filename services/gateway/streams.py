"""One customer's stream of frames: the history behind the cursor, then what runs, then what comes. No HTTP.

The order is what makes it complete: the connection joins its room first, so that whatever is published from then on is
queued; every event is committed to the history before it is published, so what came before is in there. What is in both
is told by its `seq`.
"""

from collections.abc import AsyncIterator, Iterable
from functools import partial

from connectors.web.follow import Follower, MissedEvents
from connectors.web.frames import Cursor, Frame, ready
from parley.codec import Codec
from parley.ports.store import ReadModel
from parley.runtime.history import Told, history, opened
from schemas.base import AnyEvent, ConversationId
from schemas.outbound import Outbound, ReplyDelta
from services.gateway.rooms import Connection, DeltaBuffer, Rooms
from services.gateway.threads import Threads

WITNESSED = 32
"""Events before the cursor that are looked at again, to know which generation is over."""


class Streams:
    """Makes streams; holds nothing of any."""

    def __init__(
        self, store: ReadModel, codec: Codec, rooms: Rooms, deltas: DeltaBuffer, threads: Threads
    ) -> None:
        self._store = store
        self._codec = codec
        self._rooms = rooms
        self._deltas = deltas
        self._threads = threads

    def join(self, conversation_id: ConversationId) -> Connection:
        """Raises `TooManyConnections`, `StreamEnded`. Whoever joins must run `frames`, or leave."""
        return self._rooms.join(conversation_id)

    def leave(self, conversation_id: ConversationId, connection: Connection) -> None:
        self._rooms.leave(conversation_id, connection)

    async def frames(
        self, conversation_id: ConversationId, connection: Connection, cursor: Cursor, ping_s: float
    ) -> AsyncIterator[Frame | None]:
        """Frames without end; None after each `ping_s` of silence. Raises `StreamEnded`, `StoreUnavailable`."""
        begun, events, deltas = await self._threads.run(partial(self._load, conversation_id, cursor))
        follower = Follower(begun)
        for frame in _replay(follower, events):
            yield frame
        yield ready(follower.cursor)
        for body in deltas:
            for frame in follower.delta(body):
                yield frame
        while True:
            event = await connection.next(ping_s)
            if event is None:
                yield None
                continue
            for frame in await self._live(follower, event):
                yield frame

    async def _live(self, follower: Follower, event: AnyEvent) -> list[Frame]:
        if isinstance(event.body, ReplyDelta):
            return follower.delta(event.body)
        if not isinstance(event.body, Outbound):  # a piece of a running call: for staff
            return []
        try:
            return follower.outbound(event)
        except MissedEvents as missed:
            load = partial(self._history, event.envelope.conversation_id, missed.after_seq)
            frames = _replay(follower, await self._threads.run(load))
            return [*frames, *follower.recall(event)]

    def _load(
        self, conversation_id: ConversationId, cursor: Cursor
    ) -> tuple[Cursor, list[Told], list[ReplyDelta]]:
        """In a thread: where to begin, the events from a little before the cursor on, and the deltas that run."""
        row = self._store.conversation(conversation_id)
        if row is None or cursor.seq > row.seq:
            cursor = Cursor()  # a cursor from another life of the database: everything is new
        begun = Cursor(cursor.seq, max(cursor.epoch, row.epoch if row is not None else 0))
        events = self._history(conversation_id, max(0, cursor.seq - WITNESSED))
        return begun, events, self._running(conversation_id)

    def _history(self, conversation_id: ConversationId, after_seq: int) -> list[Told]:
        return list(history(self._store, self._codec, conversation_id, after_seq))

    def _running(self, conversation_id: ConversationId) -> list[ReplyDelta]:
        bodies = []
        for record in self._deltas.of(conversation_id):
            event = opened(self._codec, record)
            if event is not None and isinstance(event.body, ReplyDelta):
                bodies.append(event.body)
        return bodies


def _replay(follower: Follower, told: Iterable[Told]) -> list[Frame]:
    frames: list[Frame] = []
    for seq, epoch, event in told:
        if event is None:
            follower.skip_to(seq, epoch)
        elif seq <= follower.cursor.seq:
            follower.witness(event)
        else:
            frames += follower.recall(event)
    return frames
