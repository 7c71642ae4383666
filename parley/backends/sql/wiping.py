"""Bytes of what was deleted, cleared out of a database's files as far as the database can: said differently to each of the two."""

from typing import Any

from sqlalchemy import Engine, Table, event, text

from parley.backends.sql.engine import reading
from parley.backends.sql.translating import translated
from parley.errors import StoreUnavailable


def overwrite_deleted(engine: Engine) -> None:
    """Let SQLite write zeros over what it deletes (https://sqlite.org/pragma.html#pragma_secure_delete)."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.execute("PRAGMA secure_delete = ON")


def rewrite(engine: Engine, table: Table) -> str | None:
    """Write the table's file anew without what was deleted; returns what is left of that, and why.

    PostgreSQL leaves a deleted row's bytes on its page even after a plain VACUUM; FULL makes another file, and locks the table
    for as long as that takes. Its write-ahead log is not the table's, and keeps what it holds until its segments are reused.
    """
    try:
        return _sqlite(engine) if engine.dialect.name == "sqlite" else _postgres(engine, table)
    except StoreUnavailable as error:
        return f"not now ({error}); run the command again"


def _sqlite(engine: Engine) -> str | None:
    with reading(engine) as connection:
        connection.execute(text("VACUUM"))
        busy = connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]
    return "the -wal file: another process was reading it; run the command again" if busy else None


def _postgres(engine: Engine, table: Table) -> str | None:
    with translated(), engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        # A database that another role has made warns instead of failing; who owns the table tells.
        owner = text("SELECT pg_has_role(tableowner, 'USAGE') FROM pg_tables WHERE tablename = :name")
        if not connection.scalar(owner, {"name": table.name}):
            return (
                f"table {table.name}: it belongs to another role; run as its owner: VACUUM FULL {table.name}"
            )
        connection.execute(text(f"VACUUM (FULL) {table.name}"))
    return None
