"""Links of customers on the store's connections."""

from collections.abc import Collection
from dataclasses import asdict

from sqlalchemy import Engine, delete, or_, select

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import in_parts, put
from parley.backends.sql.engine import reading, writing
from parley.ports.links import Link
from schemas.base import CustomerId, TenantId

L = t.customer_links.c


class SqlLinks:
    """Implements `parley.ports.links.LinkStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def link(self, link: Link) -> bool:
        with writing(self._engine) as connection:
            return put(connection, t.customer_links, [asdict(link)], "keep") > 0

    def unlink(self, tenant: TenantId, one: CustomerId, other: CustomerId) -> bool:
        first, second = sorted((one, other))
        ours = (L.tenant == tenant) & (L.customer_id == first) & (L.linked_id == second)
        with writing(self._engine) as connection:
            return connection.execute(delete(t.customer_links).where(ours)).rowcount > 0

    def links(self, tenant: TenantId, customers: Collection[CustomerId]) -> list[Link]:
        found: set[Link] = set()
        with reading(self._engine) as connection:
            for part in in_parts(customers):
                named = or_(L.customer_id.in_(part), L.linked_id.in_(part))
                rows = connection.execute(select(t.customer_links).where(L.tenant == tenant, named))
                found.update(Link(*row) for row in rows)
        return sorted(found, key=lambda each: (each.customer_id, each.linked_id))
