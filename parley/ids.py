"""Ids and trace contexts, all derived: the same cause gives the same ids, live and in a replay."""

import hashlib
from uuid import UUID, uuid5

from schemas.base import EventId

PARLEY_NAMESPACE = UUID("6f0c2f0e-5f0a-5d3c-9d3a-0d9b6c1f7a11")
"""Root of ids that are derived from names instead of from an earlier event."""


def derived_id(cause_id: str, name: str | int) -> EventId:
    """`uuid5(cause, name)` (RFC 9562 section 5.5): the id of the `name`-th thing that `cause_id` brought about."""
    return EventId(str(uuid5(UUID(cause_id), str(name))))


def named_id(*parts: str) -> EventId:
    """The id of something that is told apart by its parts, such as (conversation, client's message id)."""
    return EventId(str(uuid5(PARLEY_NAMESPACE, "\x1f".join(parts))))


def child_traceparent(parent: str | None, event_id: str) -> str | None:
    """The W3C trace context of an event caused under `parent`: same trace, span id hashed from the event's own id."""
    if parent is None:
        return None
    span = hashlib.blake2b(event_id.encode(), digest_size=8).hexdigest()
    return f"{parent[:36]}{span}{parent[52:]}"


def new_traceparent(event_id: str) -> str:
    """A sampled root trace context, derived from the id of the event that begins it."""
    trace = hashlib.blake2b(event_id.encode(), digest_size=16).hexdigest()
    span = hashlib.blake2b(event_id.encode(), digest_size=8).hexdigest()
    return f"00-{trace}-{span}-01"
