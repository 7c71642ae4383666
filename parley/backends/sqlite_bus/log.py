"""The SQLite log as `LocalConsumer` sees it: reading on a connection of its own, groups through the engine."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from parley.backends.local_log import Bell, Fetched, Member, Standing
from parley.backends.sqlite_bus import groups, storage
from parley.backends.sqlite_bus.engine import BUSY_TIMEOUT_S, Engine
from parley.backends.sqlite_bus.storage import MAX_OFFSET, row_id
from parley.ports.bus import Record, TopicPartition

MAX_FETCHED_BYTES = 16 * 1_048_576


def number_of(engine: Engine, partition: TopicPartition) -> int:
    return engine.topic(partition.topic).first_number + partition.partition


class SqliteReader:
    """A `LogReader`. Belongs to one thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._db: sqlite3.Connection | None = None
        self._numbers: dict[TopicPartition, int] = {}

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._engine.open()
            with storage.translated(self._engine.path):
                self._db = storage.connect_to_read(self._engine.path, BUSY_TIMEOUT_S)
        return self._db

    def _number(self, partition: TopicPartition) -> int:
        number = self._numbers.get(partition)
        if number is None:
            number = self._numbers[partition] = number_of(self._engine, partition)
        return number

    def partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        return [
            TopicPartition(name, number)
            for name in topics
            for number in range(self._engine.topic(name).partitions)
        ]

    def listen(self, bell: Bell, partitions: Iterable[TopicPartition]) -> None:
        numbers = [self._number(partition) for partition in partitions]
        if numbers:
            self._engine.listen(bell, numbers)
        else:
            self._engine.unlisten(bell)

    def read(self, wanted: Sequence[tuple[TopicPartition, int]], max_records: int) -> Fetched:
        """One query for each partition that the engine knows to reach further, none for the others."""
        fetched = Fetched([], {})
        bytes_left = MAX_FETCHED_BYTES
        for partition, offset in wanted:
            number = self._number(partition)
            end = self._engine.end(number)
            room = max_records - len(fetched.records)
            if end <= offset or room <= 0 or bytes_left <= 0:
                continue
            records, more = self._read_one(partition, number, offset, room, bytes_left)
            fetched.records.extend(records)
            fetched.positions[partition] = (
                records[-1].offset + 1 if records and more else max(end, _after(records))
            )
            bytes_left -= sum(len(record.value or b"") for record in records)
        return fetched

    def _read_one(
        self, partition: TopicPartition, number: int, offset: int, max_records: int, max_bytes: int
    ) -> tuple[list[Record], bool]:
        """Records from the offset on, and whether there may be more of them."""
        records: list[Record] = []
        with storage.translated(self._engine.path):
            rows = self._open().execute(
                "SELECT id, timestamp_ms, key, headers, value FROM records WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
                (row_id(number, offset), row_id(number, MAX_OFFSET), max_records),
            )
            for row in rows:
                records.append(storage.record(partition, row))
                max_bytes -= len(row[4] or b"")
                if max_bytes <= 0:
                    rows.close()
                    return records, True
        return records, len(records) == max_records

    def bounds(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        found: dict[TopicPartition, tuple[int, int]] = {}
        for partition in partitions:
            number = self._number(partition)
            with storage.translated(self._engine.path):
                found[partition] = storage.load_bounds(self._open(), number)[number]
        return found

    def offset_at(self, partition: TopicPartition, timestamp_ms: int) -> int | None:
        number = self._number(partition)
        with storage.translated(self._engine.path):
            row = (
                self._open()
                .execute(
                    "SELECT id FROM records WHERE id BETWEEN ? AND ? AND timestamp_ms >= ? ORDER BY id LIMIT 1",
                    (row_id(number, 0), row_id(number, MAX_OFFSET), timestamp_ms),
                )
                .fetchone()
            )
        return None if row is None else row[0] & MAX_OFFSET

    def committed(self, group: str, partition: TopicPartition) -> int | None:
        number = self._number(partition)
        with storage.translated(self._engine.path):
            row = (
                self._open()
                .execute(
                    "SELECT next_offset FROM offsets WHERE group_name = ? AND number = ?", (group, number)
                )
                .fetchone()
            )
        return None if row is None else int(row[0])

    def close(self, bell: Bell) -> None:
        self._engine.unlisten(bell)
        if self._db is not None:
            self._db.close()
            self._db = None


def _after(records: Sequence[Record]) -> int:
    return records[-1].offset + 1 if records else 0


class SqliteGroups:
    """A `GroupLog`. Thread-safe."""

    check_every_s = 3600.0  # the engine rings

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def now_s(self) -> float:
        return self._engine.now_s()

    def version(self, group: str) -> int:
        self._engine.open()
        return self._engine.version(group)

    def join(self, member: Member) -> None:
        self._engine.add_member(member)

    def leave(self, member: Member) -> None:
        self._engine.remove_member(member)

    def standing(self, member: Member) -> Standing | None:
        return self._engine.call(lambda db: groups.standing(db, member, self._engine.topics()))

    def take(self, member: Member, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        numbers = self._numbers(partitions)
        return self._engine.call(lambda db: groups.take(db, member, numbers))

    def release(self, member: Member, partitions: Iterable[TopicPartition]) -> None:
        numbers = self._numbers(partitions)
        self._engine.call(lambda db: groups.release(db, member, numbers.values()), group=member.group)

    def commit(self, member: Member, offsets: Mapping[TopicPartition, int]) -> None:
        numbers = self._numbers(offsets)
        self._engine.call(lambda db: groups.commit(db, member, offsets, numbers))

    def _numbers(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: number_of(self._engine, partition) for partition in partitions}
