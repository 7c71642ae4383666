"""Links of customers in a dictionary: part of the store in memory."""

from collections.abc import Collection
from dataclasses import asdict
from threading import Lock
from typing import Any

from parley.ports.links import Link
from schemas.base import CustomerId, TenantId


class MemoryLinks:
    """Implements `parley.ports.links.LinkStore`."""

    def __init__(self) -> None:
        self._links: dict[tuple[str, str, str], Link] = {}
        self._lock = Lock()

    def link(self, link: Link) -> bool:
        with self._lock:
            return self._links.setdefault((link.tenant, link.customer_id, link.linked_id), link) is link

    def unlink(self, tenant: TenantId, one: CustomerId, other: CustomerId) -> bool:
        first, second = sorted((one, other))
        with self._lock:
            return self._links.pop((tenant, first, second), None) is not None

    def links(self, tenant: TenantId, customers: Collection[CustomerId]) -> list[Link]:
        with self._lock:
            found = [
                each
                for each in self._links.values()
                if each.tenant == tenant and {each.customer_id, each.linked_id} & set(customers)
            ]
        return sorted(found, key=lambda each: (each.customer_id, each.linked_id))

    # -- for the store ------------------------------------------------------------------------------------------------

    def rows(self, tenant: TenantId, customer: CustomerId) -> list[dict[str, Any]]:
        """As a database's table would have them."""
        return [asdict(each) for each in self.links(tenant, [customer])]

    def drop(self, tenant: TenantId, customer: CustomerId) -> None:
        for each in self.links(tenant, [customer]):
            self.unlink(tenant, each.customer_id, each.linked_id)
