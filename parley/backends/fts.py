"""The retriever on SQLite FTS5: BM25 over terms that `parley.domain.words` has cut, one database file a tenant.

The index is derived data: deleting the folder costs one re-indexing. Chunks are kept by id, so that a new version of a
tenant writes only what changed. Scores are BM25 as FTS5 computes it, turned so that higher is better.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import orjson

from parley.domain.chunking import Chunk
from parley.domain.words import terms
from parley.errors import ConfigurationError, StoreUnavailable
from parley.ports.models import Query
from schemas.base import TenantId
from schemas.parts import Passage

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chunks (
    row INTEGER PRIMARY KEY, chunk_id TEXT UNIQUE NOT NULL, article_id TEXT NOT NULL, language TEXT NOT NULL,
    valid_from TEXT NOT NULL, valid_until TEXT, body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS versions (number INTEGER PRIMARY KEY, version TEXT UNIQUE NOT NULL);
CREATE TABLE IF NOT EXISTS members (
    row INTEGER NOT NULL, version TEXT NOT NULL, PRIMARY KEY (row, version)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(
    title, path, text, content='', tokenize="unicode61 remove_diacritics 0"
);
"""
INDEX_FORMAT = "3"
"""Changes whenever terms are cut differently: an index of another format is built anew."""

BODY = ("chunk_id", "article_id", "title", "url", "path", "language", "text")
"""The fields of a chunk that a passage takes over."""
INDEXED = (*BODY, "asked_as")
"""What is kept of a chunk: a contentless index forgets a row only when told again what stood in it."""

VERSIONS_KEPT = 3
"""Turns that began under an earlier version still find its chunks; older versions are forgotten."""

WEIGHTS = (3.0, 2.0, 1.0)
"""How much a match counts in the article's title, in the headings above the chunk, and in its text."""

TOPIC_WEIGHT = 0.35
"""How much a match with the query's topic counts beside one with its text."""
CANDIDATES = 40
"""So many of the best for either are added up."""


class _Match(NamedTuple):
    row: int
    chunk_id: str


class FtsRetriever:
    """Thread-safe; implements `parley.ports.models.Retriever`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, sqlite3.Connection] = {}
        self._ready: set[tuple[str, str]] = set()
        self._lock = Lock()

    def ready(self, tenant: TenantId, version: str) -> bool:
        with self._lock:
            if (tenant, version) in self._ready:
                return True
            with self._database(tenant) as database:
                held = database.execute("SELECT 1 FROM versions WHERE version = ?", (version,)).fetchone()
            if held is not None:
                self._ready.add((tenant, version))
            return held is not None

    def sync(self, tenant: TenantId, version: str, chunks: Sequence[Chunk]) -> int:
        wanted = {chunk.chunk_id: chunk for chunk in chunks}
        with self._lock, self._database(tenant) as database, database:
            database.execute("BEGIN IMMEDIATE")
            held = {chunk_id: row for row, chunk_id in database.execute("SELECT row, chunk_id FROM chunks")}
            fresh = [chunk for chunk_id, chunk in wanted.items() if chunk_id not in held]
            held |= {chunk.chunk_id: self._insert(database, chunk) for chunk in fresh}
            members = [(held[chunk_id], version) for chunk_id in wanted]
            database.execute("DELETE FROM members WHERE version = ?", (version,))
            database.executemany("INSERT INTO members VALUES (?, ?)", members)
            database.execute("INSERT OR REPLACE INTO versions (version) VALUES (?)", (version,))
            self._forget_old(database)
            self._ready = {pair for pair in self._ready if pair[0] != tenant} | {(tenant, version)}
        return len(fresh)

    def search(self, tenant: TenantId, version: str, queries: Sequence[Query]) -> list[tuple[Passage, ...]]:
        with self._lock, self._database(tenant) as database:
            return [self._find(database, version, query) for query in queries]

    def close(self) -> None:
        with self._lock:
            for database in self._open.values():
                database.close()
            self._open.clear()
            self._ready.clear()

    def _find(self, database: sqlite3.Connection, version: str, query: Query) -> tuple[Passage, ...]:
        scores = dict(self._matches(database, version, query, query.text))
        for match, score in self._matches(database, version, query, query.topic):
            scores[match] = scores.get(match, 0.0) + TOPIC_WEIGHT * score
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0].chunk_id))[: query.limit]
        rows = [match.row for match, _ in best]
        marks = ", ".join("?" * len(rows))
        bodies = dict(database.execute(f"SELECT row, body FROM chunks WHERE row IN ({marks})", rows))
        return tuple(_passage(orjson.loads(bodies[match.row]), score) for match, score in best)

    def _matches(
        self, database: sqlite3.Connection, version: str, query: Query, text: str
    ) -> Iterator[tuple[_Match, float]]:
        """Chunks with their scores for these words, without their bodies, which sorting would carry along."""
        words = list(dict.fromkeys(terms(text)))[:64]
        if not words:
            return
        match = " OR ".join(f'"{word}"' for word in words)
        found = database.execute(
            f"""SELECT c.row, c.chunk_id, -bm25(words, {", ".join(map(str, WEIGHTS))}) AS score
                FROM words JOIN chunks c ON c.row = words.rowid JOIN members m ON m.row = c.row AND m.version = ?
                WHERE words MATCH ? AND c.language = ? AND c.valid_from <= ? AND coalesce(c.valid_until, '9999') >= ?
                ORDER BY score DESC, c.chunk_id LIMIT ?""",
            (version, match, query.language, query.on, query.on, max(CANDIDATES, query.limit)),
        )
        for row, chunk_id, score in found:
            yield _Match(row, chunk_id), score

    def _insert(self, database: sqlite3.Connection, chunk: Chunk) -> int:
        """Store a chunk with its terms; returns its row."""
        body = {name: getattr(chunk, name) for name in INDEXED}
        row = database.execute(
            "INSERT INTO chunks (chunk_id, article_id, language, valid_from, valid_until, body)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                chunk.chunk_id,
                chunk.article_id,
                chunk.language,
                chunk.valid_from,
                chunk.valid_until,
                orjson.dumps(body).decode(),
            ),
        ).lastrowid
        assert row is not None  # an INSERT always has one
        database.execute(
            "INSERT INTO words (rowid, title, path, text) VALUES (?, ?, ?, ?)", (row, *_fields(body))
        )
        return row

    def _forget_old(self, database: sqlite3.Connection) -> None:
        """Drop all but the last versions, and the chunks that none of those has."""
        database.execute(
            "DELETE FROM versions WHERE number NOT IN (SELECT number FROM versions ORDER BY number DESC LIMIT ?)",
            (VERSIONS_KEPT,),
        )
        database.execute("DELETE FROM members WHERE version NOT IN (SELECT version FROM versions)")
        orphans = database.execute(
            "SELECT row, body FROM chunks WHERE row NOT IN (SELECT row FROM members)"
        ).fetchall()
        for row, body in orphans:
            database.execute(
                "INSERT INTO words (words, rowid, title, path, text) VALUES ('delete', ?, ?, ?, ?)",
                (row, *_fields(orjson.loads(body))),
            )
            database.execute("DELETE FROM chunks WHERE row = ?", (row,))

    @contextmanager
    def _database(self, tenant: str) -> Iterator[sqlite3.Connection]:
        try:
            yield self._open.get(tenant) or self._connect(tenant)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"search index of {tenant}: {error}") from error

    def _connect(self, tenant: str) -> sqlite3.Connection:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"PARLEY_HOME: cannot write to {self._directory} ({error.strerror})"
            ) from error
        path = self._directory / f"{tenant}.fts.db"
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10.0)
        database.execute("PRAGMA journal_mode=WAL")
        database.executescript(SCHEMA)
        if self._meta(database, "format") != INDEX_FORMAT:
            with database:
                database.execute("BEGIN IMMEDIATE")
                for table in ("chunks", "members", "versions", "meta"):
                    database.execute(f"DELETE FROM {table}")
                database.execute("INSERT INTO words (words) VALUES ('delete-all')")
                database.execute("INSERT INTO meta VALUES ('format', ?)", (INDEX_FORMAT,))
        self._open[tenant] = database
        return database

    @staticmethod
    def _meta(database: sqlite3.Connection, name: str) -> str | None:
        row = database.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])


def _fields(body: Mapping[str, Any]) -> tuple[str, str, str]:
    """The terms of title, headings and text, joined by spaces: FTS5 then only has to split at them.

    What customers call it counts like the title.
    """
    columns = (f"{body['title']}\n" + "\n".join(body["asked_as"]), " ".join(body["path"]), body["text"])
    title, path, text = (" ".join(terms(column)) for column in columns)
    return title, path, text


def _passage(body: Mapping[str, Any], score: float) -> Passage:
    return Passage.model_validate({**{name: body[name] for name in BODY}, "score": round(score, 6)})
