"""The thread that reads what leaves: every partition of `chat.outbound`, `chat.deltas` and `call.events`, for this process's connections.

Only records of conversations that somebody listens to are decoded. Nothing is lost silently: whenever the tail cannot
say what it missed, the streams concerned end, and their clients resume from the history.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence

from parley.codec import Codec, Erased, conversation_of
from parley.errors import InvalidEvent, NewerVersion, TransientError, UnknownTopic
from parley.ports.bus import Bus, Consumer, Record
from parley.runtime.faults import describe
from schemas.base import AnyEvent, ConversationId
from schemas.outbound import ReplyReady
from schemas.topics import CALL_EVENTS, CHAT_DELTAS, CHAT_OUTBOUND
from services.gateway.metrics import GatewayMetrics
from services.gateway.rooms import DeltaBuffer, Rooms

logger = logging.getLogger(__name__)

TOPICS = (CHAT_OUTBOUND.name, CHAT_DELTAS.name, CALL_EVENTS.name)
POLL_S = 1.0
MAX_RECORDS = 500
RETRY_S = 1.0
BEHIND_MS = 5_000
LOOK_BACK_MS = 60_000
"""How far back deltas are read at the start, so that a reply in the making survives the gateway's restart."""

_REPLY_READY = ReplyReady.event_type().encode()


class Tail:
    """`start` and `stop` belong to the event loop's thread."""

    def __init__(
        self, bus: Bus, codec: Codec, rooms: Rooms, deltas: DeltaBuffer, metrics: GatewayMetrics
    ) -> None:
        self._bus = bus
        self._codec = codec
        self._rooms = rooms
        self._deltas = deltas
        self._metrics = metrics
        self._stopping = threading.Event()
        self._reading = threading.Event()
        self._reader: Consumer | None = None
        self._thread: threading.Thread | None = None
        self._trouble = "the tail has not begun to read yet"

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._thread = threading.Thread(target=self._run, args=(loop,), name="gateway-tail", daemon=True)
        self._thread.start()

    def trouble(self) -> str | None:
        """Why streams cannot be served just now; None while all is well. From any thread."""
        return None if self._reading.is_set() else self._trouble

    def wait_reading(self, timeout_s: float) -> bool:
        """Wait until the tail stands at the end of its topics."""
        return self._reading.wait(timeout_s)

    def stop(self) -> None:
        self._stopping.set()
        reader = self._reader
        if reader is not None:
            reader.wakeup()

    def join(self, timeout_s: float) -> None:
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stopping.is_set():
            try:
                self._read(loop)
            except NewerVersion as error:
                self._lost(loop, str(error))
                logger.error("the tail stops: %s", error)
                return
            except (TransientError, UnknownTopic) as error:
                self._lost(loop, str(error))
                logger.warning("the tail cannot read, trying again in %s s: %s", RETRY_S, error)
            except Exception as error:
                self._lost(loop, "the tail failed")
                logger.error("the tail failed, beginning again in %s s: %s", RETRY_S, describe(error))
            self._stopping.wait(RETRY_S)

    def _lost(self, loop: asyncio.AbstractEventLoop, trouble: str) -> None:
        self._reading.clear()
        self._trouble = trouble
        _call(loop, lambda: self._rooms.end(None, "tail_lost"))

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        self._reader = reader = self._bus.reader(TOPICS)
        try:
            self._look_back(reader)
            self._reading.set()
            while not self._stopping.is_set():
                records = reader.poll(POLL_S, MAX_RECORDS)
                if records:
                    self._pass_on(loop, records)
        finally:
            self._reader = None
            reader.close()

    def _look_back(self, reader: Consumer) -> None:
        partitions = [p for p in reader.assignment() if p.topic == CHAT_DELTAS.name]
        found = reader.offsets_for_time(partitions, int(time.time() * 1000) - LOOK_BACK_MS)
        for partition, offset in found.items():
            if offset is not None:
                reader.seek(partition, offset)

    def _pass_on(self, loop: asyncio.AbstractEventLoop, records: Sequence[Record]) -> None:
        age_ms = time.time() * 1000 - max(record.timestamp_ms for record in records)
        self._metrics.tail_age.set(max(0.0, age_ms / 1000))
        events: list[AnyEvent] = []
        for record in records:
            conversation_id = self._note(record)
            if conversation_id in self._rooms:
                event = self._decode(loop, record, conversation_id)
                if event is not None:
                    events.append(event)
        if events:
            _call(loop, lambda: self._rooms.deliver(events))

    def _note(self, record: Record) -> ConversationId:
        conversation_id = conversation_of(record)
        if record.topic == CHAT_DELTAS.name:
            self._deltas.add(conversation_id, record)
        elif ("type", _REPLY_READY) in record.headers:
            self._deltas.drop(conversation_id)
        return conversation_id

    def _decode(
        self, loop: asyncio.AbstractEventLoop, record: Record, conversation_id: ConversationId
    ) -> AnyEvent | None:
        try:
            event = self._codec.decode(record)
        except InvalidEvent as error:  # a stream notices the gap in `seq` and steps over it by the history
            self._metrics.unreadable.labels(record.topic).inc()
            logger.error("%s/%d@%d: %s", record.topic, record.partition, record.offset, error)
            return None
        except TransientError:  # the customer's key could not be fetched; the resume tries again
            _call(loop, lambda: self._rooms.end([conversation_id], "tail_lost"))
            return None
        return None if isinstance(event, Erased) else event


def _call(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(function)
