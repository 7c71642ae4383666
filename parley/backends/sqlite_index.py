"""The index in SQLite files, one a tenant, and in memory the versions that are asked: SQLite keeps, `in_memory` searches.

It is derived data: deleting the folder costs one re-indexing. Vectors are kept as 16-bit floats, half the size, which moves a cosine by
less than 0.0005.
"""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from cachetools import LRUCache

from parley.backends.chunk_index import (
    FORMAT,
    Content,
    Entry,
    Held,
    Manifest,
    Search,
    make_folder,
)
from parley.backends.in_memory import Chunks, Indexed
from parley.domain.lexical import Fields
from parley.errors import StoreUnavailable
from schemas.base import TenantId

if TYPE_CHECKING:
    from parley.ports.models import Vector

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS chunks (
    row INTEGER PRIMARY KEY, chunk_id TEXT UNIQUE NOT NULL, language TEXT NOT NULL,
    valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL,
    title TEXT NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL, names TEXT NOT NULL, body TEXT NOT NULL,
    encoder TEXT NOT NULL, vector BLOB
);
CREATE TABLE IF NOT EXISTS manifests (
    version TEXT PRIMARY KEY, number INTEGER NOT NULL, encoder TEXT NOT NULL, digest TEXT NOT NULL, statistics TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
    row INTEGER NOT NULL, version TEXT NOT NULL, PRIMARY KEY (row, version)
) WITHOUT ROWID;
PRAGMA user_version = {FORMAT};
"""
TABLES = ("chunks", "members", "manifests")
VERSIONS_IN_MEMORY = 8


class SqliteIndex:
    """Implements `parley.backends.chunk_index.ChunkIndex`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, sqlite3.Connection] = {}
        self._asked: LRUCache[tuple[str, str, int], Chunks] = LRUCache(VERSIONS_IN_MEMORY)
        self._lock = Lock()

    def manifests(self, tenant: TenantId) -> list[Manifest]:
        with self._database(tenant) as database:
            rows = database.execute("SELECT version, number, encoder, digest, statistics FROM manifests")
            return [Manifest.of_row(*row) for row in rows]

    def held(self, tenant: TenantId) -> dict[str, Held]:
        with self._database(tenant) as database:
            rows = database.execute(
                "SELECT chunk_id, encoder, language, title, path, text, names FROM chunks"
            )
            return {row[0]: Held(row[1], row[2], Fields(*row[3:])) for row in rows}

    def write(
        self,
        tenant: TenantId,
        manifest: Manifest,
        members: Collection[str],
        fresh: Sequence[Entry],
        kept: Collection[str],
    ) -> None:
        with self._database(tenant) as database, database:
            database.execute("BEGIN IMMEDIATE")
            _put(database, fresh)
            _make_members(database, manifest.version, members)
            database.execute("INSERT OR REPLACE INTO manifests VALUES (?, ?, ?, ?, ?)", manifest.row)
            _forget(database, kept)

    def candidates(self, tenant: TenantId, manifest: Manifest, searches: Sequence[Search]) -> list[list[str]]:
        chunks = self._chunks(tenant, manifest)
        return [chunks.best(search) for search in searches]

    def read(self, tenant: TenantId, keys: Collection[str]) -> dict[str, Content]:
        marks = ", ".join("?" * len(keys))
        with self._database(tenant) as database:
            rows = database.execute(
                f"SELECT chunk_id, title, path, text, names, body, encoder, vector FROM chunks WHERE chunk_id IN ({marks})",
                tuple(keys),
            ).fetchall()
        return {row[0]: Content(row[0], Fields(*row[1:5]), row[5], row[6], _vector(row[7])) for row in rows}

    def close(self) -> None:
        with self._lock:
            for database in self._open.values():
                database.close()
            self._open.clear()
            self._asked.clear()

    def _chunks(self, tenant: str, manifest: Manifest) -> Chunks:
        """A version that is written again has another number."""
        key = tenant, manifest.version, manifest.number
        with self._database(tenant) as database:
            chunks = self._asked.get(key)
            if chunks is None:
                chunks = self._asked[key] = Chunks(list(_members(database, manifest)), manifest.statistics)
        return chunks

    @contextmanager
    def _database(self, tenant: str) -> Iterator[sqlite3.Connection]:
        """One thread at a time: a search takes milliseconds, and most of them with the interpreter's lock."""
        with self._lock:
            try:
                yield self._open.get(tenant) or self._connect(tenant)
            except sqlite3.OperationalError as error:
                raise StoreUnavailable(f"search index of {tenant}: {error}") from error

    def _connect(self, tenant: str) -> sqlite3.Connection:
        make_folder(self._directory)
        path = self._directory / f"{tenant}.index.db"
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        database.execute("PRAGMA journal_mode=WAL")
        [(found,)] = database.execute("PRAGMA user_version")
        drops = "".join(f"DROP TABLE IF EXISTS {table}; " for table in TABLES) if found != FORMAT else ""
        database.executescript(f"BEGIN IMMEDIATE; {drops}{SCHEMA}COMMIT;")
        self._open[tenant] = database
        return database


def _members(database: sqlite3.Connection, manifest: Manifest) -> Iterator[Indexed]:
    """A vector by another encoder says nothing about this version's questions."""
    for chunk_id, language, valid_from, valid_until, title, path, text, vector in database.execute(
        """SELECT c.chunk_id, c.language, c.valid_from, c.valid_until, c.title, c.path, c.text,
                  CASE WHEN c.encoder = ? THEN c.vector END
           FROM chunks c JOIN members m ON m.row = c.row AND m.version = ?""",
        (manifest.encoder, manifest.version),
    ):
        fields = Fields(title, path, text)
        yield Indexed(chunk_id, language, valid_from, valid_until, fields, _vector(vector))


def _put(database: sqlite3.Connection, fresh: Sequence[Entry]) -> None:
    """A chunk that is there gets its vector alone: an id follows from the content."""
    database.executemany(
        """INSERT INTO chunks
               (chunk_id, language, valid_from, valid_until, title, path, text, names, body, encoder, vector)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (chunk_id) DO UPDATE SET encoder = excluded.encoder, vector = excluded.vector""",
        [(*each[:4], *each.fields, each.body, each.encoder, _blob(each.vector)) for each in fresh],
    )


def _make_members(database: sqlite3.Connection, version: str, members: Collection[str]) -> None:
    rows = dict(database.execute("SELECT chunk_id, row FROM chunks"))
    if not rows.keys() >= set(members):
        raise StoreUnavailable(
            "search index: another process forgot a chunk that this version has; try again"
        )
    database.execute("DELETE FROM members WHERE version = ?", (version,))
    database.executemany("INSERT INTO members VALUES (?, ?)", [(rows[name], version) for name in members])


def _forget(database: sqlite3.Connection, kept: Collection[str]) -> None:
    marks = ", ".join("?" * len(kept))
    for table in ("manifests", "members"):
        database.execute(f"DELETE FROM {table} WHERE version NOT IN ({marks})", tuple(kept))
    database.execute("DELETE FROM chunks WHERE row NOT IN (SELECT row FROM members)")


def _blob(vector: "Vector | None") -> bytes | None:
    return None if vector is None else vector.astype("float16").tobytes()


def _vector(blob: bytes | None) -> "Vector | None":
    import numpy as np

    return None if blob is None else np.frombuffer(blob, dtype=np.float16).astype(np.float32)
