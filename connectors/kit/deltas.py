"""Texts in the making, from `chat.deltas`, for the conversations of one channel that this process sends to. Whatever is missed is missed:
the finished reply has it all.
"""

import logging
from collections.abc import Callable, Container
from threading import Event as Flag
from threading import Thread

from parley.codec import Codec, conversation_of
from parley.errors import ParleyError
from parley.ports.bus import Bus
from parley.runtime.faults import summary
from schemas.base import AnyEvent, ConversationId, Event
from schemas.topics import CHAT_DELTAS

log = logging.getLogger(__name__)

POLL_S = 0.5
AT_ONCE = 500
AGAIN_S = 5.0


class DeltaTail:
    """A thread of its own, without a consumer group. `deliver` is called in it."""

    def __init__(
        self,
        bus: Bus,
        codec: Codec,
        wanted: Container[ConversationId],
        deliver: Callable[[AnyEvent], None],
    ) -> None:
        self._bus = bus
        self._codec = codec
        self._wanted = wanted
        self._deliver = deliver
        self._stop = Flag()
        self._thread = Thread(target=self._run, name="connector-deltas", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(2 * POLL_S + 5.0)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except ParleyError as error:
                log.warning("texts in the making are not shown for %g s: %s", AGAIN_S, summary(error))
                self._stop.wait(AGAIN_S)

    def _read(self) -> None:
        reader = self._bus.reader([CHAT_DELTAS.name])
        try:
            while not self._stop.is_set():
                for record in reader.poll(POLL_S, AT_ONCE):
                    if conversation_of(record) in self._wanted:
                        event = self._codec.decode(record)
                        if isinstance(event, Event):
                            self._deliver(event)
        finally:
            reader.close()
