"""The smaller topics: `assignment.events`, `feedback.events`, `adapters.updates`, `tenants.updates`."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Body, Moment, ReplyId, Sealed
from schemas.parts import Language


class QueueJoined(Body):
    """A conversation waits for a human agent."""

    epoch: int
    language: Language
    intent: str | None = None
    open_now: bool


class QueueLeft(Body):
    """A conversation no longer waits."""

    epoch: int


class PresenceChanged(Body):
    """A human agent came, left, or changed how many conversations he or she takes."""

    human_agent_id: str
    human_agent_name: Annotated[str, Field(min_length=1, max_length=80)]
    capacity: Annotated[int, Field(ge=0, le=100)]


class FeedbackGiven(Body):
    """What somebody thought of a reply: the last one of a reply counts."""

    reply_id: ReplyId
    score: Literal[-1, 1]
    comment: Annotated[str, Field(max_length=2_000), Sealed("comment")] | None = None
    by: Literal["customer", "human_agent"] = "customer"


class AdapterPublished(Body):
    """A version of a tenant's LoRA adapter; the last one of a name is the live one."""

    adapter: str
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    base_model: str
    base_revision: str
    uri: str


class AdapterRetired(Body):
    """This adapter is not to be served any more."""

    adapter: str
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TenantImported(Body):
    """A new immutable version of a tenant's configuration and articles is in the store."""

    name: str
    imported_at: Moment
