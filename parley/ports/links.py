"""Customers whom a human agent knows to be the same person, on two channels say. Never by guess: each link has somebody who made it.

Part of the store; one contract suite holds every backend. Every method may raise `StoreUnavailable`. All are thread-safe.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, Self

from schemas.base import CustomerId, TenantId


@dataclass(frozen=True, slots=True)
class Link:
    """Of two customers of one tenant; `customer_id` is the smaller id, so that a link has one spelling."""

    tenant: TenantId
    customer_id: CustomerId
    linked_id: CustomerId
    by: str
    at: datetime

    @classmethod
    def of(cls, tenant: TenantId, one: CustomerId, other: CustomerId, by: str, at: datetime) -> Self:
        first, second = sorted((one, other))
        return cls(tenant, first, second, by, at)


class LinkStore(Protocol):
    def link(self, link: Link) -> bool:
        """False, and nothing is changed, where the two are linked already."""

    def unlink(self, tenant: TenantId, one: CustomerId, other: CustomerId) -> bool:
        """Whether they were linked."""

    def links(self, tenant: TenantId, customers: Collection[CustomerId]) -> list[Link]:
        """Those that name any of these, in the order of their ids."""
