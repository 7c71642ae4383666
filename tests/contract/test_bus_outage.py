"""The bus port, one suite on every backend: the log is taken away in the middle and brought back."""

import time

import pytest

from parley.errors import BusUnavailable, ParleyError, Superseded
from parley.ports.bus import Position, Producer, Record, TopicPartition
from tests.support.buses import (
    DEADLINE_S,
    Backend,
    new_name,
    partitions_of,
    poll_until,
    read,
    send_all,
    send_one,
    settle,
)


def test_sends_that_wait_succeed_after_the_restart_in_order(frail: Backend) -> None:
    topic = frail.topic(partitions=2)
    producer = frail.producer()
    send_all(producer, topic, [b"before"] * 2, key=b"k")
    frail.stop()

    futures = [producer.send(topic, key=b"k", value=b"%d" % number) for number in range(50)]
    with pytest.raises(BusUnavailable):
        producer.flush(timeout_s=0.3)
    assert not all(future.done() for future in futures)
    frail.start()
    producer.flush()

    offsets = [future.result(0).offset for future in futures]
    assert offsets == sorted(offsets)
    values = [record.value for record in read(frail.reader(topic), 52)]
    assert values == [b"before"] * 2 + [b"%d" % number for number in range(50)]


def test_consumers_and_readers_go_on_without_loss(frail: Backend) -> None:
    topic, group = frail.topic(partitions=2), new_name("group")
    producer = frail.producer()
    consumer = frail.closing(frail.bus.consumer(group, [topic]))
    reader = frail.closing(frail.bus.reader([topic]))
    send_all(producer, topic, [b"%d" % n for n in range(10)], key=b"a")
    seen = read(consumer, 10)
    consumer.commit({record.topic_partition: record.offset + 1 for record in seen})
    assert len(read(reader, 10)) == 10

    frail.stop()
    futures = [producer.send(topic, key=b"a", value=b"%d" % n) for n in range(10, 20)]
    assert consumer.poll(0.3) == []
    assert reader.poll(0.3) == []
    frail.start()

    wanted = [b"%d" % n for n in range(10, 20)]
    assert [record.value for record in read(reader, 10)] == wanted
    late: list[Record] = []
    poll_until(lambda: {record.value for record in late} >= set(wanted), consumer, into=late)
    assert [future.result(DEADLINE_S).offset for future in futures] == list(range(10, 20))
    last = late[-1]
    consumer.commit({last.topic_partition: last.offset + 1})
    assert consumer.committed(last.topic_partition) == last.offset + 1


def test_a_send_fails_when_its_time_is_over(frail: Backend) -> None:
    topic = frail.topic(partitions=1)
    producer = frail.closing(frail.bus.producer(delivery_timeout_s=1.0))
    send_one(producer, topic)
    frail.stop()
    try:
        began = time.monotonic()
        future = producer.send(topic, key=b"k", value=b"v")
        assert time.monotonic() - began < 1.0
        with pytest.raises(BusUnavailable):
            future.result(DEADLINE_S)
        producer.flush()  # nothing is left to wait for; the future told the error
    finally:
        frail.start()
    send_one(producer, topic, value=b"after")


def test_a_producer_made_during_the_outage_delivers_afterwards(frail: Backend) -> None:
    topic = frail.topic(partitions=1)
    frail.stop()
    try:
        producer = frail.producer()
        futures = [producer.send(topic, key=b"k", value=b"%d" % n) for n in range(5)]
        assert not any(future.done() for future in futures)
    finally:
        frail.start()

    assert [future.result(DEADLINE_S).offset for future in futures] == list(range(5))
    assert [record.value for record in read(frail.reader(topic), 5)] == [b"%d" % n for n in range(5)]


def test_a_member_that_joins_during_the_outage_gets_its_share_afterwards(frail: Backend) -> None:
    topic = frail.topic(partitions=2)
    frail.stop()
    try:
        consumer = frail.closing(frail.bus.consumer(new_name("group"), [topic]))
        assert consumer.poll(0.2) == []
        assert consumer.assignment() == frozenset()
    finally:
        frail.start()

    settle(consumer, partitions=partitions_of(topic, 2))


def test_commits_say_that_the_log_is_away(frail: Backend) -> None:
    topic = frail.topic(partitions=1)
    consumer = frail.closing(frail.bus.consumer(new_name("group"), [topic]))
    settle(consumer, partitions=partitions_of(topic, 1))
    only = TopicPartition(topic, 0)
    frail.stop()
    try:
        with pytest.raises(BusUnavailable):
            consumer.commit({only: 0})
    finally:
        frail.start()

    def committed() -> bool:
        try:
            consumer.commit({only: 0})
        except Superseded:
            return False  # the outage was longer than the session: the next poll joins again
        return True

    poll_until(committed, consumer)


@pytest.mark.parametrize("frail", ["memory", "kafka"], indirect=True)
def test_questions_say_that_the_log_is_away(frail: Backend) -> None:
    """A locked SQLite file can still be read, so there only writing fails."""
    topic = frail.topic(partitions=1)
    reader = frail.reader(topic)
    admin = frail.closing(frail.bus.admin())
    only = TopicPartition(topic, 0)
    frail.stop()
    try:
        for question in (
            lambda: frail.bus.reader([topic]),
            lambda: admin.topics(),
            lambda: admin.lag("group"),
            lambda: reader.end_offsets([only]),
        ):
            with pytest.raises(BusUnavailable):
                question()
    finally:
        frail.start()
    assert topic in admin.topics()
    assert reader.end_offsets([only]) == {only: 0}


def test_closing_during_the_outage_does_not_hang(frail: Backend) -> None:
    topic = frail.topic(partitions=1)
    consumer = frail.bus.consumer(new_name("group"), [topic])
    settle(consumer, partitions=partitions_of(topic, 1))
    producer = frail.bus.producer()
    send_one(producer, topic)
    reader = frail.bus.reader([topic])
    frail.stop()
    try:
        future = producer.send(topic, key=b"k", value=b"v")
        began = time.monotonic()
        for client in (producer, consumer, reader):
            client.close()
        assert time.monotonic() - began < DEADLINE_S
    finally:
        frail.start()
    try:
        assert future.result(DEADLINE_S).topic == topic
    except ParleyError as error:
        assert isinstance(error, BusUnavailable)


def test_a_producer_whose_records_were_given_up_sends_again_after_the_outage(frail: Backend) -> None:
    """Records are under way to every partition when the log goes away, and stay away longer than any record may take."""
    topic = frail.topic(partitions=4)
    producer = frail.closing(frail.bus.producer(delivery_timeout_s=1.0))
    partitions = range(4)
    for partition in partitions:
        producer.send(topic, key=None, value=b"before", partition=partition)
    producer.flush()
    lost = [producer.send(topic, key=None, value=b"x" * 1_000, partition=n % 4) for n in range(2_000)]
    frail.stop()
    lost += [producer.send(topic, key=None, value=b"late", partition=n % 4) for n in range(40)]
    try:
        for future in lost[-40:]:
            with pytest.raises(BusUnavailable):
                future.result(DEADLINE_S)
    finally:
        frail.start()
    for partition in partitions:
        assert insist(producer, topic, partition).partition == partition


def insist(producer: Producer, topic: str, partition: int) -> Position:
    """Send until it is acknowledged: right after a restart the first ones may run out of their second."""
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            return producer.send(topic, key=None, value=b"after", partition=partition).result(DEADLINE_S)
        except BusUnavailable:
            if time.monotonic() > until:
                raise
