"""The SQLite log's retention: a little at a time, so that records are written in between."""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.backends.sqlite_bus import storage
from parley.backends.sqlite_bus.storage import Topic, row_id
from parley.backends.sqlite_bus.sweep import CHUNK, Sweeper

OLD = Topic("old", 0, 2, retention_ms=1_000, compacted=False)
ROWS = 2 * CHUNK + 10


@pytest.fixture
def log(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Two partitions full of expired records."""
    db = storage.connect(tmp_path / "log.db", 1.0)
    storage.prepare(db, tmp_path / "log.db")
    db.executemany("INSERT INTO partitions VALUES (?, 0)", [(number,) for number in OLD.numbers()])
    rows = [(row_id(number, offset), 0) for number in OLD.numbers() for offset in range(ROWS)]
    db.executemany("INSERT INTO records VALUES (?, ?, NULL, x'', NULL)", rows)
    yield db
    db.close()


def left(db: sqlite3.Connection) -> int:
    (count,) = db.execute("SELECT count(*) FROM records").fetchone()
    return int(count)


def test_a_step_deletes_no_more_than_a_chunk(log: sqlite3.Connection) -> None:
    sweeper = Sweeper(every_s=0.0)
    counts = [left(log)]
    while counts[-1]:
        sweeper.step(log, {"old": OLD}, {})
        counts.append(left(log))
    steps = [before - after for before, after in itertools.pairwise(counts)]
    assert steps == [CHUNK, CHUNK, 10, CHUNK, CHUNK, 10]
    assert storage.load_bounds(log) == {0: (ROWS, ROWS), 1: (ROWS, ROWS)}


def test_who_is_in_a_hurry_gets_it_all_at_once(log: sqlite3.Connection) -> None:
    sweeper = Sweeper()
    sweeper.step(log, {"old": OLD}, {})
    assert left(log) == 2 * ROWS, "it is not time yet"
    sweeper.hurry(2_000)
    sweeper.step(log, {"old": OLD}, {})
    assert left(log) == 0


def test_a_sweep_that_fails_is_begun_anew(log: sqlite3.Connection) -> None:
    sweeper = Sweeper(every_s=0.0)
    log.execute("ALTER TABLE records RENAME TO away")
    with pytest.raises(sqlite3.OperationalError):
        sweeper.step(log, {"old": OLD}, {})
    log.execute("ALTER TABLE away RENAME TO records")
    for _ in range(10):
        sweeper.step(log, {"old": OLD}, {})
    assert left(log) == 0
