"""Outbound events for tests of the web channel."""

from datetime import UTC, datetime

from schemas.base import AnyEvent, Body, ConversationId, CustomerId, Envelope, Event, EventId, TenantId

AT = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)


def event(body: Body) -> AnyEvent:
    """The body in an envelope; always the same one."""
    envelope = Envelope(
        event_id=EventId("6b0a4d5e-0f3e-4f57-9d7e-5d0c8a3f2b11"),
        type=body.event_type(),
        tenant=TenantId("bank"),
        tenant_version="0123456789ab",
        customer_id=CustomerId("c"),
        conversation_id=ConversationId("v"),
        occurred_at=AT,
    )
    return Event(envelope, body)
