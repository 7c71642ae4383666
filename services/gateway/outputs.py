"""Response bodies, for OpenAPI and for whoever writes a client. Errors are in `problems`, frames in `connectors.web.frames`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Output(BaseModel):
    model_config = ConfigDict(frozen=True)


class ConversationCreated(Output):
    conversation_id: str
    token: str = Field(description="bearer token of this conversation; keep it secret")


class MessageAccepted(Output):
    message_id: str


class FeedbackAccepted(Output):
    reply_id: str


class HistoryCitation(Output):
    id: str
    title: str
    url: str


class HistoryMessage(Output):
    """A message or a reply; exactly one of `message_id` and `reply_id` is there."""

    message_id: str | None = None
    reply_id: str | None = None
    sender: Literal["customer", "bot", "human_agent"] = Field(alias="from")
    text: str
    at: str = Field(description="RFC 3339, UTC")
    citations: list[HistoryCitation] = []
    seq: int


class History(Output):
    messages: list[HistoryMessage]
    next: int | None = Field(description="pass it as `after` for the next page; null at the end")


class WidgetAssistant(Output):
    name: dict[str, str]
    greeting: dict[str, str]
    suggestions: dict[str, list[str]]


class WidgetConfig(Output):
    """Texts are by language code."""

    tenant: str
    name: dict[str, str]
    assistant: WidgetAssistant
    languages: list[str]
    default_language: str


class Health(Output):
    status: Literal["ok"]


class CallTaken(Output):
    """What became of a finished call. `known`: it was here already, and nothing was written that was not. `grown`: it was
    here with fewer turns, and has the new ones now. `heard_live`: it was heard while it ran, and stays as it was heard.
    """

    call_id: str
    conversation_id: str | None = Field(default=None, description="null where the call was refused")
    turns: int = 0
    state: Literal["accepted", "grown", "known", "heard_live", "refused"]
    signature: Literal["unsigned", "unverified", "verified"] | None = Field(
        default=None,
        description="the file's own: verified where the tenant knows the signer; absent where the call was refused",
    )
    signed_by: str | None = Field(
        default=None,
        description="the key's name or the certificate's subject; not to be believed where unverified",
    )
    reason: str | None = Field(default=None, description="why it was refused")
    notes: list[str] = Field(
        default=[], description="what else the file has and cannot be read, by its place"
    )


class CallsTaken(Output):
    calls: list[CallTaken]
