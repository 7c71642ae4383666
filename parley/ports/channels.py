"""What connectors keep: which chat of a channel is which conversation, and what became of everything that was sent into one.

Part of the store; one contract suite holds every backend. Every method may raise `StoreUnavailable`. All are thread-safe.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from parley.ports.bus import Headers
from schemas.base import ConversationId, CustomerId, EventId, TenantId
from schemas.parts import Channel

DeliveryState = Literal["sending", "held", "sent", "unknown", "failed", "withdrawn"]
"""`sending` is recorded before the channel is called. `held`: it certainly was not sent, and whoever comes may send it. `unknown`: nobody
can say whether it arrived, and it is never sent again. `withdrawn`: it arrived after another sender had taken over, and was deleted.
"""


@dataclass(frozen=True, slots=True)
class Chat:
    """A channel's chat and the conversation that it is. `address` is the channel's own name for it, such as Telegram's chat id."""

    tenant: TenantId
    channel: Channel
    address: str
    conversation_id: ConversationId
    customer_id: CustomerId
    opened_at: datetime
    #: What the customer chose, or the channel said of them; None: nothing is known.
    language: str | None = None
    #: Why nothing can be sent into it any more; None: it can.
    closed: str | None = None
    #: When what is parked of it is tried again, or is somebody's to try until then; None: nothing is parked.
    waits_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """An outbound event that waits to be sent, as the log had it (sealed). Those of a chat go out in the order of `seq`."""

    outbound_id: EventId
    conversation_id: ConversationId
    seq: int
    tenant: TenantId
    customer_id: CustomerId
    channel: Channel
    headers: Headers
    value: bytes


@dataclass(frozen=True, slots=True)
class Waiting:
    """What came from a chat and waits to be taken in; `value` is sealed. Those of a chat are taken in the order of `position`, which is the
    channel's own number for what it has delivered.
    """

    conversation_id: ConversationId
    position: int
    tenant: TenantId
    customer_id: CustomerId
    channel: Channel
    value: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message into a chat: the `part`-th of what an outbound event became. `sender` is the process that is sending it."""

    outbound_id: EventId
    part: int
    tenant: TenantId
    conversation_id: ConversationId
    customer_id: CustomerId
    channel: Channel
    sender: str
    state: DeliveryState
    changed_at: datetime
    #: The channel's own name for the message, once it has told it.
    external_id: str | None = None
    reason: str | None = None


def waiting_context(conversation_id: ConversationId, position: int) -> tuple[str, str, str]:
    """Under which names a `Waiting`'s value, which is JSON, is sealed."""
    return "waiting", conversation_id, str(position)


class ChannelStore(Protocol):
    def open_chat(self, chat: Chat) -> Chat:
        """Keep it unless its (tenant, channel, address) is a conversation already; returns the one that holds."""

    def chat(self, tenant: TenantId, channel: Channel, address: str) -> Chat | None: ...

    def chat_of(self, conversation_id: ConversationId) -> Chat | None: ...

    def set_language(self, conversation_id: ConversationId, language: str | None) -> None: ...

    def set_closed(self, conversation_id: ConversationId, reason: str | None) -> bool:
        """Whether that changed anything."""

    def move_chat(self, conversation_id: ConversationId, address: str) -> None:
        """The channel has given it another name. Nothing happens where that name is another conversation's."""

    def begin_delivery(self, delivery: Delivery) -> Delivery:
        """Keep it unless its (outbound id, part) is there already; returns the one that holds."""

    def change_delivery(
        self,
        delivery: Delivery,
        state: DeliveryState,
        at: datetime,
        *,
        sender: str | None = None,
        external_id: str | None = None,
        reason: str | None = None,
    ) -> Delivery | None:
        """From the state and the sender that this one has, to another sender where one is named; returns it as it is now. None, and
        nothing is changed, where somebody else has changed it meanwhile.
        """

    def deliveries(self, outbound_ids: Collection[EventId]) -> list[Delivery]:
        """In the order of their ids and parts."""

    def park(self, rows: Sequence[Parked], until: Mapping[ConversationId, datetime]) -> None:
        """Keep them; their chats, each of which `until` names, wait until then, unless they wait already. Nothing is kept for a chat that
        is gone, and of an event that is parked the first one.
        """

    def take_due(
        self,
        channel: Channel,
        now: datetime,
        until: datetime,
        at_most: int,
        without: Collection[TenantId] = (),
    ) -> list[Chat]:
        """Chats that have waited long enough, of other tenants than these: they wait `until`, and are the caller's as long."""

    def postpone(self, chat: Chat, until: datetime) -> bool:
        """From the time that this one waits until. False, and nothing is changed, where somebody else has changed that meanwhile."""

    def parked(self, conversation_id: ConversationId, at_most: int) -> list[Parked]:
        """The first ones, in the order of `seq`."""

    def unpark(self, conversation_id: ConversationId, outbound_ids: Collection[EventId]) -> None:
        """Delete them. A chat of which nothing is parked then waits no more."""

    def keep_waiting(self, rows: Sequence[Waiting]) -> None:
        """Keep all of them or none. Nothing is kept for a chat that is gone, and of a position the first one."""

    def waiting(self, conversation_id: ConversationId, at_most: int) -> list[Waiting]:
        """The first ones, in the order of `position`."""

    def drop_waiting(self, conversation_id: ConversationId, positions: Collection[int]) -> None: ...

    def waiting_chats(self, tenant: TenantId, channel: Channel) -> list[Chat]:
        """Those of which something waits to be taken in."""

    def forget_deliveries(self, before: datetime, at_most: int) -> int:
        """Delete those that last changed before `before`; returns how many."""
