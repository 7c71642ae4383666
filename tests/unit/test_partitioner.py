"""The partitioner gives what Kafka's gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafkas_murmur2

from parley.backends.partitioner import murmur2, partition_for


# From Apache Kafka's own UtilsTest.testMurmur2 (signed there).
@pytest.mark.parametrize(
    ("data", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_of_kafkas_own_examples(data: bytes, signed: int) -> None:
    assert murmur2(data) == signed & 0xFFFFFFFF


@given(st.binary(max_size=100))
def test_murmur2_is_the_clients(data: bytes) -> None:
    assert murmur2(data) == kafkas_murmur2(data)


@given(st.binary(max_size=50), st.integers(1, 64))
def test_a_partition_is_one_of_the_topics(key: bytes, partitions: int) -> None:
    assert 0 <= partition_for(key, partitions) < partitions
    assert partition_for(key, partitions) == (kafkas_murmur2(key) & 0x7FFFFFFF) % partitions
