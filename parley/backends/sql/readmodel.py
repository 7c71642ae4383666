"""The `ReadModel` part: lists and histories."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, delete, func, select

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import Writes, in_parts
from parley.backends.sql.engine import reading, writing
from parley.backends.sql.rows import CONVERSATION, add_history, add_projections, unpack_headers
from parley.domain.readmodel import ConversationRow, DeliveryRow, FeedbackRow, Projection, newest
from parley.ports.store import HistoryRow
from schemas.base import ConversationId, CustomerId, EventId, TenantId


class Reads:
    """`_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def conversation(self, conversation_id: ConversationId) -> ConversationRow | None:
        query = select(t.conversations).where(t.conversations.c.conversation_id == conversation_id)
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _conversation(row)

    def conversations(
        self, tenant: TenantId | None, *, status: str | None = None, limit: int = 100
    ) -> list[ConversationRow]:
        columns = t.conversations.c
        query = (
            select(t.conversations).order_by(columns.updated_at.desc(), columns.conversation_id).limit(limit)
        )
        if tenant is not None:
            query = query.where(columns.tenant == tenant)
        if status is not None:
            query = query.where(columns.status == status)
        with reading(self._engine) as connection:
            return [_conversation(row) for row in connection.execute(query)]

    def conversations_by_id(
        self,
        tenant: TenantId,
        *,
        after: ConversationId | None = None,
        since: datetime | None = None,
        channel: str | None = None,
        limit: int = 500,
    ) -> list[ConversationRow]:
        columns = t.conversations.c
        # SQLite would go by the index of tenants, and sort all of the tenant's conversations anew for each page.
        by_id = self._engine.dialect.name == "sqlite"
        query = (
            select(t.conversations)
            .where((columns.tenant.concat("") if by_id else columns.tenant) == tenant)
            .where(columns.conversation_id > (after or ""))
            .order_by(columns.conversation_id)
            .limit(limit)
        )
        if since is not None:
            query = query.where(columns.updated_at >= since)
        if channel is not None:
            query = query.where(columns.channel == channel)
        with reading(self._engine) as connection:
            return [_conversation(row) for row in connection.execute(query)]

    def conversations_with(
        self, tenant: TenantId, customers: Collection[CustomerId]
    ) -> list[ConversationRow]:
        columns = t.conversations.c
        found: list[ConversationRow] = []
        with reading(self._engine) as connection:
            for part in in_parts(customers):
                theirs = (columns.tenant == tenant) & columns.customer_id.in_(part)
                rows = connection.execute(select(t.conversations).where(theirs))
                found += [_conversation(row) for row in rows]
        return sorted(found, key=lambda row: (row.updated_at, row.conversation_id), reverse=True)

    def history(
        self, conversation_id: ConversationId, *, after_seq: int = 0, limit: int = 500
    ) -> list[HistoryRow]:
        columns = t.history.c
        query = (
            select(t.history)
            .where(columns.conversation_id == conversation_id, columns.seq > after_seq)
            .order_by(columns.seq)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return [_history(row) for row in connection.execute(query)]

    def open_messages(self) -> dict[TenantId, int]:
        columns = t.conversations.c
        query = (
            select(columns.tenant, func.sum(columns.open_messages))
            .where(columns.open_messages > 0)
            .group_by(columns.tenant)
        )
        with reading(self._engine) as connection:
            return {TenantId(tenant): int(count) for tenant, count in connection.execute(query)}

    def feedback(self, conversation_id: ConversationId) -> list[FeedbackRow]:
        query = (
            select(t.feedback)
            .where(t.feedback.c.conversation_id == conversation_id)
            .order_by(t.feedback.c.given_at)
        )
        with reading(self._engine) as connection:
            return [FeedbackRow(**row._asdict()) for row in connection.execute(query)]

    def deliveries(self, conversation_id: ConversationId) -> list[DeliveryRow]:
        told = select(t.delivery_states).where(t.delivery_states.c.conversation_id == conversation_id)
        with reading(self._engine) as connection:
            return newest(DeliveryRow(**row._asdict()) for row in connection.execute(told))

    def rewrite(
        self,
        conversations: Iterable[ConversationId],
        history: Iterable[HistoryRow],
        projections: Iterable[Projection],
    ) -> None:
        names = list(conversations)
        writes = Writes()
        add_history(writes, history)
        add_projections(writes, projections)
        with writing(self._engine) as connection:
            for table in (t.history, t.conversations, t.delivery_states):
                connection.execute(delete(table).where(table.c.conversation_id.in_(names)))
            writes.run(connection)


def _conversation(row: Row[Any]) -> ConversationRow:
    return ConversationRow(**{name: getattr(row, name) for name in CONVERSATION})


def _history(row: Row[Any]) -> HistoryRow:
    return HistoryRow(
        conversation_id=ConversationId(row.conversation_id),
        seq=row.seq,
        epoch=row.epoch,
        event_id=EventId(row.event_id),
        type=row.type,
        audience=row.audience,
        occurred_at=row.occurred_at,
        headers=unpack_headers(row.headers),
        value=bytes(row.value),
    )
