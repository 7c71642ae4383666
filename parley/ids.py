"""Ids and trace contexts, all derived: the same cause gives the same ids, live and in a replay."""

import hashlib
from uuid import UUID

from schemas.base import EventId

PARLEY_NAMESPACE = UUID("6f0c2f0e-5f0a-5d3c-9d3a-0d9b6c1f7a11")
"""Root of ids that are derived from names instead of from an earlier event."""


def derived_id(cause_id: str, name: str | int) -> EventId:
    """`uuid5(cause, name)` (RFC 9562 section 5.5): the id of the `name`-th thing that `cause_id` brought about."""
    return _uuid5(bytes.fromhex(cause_id.replace("-", "")), str(name))


def named_id(*parts: str) -> EventId:
    """The id of something that is told apart by its parts, such as (conversation, client's message id)."""
    return _uuid5(PARLEY_NAMESPACE.bytes, "\x1f".join(parts))


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


def _uuid5(namespace: bytes, name: str) -> EventId:
    """The text of `uuid.uuid5`, without its objects: several ids are derived for every event that is decided."""
    digest = bytearray(hashlib.sha1(namespace + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50  # version 5
    digest[8] = digest[8] & 0x3F | 0x80  # the variant of RFC 9562
    text = digest.hex()
    return EventId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")
