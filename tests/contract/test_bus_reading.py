"""The bus port, one suite on every backend: readers, seeking, pausing, offsets, waking."""

import threading
import time

import pytest

from parley.errors import Superseded
from parley.ports.bus import TopicPartition
from tests.support.buses import (
    DEADLINE_S,
    Backend,
    partitions_of,
    poll_until,
    read,
    send_all,
    send_one,
)


def test_a_reader_has_every_partition_at_once(backend: Backend) -> None:
    one, two = backend.topic(partitions=3), backend.topic(partitions=2)

    reader = backend.closing(backend.bus.reader([one, two]))

    assert reader.assignment() == partitions_of(one, 3) | partitions_of(two, 2)


def test_a_reader_at_the_end_sees_what_is_sent_after_it_was_made(backend: Backend) -> None:
    topic = backend.topic()
    producer = backend.producer()
    for number in range(3):
        send_all(producer, topic, [b"old"] * 5, partition=number)

    reader = backend.closing(backend.bus.reader([topic]))
    for number in range(3):
        send_all(producer, topic, [b"new"], partition=number)

    assert [record.value for record in read(reader, 3)] == [b"new"] * 3


def test_readers_do_not_share_and_commit_nothing(backend: Backend) -> None:
    topic = backend.topic(partitions=1)
    readers = [backend.reader(topic), backend.reader(topic)]
    send_all(backend.producer(), topic, [b"1", b"2"])

    for reader in readers:
        assert [record.value for record in read(reader, 2)] == [b"1", b"2"]

    only = TopicPartition(topic, 0)
    assert readers[0].committed(only) is None
    with pytest.raises(Superseded):
        readers[0].commit({only: 1})


def test_seek_to_an_offset(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    producer = backend.producer()
    send_all(producer, topic, [b"%d" % n for n in range(10)], partition=0)
    send_all(producer, topic, [b"other"], partition=1)
    reader = backend.reader(topic)
    read(reader, 11)
    zero = TopicPartition(topic, 0)

    reader.seek(zero, 7)
    assert reader.position(zero) == 7
    assert [record.value for record in read(reader, 3)] == [b"7", b"8", b"9"]
    assert reader.position(zero) == 10

    reader.seek(zero, 0)
    reader.seek(zero, 9)
    assert [record.value for record in read(reader, 1)] == [b"9"]


def test_seek_to_a_time(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    producer = backend.producer()
    for number in range(10):
        at_ms = 1_700_000_000_000 + number * 1000
        producer.send(topic, key=None, value=b"%d" % number, partition=0, timestamp_ms=at_ms).result(
            DEADLINE_S
        )
    reader = backend.reader(topic)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)

    found = reader.offsets_for_time([zero, one], 1_700_000_004_500)
    assert found == {zero: 5, one: None}
    assert reader.offsets_for_time([zero], 1_700_000_004_000) == {zero: 4}
    assert reader.offsets_for_time([zero], 0) == {zero: 0}
    assert reader.offsets_for_time([zero], 1_700_000_009_001) == {zero: None}

    reader.seek(zero, 5)
    assert [record.value for record in read(reader, 5)] == [b"5", b"6", b"7", b"8", b"9"]


def test_first_and_last_offsets(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    reader = backend.reader(topic)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    assert reader.end_offsets([zero, one]) == {zero: 0, one: 0}

    send_all(backend.producer(), topic, [b"x"] * 3, partition=0)

    assert reader.end_offsets([zero, one]) == {zero: 3, one: 0}
    assert reader.beginning_offsets([zero, one]) == {zero: 0, one: 0}
    assert reader.position(zero) == 0


def test_a_paused_partition_gives_nothing_until_it_is_resumed(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    producer = backend.producer()
    reader = backend.reader(topic)
    zero, one = TopicPartition(topic, 0), TopicPartition(topic, 1)
    send_all(producer, topic, [b"before"], partition=0)
    read(reader, 1)

    reader.pause([zero])
    assert reader.paused() == {zero}
    send_all(producer, topic, [b"0a", b"0b"], partition=0)
    send_all(producer, topic, [b"1a"], partition=1)
    assert [record.value for record in read(reader, 1)] == [b"1a"]
    assert reader.poll(0.1) == []
    assert reader.position(zero) == 1

    reader.pause([one])
    reader.resume([zero, one])
    assert reader.paused() == frozenset()
    assert [record.value for record in read(reader, 2)] == [b"0a", b"0b"]


def test_everything_may_be_paused_while_polling_goes_on(backend: Backend) -> None:
    topic = backend.topic()
    reader = backend.reader(topic)
    reader.pause(reader.assignment())
    send_all(backend.producer(), topic, [b"x"] * 5, partition=1)
    assert reader.poll(0.2) == []

    reader.resume(reader.paused())

    assert len(read(reader, 5)) == 5


def test_what_is_not_assigned_cannot_be_sought_or_paused(backend: Backend) -> None:
    topic = backend.topic(partitions=1)
    reader = backend.reader(topic)
    stranger = TopicPartition(topic, 7)

    with pytest.raises(ValueError, match="not assigned"):
        reader.seek(stranger, 0)
    with pytest.raises(ValueError, match="not assigned"):
        reader.pause([stranger])
    with pytest.raises(ValueError, match="not assigned"):
        reader.position(stranger)


def test_poll_returns_at_most_what_was_asked_for(backend: Backend) -> None:
    topic = backend.topic()
    producer = backend.producer()
    for number in range(3):
        send_all(producer, topic, [b"%d" % n for n in range(20)], partition=number)
    reader = backend.reader(topic)

    batches: list[list[bytes | None]] = []
    until = time.monotonic() + DEADLINE_S
    while sum(map(len, batches)) < 60:
        assert time.monotonic() < until
        batches.append([record.value for record in reader.poll(1.0, 7)])

    assert max(map(len, batches)) <= 7


def test_no_partition_waits_for_anothers_backlog(backend: Backend) -> None:
    topic = backend.topic(partitions=2)
    producer = backend.producer()
    send_all(producer, topic, [b"flood" * 200] * 3000, partition=0)
    send_all(producer, topic, [b"quiet"], partition=1)
    reader = backend.reader(topic)

    seen = 0
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        records = reader.poll(1.0, 100)
        seen += len(records)
        if any(record.value == b"quiet" for record in records):
            break

    assert seen < 2900


def test_poll_returns_as_soon_as_there_is_something(backend: Backend) -> None:
    topic = backend.topic()
    reader = backend.closing(backend.bus.reader([topic]))
    producer = backend.producer()
    send_one(producer, topic)
    read(reader, 1)
    sender = threading.Timer(0.1, lambda: send_one(producer, topic, value=b"now"))
    sender.start()

    began = time.monotonic()
    records = reader.poll(DEADLINE_S)
    took_s = time.monotonic() - began
    sender.join()

    assert [record.value for record in records] == [b"now"]
    assert took_s < DEADLINE_S / 3


def test_poll_without_records_ends_with_its_time_out(backend: Backend) -> None:
    reader = backend.reader(backend.topic())

    began = time.monotonic()
    assert reader.poll(0.3) == []
    took_s = time.monotonic() - began

    assert 0.25 < took_s < 5.0
    assert reader.poll(0.0) == []


def test_wakeup_ends_the_poll_in_progress(backend: Backend) -> None:
    reader = backend.reader(backend.topic())
    reader.poll(0.1)
    timer = threading.Timer(0.2, reader.wakeup)
    timer.start()

    began = time.monotonic()
    assert reader.poll(DEADLINE_S) == []

    assert time.monotonic() - began < DEADLINE_S / 3
    timer.join()


def test_wakeup_ends_the_next_poll_and_only_that(backend: Backend) -> None:
    topic = backend.topic()
    reader = backend.reader(topic)
    reader.wakeup()

    began = time.monotonic()
    assert reader.poll(DEADLINE_S) == []
    assert time.monotonic() - began < DEADLINE_S / 3

    send_one(backend.producer(), topic)
    assert len(read(reader, 1)) == 1


def test_wakeup_of_a_paused_reader(backend: Backend) -> None:
    reader = backend.reader(backend.topic())
    reader.pause(reader.assignment())
    timer = threading.Timer(0.2, reader.wakeup)
    timer.start()

    began = time.monotonic()
    assert reader.poll(DEADLINE_S) == []

    assert time.monotonic() - began < DEADLINE_S / 3
    timer.join()


def test_a_reader_is_closed_twice_without_harm(backend: Backend) -> None:
    reader = backend.bus.reader([backend.topic()])
    reader.close()
    reader.close()
    assert reader.poll(DEADLINE_S) == []


def test_a_poll_reads_many_partitions_of_many_topics(backend: Backend) -> None:
    topics = [backend.topic(partitions=4) for _ in range(3)]
    reader = backend.closing(backend.bus.reader(topics))
    producer = backend.producer()
    for topic in topics:
        for number in range(4):
            send_all(producer, topic, [b"x"], partition=number)

    records = read(reader, 12)

    assert {record.topic_partition for record in records} == reader.assignment()
    poll_until(lambda: all(reader.position(p) == 1 for p in reader.assignment()), reader)
