"""Values that several events share: passages, citations, history, intents, risks. No event is defined here."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Contract, GenerationId, MessageId, Moment, ReplyId, Sealed

Language = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")]
Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
"""A connector's own name for itself; the platform's are `web`, `telegram`, `call` and `api`."""
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


class Spoken(Contract):
    """When something was said on a call, in milliseconds from its beginning, and how sure the recogniser was (0 to 1).

    `original` is what it had heard, where the message leaves out fillers and noise; None where nothing was left out.
    """

    start_ms: Annotated[int, Field(ge=0)]
    end_ms: Annotated[int, Field(ge=0)]
    confidence: Annotated[float, Field(ge=0, le=1)] | None = None
    original: Annotated[str, Field(max_length=16_384), Sealed("original")] | None = None


class PriorVcon(Contract):
    """The vCon that another one was made of, in the words of that one. Nobody has looked for it, and nothing of it is kept."""

    uuid: Annotated[str, Field(max_length=128), Sealed("uuid")] | None = None
    type: Annotated[str, Field(max_length=1_000), Sealed("type")] | None = None
    url: Annotated[str, Field(max_length=2_000), Sealed("url")] | None = None
    content_hash: Annotated[
        tuple[Annotated[str, Field(max_length=200), Sealed("content_hash")], ...], Field(max_length=8)
    ] = ()


class SignatureChecked(Contract):
    """A signature that holds. `verified` tells whether the signer is one that the tenant knows, by a key or by a root; `signer` is the key's name,
    or the subject of the certificate that came along.
    """

    verified: bool
    signer: Annotated[str, Field(max_length=400), Sealed("signer")]


class CallOrigin(Contract):
    """What a finished call's file tells of itself. `redacted`: something was taken out of it before it came, from `redacted_of` where that is
    named; `amended_of` is what something was added to. Without a `signature` it was not signed.
    """

    redacted: bool = False
    redacted_of: PriorVcon | None = None
    amended_of: PriorVcon | None = None
    signature: SignatureChecked | None = None


class Attachment(Contract):
    """A file that came with a message. `digest` is SHA-256 of its content, hexadecimal: sealed, since it tells whoever has the same file that it
    was sent. `media_type` is told by its content.
    """

    kind: Literal["photo", "voice", "audio", "video", "document", "sticker"]
    media_type: Annotated[str, Field(pattern=r"^[a-z]+/[a-z0-9.+-]{1,80}$")]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$"), Sealed("digest")]
    bytes: Annotated[int, Field(ge=1)]
    name: Annotated[str, Field(max_length=200), Sealed("name")] | None = None


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
