"""The bus port, one suite on every backend: records, order, partitions, headers, limits, topics."""

import threading
import time
from collections import defaultdict
from itertools import pairwise

import pytest

from parley.backends.partitioner import partition_for
from parley.errors import BusUnavailable, ConfigurationError, RecordTooLarge, UnknownTopic
from parley.ports.bus import MAX_RECORD_BYTES, Headers, Position, Record, TopicPartition, TopicSpec
from tests.support.buses import (
    DEADLINE_S,
    HOUR_MS,
    Backend,
    new_name,
    poll_until,
    read,
    send_all,
    send_one,
)

MEGABYTE = 1_048_576


def test_records_of_a_key_keep_the_order_of_their_sends(backend: Backend) -> None:
    topic = backend.topic(partitions=4)
    producer = backend.producer()
    keys = [b"conversation-%d" % number for number in range(7)]
    sent = [(keys[number % 7], b"%d" % number) for number in range(700)]

    futures = [producer.send(topic, key=key, value=value) for key, value in sent]
    positions = [future.result(DEADLINE_S) for future in futures]

    records = read(backend.reader(topic), 700)
    for key in keys:
        assert [r.value for r in records if r.key == key] == [value for k, value in sent if k == key]
    where = {(r.partition, r.offset): r.value for r in records}
    assert where == {(p.partition, p.offset): value for p, (_, value) in zip(positions, sent, strict=True)}


def test_offsets_grow_within_a_partition_in_poll_order(backend: Backend) -> None:
    topic = backend.topic(partitions=3)
    producer = backend.producer()
    for number in range(3):
        send_all(producer, topic, [b"x"] * 40, partition=number)

    offsets: dict[int, list[int]] = defaultdict(list)
    for record in read(backend.reader(topic), 120):
        offsets[record.partition].append(record.offset)

    for seen in offsets.values():
        assert len(seen) == 40
        assert all(later > earlier for earlier, later in pairwise(seen))


def test_a_key_goes_to_the_same_partition_on_every_backend(backend: Backend) -> None:
    topic = backend.topic(partitions=12)
    producer = backend.producer()
    keys = [b"", b"k", b"ab", b"abc", b"abcd", "开户".encode(), bytes(range(256)), b"conversation-1"]

    chosen = [send_one(producer, topic, key=key).partition for key in keys]

    assert chosen == [partition_for(key, 12) for key in keys]


def test_records_without_a_key_are_spread(backend: Backend) -> None:
    topic = backend.topic(partitions=3)
    producer = backend.producer()

    used = {send_one(producer, topic).partition for _ in range(12)}

    assert used == {0, 1, 2}


def test_an_explicit_partition_wins_over_the_key(backend: Backend) -> None:
    topic = backend.topic(partitions=3)
    producer = backend.producer()

    positions = [
        producer.send(topic, key=b"same", value=b"v", partition=number).result(DEADLINE_S)
        for number in range(3)
    ]

    assert [position.partition for position in positions] == [0, 1, 2]
    with pytest.raises(ValueError, match="partitions 0 to 2"):
        producer.send(topic, key=None, value=b"v", partition=3).result(DEADLINE_S)


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("b", b"2"), ("a", b"1"), ("b", b"3")),
        (("empty", b""), ("", b"nameless")),
        (("binary", bytes(range(256))), ("名", "值".encode())),
        tuple((f"h{number}", b"v" * 100) for number in range(100)),
    ],
    ids=["none", "order and duplicates", "empty", "binary and Chinese", "many"],
)
def test_headers_come_back_as_they_were(backend: Backend, headers: Headers) -> None:
    topic = backend.topic(partitions=1)
    send_one(backend.producer(), topic, key=b"k", headers=headers)

    (record,) = read(backend.reader(topic), 1)

    assert record.headers == headers


def test_a_tombstone_is_not_an_empty_value(backend: Backend) -> None:
    topic = backend.topic(partitions=1)
    producer = backend.producer()
    send_one(producer, topic, key=b"k", value=None)
    send_one(producer, topic, key=b"k", value=b"")
    send_one(producer, topic, key=None, value=b"keyless")
    send_one(producer, topic, key=b"", value=b"empty key")

    records = read(backend.reader(topic), 4)

    assert [(r.key, r.value) for r in records] == [
        (b"k", None),
        (b"k", b""),
        (None, b"keyless"),
        (b"", b"empty key"),
    ]
    with pytest.raises(ValueError, match="key or a value"):
        producer.send(topic, key=None, value=None)


def test_records_of_a_megabyte_pass_and_larger_ones_are_refused(backend: Backend) -> None:
    topic = backend.topic(partitions=1)
    producer = backend.producer()
    value = bytes(range(256)) * (MEGABYTE // 256)
    headers: Headers = (("context", b"x" * 60_000),)
    send_one(producer, topic, key=b"k", value=value, headers=headers)
    largest = MAX_RECORD_BYTES - 1
    send_one(producer, topic, key=b"k", value=b"y" * largest)

    with pytest.raises(RecordTooLarge):
        send_one(producer, topic, key=b"k", value=b"z" * (largest + 1))

    first, second = read(backend.reader(topic), 2)
    assert (first.value, first.headers) == (value, headers)
    assert second.value == b"y" * largest


def test_a_backlog_of_large_records_is_read_piece_by_piece(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    producer = backend.producer()
    send_all(producer, topic, [b"%02d" % n + b"x" * 900_000 for n in range(30)], partition=0)

    records = read(backend.reader(topic), 30)

    assert [(record.value or b"")[:2] for record in records] == [b"%02d" % n for n in range(30)]


def test_the_time_of_a_record_is_the_producers(backend: Backend) -> None:
    topic = backend.topic(partitions=1)
    producer = backend.producer()
    before_ms = int(time.time() * 1000)
    send_one(producer, topic)
    after_ms = int(time.time() * 1000)
    producer.send(topic, key=None, value=b"v", timestamp_ms=1_700_000_000_123).result(DEADLINE_S)

    now, given = read(backend.reader(topic), 2)

    assert before_ms <= now.timestamp_ms <= after_ms
    assert given.timestamp_ms == 1_700_000_000_123


def test_the_position_of_a_send_is_where_the_record_is(backend: Backend) -> None:
    topic = backend.topic(partitions=3)
    position = send_one(backend.producer(), topic, key=b"k", value=b"v")

    (record,) = read(backend.reader(topic), 1)

    assert Position(record.topic, record.partition, record.offset) == position
    assert record.topic_partition == TopicPartition(topic, position.partition)


def test_eight_threads_share_a_producer(backend: Backend) -> None:
    topic = backend.topic(partitions=4)
    producer = backend.producer()
    failed: list[BaseException] = []

    def work(name: int) -> None:
        try:
            send_all(producer, topic, [b"%d:%d" % (name, n) for n in range(200)], key=b"thread-%d" % name)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    assert failed == []
    by_key: dict[bytes | None, list[bytes | None]] = defaultdict(list)
    for record in read(backend.reader(topic), 1600):
        by_key[record.key].append(record.value)
    assert by_key == {b"thread-%d" % name: [b"%d:%d" % (name, n) for n in range(200)] for name in range(8)}


def test_flush_waits_for_all_and_close_is_idempotent(backend: Backend) -> None:
    topic = backend.topic()
    producer = backend.bus.producer(linger_s=0.02)
    futures = [producer.send(topic, key=b"k", value=b"%d" % n) for n in range(100)]

    producer.flush()

    assert all(future.done() for future in futures)
    producer.close()
    producer.close()
    with pytest.raises(BusUnavailable):
        producer.send(topic, key=b"k", value=b"late").result(DEADLINE_S)


def test_an_unknown_topic_is_said_to_be_unknown(backend: Backend) -> None:
    known, unknown = backend.topic(), new_name("never-made")
    producer = backend.producer()

    with pytest.raises(UnknownTopic):
        producer.send(unknown, key=b"k", value=b"v").result(DEADLINE_S)
    with pytest.raises(UnknownTopic):
        backend.bus.reader([known, unknown])
    consumer = backend.closing(backend.bus.consumer(new_name("group"), [unknown]))
    with pytest.raises(UnknownTopic):
        poll_until(lambda: False, consumer)
    # It may be made later, and the producer goes on.
    send_one(producer, known)
    backend.bus.admin().apply([TopicSpec(unknown, 1, None)])
    assert send_one(producer, unknown).topic == unknown


def test_topics_are_made_once(backend: Backend) -> None:
    admin = backend.closing(backend.bus.admin())
    one, two = new_name("one"), new_name("two")
    specs = [TopicSpec(one, 2, HOUR_MS), TopicSpec(two, 3, None, compacted=True)]

    assert sorted(admin.apply(specs)) == sorted([one, two])
    assert admin.apply(specs) == []
    assert {name: count for name, count in admin.topics().items() if name in (one, two)} == {one: 2, two: 3}
    with pytest.raises(ConfigurationError, match="has 2 partitions, not 5"):
        admin.apply([TopicSpec(one, 5, None)])
    assert admin.topics()[one] == 2
    admin.close()
    admin.close()


def test_another_process_sees_topics_and_records(backend: Backend) -> None:
    """A bus made before the topic was: it finds topic and record by itself."""
    other = backend.another()
    assert other.admin().topics() is not None
    topic = backend.topic()
    reader = backend.closing(other.reader([topic]))

    send_one(backend.producer(), topic, value=b"from here")
    (record,) = read(reader, 1)
    assert record.value == b"from here"

    send_one(backend.producer(other), topic, value=b"from there")
    values = [record.value for record in read(backend.reader(topic), 2)]
    assert sorted(values, key=str) == [b"from here", b"from there"]


def test_two_processes_write_to_one_partition(backend: Backend) -> None:
    topic = backend.topic(partitions=1)
    producers = [backend.producer(), backend.producer(backend.another())]
    futures = [producers[n % 2].send(topic, key=b"k%d" % (n % 2), value=b"%d" % n) for n in range(400)]
    offsets = {future.result(DEADLINE_S).offset for future in futures}

    records = read(backend.reader(topic), 400)

    assert len(offsets) == 400
    for turn in range(2):
        mine = [record.value for record in records if record.key == b"k%d" % turn]
        assert mine == [b"%d" % n for n in range(turn, 400, 2)]


def values_of(records: list[Record]) -> list[bytes | None]:
    return [record.value for record in records]


@pytest.mark.parametrize("backend", ["memory", "sqlite"], indirect=True)
def test_compaction_keeps_the_last_of_each_key(backend: Backend) -> None:
    """Where the backend compacts when asked; Kafka does it in its own time."""
    topic = backend.topic(partitions=1, compacted=True)
    producer = backend.producer()
    for key, value in [(b"a", b"1"), (b"b", b"1"), (b"a", b"2"), (b"c", b"1"), (b"b", b"2")]:
        send_one(producer, topic, key=key, value=value)
    reader = backend.reader(topic)

    backend.drop_before(topic, 0)

    records = read(reader, 3)
    assert [(r.offset, r.key, r.value) for r in records] == [
        (2, b"a", b"2"),
        (3, b"c", b"1"),
        (4, b"b", b"2"),
    ]
    assert send_one(producer, topic, key=b"a", value=b"3").offset == 5
    assert values_of(read(reader, 1)) == [b"3"]


def test_what_is_older_than_the_retention_goes(backend: Backend) -> None:
    topic = backend.topic(partitions=1, retention_ms=HOUR_MS)
    producer = backend.producer()
    now_ms = int(time.time() * 1000)
    for age_ms in (3000, 2000, 1000, 0):
        producer.send(topic, key=b"k", value=b"%d" % age_ms, timestamp_ms=now_ms - age_ms).result(DEADLINE_S)
    only = TopicPartition(topic, 0)

    backend.drop_before(topic, now_ms - 1500)

    reader = backend.reader(topic)
    assert reader.beginning_offsets([only]) == {only: 2}
    assert values_of(read(reader, 2)) == [b"1000", b"0"]
    reader.seek(only, 0)  # is no more: it begins at the first that still exists
    assert values_of(read(reader, 2)) == [b"1000", b"0"]

    backend.drop_before(topic, now_ms + 1)
    assert reader.beginning_offsets([only]) == reader.end_offsets([only]) == {only: 4}
    assert send_one(producer, topic, key=b"k", value=b"new").offset == 4
    assert values_of(read(reader, 1)) == [b"new"]
