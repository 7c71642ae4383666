"""Timers that are due become `TimerFired` events at the end of the log: what lies queued there is decided first."""

from collections.abc import Sequence

from parley.codec import Codec
from parley.domain.events import follow
from parley.errors import KeyErased
from parley.ports.bus import Producer, TopicPartition
from parley.ports.clock import Clock
from parley.ports.store import DecisionStore, Timer
from parley.runtime.publishing import publish
from schemas.base import Envelope, Event
from schemas.conversation_events import TimerFired

AT_ONCE = 200


def fire_due(
    store: DecisionStore,
    producer: Producer,
    codec: Codec,
    group: str,
    partitions: Sequence[TopicPartition],
    clock: Clock,
) -> int:
    """Publish each due timer, then delete its row. A crash in between fires it again under the same event id."""
    due = store.due_timers(group, partitions, clock.now(), AT_ONCE)
    if not due:
        return 0
    outgoing = []
    for timer in due:
        try:
            outgoing.append(codec.encode(fired(timer)))
        except KeyErased:
            continue  # nobody is left to be told
    publish(producer, outgoing)
    store.delete_timers([timer.timer_id for timer in due])
    return len(due)


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
