"""The rows that deciders project for lists: what the doors and the console look things up in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas.base import ConversationId, CustomerId, EventId, ReplyId, TenantId
from schemas.parts import Channel, OwnerKind


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation in lists. `open_messages` counts those that are not settled yet."""

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


Projection = ConversationRow | FeedbackRow
