"""The rows that deciders project for lists: what the doors and the console look things up in."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas.base import ConversationId, CustomerId, EventId, ReplyId, TenantId
from schemas.parts import Channel, OwnerKind


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in lists. `open_messages` counts those that are not settled yet.

    `human_agent_id` is the owner's, who has none once it is closed; a call that ended in silence alone goes on under them when it is heard again.
    """

    conversation_id: ConversationId
    tenant: TenantId
    customer_id: CustomerId
    channel: Channel
    language: str
    owner: OwnerKind
    human_agent_id: str | None
    status: Literal["open", "closed"]
    epoch: int
    seq: int
    open_messages: int
    last_intent: str | None
    started_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """The last verdict on a reply. `comment` is sealed under the event id wherever it is stored."""

    conversation_id: ConversationId
    reply_id: ReplyId
    by: Literal["customer", "human_agent"]
    tenant: TenantId
    customer_id: CustomerId
    score: int
    comment: str | None
    event_id: EventId
    given_at: datetime


DeliveryStatus = Literal["accepted", "sent", "delivered", "unknown", "failed"]
FINALITY: tuple[DeliveryStatus, ...] = ("accepted", "sent", "unknown", "failed", "delivered")
"""Of two states of one event the later one here holds, whichever was told first: `unknown` and `failed` are final, unless it was delivered
after all.
"""


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """That a channel told this state of something sent to the customer, when it did so last, and why."""

    conversation_id: ConversationId
    outbound_id: EventId
    state: DeliveryStatus
    tenant: TenantId
    customer_id: CustomerId
    channel: Channel
    reason: str | None
    told_at: datetime


def newest(rows: Iterable[DeliveryRow]) -> list[DeliveryRow]:
    """Of each event the row that holds, in the order of their times."""
    found: dict[EventId, DeliveryRow] = {}
    for row in rows:
        held = found.get(row.outbound_id)
        if held is None or FINALITY.index(row.state) > FINALITY.index(held.state):
            found[row.outbound_id] = row
    return sorted(found.values(), key=lambda row: (row.told_at, row.outbound_id))


Projection = ConversationRow | FeedbackRow | DeliveryRow
