"""`conversation.events`: the decision log. Everything that the dialogue worker reads is here, in the order it decides."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from schemas.analysis import Analysis
from schemas.base import MAX_MESSAGE_CHARS, Body, Contract, EventId, GenerationId, MessageId, Moment, Sealed
from schemas.parts import (
    Attachment,
    CallOrigin,
    Channel,
    Entity,
    GuardReport,
    Language,
    Passage,
    Purpose,
    Risk,
    ScoredIntent,
    Spoken,
    Usage,
)

MessageText = Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS), Sealed("text")]
SaidText = Annotated[str, Field(max_length=16_384), Sealed("text")]
"""A typed message, or a turn of a call, which may be longer; empty only with attachments."""
MAX_ANSWER_CHARS = 65_536
AnswerText = Annotated[str, Field(max_length=MAX_ANSWER_CHARS), Sealed("text")]
Source = Annotated[str, Field(min_length=1, max_length=200), Sealed("source")]
"""What a link to the channel says of where the customer comes from: a campaign, a page, an article. Masked."""
Name = Annotated[str, Field(min_length=1, max_length=80)]


class ConversationStarted(Body):
    """A channel opened a conversation; again where its customer chose another language or came by another link, of which `source` tells."""

    version: ClassVar[int] = 2

    channel: Channel
    language: Language | None = None
    source: Source | None = None


class MessageReceived(Body):
    """A customer's message, masked before this first write; `masked` names the kinds of what was taken out.

    It has a text, or attachments, or both. Messages that the customer sent as one, such as an album of pictures, have the same `album`, the
    channel's name for it.
    """

    version: ClassVar[int] = 2

    message_id: MessageId
    text: Annotated[str, Field(max_length=MAX_MESSAGE_CHARS), Sealed("text")]
    channel: Channel
    client_message_id: str | None = None
    masked: tuple[str, ...] = ()
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=10)] = ()
    album: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text and not self.attachments:
            raise ValueError("text must not be empty where there are no attachments")
        return self


class SpokenTurn(Contract):
    """What one side said on a call without a break; `human_agent_name` where it was not the owning agent."""

    message_id: MessageId
    speaker: Literal["customer", "human_agent"]
    text: Annotated[str, Field(min_length=1, max_length=16_384), Sealed("text")]
    spoken: Spoken
    human_agent_name: Name | None = None


class SpeechTranscribed(Body):
    """Turns of a call, in the order they began. `live` while it runs: the human agent is then helped with an answer.

    A call's times count from `started_at`.
    """

    started_at: Moment
    turns: Annotated[tuple[SpokenTurn, ...], Field(min_length=1)]
    live: bool


class CallStateReported(Body):
    """What happened on a call besides talk, and at which time of it. With `started` and `transfer` the human agent speaks from then on.

    `imported`: what comes next was read from a file, which tells its `origin`.
    """

    started_at: Moment
    kind: Literal[
        "started",
        "imported",
        "transfer",
        "hang_up",
        "hold",
        "resumed",
        "muted",
        "unmuted",
        "joined",
        "incomplete",
    ]
    at_ms: Annotated[int, Field(ge=0)]
    by: Literal["customer", "human_agent"] | None = None
    language: Language | None = None
    human_agent_id: str | None = None
    human_agent_name: Name | None = None
    detail: Annotated[str, Field(max_length=200)] = ""
    origin: CallOrigin | None = None


class ClaimRequested(Body):
    """A human agent wants the conversation. With `force`, also from another human agent (supervisors)."""

    human_agent_id: str
    human_agent_name: Name
    force: bool = False


class ReleaseRequested(Body):
    """The owning human agent gives the conversation back, to the bot or to the queue."""

    human_agent_id: str
    to: Literal["bot", "queue"] = "bot"


class AgentMessageSubmitted(Body):
    """The owning human agent writes to the customer."""

    message_id: MessageId
    human_agent_id: str
    text: MessageText


class AgentEditSubmitted(Body):
    """The human agent who wrote a message says it otherwise."""

    message_id: MessageId
    human_agent_id: str
    text: MessageText


class DraftRequested(Body):
    """A human agent asks for a suggested answer to the customer's last messages."""

    human_agent_id: str


class CloseRequested(Body):
    """Somebody ends the conversation. A later message of the customer opens it again, with the bot."""

    by: Literal["customer", "human_agent", "system"]
    human_agent_id: str | None = None


class ConversationAnalysed(Body):
    """What the analysis worker found in a finished conversation, as far as `up_to_seq`."""

    up_to_seq: Annotated[int, Field(ge=1)]
    analysis: Analysis


class MessageUnderstood(Body):
    """What the intent worker made of a message; `intents` in falling probability, empty when out of scope."""

    message_id: MessageId
    language: Language
    intents: tuple[ScoredIntent, ...]
    risks: tuple[Risk, ...] = ()
    entities: tuple[Entity, ...] = ()
    model: str


class UnderstandingFailed(Body):
    """The intent worker could not read the message within its deadline."""

    message_id: MessageId
    reason: Literal["deadline", "unavailable", "refused", "error"]


class NothingFound(Body):
    """No passage of the tenant's articles answers this. `nearest` are shown to a human agent who is helped, best first."""

    version: ClassVar[int] = 2

    generation_id: GenerationId
    epoch: int
    best_score: float | None = None
    nearest: tuple[Passage, ...] = ()


class RetrievalFailed(Body):
    """The RAG worker could not search within the deadline."""

    generation_id: GenerationId
    epoch: int
    reason: Literal["deadline", "unavailable", "refused", "error"]


class ReplyGenerated(Body):
    """A finished text with all that proves it: the passages, the guard's report, model, adapter, prompt hash, seed."""

    generation_id: GenerationId
    purpose: Purpose
    attempt: str
    epoch: int
    text: AnswerText
    cited: tuple[str, ...]
    passages: tuple[Passage, ...]
    guard: GuardReport
    model: str
    adapter: str | None = None
    prompt_hash: str | None = None
    seed: int | None = None
    usage: Usage = Usage()
    finish_reason: Literal["stop", "length"] = "stop"


class GenerationFailed(Body):
    """No text: too busy, too late, cancelled, or the model server refused or failed.

    Where the prompt was too long, both numbers are told: what it has, and what prompt and answer may have together.
    """

    version: ClassVar[int] = 2

    generation_id: GenerationId
    purpose: Purpose
    epoch: int
    reason: Literal["busy", "deadline", "cancelled", "unavailable", "refused", "too_long", "guard", "error"]
    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    context_tokens: Annotated[int, Field(ge=0)] | None = None


class AssignmentMade(Body):
    """The assignment worker found a human agent for a waiting conversation: the cause is the `QueueJoined` that it answers."""

    human_agent_id: str
    human_agent_name: Name


class AssignmentFailed(Body):
    """Nobody can take the conversation now. The cause is the `QueueJoined` that this answers."""

    reason: Literal["nobody_present", "outside_hours", "queue_full"]


class TimerFired(Body):
    """A timer that the dialogue worker set is due. It counts while the turn that it was set for runs: `timer_id` tells.

    `epoch` is the one that it was set under; merging raises the turn's. `idle_close` is set for calls.
    """

    timer_id: str
    purpose: Literal["turn_deadline", "idle_close"]
    epoch: int
    due_at: Moment


class DeliveryReported(Body):
    """What became of something sent to the customer."""

    version: ClassVar[int] = 2

    outbound_id: EventId
    channel: Channel
    state: Literal["accepted", "sent", "delivered", "unknown", "failed"]
    reason: str | None = None


class MessageFailed(Body):
    """Written by the runtime for a record that brought the worker down again and again: it was skipped.

    A replay skips the same record; whatever message it stood for is settled as failed.
    """

    failed_event_id: EventId
    topic: str
    partition: int
    offset: int
    message_id: MessageId | None = None
