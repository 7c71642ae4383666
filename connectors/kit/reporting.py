"""What an event becomes before it is sent, and what the log is told of it afterwards."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from connectors.kit.sending import Outcome
from parley.domain.events import follow
from parley.domain.masking.placeholders import placeholders_in
from parley.domain.rights import CustomerRight, Owner
from parley.runtime.vault import Vault
from schemas import parts
from schemas.base import AnyEvent
from schemas.conversation_events import CloseRequested, DeliveryReported
from schemas.tenant import TenantConfig

REPORTED = {"sending": "unknown", "held": "failed", "withdrawn": "failed"}
"""What a delivery's record is called in the log, where that has no name of its own for it."""


def reports(
    event: AnyEvent, outcomes: Sequence[Outcome], channel: parts.Channel, now: datetime
) -> list[AnyEvent]:
    """The worst that happened to a part is what happened to the event."""
    worst = next((each for each in outcomes if each.state != "sent"), Outcome("sent"))
    state: Any = REPORTED.get(worst.state, worst.state)
    report = DeliveryReported(
        outbound_id=event.envelope.event_id, channel=channel, state=state, reason=worst.told
    )
    told: list[AnyEvent] = [follow(event.envelope, report, f"delivery-{state}", now)]
    if worst.gone:
        told.append(follow(event.envelope, CloseRequested(by="system"), "delivery-closed", now))
    return told


def hides_values(event: AnyEvent, config: TenantConfig) -> bool:
    """Whether its text has placeholders whose values the tenant keeps."""
    text = getattr(event.body, "text", None)
    return isinstance(text, str) and config.privacy.vault and bool(placeholders_in(text))


def revealed(vault: Vault, event: AnyEvent, now: datetime) -> AnyEvent:
    """With the customer's own values in the place of their placeholders. Raises `StoreUnavailable`."""
    envelope, body = event.envelope, event.body
    owner = Owner(envelope.tenant, envelope.customer_id, envelope.conversation_id)
    [text] = vault.reveal(CustomerRight(owner), owner, [getattr(body, "text", "")], now)
    return replace(event, body=body.model_copy(update={"text": text}))
