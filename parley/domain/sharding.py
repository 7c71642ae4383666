"""Shuffle sharding of tenants over partitions by rendezvous hashing: a tenant's flood reaches few partitions."""

import hashlib
from functools import lru_cache

SHARDS_PER_TENANT = 3
"""Partitions one tenant's generations are spread over."""


@lru_cache(maxsize=4096)
def shards(tenant: str, partitions: int, count: int = SHARDS_PER_TENANT) -> tuple[int, ...]:
    """The tenant's partitions: those with the highest hash of (tenant, partition).

    Highest random weight hashing (Thaler & Ravishankar, "Using name-based mappings to increase hit rates", IEEE/ACM ToN 6(1), 1998).
    """
    ranked = sorted(range(partitions), key=lambda p: _weight(f"{tenant}/{p}"), reverse=True)
    return tuple(ranked[: min(count, partitions)])


def shard_of(tenant: str, conversation: str, partitions: int) -> int:
    """The partition of one conversation among its tenant's; a conversation always stays on the same one."""
    mine = shards(tenant, partitions)
    return mine[_weight(conversation) % len(mine)]


def _weight(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
