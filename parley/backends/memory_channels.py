"""Connectors' chats and deliveries in dictionaries: part of the store in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from itertools import islice
from threading import Lock
from typing import Any

from parley.ports.channels import Chat, Delivery, DeliveryState, Parked, Waiting
from schemas.base import ConversationId, CustomerId, EventId, TenantId
from schemas.parts import Channel


class MemoryChannels:
    """Implements `parley.ports.channels.ChannelStore`."""

    def __init__(self) -> None:
        self._chats: dict[tuple[str, str, str], Chat] = {}
        self._deliveries: dict[tuple[str, int], Delivery] = {}
        self._names: dict[ConversationId, tuple[str, str, str]] = {}
        self._parked: dict[ConversationId, dict[EventId, Parked]] = {}
        self._arrived: dict[ConversationId, dict[int, Waiting]] = {}
        self._lock = Lock()

    def open_chat(self, chat: Chat) -> Chat:
        at = (chat.tenant, chat.channel, chat.address)
        with self._lock:
            held = self._chats.setdefault(at, chat)
            self._names[held.conversation_id] = at
            return held

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
                at = self._names[conversation_id] = (found.tenant, found.channel, address)
                self._chats[at] = replace(found, address=address)

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

    def park(self, rows: Sequence[Parked], until: Mapping[ConversationId, datetime]) -> None:
        with self._lock:
            there = {name for name in until if name in self._names}
            for name in there:
                found = self._of(name)
                if found is not None and found.waits_until is None:
                    self._change(name, waits_until=until[name])
            for row in rows:
                if row.conversation_id in there:
                    self._parked.setdefault(row.conversation_id, {}).setdefault(row.outbound_id, row)

    def take_due(
        self,
        channel: Channel,
        now: datetime,
        until: datetime,
        at_most: int,
        without: Collection[TenantId] = (),
    ) -> list[Chat]:
        with self._lock:
            due = [
                (each.waits_until, each.conversation_id)
                for each in self._chats.values()
                if each.channel == channel and each.tenant not in without
                if each.waits_until is not None and each.waits_until <= now
            ]
            names = [name for _, name in sorted(due)[:at_most]]
            for name in names:
                self._change(name, waits_until=until)
            return [each for name in names if (each := self._of(name)) is not None]

    def postpone(self, chat: Chat, until: datetime) -> bool:
        with self._lock:
            found = self._of(chat.conversation_id)
            if found is None or found.waits_until != chat.waits_until:
                return False
            self._change(chat.conversation_id, waits_until=until)
            return True

    def parked(self, conversation_id: ConversationId, at_most: int) -> list[Parked]:
        with self._lock:
            ours = self._parked.get(conversation_id, {}).values()
            return sorted(ours, key=lambda each: (each.seq, each.outbound_id))[:at_most]

    def unpark(self, conversation_id: ConversationId, outbound_ids: Collection[EventId]) -> None:
        with self._lock:
            ours = self._parked.get(conversation_id, {})
            for each in outbound_ids:
                ours.pop(each, None)
            if not ours:
                self._parked.pop(conversation_id, None)
                self._change(conversation_id, waits_until=None)

    def keep_waiting(self, rows: Sequence[Waiting]) -> None:
        with self._lock:
            for row in rows:
                if row.conversation_id in self._names:
                    self._arrived.setdefault(row.conversation_id, {}).setdefault(row.position, row)

    def waiting(self, conversation_id: ConversationId, at_most: int) -> list[Waiting]:
        with self._lock:
            ours = self._arrived.get(conversation_id, {}).values()
            return sorted(ours, key=lambda each: each.position)[:at_most]

    def drop_waiting(self, conversation_id: ConversationId, positions: Collection[int]) -> None:
        with self._lock:
            ours = self._arrived.get(conversation_id, {})
            for each in positions:
                ours.pop(each, None)
            if not ours:
                self._arrived.pop(conversation_id, None)

    def waiting_chats(self, tenant: TenantId, channel: Channel) -> list[Chat]:
        with self._lock:
            found = [each for name in self._arrived if (each := self._of(name)) is not None]
        ours = (each for each in found if (each.tenant, each.channel) == (tenant, channel))
        return sorted(ours, key=lambda each: (each.opened_at, each.address))

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
            parked = (each for rows in self._parked.values() for each in rows.values())
            waiting = (each for rows in self._arrived.values() for each in rows.values())
            rows: list[Chat | Delivery | Parked | Waiting] = [
                *self._chats.values(),
                *self._deliveries.values(),
                *parked,
                *waiting,
            ]
        return {r.conversation_id for r in rows if (r.tenant, r.customer_id) == (tenant, customer)}

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """As a database's tables would have them."""
        with self._lock:
            return {
                "chats": [asdict(each) for each in self._chats.values()],
                "deliveries": [asdict(each) for each in self._deliveries.values()],
                "parked": [asdict(each) for rows in self._parked.values() for each in rows.values()],
                "waiting": [asdict(each) for rows in self._arrived.values() for each in rows.values()],
            }

    def drop(self, conversations: Collection[str]) -> None:
        with self._lock:
            for at in [at for at, each in self._chats.items() if each.conversation_id in conversations]:
                del self._names[self._chats.pop(at).conversation_id]
            self._deliveries = {
                at: each for at, each in self._deliveries.items() if each.conversation_id not in conversations
            }
            for name in conversations:
                self._parked.pop(ConversationId(name), None)
                self._arrived.pop(ConversationId(name), None)

    def _of(self, conversation_id: ConversationId) -> Chat | None:
        at = self._names.get(conversation_id)
        return None if at is None else self._chats[at]

    def _change(self, conversation_id: ConversationId, **values: Any) -> None:
        found = self._of(conversation_id)
        if found is not None:
            self._chats[found.tenant, found.channel, found.address] = replace(found, **values)
