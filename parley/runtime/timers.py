"""Timers that are due become `TimerFired` events at the end of the log: what lies queued there is decided first."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from parley.codec import Codec, Outgoing
from parley.domain.events import follow
from parley.errors import KeyErased
from parley.ports.bus import Producer, TopicPartition
from parley.ports.clock import Clock
from parley.ports.store import DecisionStore, Timer
from parley.runtime.publishing import publish
from schemas.base import Envelope, Event
from schemas.conversation_events import TimerFired

AT_ONCE = 200
LOOK_EVERY = timedelta(seconds=15)
"""However sure one is of when the next timer is due, so often one looks."""
AT_ONCE_DUE = datetime.min.replace(tzinfo=UTC)


class DueTimers:
    """One decider's timers. Remembers when the next may be due, so that the store is asked only then."""

    def __init__(self, store: DecisionStore, codec: Codec, group: str, clock: Clock) -> None:
        self._store = store
        self._codec = codec
        self._group = group
        self._clock = clock
        self._next_at = AT_ONCE_DUE

    def note(self, timers: Iterable[Timer]) -> None:
        """These were committed."""
        self._next_at = min([self._next_at, *(timer.due_at for timer in timers)])

    def look_again(self) -> None:
        """Other partitions, or somebody else's doing: nothing is known any more."""
        self._next_at = AT_ONCE_DUE

    def fire(self, producer: Producer, partitions: Sequence[TopicPartition]) -> int:
        """Publish each due timer, then delete its row. A crash in between fires it again under the same event id."""
        now = self._clock.now()
        if self._next_at > now or not partitions:
            return 0
        found = self._store.timers(self._group, partitions, AT_ONCE)
        due = [timer for timer in found if timer.due_at <= now]
        if due:
            publish(producer, list(self._encoded(due)))
            self._store.delete_timers([timer.timer_id for timer in due])
        more = [timer.due_at for timer in found[len(due) :]]
        self._next_at = AT_ONCE_DUE if len(due) == AT_ONCE else min([now + LOOK_EVERY, *more])
        return len(due)

    def _encoded(self, due: Iterable[Timer]) -> Iterator[Outgoing]:
        for timer in due:
            try:
                yield self._codec.encode(fired(timer))
            except KeyErased:
                continue  # nobody is left to be told


def fired(timer: Timer) -> Event[TimerFired]:
    """The event that a timer becomes; it happens when it was due, however late it is noticed."""
    cause = Envelope.model_validate_json(timer.envelope)
    body = TimerFired.model_validate(
        {
            "timer_id": timer.timer_id,
            "purpose": timer.purpose,
            "epoch": timer.epoch,
            "due_at": timer.due_at,
        }
    )
    return follow(cause, body, f"fired:{timer.timer_id}", timer.due_at)
