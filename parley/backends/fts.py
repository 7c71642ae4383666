"""The index on SQLite: FTS5 over terms that `parley.domain.lexical` has cut, vectors in a column; one database file a tenant.

It is derived data: deleting the folder costs one re-indexing. Vectors are kept as 16-bit floats, half the size, which moves a cosine by
less than 0.0005; a version's are held in memory as one matrix, since a product with 10,000 rows takes a millisecond or two.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from parley.backends.chunk_index import (
    FORMAT,
    Candidate,
    Entry,
    Held,
    Manifest,
    Search,
    make_folder,
)
from parley.domain.lexical import WEIGHTS, Fields
from parley.errors import StoreUnavailable
from schemas.base import TenantId

if TYPE_CHECKING:
    from numpy import float32, int64, str_
    from numpy.typing import NDArray

    from parley.ports.models import Vector

TABLES = ("words", "chunks", "members", "manifests", "versions", "meta")
"""Of this format and of earlier ones."""
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS chunks (
    row INTEGER PRIMARY KEY, chunk_id TEXT UNIQUE NOT NULL, language TEXT NOT NULL,
    valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL,
    title TEXT NOT NULL, path TEXT NOT NULL, text TEXT NOT NULL, body TEXT NOT NULL,
    encoder TEXT NOT NULL, vector BLOB
);
CREATE TABLE IF NOT EXISTS manifests (
    version TEXT PRIMARY KEY, number INTEGER NOT NULL, encoder TEXT NOT NULL, digest TEXT NOT NULL, statistics TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS members (
    row INTEGER NOT NULL, version TEXT NOT NULL,
    language TEXT NOT NULL, valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL,
    PRIMARY KEY (row, version)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    title, path, text, content='chunks', content_rowid='row', tokenize="unicode61 remove_diacritics 0"
);
CREATE TRIGGER IF NOT EXISTS chunk_indexed AFTER INSERT ON chunks BEGIN
    INSERT INTO words (rowid, title, path, text) VALUES (new.row, new.title, new.path, new.text);
END;
CREATE TRIGGER IF NOT EXISTS chunk_forgotten AFTER DELETE ON chunks BEGIN
    INSERT INTO words (words, rowid, title, path, text) VALUES ('delete', old.row, old.title, old.path, old.text);
END;
PRAGMA user_version = {FORMAT};
"""
MATRICES_KEPT = 8
"""In memory, each of one version: 15 MB for 10,000 chunks."""


class FtsIndex:
    """Implements `parley.backends.chunk_index.ChunkIndex`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, sqlite3.Connection] = {}
        self._matrices: OrderedDict[tuple[str, str], _Matrix] = OrderedDict()
        self._lock = Lock()

    def manifests(self, tenant: TenantId) -> list[Manifest]:
        with self._database(tenant) as database:
            rows = database.execute("SELECT version, number, encoder, digest, statistics FROM manifests")
            return [Manifest.of_row(*row) for row in rows]

    def held(self, tenant: TenantId) -> dict[str, Held]:
        with self._database(tenant) as database:
            rows = database.execute("SELECT chunk_id, encoder, language, title, path, text FROM chunks")
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
            self._matrices = OrderedDict(
                (pair, matrix) for pair, matrix in self._matrices.items() if pair[0] != tenant
            )

    def candidates(
        self, tenant: TenantId, manifest: Manifest, searches: Sequence[Search]
    ) -> list[list[Candidate]]:
        with self._database(tenant) as database:
            return [self._find(database, tenant, manifest, search) for search in searches]

    def close(self) -> None:
        with self._lock:
            for database in self._open.values():
                database.close()
            self._open.clear()
            self._matrices.clear()

    def _find(
        self, database: sqlite3.Connection, tenant: str, manifest: Manifest, search: Search
    ) -> list[Candidate]:
        found = set(_by_words(database, manifest.version, search))
        vectors: Mapping[str, Vector] = {}
        if search.vector is not None:
            matrix = self._matrix(database, tenant, manifest)
            found.update(matrix.nearest(search, search.vector))
            vectors = matrix.by_chunk
        marks = ", ".join("?" * len(found))
        rows = database.execute(
            f"""SELECT c.chunk_id, c.title, c.path, c.text, c.body, c.encoder
                FROM chunks c JOIN members m ON m.row = c.row AND m.version = ? WHERE c.chunk_id IN ({marks})""",
            (manifest.version, *found),
        )
        return [Candidate(row[0], Fields(*row[1:4]), row[4], row[5], vectors.get(row[0])) for row in rows]

    def _matrix(self, database: sqlite3.Connection, tenant: str, manifest: Manifest) -> "_Matrix":
        matrix = self._matrices.get((tenant, manifest.version))
        if matrix is None:
            matrix = self._matrices[tenant, manifest.version] = _Matrix.load(database, manifest)
        self._matrices.move_to_end((tenant, manifest.version))
        while len(self._matrices) > MATRICES_KEPT:
            self._matrices.popitem(last=False)
        return matrix

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
        path = self._directory / f"{tenant}.fts.db"
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        database.execute("PRAGMA journal_mode=WAL")
        [(found,)] = database.execute("PRAGMA user_version")
        drops = "".join(f"DROP TABLE IF EXISTS {table}; " for table in TABLES) if found != FORMAT else ""
        database.executescript(f"BEGIN IMMEDIATE; {drops}{SCHEMA}COMMIT;")
        self._open[tenant] = database
        return database


class _Matrix(NamedTuple):
    """A version's vectors, and what decides whether a chunk may be found."""

    #: Rows of `vectors` by chunk, in their order.
    by_chunk: "dict[str, Vector]"
    vectors: "NDArray[float32]"  # (chunks, dimensions)
    languages: "NDArray[str_]"
    valid_from: "NDArray[int64]"
    valid_until: "NDArray[int64]"

    @classmethod
    def load(cls, database: sqlite3.Connection, manifest: Manifest) -> "_Matrix":
        import numpy as np

        rows = database.execute(
            """SELECT c.chunk_id, c.vector, c.language, c.valid_from, c.valid_until
               FROM chunks c JOIN members m ON m.row = c.row AND m.version = ?
               WHERE c.vector IS NOT NULL AND c.encoder = ?""",
            (manifest.version, manifest.encoder),
        ).fetchall()
        blobs = b"".join(row[1] for row in rows)
        vectors = (
            np.frombuffer(blobs, dtype=np.float16).reshape(len(rows), -1 if rows else 0).astype(np.float32)
        )
        return cls(
            {row[0]: vector for row, vector in zip(rows, vectors, strict=True)},
            vectors,
            np.array([row[2] for row in rows], dtype=np.str_),
            np.array([row[3] for row in rows], dtype=np.int64),
            np.array([row[4] for row in rows], dtype=np.int64),
        )

    def nearest(self, search: Search, vector: "Vector") -> list[str]:
        """Those of the highest cosines, and those that tie with the last of them."""
        import numpy as np

        valid = (self.languages == search.language) & (self.valid_from <= search.on)
        [places] = np.nonzero(valid & (self.valid_until >= search.on))
        if not len(places):
            return []
        scores = (self.vectors @ vector)[places]
        count = min(search.by_meaning, len(places))
        least = np.partition(scores, len(places) - count)[len(places) - count]
        chunk_ids = list(self.by_chunk)
        return [chunk_ids[place] for place in places[scores >= least]]


def _by_words(database: sqlite3.Connection, version: str, search: Search) -> Iterator[str]:
    """Half of the chunks may have some term, so all that decides about one stands in `members`: a look-up less for each."""
    if not search.terms:
        return
    match = " OR ".join(f'"{term}"' for term in search.terms)
    for (chunk_id,) in database.execute(
        f"""SELECT chunk_id FROM chunks WHERE row IN (
                SELECT m.row FROM words JOIN members m ON m.row = words.rowid AND m.version = ?
                WHERE words MATCH ? AND m.language = ? AND m.valid_from <= ? AND m.valid_until >= ?
                ORDER BY bm25(words, {", ".join(map(str, WEIGHTS))}), m.row LIMIT ?)""",
        (version, match, search.language, search.on, search.on, search.by_words),
    ):
        yield chunk_id


def _put(database: sqlite3.Connection, fresh: Sequence[Entry]) -> None:
    """A chunk that is there gets its vector alone: an id follows from the content."""
    database.executemany(
        """INSERT INTO chunks
               (chunk_id, language, valid_from, valid_until, title, path, text, body, encoder, vector)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (chunk_id) DO UPDATE SET encoder = excluded.encoder, vector = excluded.vector""",
        [(*each[:4], *each.fields, each.body, each.encoder, _blob(each.vector)) for each in fresh],
    )


def _make_members(database: sqlite3.Connection, version: str, members: Collection[str]) -> None:
    held = database.execute("SELECT chunk_id, row, language, valid_from, valid_until FROM chunks")
    rows = {chunk_id: (row, version, *rest) for chunk_id, row, *rest in held}
    if not rows.keys() >= set(members):
        raise StoreUnavailable(
            "search index: another process forgot a chunk that this version has; try again"
        )
    database.execute("DELETE FROM members WHERE version = ?", (version,))
    database.executemany("INSERT INTO members VALUES (?, ?, ?, ?, ?)", [rows[name] for name in members])


def _forget(database: sqlite3.Connection, kept: Collection[str]) -> None:
    marks = ", ".join("?" * len(kept))
    for table in ("manifests", "members"):
        database.execute(f"DELETE FROM {table} WHERE version NOT IN ({marks})", tuple(kept))
    database.execute("DELETE FROM chunks WHERE row NOT IN (SELECT row FROM members)")


def _blob(vector: "Vector | None") -> bytes | None:
    return None if vector is None else vector.astype("float16").tobytes()
