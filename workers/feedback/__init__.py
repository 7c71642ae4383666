"""The feedback worker, a decider: the last verdict on each reply goes into the read model."""

from dataclasses import dataclass

from parley.domain.deciding import Decision
from parley.domain.readmodel import FeedbackRow
from schemas.base import AnyEvent, Envelope, Event
from schemas.conversation_events import MessageFailed
from schemas.other_events import FeedbackGiven
from schemas.tenant import TenantConfig
from schemas.topics import FEEDBACK_EVENTS, Topic


@dataclass(frozen=True, slots=True)
class Tally:
    """How many verdicts a conversation has had."""

    given: int = 0


class FeedbackDecider:
    """Implements `parley.domain.deciding.Decider`."""

    name = "feedback"
    topic: Topic = FEEDBACK_EVENTS
    state_type = Tally
    state_is_sealed = False

    def key(self, envelope: Envelope) -> str:
        return envelope.conversation_id

    def handle(self, state: Tally | None, event: AnyEvent, tenant: TenantConfig) -> Decision[Tally]:
        if not isinstance(event.body, FeedbackGiven):
            raise TypeError(f"{event.envelope.type} does not belong to {self.topic.name}")
        row = FeedbackRow(
            conversation_id=event.envelope.conversation_id,
            reply_id=event.body.reply_id,
            by=event.body.by,
            tenant=event.envelope.tenant,
            customer_id=event.envelope.customer_id,
            score=event.body.score,
            comment=event.body.comment,
            event_id=event.envelope.event_id,
            given_at=event.envelope.occurred_at,
        )
        given = (state or Tally()).given + 1
        return Decision(Tally(given), projections=(row,))

    def settle_failed(
        self, state: Tally | None, event: Event[MessageFailed], tenant: TenantConfig
    ) -> Decision[Tally]:
        return Decision(state or Tally())
