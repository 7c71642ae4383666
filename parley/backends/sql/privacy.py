"""The `PrivacyStore` part: what is held about a customer, found and purged by the tables' columns.

A table holds something of a customer's when it has the columns `tenant` and `customer_id`, or a conversation's id
(`conversation_id`, `state_key`); whatever is added with one of them is exported and purged without another line of code. What must
stay is named in `KEPT` with its reason, and a test demands a decision for every table.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Engine, Table, delete, or_, select, tuple_

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import in_parts, put
from parley.backends.sql.engine import reading, writing
from parley.ports.keys import Erasure
from parley.ports.store import AuditEntry
from schemas.base import ConversationId, CustomerId, TenantId

CUSTOMER_COLUMNS = ("customer_id", "linked_id")
"""A row is everybody's who stands in one of these: it goes with the first of them."""
CONVERSATION_COLUMNS = ("conversation_id", "state_key")
"""A column of one of these names holds a conversation's id; a decider with another key than that has no customer's state."""

KEPT: Mapping[str, str] = {
    "partitions": "how far each worker has read; no customer's",
    "attempts": "positions in the log; no customer's",
    "skips": "positions in the log; a replay honours them",
    "seen": "ids of events, forgotten when no record can repeat them any more",
    "outbox": "sealed records on their way to the bus; they leave within seconds, and what is in them is sealed",
    "tenants": "the tenant's own",
    "tenant_versions": "the tenant's own",
    "access_keys": "the tenant's own",
    "adapters": "which files hold a tenant's adapters; no customer's",
    "adapter_pointers": "which adapter was live when; no customer's",
    "erased_customers": "the list that a restored backup applies again",
    "audit": "who did what, by ids",
    "customer_keys": "the key store's: `KeyStore.erase` deletes the key",
    "erasures": "the list that a restored backup applies again",
}
"""Tables that a purge leaves alone, and why."""


def customer_tables() -> list[Table]:
    """Tables of the store whose rows name their customer."""
    return [
        table for table in t.metadata.sorted_tables if table.name not in KEPT and "customer_id" in table.c
    ]


def conversation_tables() -> dict[Table, Column[Any]]:
    """Tables of the store whose rows name only their conversation, with that column."""
    found = {}
    for table in t.metadata.sorted_tables:
        column = next((table.c[name] for name in CONVERSATION_COLUMNS if name in table.c), None)
        if column is not None and table.name not in KEPT and "customer_id" not in table.c:
            found[table] = column
    return found


@cache
def conversation_columns() -> dict[Table, Column[Any]]:
    """Every table with a conversation's id, and that column: what goes with a conversation that its customer took along."""
    named = {table: table.c.conversation_id for table in customer_tables() if "conversation_id" in table.c}
    return {**conversation_tables(), **named}


class Privacy:
    """`_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def list_erasures(self, erasures: Iterable[Erasure]) -> None:
        with writing(self._engine) as connection:
            put(connection, t.erased_customers, (each._asdict() for each in erasures), "keep")

    def erasures(self) -> list[Erasure]:
        columns = t.erased_customers.c
        query = select(columns.tenant, columns.customer_id, columns.erased_at)
        with reading(self._engine) as connection:
            return [Erasure(*row) for row in connection.execute(query.order_by(columns.erased_at))]

    def conversations_of(self, tenant: TenantId, customer: CustomerId) -> list[ConversationId]:
        with reading(self._engine) as connection:
            return sorted(_conversations(connection, [(tenant, customer)]))

    def held(self, tenant: TenantId, customer: CustomerId) -> dict[str, list[dict[str, Any]]]:
        names = self.conversations_of(tenant, customer)
        found = {}
        with reading(self._engine) as connection:
            for table, ours in _conditions([(tenant, customer)], names):
                found[table.name] = [row._asdict() for row in connection.execute(select(table).where(ours))]
        return found

    def purge(self, customers: Iterable[tuple[TenantId, CustomerId]]) -> dict[str, int]:
        gone: dict[str, int] = {}
        for part in in_parts(customers, 500):
            with writing(self._engine) as connection:
                for table, theirs in _conditions(part, _conversations(connection, part)):
                    count = connection.execute(delete(table).where(theirs)).rowcount
                    gone[table.name] = gone.get(table.name, 0) + count
        return gone

    def note(self, entry: AuditEntry) -> None:
        row = {**entry._asdict(), "details": json.dumps(entry.details, sort_keys=True)}
        with writing(self._engine) as connection:
            connection.execute(t.audit.insert(), [row])

    def noted(self, tenant: TenantId | None = None) -> list[AuditEntry]:
        query = select(t.audit).order_by(t.audit.c.audit_id)
        if tenant is not None:
            query = query.where(t.audit.c.tenant == tenant)
        with reading(self._engine) as connection:
            return [
                AuditEntry(
                    row.at, row.actor, row.action, row.tenant, row.customer_id, json.loads(row.details)
                )
                for row in connection.execute(query)
            ]


def _conversations(
    connection: Connection, customers: Sequence[tuple[TenantId, CustomerId]]
) -> set[ConversationId]:
    """Every conversation that a row of these customers names."""
    found: set[ConversationId] = set()
    for table in customer_tables():
        if "conversation_id" in table.c:
            theirs = tuple_(table.c.tenant, table.c.customer_id).in_(customers)
            found.update(connection.scalars(select(table.c.conversation_id).where(theirs).distinct()))
    return found


def _conditions(
    customers: Sequence[tuple[TenantId, CustomerId]], conversations: Iterable[ConversationId]
) -> Iterator[tuple[Table, Any]]:
    """Each table with the condition that tells which of its rows are these customers'."""
    parts = list(in_parts(conversations))
    for table, column in conversation_tables().items():
        yield table, or_(False, *(column.in_(part) for part in parts))
    for table in customer_tables():
        columns = [table.c[name] for name in CUSTOMER_COLUMNS if name in table.c]
        yield table, or_(*(tuple_(table.c.tenant, column).in_(customers) for column in columns))
