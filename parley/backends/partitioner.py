"""Which partition a key belongs to: Kafka's default partitioner, so that every backend puts a key in the same place."""

import struct
from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """MurmurHash2 with Kafka's seed, unsigned (`org.apache.kafka.common.utils.Utils.murmur2` gives it signed)."""
    length = len(data)
    words = length >> 2
    h = _SEED ^ length
    for k in struct.unpack_from(f"<{words}I", data):
        k = (k * _M) & _MASK
        k = ((k ^ (k >> 24)) * _M) & _MASK
        h = ((h * _M) & _MASK) ^ k
    tail = data[words << 2 :]
    if tail:
        h = ((h ^ int.from_bytes(tail, "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=4096)
def partition_for(key: bytes, partitions: int) -> int:
    """`murmur2(key) mod partitions` on the positive half of the hash, as Kafka's `Utils.toPositive` takes it.

    Keys are ids. They come again: every delta of an answer, and the answer, have their conversation's.
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions
