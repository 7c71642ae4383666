"""Stories: events told to the dialogue decider one after the other, with what came of each."""

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from parley.domain.conversation import Conversation
from parley.domain.deciding import Decision, SetTimer
from parley.domain.events import follow
from parley.domain.readmodel import Projection
from parley.ids import named_id, new_traceparent
from schemas.base import AnyEvent, Body, ConversationId, CustomerId, Envelope, Event, EventId, MessageId
from schemas.conversation_events import (
    AssignmentFailed,
    AssignmentMade,
    ConversationStarted,
    GenerationFailed,
    MessageFailed,
    MessageReceived,
    MessageUnderstood,
    NothingFound,
    ReplyGenerated,
    TimerFired,
)
from schemas.other_events import QueueJoined
from schemas.outbound import MessageSettled, ReplyReady
from schemas.parts import GuardReport, Passage, Risk, ScoredIntent
from schemas.tenant import TenantConfig
from schemas.work import AnswerRequested, UnderstandingRequested
from tests.support.small_tenant import CONFIG, TENANT, VERSION
from workers.dialogue import DialogueDecider

B = TypeVar("B", bound=Body)
R = TypeVar("R", bound=Projection)

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MEI = {"human_agent_id": "mei", "human_agent_name": "Mei"}
LIMIT_S = CONFIG.limits.message_deadline_s

PASSAGE = Passage(
    chunk_id="en/fees/1",
    article_id="fees",
    title="Account fees",
    url="/demo/bank/help/fees",
    language="en",
    text="The Everyday account costs €4.50 a month.",
    score=3.0,
)


def event(body: Body, *parts: object, at: datetime = NINE, conversation: str = "c-1") -> AnyEvent:
    """An event with an id named by its parts."""
    event_id = named_id(body.event_type(), conversation, *map(str, parts))
    envelope = Envelope(
        event_id=event_id,
        type=body.event_type(),
        tenant=TENANT,
        tenant_version=VERSION,
        customer_id=CustomerId(f"customer-of-{conversation}"),
        conversation_id=ConversationId(conversation),
        occurred_at=at,
        traceparent=new_traceparent(event_id),
    )
    return Event(envelope, body)


class Story:
    """One conversation. `log` holds all inputs, `out` all that left, `timers` those that are set."""

    def __init__(self, conversation: str = "c-1", config: TenantConfig = CONFIG) -> None:
        self.conversation = conversation
        self.config = config
        self.state: Conversation | None = None
        self.at = NINE
        self.log: list[AnyEvent] = []
        self.out: list[AnyEvent] = []
        self.decisions: list[Decision[Conversation]] = []
        self.timers: dict[EventId, SetTimer] = {}
        self._decider = DialogueDecider()
        self.tell(ConversationStarted(channel="web", language="en"))

    def tell(self, body: Body, *parts: object) -> Decision[Conversation]:
        return self.hear(event(body, len(self.log), *parts, at=self.at, conversation=self.conversation))

    def hear(self, told: AnyEvent) -> Decision[Conversation]:
        self.log.append(told)
        if isinstance(told.body, MessageFailed):
            decision = self._decider.settle_failed(self.state, Event(told.envelope, told.body), self.config)
        else:
            decision = self._decider.handle(self.state, told, self.config)
        self.state = decision.state
        self.out.extend(decision.events)
        self.decisions.append(decision)
        self.timers |= {timer.timer_id: timer for timer in decision.timers}
        for timer_id in decision.timers_cancelled:
            self.timers.pop(timer_id, None)
        return decision

    def wait(self, seconds: float) -> None:
        """Time goes by, and no timer is noticed."""
        self.at += timedelta(seconds=seconds)

    def pass_time(self, seconds: float) -> None:
        """Time goes by, and each timer fires when it is due."""
        until = self.at + timedelta(seconds=seconds)
        while due := [timer for timer in self.timers.values() if timer.due_at <= until]:
            self.fire(min(due, key=lambda timer: timer.due_at))
        self.at = until

    def says(self, text: str, message_id: str = "") -> MessageId:
        """The customer writes; returns the message's id."""
        identity = MessageId(message_id or f"m-{len(self.log)}")
        self.tell(MessageReceived(message_id=identity, text=text, channel="web"))
        return identity

    def understood(self, intent: str, probability: float = 0.9, *risks: str, language: str = "en") -> None:
        """The intent worker answers the oldest request that has not been answered."""
        answered = {e.envelope.cause_id for e in self.log}
        asked = next(e for e in self.asked(UnderstandingRequested) if e.envelope.event_id not in answered)
        body = MessageUnderstood(
            message_id=asked.body.message_id,
            language=language,
            intents=(ScoredIntent(intent=intent, probability=probability),),
            risks=tuple(Risk.model_validate({"kind": risk, "evidence": "x"}) for risk in risks),
            model="test",
        )
        self.hear(follow(asked.envelope, body, 0, self.at))

    def generated(
        self, text: str = "It costs €4.50 a month.", *, passed: bool = True, which: int = -1
    ) -> None:
        """The inference worker answers a request for an answer, the last one unless told otherwise."""
        asked = self.asked(AnswerRequested)[which]
        body = ReplyGenerated(
            generation_id=asked.body.generation_id,
            purpose=asked.body.purpose,
            attempt="a",
            epoch=asked.body.epoch,
            text=text,
            cited=(PASSAGE.chunk_id,),
            passages=(PASSAGE,),
            guard=GuardReport(passed=passed, violations=() if passed else ("number",)),
            model="test",
        )
        self.hear(follow(asked.envelope, body, 0, self.at))

    def nothing_found(self, *nearest: Passage) -> None:
        asked = self.asked(AnswerRequested)[-1]
        body = NothingFound(generation_id=asked.body.generation_id, epoch=asked.body.epoch, nearest=nearest)
        self.hear(follow(asked.envelope, body, 0, self.at))

    def generation_failed(self, reason: str = "busy") -> None:
        """The inference worker could not answer the last request for an answer."""
        asked = self.asked(AnswerRequested)[-1]
        told = {"purpose": asked.body.purpose, "epoch": asked.body.epoch, "reason": reason}
        body = GenerationFailed.model_validate({"generation_id": asked.body.generation_id, **told})
        self.hear(follow(asked.envelope, body, 0, self.at))

    def taken(self, which: int = -1) -> None:
        """The assignment worker has found Mei for a conversation in the queue, the last hand-off's unless told otherwise."""
        self._assign(AssignmentMade(**MEI), which)

    def nobody(self, reason: str = "nobody_present", which: int = -1) -> None:
        """The assignment worker has found nobody."""
        self._assign(AssignmentFailed.model_validate({"reason": reason}), which)

    def _assign(self, body: AssignmentMade | AssignmentFailed, which: int) -> None:
        joined = self.asked(QueueJoined)[which]
        self.hear(follow(joined.envelope, body, 0, self.at))

    def skipped(self, message_id: MessageId | None = None) -> None:
        """The runtime has given a record up, which had a message or had none."""
        failed = EventId(f"skipped-{len(self.log)}")
        at = {"topic": "conversation.events", "partition": 0, "offset": len(self.log)}
        self.tell(MessageFailed.model_validate({"failed_event_id": failed, **at, "message_id": message_id}))

    def deadline(self, which: int = -1) -> None:
        """One of the timers ever set is due, be it cancelled or not: the last one unless told otherwise."""
        self.fire([timer for decision in self.decisions for timer in decision.timers][which])

    def fire(self, timer: SetTimer) -> None:
        self.timers.pop(timer.timer_id, None)
        self.at = timer.due_at
        body = TimerFired.model_validate(
            {
                "timer_id": timer.timer_id,
                "purpose": timer.purpose,
                "epoch": timer.epoch,
                "due_at": timer.due_at,
            }
        )
        self.hear(follow(timer.cause, body, f"fired:{timer.timer_id}", timer.due_at))

    def asked(self, kind: type[B]) -> list[Event[B]]:
        """Everything of one kind that left, in order."""
        return [Event(e.envelope, e.body) for e in self.out if isinstance(e.body, kind)]

    def rows(self, kind: type[R]) -> list[R]:
        """Rows for lists of this kind, in the order of the decisions."""
        found = [row for decision in self.decisions for row in decision.projections]
        return [row for row in found if isinstance(row, kind)]

    def bodies(self, kind: type[B]) -> list[B]:
        return [e.body for e in self.asked(kind)]

    @property
    def replies(self) -> list[ReplyReady]:
        return self.bodies(ReplyReady)

    @property
    def settled(self) -> dict[str, str]:
        """Outcome by message id; a message that is settled twice is an error."""
        found: dict[str, str] = {}
        for body in self.bodies(MessageSettled):
            for settlement in body.settlements:
                assert settlement.message_id not in found, f"{settlement.message_id} was settled twice"
                found[settlement.message_id] = settlement.outcome
        return found

    @property
    def settled_at(self) -> dict[str, datetime]:
        """By message id, when it was settled."""
        events = self.asked(MessageSettled)
        return {each.message_id: e.envelope.occurred_at for e in events for each in e.body.settlements}
