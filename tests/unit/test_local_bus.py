"""What the buses on this machine are made of: shares, sessions by an injected clock, header bytes, bus URLs."""

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley.backends.bus import open_bus
from parley.backends.local_log import share
from parley.backends.memory_bus import MemoryBus
from parley.backends.sqlite_bus.storage import decode_headers, encode_headers, row_id, translate
from parley.errors import BusUnavailable, ConfigurationError, Superseded
from parley.ports.bus import TopicPartition, TopicSpec
from tests.support.buses import Told


class Seconds:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(
    st.lists(st.sets(st.sampled_from("abc"), min_size=1), min_size=1, max_size=6),
    st.dictionaries(st.sampled_from("abc"), st.integers(1, 13)),
)
def test_every_partition_that_somebody_wants_has_one_owner(
    wishes: list[set[str]], counts: dict[str, int]
) -> None:
    members = [(f"m{number}", sorted(topics)) for number, topics in enumerate(wishes)]

    shares = [share(name, members, counts) for name, _ in members]

    owned = [partition for each in shares for partition in each]
    wanted = {
        TopicPartition(t, n)
        for t, count in counts.items()
        for n in range(count)
        if any(t in w for w in wishes)
    }
    assert len(owned) == len(set(owned))
    assert set(owned) == wanted
    for topic in counts:
        sizes = [
            sum(partition.topic == topic for partition in each)
            for each, wish in zip(shares, wishes, strict=True)
            if topic in wish
        ]
        assert not sizes or max(sizes) - min(sizes) <= 1


def test_a_session_runs_out_by_the_given_clock() -> None:
    clock = Seconds()
    bus = MemoryBus(clock)
    bus.admin().apply([TopicSpec("t", 2, None)])
    told = Told()
    slow = bus.consumer("g", ["t"], listener=told, session_timeout_s=10.0)
    quick = bus.consumer("g", ["t"], session_timeout_s=10.0)
    for consumer in (slow, quick, slow, quick):
        consumer.poll(0.0)
    assert len(slow.assignment()) == len(quick.assignment()) == 1
    (mine,) = slow.assignment()

    clock.now = 6.0
    quick.poll(0.0)
    slow.commit({mine: 0})
    clock.now = 10.1
    quick.poll(0.0)
    quick.poll(0.0)

    assert len(quick.assignment()) == 2
    assert bus.admin().members("g") == 1
    with pytest.raises(Superseded):
        slow.commit({mine: 0})
    assert not told.was_told("lost")
    slow.poll(0.0)
    assert told.calls[-1] == ("lost", frozenset([mine]))


def test_a_member_that_polls_in_time_stays() -> None:
    clock = Seconds()
    bus = MemoryBus(clock)
    bus.admin().apply([TopicSpec("t", 1, None)])
    told = Told()
    consumer = bus.consumer("g", ["t"], listener=told, session_timeout_s=1.0)
    for _ in range(10):
        consumer.poll(0.0)
        clock.now += 0.9
    assert [kind for kind, _ in told.calls] == ["assigned"]


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=50)), max_size=8))
def test_headers_survive_as_bytes(pairs: list[tuple[str, bytes]]) -> None:
    headers = tuple(pairs)
    assert decode_headers(encode_headers(headers)) == headers


def test_row_ids_keep_the_order_of_partitions_and_offsets() -> None:
    places = [(0, 0), (0, 1), (0, 1 << 39), (1, 0), (1, 1), (4096, 0), (1 << 20, (1 << 40) - 1)]
    ids = [row_id(number, offset) for number, offset in places]
    assert ids == sorted(ids)
    assert ids[-1] < 1 << 63


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("", "allowed are memory: | sqlite:///FILE | kafka://"),
        ("memory", "allowed are"),
        ("memory:x", "allowed are"),
        ("sqlite://log.db", "allowed are"),
        ("sqlite:///", "allowed are"),
        ("redis://localhost", "allowed are"),
        ("kafka://", "no HOST:PORT"),
        ("kafka://localhost", "'localhost' is no HOST:PORT"),
        ("kafka://a:9092,b", "'b' is no HOST:PORT"),
        ("kafka://a:0", "no HOST:PORT"),
        ("kafka://a:99999", "no HOST:PORT"),
        ("kafka://a:x", "no HOST:PORT"),
    ],
)
def test_a_wrong_bus_url_says_what_is_allowed(url: str, what: str) -> None:
    with pytest.raises(ConfigurationError, match="bus URL") as caught:
        open_bus(url)
    assert what in str(caught.value)


def test_making_a_bus_opens_nothing(tmp_path: Path) -> None:
    for url in ("memory:", f"sqlite:///{tmp_path}/none/log.db", "kafka://localhost:1,[::1]:2/"):
        bus = open_bus(url)
        bus.producer().close()
        bus.admin().close()
        bus.consumer("g", ["t"]).close()
        bus.close()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_outage_and_a_wrong_file_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA max_page_count = 1")
    with pytest.raises(sqlite3.Error) as full:
        db.execute("CREATE TABLE t (x)")
    db.close()
    assert isinstance(translate(full.value, path), BusUnavailable)

    path.write_bytes(b"no database, " * 1000)
    db = sqlite3.connect(path)
    with pytest.raises(sqlite3.Error) as wrong:
        db.execute("SELECT * FROM sqlite_master")
    db.close()
    assert isinstance(translate(wrong.value, path), ConfigurationError)
