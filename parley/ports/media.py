"""Files that customers have sent: sealed with the customer's own key, stored under names that tell nothing to whoever lacks that key."""

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from schemas.base import CustomerId, TenantId


class MediaStore(Protocol):
    """One contract suite holds every backend. Every method may raise `StoreUnavailable`. All are thread-safe."""

    def put(self, tenant: TenantId, customer: CustomerId, content: bytes) -> str:
        """Keep it, once for each customer; when this returns it outlives a crash. Returns its digest (SHA-256, 64 hexadecimal digits).
        Raises `KeyErased`.
        """

    def get(self, tenant: TenantId, customer: CustomerId, digest: str) -> bytes | None:
        """None where there is no such file. Raises `KeyErased`, and `InvalidEvent` for one that was damaged or put in another's place."""

    def all_of(self, tenant: TenantId, customer: CustomerId) -> Iterator[bytes]:
        """Every file of the customer's, one in memory at a time. Raises what `get` does."""

    def held(self, tenant: TenantId, customer: CustomerId) -> Mapping[str, int]:
        """By the name that it is stored under, how many bytes each file has there; also of a customer whose key is gone."""

    def erase(self, customers: Collection[tuple[TenantId, CustomerId]]) -> int:
        """Delete all files of these; returns how many there were."""
