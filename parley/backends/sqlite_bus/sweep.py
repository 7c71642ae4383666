"""Retention and compaction: a little at a time, by the engine's thread, in transactions of their own."""

import sqlite3
import time
from collections.abc import Iterator, Mapping

from parley.backends.sqlite_bus.storage import MAX_OFFSET, Topic, row_id

SWEEP_EVERY_S = 60.0
CHUNK = 500
DONE = object()
TOMBSTONE_MS = 86_400_000
"""How long the news that a key is gone stays readable in a compacted topic, as Kafka's delete.retention.ms."""


class Sweeper:
    """Belongs to the engine's thread. A sweep takes many steps, between which records are written."""

    def __init__(self, every_s: float = SWEEP_EVERY_S) -> None:
        self._every_s = every_s
        self._next_at_s = time.monotonic() + every_s
        self._under_way: Iterator[None] | None = None
        self._compacted: dict[int, int] = {}
        self._asked_ms: int | None = None

    def hurry(self, now_ms: int) -> None:
        """Let the next step be a whole sweep, as of that time."""
        self._asked_ms = now_ms

    def step(self, db: sqlite3.Connection, topics: Mapping[str, Topic], ends: Mapping[int, int]) -> None:
        """Go on with the sweep that is under way, or begin one when it is time. Raises `sqlite3.Error`, which ends the sweep."""
        if self._asked_ms is not None:
            now_ms, self._asked_ms = self._asked_ms, None
            for _ in self._sweep(db, topics, ends, now_ms):
                pass
            return
        if self._under_way is None:
            if time.monotonic() < self._next_at_s:
                return
            self._under_way = self._sweep(db, topics, ends, int(time.time() * 1000))
        if next(self._under_way, DONE) is DONE:
            self._under_way = None
            self._next_at_s = time.monotonic() + self._every_s

    def _sweep(
        self, db: sqlite3.Connection, topics: Mapping[str, Topic], ends: Mapping[int, int], now_ms: int
    ) -> Iterator[None]:
        """One partition a step; of one that expires, up to a chunk."""
        for topic in topics.values():
            for number in topic.numbers():
                if topic.compacted:
                    if self._compacted.get(number) != ends[number]:
                        _compact(db, number, now_ms)
                        self._compacted[number] = ends[number]
                elif topic.retention_ms is not None:
                    while _expire(db, number, now_ms - topic.retention_ms):
                        yield
                yield


def _expire(db: sqlite3.Connection, number: int, before_ms: int) -> bool:
    """Delete up to a chunk of what is too old at the partition's beginning. True when there may be more."""
    low, high = row_id(number, 0), row_id(number, MAX_OFFSET)
    rows = db.execute(
        "SELECT id, timestamp_ms FROM records WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
        (low, high, CHUNK + 1),
    ).fetchall()
    young = next((at for at, (_, timestamp_ms) in enumerate(rows) if timestamp_ms >= before_ms), len(rows))
    old = min(young, CHUNK)
    if old == 0:
        return False
    first = rows[old][0] & MAX_OFFSET if old < len(rows) else (rows[-1][0] & MAX_OFFSET) + 1
    db.execute("BEGIN IMMEDIATE")
    db.execute("DELETE FROM records WHERE id BETWEEN ? AND ?", (low, rows[old - 1][0]))
    db.execute("UPDATE partitions SET first_offset = ? WHERE number = ?", (first, number))
    db.execute("COMMIT")
    return young > CHUNK


def _compact(db: sqlite3.Connection, number: int, now_ms: int) -> None:
    """Keep the last record of each key; drop old tombstones, but never the newest record: it says where the log ends."""
    rows = db.execute(
        "SELECT id, key, timestamp_ms, value IS NULL FROM records WHERE id BETWEEN ? AND ? ORDER BY id",
        (row_id(number, 0), row_id(number, MAX_OFFSET)),
    ).fetchall()
    last = {key: ident for ident, key, _, _ in rows}
    gone = [
        (ident,)
        for ident, key, timestamp_ms, tombstone in rows[:-1]
        if key is not None and (last[key] != ident or (tombstone and timestamp_ms < now_ms - TOMBSTONE_MS))
    ]
    if not gone:
        return
    db.execute("BEGIN IMMEDIATE")
    db.executemany("DELETE FROM records WHERE id = ?", gone)
    db.execute("COMMIT")
