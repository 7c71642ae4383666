"""The key store: one key a customer, in a store of its own, so that erasing it erases every text sealed with it."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple, Protocol

from schemas.base import CustomerId, TenantId

KEY_BYTES = 32
"""AES-SIV with a 256-bit key, i.e. AES-128 in both halves (RFC 5297)."""

KEY_HELD_S = 10.0
"""How long a process may go on with a key that it has looked up: so long after an erasure texts may still be sealed and opened."""


class KeyStore(Protocol):
    def create(self, tenant: TenantId, customer: CustomerId) -> bytes:
        """The customer's key; made at the first call, the same one ever after. Raises `KeyErased`, `StoreUnavailable`."""

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        """Raises `KeyErased` where the key was erased or never existed; `StoreUnavailable`."""

    def erase(self, tenant: TenantId, customer: CustomerId) -> None:
        """Forget the key for good; the erasure stays listed, so that a restored backup applies it again."""

    def close(self) -> None:
        """Free every connection. Idempotent."""


class Erasure(NamedTuple):
    """Who was erased, and when for the first time."""

    tenant: TenantId
    customer_id: CustomerId
    erased_at: datetime


class CustomerKeys(KeyStore, Protocol):
    """What whoever erases and exports needs besides. Every method may raise `StoreUnavailable`."""

    def made_at(self, tenant: TenantId, customer: CustomerId) -> datetime | None:
        """When the key was made, which is before anything was sealed with it; None where there is no key (any more)."""

    def erasures(self) -> list[Erasure]:
        """Everybody who was erased, the earliest first."""

    def apply_erasures(self, listed: Iterable[Erasure] = ()) -> int:
        """List these too, and erase again whoever stands in the list. Returns how many keys that took."""

    def wipe(self) -> str | None:
        """Clear erased keys' bytes out of the database's files. Returns what could not be cleared and why, None where all was."""

    def forget(self) -> None:
        """Let go of what is only remembered to be faster, as far as its time is over."""
