"""The table: which rule handles which event, and how a state begins."""

from collections.abc import Callable
from typing import Any

from parley.domain.conversation import Conversation
from parley.domain.deciding import Decision
from schemas import conversation_events as c
from schemas.base import AnyEvent, Body, Envelope, Event
from schemas.tenant import TenantConfig
from schemas.topics import CONVERSATION_EVENTS, Topic
from workers.dialogue import answering, calls, commands, intake, turns
from workers.dialogue.moves import Moves

Rule = Callable[[Moves, Any], None]

RULES: dict[type[Body], Rule] = {
    c.ConversationStarted: intake.conversation_started,
    c.MessageReceived: intake.message_received,
    c.SpeechTranscribed: calls.speech_transcribed,
    c.CallStateReported: calls.state_reported,
    c.ConversationAnalysed: calls.analysed,
    c.MessageUnderstood: turns.message_understood,
    c.UnderstandingFailed: turns.understanding_failed,
    c.ReplyGenerated: answering.reply_generated,
    c.NothingFound: answering.nothing_found,
    c.RetrievalFailed: answering.generation_failed,
    c.GenerationFailed: answering.generation_failed,
    c.AssignmentMade: commands.assignment_made,
    c.AssignmentFailed: commands.assignment_failed,
    c.TimerFired: turns.timer_fired,
    c.ClaimRequested: commands.claim_requested,
    c.ReleaseRequested: commands.release_requested,
    c.AgentMessageSubmitted: commands.agent_message_submitted,
    c.AgentEditSubmitted: commands.agent_edit_submitted,
    c.DraftRequested: commands.draft_requested,
    c.CloseRequested: commands.close_requested,
    c.DeliveryReported: commands.delivery_reported,
}


class DialogueDecider:
    """Implements `parley.domain.deciding.Decider`."""

    name = "dialogue"
    topic: Topic = CONVERSATION_EVENTS
    state_type = Conversation
    state_is_sealed = True

    def key(self, envelope: Envelope) -> str:
        return envelope.conversation_id

    def handle(
        self, state: Conversation | None, event: AnyEvent, tenant: TenantConfig
    ) -> Decision[Conversation]:
        moves = Moves(state or begin(event.envelope, tenant), event, tenant)
        RULES[type(event.body)](moves, event.body)
        return moves.decision()

    def settle_failed(
        self, state: Conversation | None, event: Event[c.MessageFailed], tenant: TenantConfig
    ) -> Decision[Conversation]:
        moves = Moves(state or begin(event.envelope, tenant), event, tenant)
        turns.message_failed(moves, event.body)
        return moves.decision()


def begin(envelope: Envelope, tenant: TenantConfig) -> Conversation:
    """The state before the first event; a conversation whose start is not in the log begins here all the same."""
    return Conversation(
        conversation_id=envelope.conversation_id,
        tenant=envelope.tenant,
        customer_id=envelope.customer_id,
        channel="web",
        language=tenant.default_language,
        started_at=envelope.occurred_at,
        updated_at=envelope.occurred_at,
    )
