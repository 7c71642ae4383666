"""The key store: one key a customer, in a store of its own, so that erasing it erases every text sealed with it."""

from typing import Protocol

from schemas.base import CustomerId, TenantId

KEY_BYTES = 32
"""AES-SIV with a 256-bit key, i.e. AES-128 in both halves (RFC 5297)."""


class KeyStore(Protocol):
    def create(self, tenant: TenantId, customer: CustomerId) -> bytes:
        """The customer's key; made at the first call, the same one ever after. Raises `KeyErased`, `StoreUnavailable`."""

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        """Raises `KeyErased` where the key was erased or never existed; `StoreUnavailable`."""

    def erase(self, tenant: TenantId, customer: CustomerId) -> None:
        """Forget the key for good; the erasure stays listed, so that a restored backup applies it again."""

    def close(self) -> None:
        """Free every connection. Idempotent."""
