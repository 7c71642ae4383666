"""The pen that the dialogue rules write with: it numbers what leaves and keeps the state while one event is handled.

A `Moves` lives for one `handle` call; nothing of it survives but the `Decision` that it is turned into.
"""

from datetime import datetime, timedelta
from typing import Any, Literal

from parley.domain.conversation import Conversation, Turn, TurnMessage
from parley.domain.deciding import Decision, SetTimer
from parley.domain.events import follow
from parley.domain.evolving import evolve
from parley.domain.readmodel import ConversationRow, Projection
from parley.ids import derived_id
from schemas.base import AnyEvent, Body, EventId, MessageId, ReplyId
from schemas.outbound import EpochRaised, MessageSettled, Outbound, OwnerChanged, ReplyReady
from schemas.parts import Citation, Outcome, OwnerKind, ReplyKind, Settlement
from schemas.tenant import TenantConfig
from schemas.work import GenerationCancelled


class Moves:
    """Collects what one event brings about."""

    def __init__(self, state: Conversation, event: AnyEvent, tenant: TenantConfig) -> None:
        self.state = state
        self.event = event
        self.tenant = tenant
        self._events: list[AnyEvent] = []
        self._timers: list[SetTimer] = []
        self._cancelled: list[EventId] = []
        self._rows: list[Projection] = []

    @property
    def at(self) -> datetime:
        return self.event.envelope.occurred_at

    def set(self, **changes: Any) -> None:
        self.state = evolve(self.state, **changes)

    def emit(self, body: Body, at: datetime | None = None) -> EventId:
        """Let an event leave; its id follows from the handled event and the event's place among its siblings. It happens `at`, or now."""
        event = follow(self.event.envelope, body, len(self._events), at)
        self._events.append(event)
        return event.envelope.event_id

    def out(self, event: type[Outbound], /, *, at: datetime | None = None, **fields: Any) -> EventId:
        """Let an outbound event leave under the conversation's next `seq` and its present epoch."""
        self.set(seq=self.state.seq + 1)
        return self.emit(event(seq=self.state.seq, epoch=self.state.epoch, **fields), at)

    def project(self, row: Projection) -> None:
        """A row for lists, besides the conversation's own."""
        self._rows.append(row)

    def reply_id(self) -> ReplyId:
        """The id of the reply that the handled event brings about; there is at most one without an id of its own."""
        return ReplyId(follow_id(self.event, "reply"))

    def set_timer(self, timer_id: EventId, due_at: datetime, purpose: str) -> None:
        self._timers.append(SetTimer(timer_id, due_at, purpose, self.state.epoch, self.event.envelope))

    def raise_epoch(self, reason: Literal["new_message", "owner_changed", "failed", "closed"]) -> None:
        """Fence off every delta written so far, and stop the generation that is writing them."""
        running = self.state.turn.generation_id if self.state.turn is not None else None
        self.set(epoch=self.state.epoch + 1)
        self.out(EpochRaised, reason=reason, generation_id=running)
        if running is not None:
            self.emit(GenerationCancelled(generation_id=running, epoch=self.state.epoch))
            self.set_turn(generation_id=None)

    def change_owner(
        self,
        owner: OwnerKind,
        reason: Literal["handoff", "claimed", "released", "nobody_present", "reopened"],
        human_agent_id: str | None = None,
        human_agent_name: str | None = None,
        at: datetime | None = None,
    ) -> None:
        """Raise the epoch and say who may speak from now on, or since `at`."""
        self.raise_epoch("owner_changed")
        self.set(owner=owner, human_agent_id=human_agent_id, human_agent_name=human_agent_name, ticket=None)
        self.out(
            OwnerChanged,
            at=at,
            owner=owner,
            reason=reason,
            human_agent_id=human_agent_id,
            human_agent_name=human_agent_name,
        )

    def set_turn(self, **changes: Any) -> None:
        assert self.state.turn is not None  # only what belongs to a turn changes one
        self.set(turn=evolve(self.state.turn, **changes))

    def reply(
        self,
        kind: ReplyKind,
        text: str,
        answers: tuple[MessageId, ...],
        *,
        language: str,
        offer_human: bool = False,
        citations: tuple[Citation, ...] = (),
        reply_id: ReplyId | None = None,
        **provenance: Any,
    ) -> ReplyId:
        """Say it to the customer, and remember that it was said."""
        reply_id = reply_id or self.reply_id()
        self.out(
            ReplyReady,
            reply_id=reply_id,
            kind=kind,
            answers=answers,
            text=text,
            language=language,
            offer_human=offer_human,
            citations=citations,
            **provenance,
        )
        self.state = self.state.remember("bot", text)
        return reply_id

    def settle(self, ids: tuple[MessageId, ...], outcome: Outcome, reply_id: ReplyId | None = None) -> None:
        """Each message ends here. Of several that one reply answers, the last is answered and the others are merged."""
        if not ids:
            return
        settlements = tuple(
            Settlement(
                message_id=message_id,
                outcome="merged" if outcome == "answered" and message_id != ids[-1] else outcome,
                reply_id=reply_id,
            )
            for message_id in ids
        )
        self.out(MessageSettled, settlements=settlements)

    def end_turn(self, outcome: Outcome, reply_id: ReplyId | None = None) -> None:
        """Settle all messages of the running turn and forget it, its timer with it."""
        turn = self.state.turn
        if turn is None:
            return
        self._cancelled.append(turn.timer_id)
        self.set(turn=None)
        self.settle(turn.message_ids, outcome, reply_id)

    def take_later(self, most: int | None = None) -> tuple[TurnMessage, ...]:
        """The messages that waited for the running turn, or the first of them; they wait no longer."""
        taken = self.state.later[:most]
        self.set(later=self.state.later[len(taken) :])
        return taken

    def open_turn(self, messages: tuple[TurnMessage, ...]) -> None:
        """Begin a turn with its deadline timer. It has what is left of its first message's time, be that nothing."""
        timer_id = follow_id(self.event, "timer")
        began_at, deadline = self.arrived_at(messages[0]), max(self.due_at(messages[0]), self.at)
        self.set(turn=Turn(messages=messages, began_at=began_at, deadline=deadline, timer_id=timer_id))
        self.set_timer(timer_id, deadline, "turn_deadline")

    def arrived_at(self, message: TurnMessage) -> datetime:
        """When this message came in; for one that an earlier release took in, now."""
        return self.at if message.arrived_at is None else message.arrived_at

    def due_at(self, message: TurnMessage) -> datetime:
        """By when this message is settled: the tenant's limit counts from its arrival, whatever it has to wait for."""
        return self.arrived_at(message) + timedelta(seconds=self.tenant.limits.message_deadline_s)

    def decision(self) -> Decision[Conversation]:
        self.set(updated_at=self.at)
        kept = [timer for timer in self._timers if timer.timer_id not in self._cancelled]
        return Decision(self.state, self._events, kept, self._cancelled, (row_of(self.state), *self._rows))


def follow_id(event: AnyEvent, name: str) -> EventId:
    """An id that follows from the handled event by name, for things that are not events themselves."""
    return derived_id(event.envelope.event_id, name)


def row_of(state: Conversation) -> ConversationRow:
    """The conversation as lists show it."""
    return ConversationRow(
        conversation_id=state.conversation_id,
        tenant=state.tenant,
        customer_id=state.customer_id,
        channel=state.channel,
        language=state.language,
        owner=state.owner,
        human_agent_id=state.human_agent_id if state.status == "open" or state.lapsed else None,
        status=state.status,
        epoch=state.epoch,
        seq=state.seq,
        open_messages=state.open_messages,
        last_intent=state.last_intent,
        started_at=state.started_at,
        updated_at=state.updated_at,
    )
