"""The `ValueStore` part: masked values by their placeholders."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Engine, Row, select, tuple_, update

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import put
from parley.backends.sql.engine import reading, writing
from parley.ports.vault import MaskedValue
from schemas.base import ConversationId, CustomerId, TenantId

V = t.masked_values.c


class Values:
    """`_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def values(self, conversation_id: ConversationId) -> list[MaskedValue]:
        query = select(t.masked_values).where(V.conversation_id == conversation_id).order_by(V.kind, V.number)
        with reading(self._engine) as connection:
            return [_value(row) for row in connection.execute(query)]

    def add_values(self, values: Sequence[MaskedValue]) -> bool:
        return self._put(values, "keep") == len(values)

    def replace_values(self, values: Sequence[MaskedValue]) -> None:
        self._put(values, "replace")

    def forget_originals(self, before: datetime, at_most: int) -> int:
        places = (V.conversation_id, V.kind, V.number)
        over = select(*places).where(V.expires_at < before).limit(at_most)
        statement = (
            update(t.masked_values).where(tuple_(*places).in_(over)).values(sealed=None, expires_at=None)
        )
        with writing(self._engine) as connection:
            return connection.execute(statement).rowcount

    def _put(self, values: Sequence[MaskedValue], taken: Literal["keep", "replace"]) -> int:
        with writing(self._engine) as connection:
            return put(connection, t.masked_values, [asdict(value) for value in values], taken)


def _value(row: Row[Any]) -> MaskedValue:
    return MaskedValue(
        conversation_id=ConversationId(row.conversation_id),
        kind=row.kind,
        number=row.number,
        tenant=TenantId(row.tenant),
        customer_id=CustomerId(row.customer_id),
        digest=bytes(row.digest),
        source=row.source,
        masked_at=row.masked_at,
        sealed=None if row.sealed is None else bytes(row.sealed),
        expires_at=row.expires_at,
    )
