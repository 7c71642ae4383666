"""Erasing a customer: listed first, then the key goes, then, once no process can use it any more, files, rows and the key's bytes.

Every step may be repeated, so an erasure that was interrupted is run again from the start. The list stands in both databases: where
one of them is restored from a backup, the other one still tells who was erased.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from parley.ports.keys import KEY_HELD_S, CustomerKeys, Erasure
from parley.ports.media import MediaStore
from parley.ports.store import AuditEntry, PrivacyStore
from schemas.base import CustomerId, TenantId

SETTLE_S = KEY_HELD_S + 5.0
"""After so long no process holds the key any more, and what was sealed with it until then is written."""

Step = Callable[[str], AbstractContextManager[None]]
"""Says what is being done meanwhile."""


@dataclass(frozen=True, slots=True)
class ErasedCustomer:
    """`first_at` is when the customer was erased for the first time; `rows` tells by table what went now, `files` how many files.

    `left` names bytes of the key that the database could not clear away, and why.
    """

    tenant: TenantId
    customer_id: CustomerId
    first_at: datetime
    rows: Mapping[str, int]
    files: int
    left: str | None


@dataclass(frozen=True, slots=True)
class Reapplied:
    """How many customers the list has, how many of their keys were there again, and what rows and files went."""

    listed: int
    keys: int
    rows: Mapping[str, int] = field(default_factory=dict)
    left: str | None = None
    files: int = 0


def is_known(store: PrivacyStore, keys: CustomerKeys, tenant: TenantId, customer: CustomerId) -> bool:
    """Whether the tenant has, or had, such a customer. Raises `StoreUnavailable`."""
    if keys.made_at(tenant, customer) is not None or erased_at(store, keys, tenant, customer) is not None:
        return True
    return bool(store.conversations_of(tenant, customer))


def erased_at(
    store: PrivacyStore, keys: CustomerKeys, tenant: TenantId, customer: CustomerId
) -> datetime | None:
    """When the customer was erased for the first time, by either list."""
    return _listed(store, keys).get((tenant, customer))


def begin(
    store: PrivacyStore, keys: CustomerKeys, tenant: TenantId, customer: CustomerId, now: datetime
) -> None:
    """What makes it certain: listed, so that the next tidying takes up whatever is left undone, and without a key. Raises `StoreUnavailable`."""
    store.list_erasures([Erasure(tenant, customer, now)])
    keys.erase(tenant, customer)


def erase(
    store: PrivacyStore,
    keys: CustomerKeys,
    media: MediaStore,
    tenant: TenantId,
    customer: CustomerId,
    *,
    now: datetime,
    actor: str,
    wait: Callable[[float], object],
    step: Step,
) -> ErasedCustomer:
    """Raises `StoreUnavailable`; whatever was done by then stays done, and the call may be repeated."""
    with step("the key"):
        begin(store, keys, tenant, customer, now)
    with step(f"waiting {SETTLE_S:g} s until no process holds the key"):
        wait(SETTLE_S)
    with step("files"):
        files = media.erase([(tenant, customer)])
    with step("rows"):
        rows = store.purge([(tenant, customer)])
    with step("the key's bytes"):
        left = keys.wipe()
    gone = {table: count for table, count in rows.items() if count}
    details = {"rows": gone, "files": files, "left": left}
    store.note(AuditEntry(now, actor, "privacy.erase", tenant, customer, details))
    return ErasedCustomer(tenant, customer, _listed(store, keys)[tenant, customer], rows, files, left)


def everybody(store: PrivacyStore, keys: CustomerKeys) -> list[Erasure]:
    """Both lists as one, the earliest first. Raises `StoreUnavailable`."""
    found = [Erasure(*name, at) for name, at in _listed(store, keys).items()]
    return sorted(found, key=lambda each: each.erased_at)


def reapply(
    store: PrivacyStore, keys: CustomerKeys, media: MediaStore, more: Iterable[Erasure] = ()
) -> Reapplied:
    """Erase again everybody who stands in one of the lists or among `more`: after a backup was restored. Raises `StoreUnavailable`."""
    listed = _listed(store, keys, more)
    erasures = [Erasure(tenant, customer, at) for (tenant, customer), at in listed.items()]
    store.list_erasures(erasures)
    taken = keys.apply_erasures(erasures)
    left = keys.wipe() if taken else None
    rows = store.purge(listed)
    return Reapplied(len(erasures), taken, rows, left, media.erase(list(listed)))


def _listed(
    store: PrivacyStore, keys: CustomerKeys, more: Iterable[Erasure] = ()
) -> dict[tuple[TenantId, CustomerId], datetime]:
    """Both lists as one, each customer with the earliest time."""
    found: dict[tuple[TenantId, CustomerId], datetime] = {}
    for each in (*store.erasures(), *keys.erasures(), *more):
        name = each.tenant, each.customer_id
        found[name] = min(each.erased_at, found.get(name, each.erased_at))
    return found
