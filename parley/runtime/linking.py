"""One person under several customers' ids, as human agents have linked them. Each keeps a key of its own; no text moves."""

from parley.domain.readmodel import ConversationRow
from parley.ports.links import Link
from parley.ports.store import Store
from schemas.base import CustomerId, TenantId


def links_of(store: Store, tenant: TenantId, customer: CustomerId) -> list[Link]:
    """Every link of the person: the customer's own, and those of whom they lead to. Raises `StoreUnavailable`."""
    known, new, found = {customer}, {customer}, set[Link]()
    while new:
        found.update(store.links.links(tenant, new))
        named = {name for each in found for name in (each.customer_id, each.linked_id)}
        new = named - known
        known |= new
    return sorted(found, key=lambda each: (each.at, each.customer_id, each.linked_id))


def linked_to(store: Store, tenant: TenantId, customer: CustomerId) -> list[CustomerId]:
    """The person's other ids. Raises `StoreUnavailable`."""
    links = links_of(store, tenant, customer)
    return sorted({name for each in links for name in (each.customer_id, each.linked_id)} - {customer})


def conversations_of(store: Store, tenant: TenantId, customer: CustomerId) -> list[ConversationRow]:
    """The person's conversations on every channel, the newest change first. Raises `StoreUnavailable`."""
    return store.conversations_with(tenant, [customer, *linked_to(store, tenant, customer)])
