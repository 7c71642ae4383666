"""Deltas: what the generator writes leaves sentence by sentence, each one only after the guard has passed it.

Once a sentence fails, nothing more of the attempt is streamed: the finished text decides what the customer sees. The event loop only
collects pieces; the guard and the bus are the sending thread's.
"""

import logging
import re
from collections.abc import Callable, Sequence

from parley.codec import Codec
from parley.domain.events import follow
from parley.domain.guard import Guard
from parley.errors import ParleyError
from parley.ports.bus import Producer
from parley.ports.clock import Clock
from parley.runtime.publishing import send
from schemas.base import Event
from schemas.outbound import ReplyDelta
from schemas.work import GenerationRequested

log = logging.getLogger(__name__)

SENTENCE_END = re.compile(r"[.!?。！？；\n](?:(?<=[。！？；\n])|(?<!\n\d.)(?<!\n\d\d.)(?=\s))")
"""Where a sentence is over: with a Latin stop only once white space follows, because `4.` may go on as `4.50`. What numbers a list's item
(`1. Open …`) is none: alone it would be a number that no passage has. It begins with all that may end one, which is how most of a text is passed over quickly.
"""

DELTA_EVERY_S = 0.1
"""Nobody reads faster than ten deltas a second, and each costs a record."""

Emit = Callable[[int, str], None]


class Collected:
    """Pieces as they come, passed on together at most every `DELTA_EVERY_S`. Belongs to the event loop, whose time is given."""

    def __init__(self, pass_on: Callable[[str], None], time: Callable[[], float]) -> None:
        self._pass_on = pass_on
        self._time = time
        self._parts: list[str] = []
        self._last = float("-inf")
        #: When the first text came.
        self.began: float | None = None

    def write(self, text: str) -> None:
        self._parts.append(text)
        now = self._time()
        if self.began is None:
            self.began = now
        if now - self._last >= DELTA_EVERY_S:
            self._last = now
            self.flush()

    def flush(self) -> None:
        if self._parts:
            parts, self._parts = self._parts, []
            self._pass_on("".join(parts))


class Stream:
    """One attempt's deltas. Belongs to the sending thread."""

    def __init__(self, check: Callable[[str], bool], emit: Emit) -> None:
        self._check = check
        self._emit = emit
        self._held = ""
        self._last = "\n"  # what stands before the held text: whether it begins a line
        self._index = 0
        self._broken = False

    def write(self, text: str) -> None:
        """Take a piece in, and let the sentences that it completes leave, together."""
        self._held += text
        self._leave([match.end() - 1 for match in SENTENCE_END.finditer(self._last + self._held, 1)])

    def finish(self) -> None:
        """The text is complete: what is held is a whole sentence now."""
        if self._held:
            self._leave([len(self._held)])

    def _leave(self, ends: Sequence[int]) -> None:
        """The sentences of what is held that end there, as far as the guard passes them."""
        passed = begin = 0
        for end in ends:
            self._broken = self._broken or not self._check(self._held[begin:end])
            begin = end
            if not self._broken:
                passed = end
        if passed:
            self._emit(self._index, self._held[:passed])
            self._index += 1
        self._last = self._held[begin - 1] if begin else self._last
        self._held = self._held[begin:]


class StreamFactory:
    """Opens the streams of generations that a customer or a human agent watches."""

    def __init__(self, producer: Producer, codec: Codec, clock: Clock) -> None:
        self._producer = producer
        self._codec = codec
        self._clock = clock

    def open(self, event: Event[GenerationRequested], attempt: str, guard: Guard) -> Stream:
        asked = event.body
        if asked.purpose != "reply":
            return Stream(lambda text: False, lambda index, text: None)
        return Stream(
            lambda text: guard.check(text).passed,
            lambda index, text: self._send(event, attempt, index, text),
        )

    def _send(self, event: Event[GenerationRequested], attempt: str, index: int, text: str) -> None:
        """Fire and forget: a lost delta costs nothing but the sight of it, since the reply replaces them all."""
        asked = event.body
        body = ReplyDelta(
            generation_id=asked.generation_id, attempt=attempt, epoch=asked.epoch, index=index, text=text
        )
        try:
            send(
                self._producer,
                self._codec.encode(follow(event.envelope, body, f"{attempt}:{index}", self._clock.now())),
            )
        except ParleyError as error:
            log.debug("a delta was lost: %s", type(error).__name__)
