"""Connectors' chats and deliveries on the store's connections."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, bindparam, delete, func, select, update
from sqlalchemy.exc import IntegrityError

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import delete_older, in_parts, put
from parley.backends.sql.engine import reading, writing
from parley.backends.sql.rows import pack_headers, unpack_headers
from parley.ports.channels import Chat, Delivery, DeliveryState, Parked, Waiting
from schemas.base import ConversationId, EventId, TenantId
from schemas.parts import Channel

C = t.chats.c
D = t.deliveries.c
P = t.parked.c
W = t.waiting.c
WAIT = (
    update(t.chats)
    .where(C.conversation_id == bindparam("b_name"))
    .values(waits_until=func.coalesce(C.waits_until, bindparam("b_until", type_=t.Utc())))
)


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

    def park(self, rows: Sequence[Parked], until: Mapping[ConversationId, datetime]) -> None:
        """The chats' rows are locked first, by all in one order: who has emptied a chat waits, and sees what was added."""
        waits = [{"b_name": name, "b_until": until[name]} for name in sorted(until)]
        with writing(self._engine) as connection:
            connection.execute(WAIT, waits)
            there: set[str] = set()
            for part in in_parts(until):
                there |= set(connection.scalars(select(C.conversation_id).where(C.conversation_id.in_(part))))
            kept = (row for row in rows if row.conversation_id in there)
            put(
                connection,
                t.parked,
                ({**asdict(row), "headers": pack_headers(row.headers)} for row in kept),
                "keep",
            )

    def take_due(
        self,
        channel: Channel,
        now: datetime,
        until: datetime,
        at_most: int,
        without: Collection[TenantId] = (),
    ) -> list[Chat]:
        due = (
            select(C.conversation_id)
            .where(C.channel == channel, C.waits_until <= now, C.tenant.not_in(without))
            .order_by(C.waits_until)
            .limit(at_most)
            .with_for_update(skip_locked=True)
        )
        take = update(t.chats).where(C.conversation_id.in_(due)).values(waits_until=until)
        with writing(self._engine) as connection:
            return [Chat(*row) for row in connection.execute(take.returning(*C))]

    def postpone(self, chat: Chat, until: datetime) -> bool:
        ours = (C.conversation_id == chat.conversation_id) & (C.waits_until == chat.waits_until)
        with writing(self._engine) as connection:
            return connection.execute(update(t.chats).where(ours).values(waits_until=until)).rowcount > 0

    def parked(self, conversation_id: ConversationId, at_most: int) -> list[Parked]:
        first = select(t.parked).where(P.conversation_id == conversation_id)
        with reading(self._engine) as connection:
            rows = connection.execute(first.order_by(P.seq, P.outbound_id).limit(at_most))
            return [_parked(row) for row in rows]

    def unpark(self, conversation_id: ConversationId, outbound_ids: Collection[EventId]) -> None:
        ours = C.conversation_id == conversation_id
        with writing(self._engine) as connection:
            connection.execute(select(C.conversation_id).where(ours).with_for_update())
            for part in in_parts(outbound_ids):
                connection.execute(delete(t.parked).where(P.outbound_id.in_(part)))
            left = select(P.outbound_id).where(P.conversation_id == conversation_id).limit(1)
            if connection.execute(left).first() is None:
                connection.execute(update(t.chats).where(ours).values(waits_until=None))

    def keep_waiting(self, rows: Sequence[Waiting]) -> None:
        """The chats' rows are locked: an erasure of one waits, and finds what was added."""
        names = {row.conversation_id for row in rows}
        there: set[str] = set()
        with writing(self._engine) as connection:
            for part in in_parts(names):
                held = select(C.conversation_id).where(C.conversation_id.in_(part))
                there |= set(connection.scalars(held.order_by(C.conversation_id).with_for_update()))
            kept = (asdict(row) for row in rows if row.conversation_id in there)
            put(connection, t.waiting, kept, "keep")

    def waiting(self, conversation_id: ConversationId, at_most: int) -> list[Waiting]:
        first = select(t.waiting).where(W.conversation_id == conversation_id).order_by(W.position)
        with reading(self._engine) as connection:
            rows = connection.execute(first.limit(at_most))
            return [Waiting(**{**row._mapping, "value": bytes(row.value)}) for row in rows]

    def drop_waiting(self, conversation_id: ConversationId, positions: Collection[int]) -> None:
        ours = W.conversation_id == conversation_id
        with writing(self._engine) as connection:
            for part in in_parts(positions):
                connection.execute(delete(t.waiting).where(ours, W.position.in_(part)))

    def waiting_chats(self, tenant: TenantId, channel: Channel) -> list[Chat]:
        names = select(W.conversation_id).where(W.tenant == tenant, W.channel == channel).distinct()
        chats = select(t.chats).where(C.conversation_id.in_(names)).order_by(C.opened_at, C.address)
        with reading(self._engine) as connection:
            return [Chat(*row) for row in connection.execute(chats)]

    def forget_deliveries(self, before: datetime, at_most: int) -> int:
        with writing(self._engine) as connection:
            return connection.execute(delete_older(D.changed_at, before, at_most)).rowcount


def _parked(row: Row[Any]) -> Parked:
    return Parked(**{**row._mapping, "headers": unpack_headers(row.headers), "value": bytes(row.value)})
