"""Connectors' chats and deliveries on the store's connections."""

from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import datetime

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import IntegrityError

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import delete_older, in_parts, put
from parley.backends.sql.engine import reading, writing
from parley.ports.channels import Chat, Delivery, DeliveryState
from schemas.base import ConversationId, EventId, TenantId
from schemas.parts import Channel

C = t.chats.c
D = t.deliveries.c


class SqlChannels:
    """Implements `parley.ports.channels.ChannelStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open_chat(self, chat: Chat) -> Chat:
        ours = (C.tenant == chat.tenant) & (C.channel == chat.channel) & (C.address == chat.address)
        with writing(self._engine) as connection:
            put(connection, t.chats, [asdict(chat)], "keep")
            return Chat(*connection.execute(select(t.chats).where(ours)).one())

    def chat(self, tenant: TenantId, channel: Channel, address: str) -> Chat | None:
        ours = (C.tenant == tenant) & (C.channel == channel) & (C.address == address)
        with reading(self._engine) as connection:
            row = connection.execute(select(t.chats).where(ours)).first()
        return None if row is None else Chat(*row)

    def chat_of(self, conversation_id: ConversationId) -> Chat | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(t.chats).where(C.conversation_id == conversation_id)).first()
        return None if row is None else Chat(*row)

    def set_language(self, conversation_id: ConversationId, language: str | None) -> None:
        with writing(self._engine) as connection:
            connection.execute(
                update(t.chats).where(C.conversation_id == conversation_id).values(language=language)
            )

    def set_closed(self, conversation_id: ConversationId, reason: str | None) -> bool:
        ours = (C.conversation_id == conversation_id) & C.closed.is_distinct_from(reason)
        with writing(self._engine) as connection:
            return connection.execute(update(t.chats).where(ours).values(closed=reason)).rowcount > 0

    def move_chat(self, conversation_id: ConversationId, address: str) -> None:
        ours = C.conversation_id == conversation_id
        with writing(self._engine) as connection:
            try:
                with connection.begin_nested():
                    connection.execute(update(t.chats).where(ours).values(address=address))
            except IntegrityError:
                return

    def begin_delivery(self, delivery: Delivery) -> Delivery:
        ours = (D.outbound_id == delivery.outbound_id) & (D.part == delivery.part)
        with writing(self._engine) as connection:
            put(connection, t.deliveries, [asdict(delivery)], "keep")
            return Delivery(*connection.execute(select(t.deliveries).where(ours)).one())

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
        as_it_was = (
            (D.outbound_id == delivery.outbound_id)
            & (D.part == delivery.part)
            & (D.state == delivery.state)
            & (D.sender == delivery.sender)
        )
        now = replace(
            delivery,
            state=state,
            changed_at=at,
            sender=sender or delivery.sender,
            external_id=external_id,
            reason=reason,
        )
        with writing(self._engine) as connection:
            changed = connection.execute(update(t.deliveries).where(as_it_was).values(**asdict(now)))
            return now if changed.rowcount else None

    def deliveries(self, outbound_ids: Collection[EventId]) -> list[Delivery]:
        found: list[Delivery] = []
        with reading(self._engine) as connection:
            for part in in_parts(outbound_ids):
                rows = connection.execute(select(t.deliveries).where(D.outbound_id.in_(part)))
                found += [Delivery(*row) for row in rows]
        return sorted(found, key=lambda each: (each.outbound_id, each.part))

    def forget_deliveries(self, before: datetime, at_most: int) -> int:
        with writing(self._engine) as connection:
            return connection.execute(delete_older(D.changed_at, before, at_most)).rowcount
