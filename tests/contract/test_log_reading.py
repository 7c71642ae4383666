"""Reading a whole log, for exports and rebuilds, on every bus: one partition after the other, up to where it ended."""

from datetime import UTC, datetime

from parley.runtime.exports import complete_since, read_records
from parley.runtime.recorded import EPOCH
from tests.support.buses import HOUR_MS, Backend, send_all

NINE = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def test_everything_is_read_one_partition_after_the_other(backend: Backend) -> None:
    one, other, empty = backend.topic(3), backend.topic(1), backend.topic(2)
    producer = backend.producer()
    for partition in (2, 0):
        send_all(producer, one, [b"%d" % number for number in range(1_500)], partition=partition)
    send_all(producer, other, [b"other"])
    records = read_records(backend.bus, [other, empty, one])
    first = next(records)
    send_all(producer, one, [b"too late"], partition=0)
    assert first.value == b"other"
    found = [(record.topic_partition.partition, record.offset) for record in records]
    assert found == [(partition, offset) for partition in (0, 2) for offset in range(1_500)]


def test_reading_may_begin_at_a_moment(backend: Backend) -> None:
    topic = backend.topic(2)
    producer = backend.producer()
    for hour in range(4):
        for partition in (0, 1):
            sent = producer.send(
                topic, key=None, value=b"%d" % hour, partition=partition, timestamp_ms=HOUR_MS * hour
            )
            sent.result(30)
    values = [record.value for record in read_records(backend.bus, [topic], since_ms=2 * HOUR_MS)]
    assert values == [b"2", b"3"] * 2
    assert list(read_records(backend.bus, [topic], since_ms=9 * HOUR_MS)) == []


def test_a_topic_is_complete_from_its_oldest_record_once_some_have_expired(backend: Backend) -> None:
    topic, untouched = backend.topic(3, retention_ms=HOUR_MS), backend.topic(1)
    assert complete_since(backend.bus, [topic, untouched], NINE) == {topic: EPOCH, untouched: EPOCH}
    at_ms = int(NINE.timestamp() * 1000)
    producer = backend.producer()
    for partition, ages in ((0, (3, 2, 1)), (1, (1,))):
        for hours in ages:
            at = at_ms - hours * HOUR_MS
            producer.send(topic, key=None, value=b"v", partition=partition, timestamp_ms=at).result(30)
    backend.drop_before(topic, at_ms - 2 * HOUR_MS)
    assert complete_since(backend.bus, [topic], NINE) == {topic: "2026-11-23T07:00:00.000Z"}
    backend.drop_before(topic, at_ms)
    assert complete_since(backend.bus, [topic], NINE) == {topic: "2026-11-23T09:00:00.000Z"}, (
        "nothing is left that could tell"
    )
