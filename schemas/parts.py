"""Values that several events share: passages, citations, history, intents, risks. No event is defined here."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Contract, GenerationId, MessageId, Moment, ReplyId, Sealed

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
Channel = Literal["web", "telegram", "call", "api"]
Purpose = Literal["reply", "draft", "shadow"]
Speaker = Literal["customer", "bot", "human_agent"]
OwnerKind = Literal["bot", "queue", "human"]
Audience = Literal["customer", "staff", "both"]
ReplyKind = Literal["answer", "ask", "canned", "handoff", "nothing_found", "apology"]
RiskKind = Literal["fraud", "dispute", "complaint", "hardship", "self_harm", "legal", "human"]
Outcome = Literal["answered", "merged", "handed_over", "failed", "closed"]


class ScoredIntent(Contract):
    intent: str
    probability: Annotated[float, Field(ge=0, le=1)]


class Entity(Contract):
    """A value found in a message. `text` is the customer's own wording; `value` is normalised (ISO 4217, ISO 8601)."""

    kind: str
    text: Annotated[str, Sealed("entity")]
    value: Annotated[str, Sealed("entity_value")]
    start: Annotated[int, Field(ge=0)]


class Risk(Contract):
    """Why a human has to see this: the kind, and the words that triggered it."""

    kind: RiskKind
    evidence: Annotated[str, Sealed("evidence")]


class HistoryTurn(Contract):
    """One earlier message, as a prompt sees it."""

    speaker: Speaker
    text: Annotated[str, Sealed("history")]


class Passage(Contract):
    """A chunk of one of the tenant's articles as it was retrieved. The tenant's text, not a customer's: not sealed."""

    chunk_id: str
    article_id: str
    title: str
    url: str
    path: tuple[str, ...] = ()
    language: Language
    text: str
    score: float


class Citation(Contract):
    """A source as the customer sees it."""

    id: str
    title: str
    url: str


class GuardReport(Contract):
    """What the guard said of a text: `violations` names each rule broken (never the words)."""

    passed: bool
    violations: tuple[str, ...] = ()


class Usage(Contract):
    prompt_tokens: Annotated[int, Field(ge=0)] = 0
    completion_tokens: Annotated[int, Field(ge=0)] = 0


class Settlement(Contract):
    """How one customer's message ended; each message has exactly one."""

    message_id: MessageId
    outcome: Outcome
    reply_id: ReplyId | None = None


class Answering(Contract):
    """What an answer is asked with; shared by `AnswerRequested` and `GenerationRequested`."""

    generation_id: GenerationId
    purpose: Purpose = "reply"
    message_ids: tuple[MessageId, ...]
    question: Annotated[str, Sealed("question")]
    history: tuple[HistoryTurn, ...] = ()
    language: Language
    intent: str | None = None
    epoch: Annotated[int, Field(ge=0)]
    deadline: Moment
    arm: str | None = None
    adapter: str | None = None
