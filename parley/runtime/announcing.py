"""Events that are about a tenant itself: about no customer, in no conversation."""

from datetime import datetime

from parley.ids import new_traceparent
from schemas.base import Body, ConversationId, CustomerId, Envelope, Event, EventId, TenantId

TENANT_ITSELF = CustomerId("tenant")
"""Stands where a customer's id stands in events that are about no customer."""
NO_CONVERSATION = ConversationId("tenant")


def about_tenant(
    body: Body, event_id: EventId, tenant: TenantId, tenant_version: str, at: datetime
) -> Event[Body]:
    """The event, with a trace of its own."""
    envelope = Envelope(
        event_id=event_id,
        type=body.event_type(),
        tenant=tenant,
        tenant_version=tenant_version,
        customer_id=TENANT_ITSELF,
        conversation_id=NO_CONVERSATION,
        occurred_at=at,
        traceparent=new_traceparent(event_id),
    )
    return Event(envelope, body)
