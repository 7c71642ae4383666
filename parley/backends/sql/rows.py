"""Writing the read model's rows; shared by commits and rebuilds."""

from collections.abc import Iterable
from dataclasses import asdict, fields
from typing import Any

import orjson

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import Writes
from parley.domain.readmodel import ConversationRow, DeliveryRow, FeedbackRow, Projection
from parley.ports.bus import Headers
from parley.ports.store import HistoryRow

CONVERSATION = tuple(field.name for field in fields(ConversationRow))


def add_history(writes: Writes, rows: Iterable[HistoryRow]) -> None:
    values = (
        {
            "conversation_id": row.conversation_id,
            "seq": row.seq,
            "epoch": row.epoch,
            "event_id": row.event_id,
            "type": row.type,
            "audience": row.audience,
            "occurred_at": row.occurred_at,
            "headers": pack_headers(row.headers),
            "value": row.value,
        }
        for row in rows
    )
    writes.put(t.history, values, "replace")


def add_projections(writes: Writes, rows: Iterable[Projection]) -> None:
    conversations: list[dict[str, Any]] = []
    feedback: list[dict[str, Any]] = []
    deliveries: list[dict[str, Any]] = []
    for row in rows:
        if isinstance(row, ConversationRow):
            conversations.append({name: getattr(row, name) for name in CONVERSATION})
        elif isinstance(row, FeedbackRow):
            feedback.append(asdict(row))
        elif isinstance(row, DeliveryRow):
            deliveries.append(asdict(row))
    writes.put(t.conversations, conversations, "replace")
    writes.put(t.feedback, feedback, "replace")
    writes.put(t.delivery_states, deliveries, "replace")


def pack_headers(headers: Headers) -> bytes:
    return orjson.dumps([(name, value.decode()) for name, value in headers])


def unpack_headers(packed: bytes) -> Headers:
    return tuple((name, value.encode()) for name, value in orjson.loads(packed))
