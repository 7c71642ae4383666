"""What one connection has been shown, and therefore what it is shown next. Pure; how frames travel is the gateway's affair.

Events with a `seq` pass in order, each once. Deltas pass only at the highest epoch seen, of one attempt, without a gap;
what was shown in part and no longer holds is taken back by a `retracted` frame, and the `reply` replaces the rest.
"""

from collections import deque
from dataclasses import dataclass

from connectors.web.frames import Cursor, Frame, delta, frame_of, retracted
from schemas.base import AnyEvent
from schemas.outbound import Outbound, ReplyDelta, ReplyReady

REMEMBERED_GENERATIONS = 16


class MissedEvents(Exception):
    """The event is not the next one: those between must be read from the history first."""

    def __init__(self, after_seq: int) -> None:
        super().__init__(f"events after seq {after_seq} were missed")
        self.after_seq = after_seq


@dataclass(frozen=True, slots=True)
class _Shown:
    """A generation that is shown in part: deltas below `next_index` of this attempt were passed on."""

    generation_id: str
    attempt: str
    epoch: int
    next_index: int


class Follower:
    """The memory of one connection."""

    def __init__(self, cursor: Cursor) -> None:
        self._seq = cursor.seq
        self._epoch = cursor.epoch
        self._shown: _Shown | None = None
        #: Generations of which nothing more is shown: answered, or taken back.
        self._over: deque[str] = deque(maxlen=REMEMBERED_GENERATIONS)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self._seq, self._epoch)

    def witness(self, event: AnyEvent) -> None:
        """Learn from an event that the client was given before: which generation is over, which epoch it was."""
        body = event.body
        if isinstance(body, Outbound):
            self._epoch = max(self._epoch, body.epoch)
        if isinstance(body, ReplyReady) and body.generation_id is not None:
            self._over.append(body.generation_id)

    def recall(self, event: AnyEvent) -> list[Frame]:
        """An event from the history. Rows of the history may be missing (erased), so gaps are no matter here."""
        body = event.body
        if isinstance(body, Outbound) and body.seq > self._seq + 1:
            self._seq = body.seq - 1
        # Somebody who was typing when the connection was away is old news.
        return [frame for frame in self.outbound(event) if frame.type != "typing"]

    def skip_to(self, seq: int, epoch: int) -> None:
        """Rows up to `seq` cannot be read any more (their customer was erased)."""
        self._seq = max(self._seq, seq)
        self._epoch = max(self._epoch, epoch)

    def outbound(self, event: AnyEvent) -> list[Frame]:
        """A live event, in `seq` order. Raises `MissedEvents`, and nothing is changed then."""
        body = event.body
        if not isinstance(body, Outbound) or body.seq <= self._seq:
            return []
        if body.seq > self._seq + 1:
            raise MissedEvents(self._seq)
        self._seq = body.seq
        frames = self._fence(body)
        if isinstance(body, ReplyReady) and body.generation_id is not None:
            self._over.append(body.generation_id)
        frame = frame_of(event)
        return frames if frame is None else [*frames, frame]

    def _fence(self, body: Outbound) -> list[Frame]:
        """Take back what the event makes void: what an earlier epoch had begun, and what the reply is not of."""
        self._epoch = max(self._epoch, body.epoch)
        if isinstance(body, ReplyReady):
            if self._shown is not None and self._shown.generation_id == body.generation_id:
                self._shown = None  # the reply itself replaces what was shown
                return []
            return self._take_back()
        # A delta of the new epoch may have come before the event that raised it: that one stays.
        return self._take_back() if self._shown is not None and self._shown.epoch < body.epoch else []

    def delta(self, body: ReplyDelta) -> list[Frame]:
        """A live delta; most that is wrong with one means only that it is not shown."""
        if body.epoch < self._epoch or body.generation_id in self._over:
            return []
        frames: list[Frame] = []
        if body.epoch > self._epoch:  # the delta has overtaken the event that raised the epoch
            self._epoch = body.epoch
            frames = self._take_back()
        shown = self._shown
        if shown is not None and body.generation_id != shown.generation_id:
            frames += self._take_back()
            shown = None
        if shown is None:
            return [*frames, *self._begin(body)]
        if body.attempt != shown.attempt or body.index > shown.next_index:
            return [*frames, *self._take_back()]
        return [*frames, *self._show(body)] if body.index == shown.next_index else frames

    def _begin(self, body: ReplyDelta) -> list[Frame]:
        return self._show(body) if body.index == 0 else []

    def _show(self, body: ReplyDelta) -> list[Frame]:
        self._shown = _Shown(body.generation_id, body.attempt, body.epoch, body.index + 1)
        return [delta(body)]

    def _take_back(self) -> list[Frame]:
        shown, self._shown = self._shown, None
        if shown is None:
            return []
        self._over.append(shown.generation_id)
        return [retracted(shown.generation_id, self._epoch)]
