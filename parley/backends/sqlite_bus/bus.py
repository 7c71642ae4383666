"""The SQLite bus, its producer and its admin. One object serves all threads of a process; processes share the file."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from pathlib import Path
from uuid import uuid4

from parley.backends.local_consumer import LocalConsumer
from parley.backends.local_log import Member
from parley.backends.outgoing import Outstanding, Spread, check_record, failed
from parley.backends.sqlite_bus import storage
from parley.backends.sqlite_bus.engine import Engine
from parley.backends.sqlite_bus.jobs import Append
from parley.backends.sqlite_bus.log import SqliteGroups, SqliteReader
from parley.errors import BusUnavailable, ConfigurationError
from parley.ports.bus import (
    Admin,
    Consumer,
    Headers,
    Position,
    Producer,
    RebalanceListener,
    Start,
    TopicPartition,
    TopicSpec,
)

CLOSE_FLUSH_S = 3.0


class SqliteBus:
    """`monotonic` measures sessions; it must be the same clock in all processes that share the file."""

    def __init__(self, path: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._engine = Engine(Path(os.path.realpath(path.expanduser())), monotonic)
        self._groups = SqliteGroups(self._engine)

    def producer(self, *, linger_s: float = 0.0, delivery_timeout_s: float = 30.0) -> Producer:
        """`linger_s` is of no use here: what comes while the file is being written is written together anyway."""
        return SqliteProducer(self._engine, delivery_timeout_s)

    def consumer(
        self,
        group: str,
        topics: Sequence[str],
        *,
        listener: RebalanceListener | None = None,
        start: Start = "earliest",
        session_timeout_s: float = 10.0,
    ) -> Consumer:
        member = Member(f"{group}-{uuid4().hex}", group, tuple(topics), session_timeout_s)
        reader = SqliteReader(self._engine)
        return LocalConsumer(reader, topics, start, groups=self._groups, member=member, listener=listener)

    def reader(self, topics: Sequence[str], *, start: Start = "latest") -> Consumer:
        return LocalConsumer(SqliteReader(self._engine), topics, start, groups=self._groups)

    def admin(self) -> Admin:
        return SqliteAdmin(self._engine)

    def sweep(self, now_ms: int) -> None:
        """Apply retention and compaction now, as of that time; otherwise it is done once a minute."""
        self._engine.sweep(now_ms)

    def close(self) -> None:
        self._engine.close()


class SqliteProducer:
    def __init__(self, engine: Engine, delivery_timeout_s: float) -> None:
        self._engine = engine
        self._delivery_timeout_s = delivery_timeout_s
        self._spread = Spread()
        self._outstanding = Outstanding()
        self._closed = False

    def send(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Future[Position]:
        size = check_record(key, value, headers)
        try:
            if self._closed:
                raise BusUnavailable("the producer is closed")
            known = self._engine.topic(topic)
            number = self._spread.choose(topic, known.partitions, key, partition)
            future = self._outstanding.open(size)
        except BusUnavailable as error:
            return failed(error)
        at_ms = int(time.time() * 1000) if timestamp_ms is None else timestamp_ms
        job = Append(
            time.monotonic() + self._delivery_timeout_s,
            TopicPartition(topic, number),
            known.first_number + number,
            (at_ms, key, storage.encode_headers(headers), value),
            future,
        )
        try:
            self._engine.put(job)
        except BusUnavailable as error:
            future.set_exception(error)
        return future

    def flush(self, timeout_s: float = 30.0) -> None:
        self._outstanding.wait(timeout_s)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            self._outstanding.wait(CLOSE_FLUSH_S)
        except BusUnavailable:
            return  # the futures say which records were not written


class SqliteAdmin:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def apply(self, topics: Iterable[TopicSpec]) -> list[str]:
        specs = list(topics)
        created = self._engine.call(lambda db: _create(db, specs), durable=True)
        self._engine.refresh()
        return created

    def topics(self) -> dict[str, int]:
        self._engine.refresh()
        return {topic.name: topic.partitions for topic in self._engine.topics().values()}

    def lag(self, group: str) -> dict[TopicPartition, int]:
        self._engine.refresh()
        names = {
            number: topic.partition(number)
            for topic in self._engine.topics().values()
            for number in topic.numbers()
        }
        stored = self._engine.call(
            lambda db: db.execute(
                "SELECT number, next_offset FROM offsets WHERE group_name = ?", (group,)
            ).fetchall()
        )
        return {names[number]: max(0, self._engine.end(number) - offset) for number, offset in stored}

    def members(self, group: str) -> int:
        now_s = self._engine.now_s()
        count: int = self._engine.call(
            lambda db: db.execute(
                "SELECT count(*) FROM members WHERE group_name = ? AND seen_s + session_timeout_s >= ?",
                (group, now_s),
            ).fetchone()[0]
        )
        return count

    def close(self) -> None:
        """Nothing is held for an admin."""


def _create(db: sqlite3.Connection, specs: Iterable[TopicSpec]) -> list[str]:
    """Raises `ConfigurationError` before anything is written."""
    have = storage.load_topics(db)
    wanted = list(specs)
    for spec in wanted:
        known = have.get(spec.name)
        if known is not None and known.partitions != spec.partitions:
            raise ConfigurationError(
                f"topic {spec.name} has {known.partitions} partitions, not {spec.partitions}; "
                "a topic in use keeps its number"
            )
    missing = [spec for spec in wanted if spec.name not in have]
    (first,) = db.execute("SELECT coalesce(max(number) + 1, 0) FROM partitions").fetchone()
    for spec in missing:
        db.execute(
            "INSERT INTO topics VALUES (?, ?, ?, ?, ?)",
            (spec.name, first, spec.partitions, spec.retention_ms, spec.compacted),
        )
        db.executemany("INSERT INTO partitions VALUES (?, 0)", [(first + n,) for n in range(spec.partitions)])
        first += spec.partitions
    return [spec.name for spec in missing]
