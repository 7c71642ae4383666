"""What whoever helps in a call is shown: the history behind the cursor, then what is said. No HTTP. As `streams`, for staff."""

from collections.abc import AsyncIterator
from functools import partial

from connectors.calls.frames import CallFrame, frame_of, ready
from parley.codec import Codec
from parley.ports.store import ReadModel
from parley.runtime.history import Told, history
from schemas.base import AnyEvent, ConversationId
from schemas.outbound import Outbound
from schemas.tenant import TenantConfig
from services.gateway.rooms import Connection
from services.gateway.threads import Threads


class CallStreams:
    """Makes streams; holds nothing of any. Who is given one's frames has joined the conversation (`Streams.join`)."""

    def __init__(self, store: ReadModel, codec: Codec, threads: Threads) -> None:
        self._store = store
        self._codec = codec
        self._threads = threads

    async def frames(
        self,
        conversation_id: ConversationId,
        config: TenantConfig,
        connection: Connection,
        seq: int,
        ping_s: float,
    ) -> AsyncIterator[CallFrame | None]:
        """Frames behind `seq`, without end; None after each `ping_s` of silence. Raises `StreamEnded`, `StoreUnavailable`."""
        for at, _, event in await self._behind(conversation_id, seq):
            seq = at
            if event is not None and (frame := frame_of(event, config)) is not None:
                yield frame
        yield ready(seq)
        while True:
            event = await connection.next(ping_s)
            if event is None:
                yield None
                continue
            found, seq = await self._told(event, seq)
            for each in found:
                if (frame := frame_of(each, config)) is not None:
                    yield frame

    async def _told(self, event: AnyEvent, seq: int) -> tuple[list[AnyEvent], int]:
        """What is new with this event, and how far that is. Whatever was missed before it is in the history."""
        if not isinstance(event.body, Outbound):
            return [event], seq
        if event.body.seq <= seq:
            return [], seq
        if event.body.seq == seq + 1:
            return [event], event.body.seq
        told = await self._behind(event.envelope.conversation_id, seq)
        return [each for _, _, each in told if each is not None], told[-1][0] if told else seq

    async def _behind(self, conversation_id: ConversationId, seq: int) -> list[Told]:
        load = partial(history, self._store, self._codec, conversation_id, seq)
        return await self._threads.run(lambda: list(load()))
