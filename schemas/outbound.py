"""`chat.outbound` and `chat.deltas`: what leaves for customers and staff. Only the dialogue worker writes the former.

`seq` grows by one with each event of a conversation: a connector drops what is not above the last one it passed on.
`epoch` fences deltas: after epoch n nothing below n is passed on.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Body, EventId, GenerationId, MessageId, ReplyId, Sealed
from schemas.conversation_events import AnswerText, MessageText, Name
from schemas.parts import Audience, Citation, Language, OwnerKind, ReplyKind, Settlement


class Outbound(Body):
    """The base of all that the dialogue worker says. Not an event itself."""

    seq: Annotated[int, Field(ge=1)]
    epoch: Annotated[int, Field(ge=0)]
    audience: Audience = "both"


class CustomerMessage(Outbound):
    """A customer's message was taken in: other tabs and the console show it."""

    message_id: MessageId
    text: MessageText


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
    """A human agent's words to the customer."""

    message_id: MessageId
    human_agent_id: str
    human_agent_name: Name
    text: MessageText


class DraftReady(Outbound):
    """A suggested answer, for the human agent only."""

    audience: Audience = "staff"
    generation_id: GenerationId
    text: AnswerText
    citations: tuple[Citation, ...] = ()


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

    audience: Audience = "staff"
    command_id: EventId
    reason: Literal["not_owner", "already_owned", "closed", "nothing_to_draft"]


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
