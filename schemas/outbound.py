"""`chat.outbound` and `chat.deltas`: what leaves for customers and staff. Only the dialogue worker writes the former.

`seq` grows by one with each event of a conversation: a connector drops what is not above the last one it passed on.
`epoch` fences deltas: after epoch n nothing below n is passed on.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.analysis import Analysis
from schemas.base import Body, EventId, GenerationId, MessageId, ReplyId, Sealed
from schemas.conversation_events import AnswerText, MessageText, Name, SaidText, Source
from schemas.parts import (
    Attachment,
    Audience,
    CallOrigin,
    Citation,
    Entity,
    Language,
    OwnerKind,
    ReplyKind,
    Risk,
    ScoredIntent,
    Settlement,
    Spoken,
)


class Outbound(Body):
    """The base of all that the dialogue worker says. Not an event itself."""

    seq: Annotated[int, Field(ge=1)]
    epoch: Annotated[int, Field(ge=0)]
    audience: Audience = "both"


class CustomerMessage(Outbound):
    """A customer's message was taken in: other tabs and the console show it. `spoken` where it was said on a call."""

    version: ClassVar[int] = 2

    message_id: MessageId
    text: SaidText
    attachments: tuple[Attachment, ...] = ()
    spoken: Spoken | None = None


class CustomerArrived(Outbound):
    """The customer came by a link to the channel, for the human agent: `source` is what it says of where from."""

    audience: Audience = "staff"
    source: Source


class ReplyReady(Outbound):
    """The bot's finished reply; it replaces every delta of its generation."""

    reply_id: ReplyId
    kind: ReplyKind
    answers: tuple[MessageId, ...]
    text: AnswerText
    citations: tuple[Citation, ...] = ()
    offer_human: bool = False
    language: Language
    generation_id: GenerationId | None = None
    model: str | None = None
    adapter: str | None = None
    arm: str | None = None


class AgentMessage(Outbound):
    """A human agent's words to the customer. `spoken` where they were said on a call."""

    version: ClassVar[int] = 2

    message_id: MessageId
    human_agent_id: str
    human_agent_name: Name
    text: SaidText
    spoken: Spoken | None = None


class AgentMessageEdited(Outbound):
    """A human agent's earlier message reads otherwise now."""

    message_id: MessageId
    human_agent_id: str
    human_agent_name: Name
    text: MessageText


class DraftReady(Outbound):
    """A suggested answer, for the human agent only: to the message `answers`, where it is to one.

    `next_articles` were found as well and are not quoted, best first.
    """

    version: ClassVar[int] = 2

    audience: Audience = "staff"
    generation_id: GenerationId
    text: AnswerText
    citations: tuple[Citation, ...] = ()
    answers: MessageId | None = None
    next_articles: tuple[Citation, ...] = ()


class MessageRead(Outbound):
    """What was understood of a customer's message on a call, for the human agent: what it is about, and what to be careful with."""

    audience: Audience = "staff"
    message_id: MessageId
    language: Language
    intents: tuple[ScoredIntent, ...] = ()
    risks: tuple[Risk, ...] = ()
    entities: tuple[Entity, ...] = ()


class CallStateChanged(Outbound):
    """What happened on a call besides talk, in milliseconds from its beginning."""

    audience: Audience = "staff"
    kind: Literal["hold", "resumed", "muted", "unmuted", "joined", "incomplete"]
    at_ms: Annotated[int, Field(ge=0)]
    by: Literal["customer", "human_agent"] | None = None
    detail: Annotated[str, Field(max_length=200)] = ""


class CallImported(Outbound):
    """What follows was read from a file that tells this of itself. Without such an event nothing was signed, redacted or amended."""

    audience: Audience = "staff"
    origin: CallOrigin


class AnalysisReady(Outbound):
    """What was found out about the conversation once it had ended, as far as `up_to_seq`."""

    audience: Audience = "staff"
    up_to_seq: Annotated[int, Field(ge=1)]
    analysis: Analysis


class EpochRaised(Outbound):
    """From here on no delta of an earlier epoch counts."""

    reason: Literal["new_message", "owner_changed", "failed", "closed"]
    generation_id: GenerationId | None = None


class OwnerChanged(Outbound):
    """Who may speak from now on."""

    owner: OwnerKind
    human_agent_id: str | None = None
    human_agent_name: Name | None = None
    reason: Literal["handoff", "claimed", "released", "nobody_present", "reopened"]


class Typing(Outbound):
    """Somebody is writing."""

    who: Literal["bot", "human_agent"]
    on: bool


class Closed(Outbound):
    """The conversation ended."""

    by: Literal["customer", "human_agent", "system"]


class MessageSettled(Outbound):
    """The end of one or more customer's messages: exactly one settlement each. For quotas, audits and invariants."""

    audience: Audience = "staff"
    settlements: Annotated[tuple[Settlement, ...], Field(min_length=1)]


class CommandRejected(Outbound):
    """A human agent's command that the conversation's state does not allow."""

    version: ClassVar[int] = 2

    audience: Audience = "staff"
    command_id: EventId
    reason: Literal[
        "not_owner", "already_owned", "closed", "nothing_to_draft", "no_such_message", "not_on_a_call"
    ]


class DeliveryChanged(Outbound):
    """A channel reported what became of something sent."""

    audience: Audience = "staff"
    outbound_id: EventId
    state: Literal["accepted", "sent", "delivered", "unknown", "failed"]
    reason: str | None = None


class ReplyDelta(Body):
    """A verified piece of a reply in the making. May be lost: the finished reply replaces it."""

    generation_id: GenerationId
    attempt: str
    epoch: int
    index: Annotated[int, Field(ge=0)]
    text: Annotated[str, Sealed("text")]
