"""Files that customers have sent: sealed with the customer's own key, known by a digest that tells nothing to whoever lacks that key."""

from collections.abc import Collection, Mapping
from typing import Protocol

from schemas.base import CustomerId, TenantId


class MediaStore(Protocol):
    """One contract suite holds every backend. Every method may raise `StoreUnavailable`. All are thread-safe."""

    def put(self, tenant: TenantId, customer: CustomerId, content: bytes) -> str:
        """Keep it; when this returns it outlives a crash. Returns its digest (HMAC-SHA-256 under the customer's key, 64 hexadecimal
        digits): the same content of the same customer has the same one, and is kept once. Raises `KeyErased`.
        """

    def get(self, tenant: TenantId, customer: CustomerId, digest: str) -> bytes | None:
        """None where there is no such file. Raises `KeyErased`, and `InvalidEvent` for one that was damaged or put in another's place."""

    def held(self, tenant: TenantId, customer: CustomerId) -> Mapping[str, int]:
        """By digest, how many bytes are stored; also of a customer whose key is gone."""

    def erase(self, customers: Collection[tuple[TenantId, CustomerId]]) -> int:
        """Delete all files of these; returns how many there were."""
