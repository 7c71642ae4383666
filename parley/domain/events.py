"""How one event brings about the next: derived ids, inherited envelope, continued trace."""

from datetime import datetime
from typing import TypeVar

from parley.ids import child_traceparent, derived_id
from schemas.base import Body, Envelope, Event

B = TypeVar("B", bound=Body)


def follow(cause: Envelope, body: B, name: str | int, at: datetime | None = None) -> Event[B]:
    """The event that `cause` brings about as its `name`-th consequence; it happens `at`, or when its cause did."""
    event_id = derived_id(cause.event_id, name)
    envelope = cause.model_copy(
        update={
            "event_id": event_id,
            "cause_id": cause.event_id,
            "type": body.event_type(),
            "version": body.version,
            "occurred_at": at if at is not None else cause.occurred_at,
            "traceparent": child_traceparent(cause.traceparent, event_id),
        }
    )
    return Event(envelope, body)
