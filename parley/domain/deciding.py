"""What a decider is: a pure function from a state and an event to what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from parley.domain.readmodel import Projection
from schemas.base import AnyEvent, Envelope, Event, EventId
from schemas.conversation_events import MessageFailed
from schemas.tenant import TenantConfig
from schemas.topics import Topic

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake this key at `due_at`, as a consequence of `cause`."""

    timer_id: EventId
    due_at: datetime
    purpose: str
    epoch: int
    cause: Envelope


@dataclass(frozen=True, slots=True)
class Decision(Generic[S]):
    """What one event changed: the new state, the events that leave, timers set and cancelled, rows for lists."""

    state: S
    events: Sequence[AnyEvent] = ()
    timers: Sequence[SetTimer] = ()
    timers_cancelled: Sequence[EventId] = ()
    projections: Sequence[Projection] = ()


class Decider(Protocol[S]):
    """All rules of one kind of state. Pure and total: no event, however odd, makes it raise.

    `state_type` is what `pydantic.TypeAdapter` reads and writes the state with.
    """

    @property
    def name(self) -> str: ...

    @property
    def topic(self) -> Topic: ...

    @property
    def state_type(self) -> type[S]: ...

    @property
    def state_is_sealed(self) -> bool:
        """True where the state holds a customer's text: it is then sealed with that customer's key."""

    def key(self, envelope: Envelope) -> str:
        """What the state is kept under, which is also what the topic is keyed by."""

    def handle(self, state: S | None, event: AnyEvent, tenant: TenantConfig) -> Decision[S]: ...

    def settle_failed(
        self, state: S | None, event: "Event[MessageFailed]", tenant: TenantConfig
    ) -> Decision[S]:
        """Make good for a record that was skipped, without looking into it: part of no ordinary handling."""
