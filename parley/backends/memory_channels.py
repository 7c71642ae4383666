"""Connectors' chats and deliveries in dictionaries: part of the store in memory."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any

from parley.ports.channels import Chat, Delivery, DeliveryState
from schemas.base import ConversationId, CustomerId, EventId, TenantId
from schemas.parts import Channel


class MemoryChannels:
    """Implements `parley.ports.channels.ChannelStore`."""

    def __init__(self) -> None:
        self._chats: dict[tuple[str, str, str], Chat] = {}
        self._deliveries: dict[tuple[str, int], Delivery] = {}
        self._lock = Lock()

    def open_chat(self, chat: Chat) -> Chat:
        with self._lock:
            return self._chats.setdefault((chat.tenant, chat.channel, chat.address), chat)

    def chat(self, tenant: TenantId, channel: Channel, address: str) -> Chat | None:
        with self._lock:
            return self._chats.get((tenant, channel, address))

    def chat_of(self, conversation_id: ConversationId) -> Chat | None:
        with self._lock:
            return self._of(conversation_id)

    def set_language(self, conversation_id: ConversationId, language: str | None) -> None:
        with self._lock:
            self._change(conversation_id, language=language)

    def set_closed(self, conversation_id: ConversationId, reason: str | None) -> bool:
        with self._lock:
            found = self._of(conversation_id)
            if found is None or found.closed == reason:
                return False
            self._change(conversation_id, closed=reason)
            return True

    def move_chat(self, conversation_id: ConversationId, address: str) -> None:
        with self._lock:
            found = self._of(conversation_id)
            if found is not None and (found.tenant, found.channel, address) not in self._chats:
                del self._chats[found.tenant, found.channel, found.address]
                self._chats[found.tenant, found.channel, address] = replace(found, address=address)

    def begin_delivery(self, delivery: Delivery) -> Delivery:
        with self._lock:
            return self._deliveries.setdefault((delivery.outbound_id, delivery.part), delivery)

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
        with self._lock:
            held = self._deliveries.get((delivery.outbound_id, delivery.part))
            if held is None or (held.state, held.sender) != (delivery.state, delivery.sender):
                return None
            now = self._deliveries[delivery.outbound_id, delivery.part] = replace(
                held,
                state=state,
                changed_at=at,
                sender=sender or held.sender,
                external_id=external_id,
                reason=reason,
            )
            return now

    def deliveries(self, outbound_ids: Collection[EventId]) -> list[Delivery]:
        with self._lock:
            found = [each for each in self._deliveries.values() if each.outbound_id in outbound_ids]
        return sorted(found, key=lambda each: (each.outbound_id, each.part))

    def forget_deliveries(self, before: datetime, at_most: int) -> int:
        with self._lock:
            old = (at for at, each in self._deliveries.items() if each.changed_at < before)
            gone = list(islice(old, at_most))
            for at in gone:
                del self._deliveries[at]
        return len(gone)

    # -- for the store ------------------------------------------------------------------------------------------------

    def conversations_of(self, tenant: TenantId, customer: CustomerId) -> set[ConversationId]:
        with self._lock:
            rows: list[Chat | Delivery] = [*self._chats.values(), *self._deliveries.values()]
        return {r.conversation_id for r in rows if (r.tenant, r.customer_id) == (tenant, customer)}

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """As a database's tables would have them."""
        with self._lock:
            return {
                "chats": [asdict(each) for each in self._chats.values()],
                "deliveries": [asdict(each) for each in self._deliveries.values()],
            }

    def drop(self, conversations: Collection[str]) -> None:
        with self._lock:
            self._chats = {
                at: each for at, each in self._chats.items() if each.conversation_id not in conversations
            }
            self._deliveries = {
                at: each for at, each in self._deliveries.items() if each.conversation_id not in conversations
            }

    def _of(self, conversation_id: ConversationId) -> Chat | None:
        return next((each for each in self._chats.values() if each.conversation_id == conversation_id), None)

    def _change(self, conversation_id: ConversationId, **values: str | None) -> None:
        found = self._of(conversation_id)
        if found is not None:
            self._chats[found.tenant, found.channel, found.address] = replace(found, **values)  # type: ignore[arg-type]  # fields that may be None
