"""The file: tables, connections, how a record becomes a row, and what SQLite's errors mean to us.

A record's row id is its partition's number and its offset in one integer, so that the table itself is the only index: a
send appends to the end of a partition's range, a poll reads on from an offset.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from parley.errors import BusUnavailable, ConfigurationError, ParleyError, UnknownTopic
from parley.ports.bus import Headers, Record, TopicPartition

SCHEMA_VERSION = 1
OFFSET_BITS = 40
MAX_OFFSET = (1 << OFFSET_BITS) - 1

_SCHEMA = (
    # Partition numbers of the whole file: a topic has those from `first_number` on.
    """CREATE TABLE topics (
        name TEXT PRIMARY KEY, first_number INTEGER NOT NULL, partitions INTEGER NOT NULL,
        retention_ms INTEGER, compacted INTEGER NOT NULL)""",
    # `first_offset`: everything below it was deleted by retention.
    "CREATE TABLE partitions (number INTEGER PRIMARY KEY, first_offset INTEGER NOT NULL)",
    # The value stands last: what only looks at times or keys never touches its overflow pages.
    """CREATE TABLE records (
        id INTEGER PRIMARY KEY, timestamp_ms INTEGER NOT NULL, key BLOB, headers BLOB NOT NULL, value BLOB)""",
    """CREATE TABLE members (
        joined INTEGER PRIMARY KEY, member_id TEXT NOT NULL UNIQUE, group_name TEXT NOT NULL, process TEXT NOT NULL,
        topics TEXT NOT NULL, session_timeout_s REAL NOT NULL, seen_s REAL NOT NULL)""",
    "CREATE TABLE groups (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE owners (
        group_name TEXT NOT NULL, number INTEGER NOT NULL, member_id TEXT NOT NULL,
        PRIMARY KEY (group_name, number)) WITHOUT ROWID""",
    """CREATE TABLE offsets (
        group_name TEXT NOT NULL, number INTEGER NOT NULL, next_offset INTEGER NOT NULL,
        PRIMARY KEY (group_name, number)) WITHOUT ROWID""",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_FULL", "SQLITE_IOERR", "SQLITE_PROTOCOL", "SQLITE_NOMEM")


class Topic(NamedTuple):
    name: str
    first_number: int
    partitions: int
    retention_ms: int | None
    compacted: bool

    def numbers(self) -> range:
        return range(self.first_number, self.first_number + self.partitions)

    def partition(self, number: int) -> TopicPartition:
        return TopicPartition(self.name, number - self.first_number)


def unknown_topic(name: str) -> UnknownTopic:
    return UnknownTopic(f"topic {name} does not exist on the bus (parley topics apply creates it)")


def row_id(number: int, offset: int) -> int:
    return number << OFFSET_BITS | offset


def translate(error: sqlite3.Error, path: Path) -> ParleyError:
    """What to tell the caller: gone for now (`BusUnavailable`), or a file that cannot work (`ConfigurationError`)."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith(_AWAY):
        return BusUnavailable(f"the log {path} is not available: {error}")
    return ConfigurationError(f"the log {path} cannot be used: {error}")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from error


def connect(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection that may be handed between threads, in WAL mode, every transaction opened by hand."""
    connection = sqlite3.connect(path, timeout=busy_timeout_s, isolation_level=None, check_same_thread=False)
    try:
        # WAL is kept in the file; asking for it again would need the write lock.
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_read(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    connection = connect(path, busy_timeout_s)
    connection.execute("PRAGMA query_only = ON")
    connection.execute("PRAGMA cache_size = -512")  # KiB; there is one such connection a consumer
    return connection


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Create the tables in a new file. Raises `ConfigurationError` for a file of another make."""
    if connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if version == 0 and tables == 0:
            for statement in _SCHEMA:
                connection.execute(statement)
        elif version != SCHEMA_VERSION:
            raise ConfigurationError(
                f"{path} is no log of this version (it says {version}, needed is {SCHEMA_VERSION}); name another file"
            )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def load_topics(connection: sqlite3.Connection) -> dict[str, Topic]:
    rows = connection.execute("SELECT name, first_number, partitions, retention_ms, compacted FROM topics")
    return {
        name: Topic(name, first, count, retention, bool(keep)) for name, first, count, retention, keep in rows
    }


BOUNDS = f"""
    SELECT p.number, p.first_offset, coalesce((SELECT max(r.id) & {MAX_OFFSET} FROM records r
        WHERE r.id BETWEEN p.number << {OFFSET_BITS} AND p.number << {OFFSET_BITS} | {MAX_OFFSET}) + 1, p.first_offset)
    FROM partitions p"""


def load_bounds(connection: sqlite3.Connection, number: int | None = None) -> dict[int, tuple[int, int]]:
    """By partition number: the first offset that may exist, and the next one to be written."""
    one = "" if number is None else " WHERE p.number = ?"
    rows = connection.execute(BOUNDS + one, () if number is None else (number,))
    return {number: (first, end) for number, first, end in rows}


def encode_headers(headers: Headers) -> bytes:
    parts = []
    for name, value in headers:
        raw = name.encode()
        parts.append(struct.pack("<HI", len(raw), len(value)))
        parts.append(raw)
        parts.append(value)
    return b"".join(parts)


def decode_headers(data: bytes) -> Headers:
    headers = []
    at = 0
    while at < len(data):
        name_bytes, value_bytes = struct.unpack_from("<HI", data, at)
        middle = at + 6 + name_bytes
        at_end = middle + value_bytes
        headers.append((data[at + 6 : middle].decode(), data[middle:at_end]))
        at = at_end
    return tuple(headers)


def record(partition: TopicPartition, row: tuple[int, int, bytes | None, bytes, bytes | None]) -> Record:
    ident, timestamp_ms, key, headers, value = row
    return Record(*partition, ident & MAX_OFFSET, timestamp_ms, key, value, decode_headers(headers))
