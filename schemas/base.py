"""What every contract is made of: the frozen body, the envelope, the event, and the mark for sealed text.

No event is defined here (see the modules named after their topics), and nothing here does I/O.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Generic, NewType, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.functional_serializers import PlainSerializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

EventId = NewType("EventId", str)
TenantId = NewType("TenantId", str)
CustomerId = NewType("CustomerId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
GenerationId = NewType("GenerationId", str)
ReplyId = NewType("ReplyId", str)

MAX_MESSAGE_CHARS = 4_000
"""Longest message a person may send, in characters (code points)."""

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
TENANT_PATTERN = r"^[a-z][a-z0-9-]{1,31}$"
TRACEPARENT_PATTERN = r"^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"


@lru_cache(maxsize=4096)
def rfc3339(moment: datetime) -> str:
    """UTC with milliseconds and `Z` (RFC 3339): one moment has exactly one spelling, so replays compare by bytes."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[AwareDatetime, PlainSerializer(rfc3339, return_type=str, when_used="json")]
"""A point in time with its zone; written in UTC with milliseconds."""


class Sealer(Protocol):
    """Given as pydantic's context by the codec: seals on the way out and opens on the way in.

    Both take the field's name, which is part of the associated data. `unseal` raises `KeyErased`.
    """

    def seal(self, text: str, field: str) -> str: ...

    def unseal(self, sealed: str, field: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Sealed:
    """Marks a string that is sealed with the customer's key wherever it is stored: `Annotated[str, Sealed("text")]`.

    Without a sealer in the context (exports, examples, tests) the text passes as it is.
    """

    field: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_before_validator_function(
            self._open,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._close, info_arg=True, return_schema=core_schema.str_schema()
            ),
        )

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        found = handler(schema)
        return {"type": "string", **found, "x-sealed": True}

    def _open(self, value: Any, info: core_schema.ValidationInfo) -> Any:
        sealer: Sealer | None = info.context
        return sealer.unseal(value, self.field) if sealer is not None and isinstance(value, str) else value

    def _close(self, value: str, info: core_schema.SerializationInfo) -> str:
        sealer: Sealer | None = info.context
        return sealer.seal(value, self.field) if sealer is not None else value


class Contract(BaseModel):
    """Frozen, strict about unknown fields; the base of every body and of every part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Body(Contract):
    """What happened, without the envelope. A released version is never edited: a change is a new version."""

    version: ClassVar[int] = 1

    @classmethod
    def event_type(cls) -> str:
        return cls.__name__


class Envelope(Contract):
    """What every record carries in its headers. `customer_id` selects the key that the body's texts are sealed with."""

    event_id: Annotated[EventId, Field(pattern=UUID_PATTERN)]
    cause_id: Annotated[EventId, Field(pattern=UUID_PATTERN)] | None = None
    type: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z]{2,63}$")]
    version: Annotated[int, Field(ge=1, le=999)] = 1
    tenant: Annotated[TenantId, Field(pattern=TENANT_PATTERN)]
    tenant_version: Annotated[str, Field(pattern=r"^[0-9a-f]{12,64}$")]
    customer_id: Annotated[CustomerId, Field(min_length=1, max_length=64)]
    conversation_id: Annotated[ConversationId, Field(min_length=1, max_length=64)]
    occurred_at: Moment
    traceparent: Annotated[str, Field(pattern=TRACEPARENT_PATTERN)] | None = None


B_co = TypeVar("B_co", bound=Body, covariant=True)


@dataclass(frozen=True, slots=True)
class Event(Generic[B_co]):
    """An envelope with its body: what the codec makes of a record, and what handlers take and give."""

    envelope: Envelope
    body: B_co


AnyEvent = Event[Body]
MakeId = Callable[[], str]
