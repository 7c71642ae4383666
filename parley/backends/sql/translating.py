"""Every error of SQLAlchemy and of both drivers, in Parley's own words.

What may pass by itself becomes `StoreUnavailable`, a schema that was never applied `ConfigurationError`; the rest is our bug and
stays what it is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from parley.errors import ConfigurationError, StoreUnavailable

# By its states (https://www.postgresql.org/docs/current/errcodes-appendix.html) and not by its driver's classes: SQLite's users
# need not load that driver.
POSTGRES_READ_ONLY = "25006"
"""A standby, while it is becoming the primary."""
POSTGRES_UNMIGRATED = frozenset({"42P01", "42703"})
"""No such table, no such column."""

SQLITE_PASSING = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""Primary result codes (https://sqlite.org/rescode.html): busy, out of space or memory, a file that cannot be reached."""

SQLITE_UNMIGRATED = ("no such table", "no such column", "has no column named")


@contextmanager
def translated() -> Iterator[None]:
    """Raises `StoreUnavailable` or `ConfigurationError` for the database's errors; our bugs pass on unchanged."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("database: all connections are in use") from error
    except DBAPIError as error:
        if error.connection_invalidated or _passes(error):
            raise StoreUnavailable(f"database: {_words(error.orig)}") from error
        if _unmigrated(error.orig):
            raise ConfigurationError(f"database: {_words(error.orig)}; run: parley db upgrade") from error
        raise


def _passes(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_code(error.orig) in SQLITE_PASSING
    # Operational: no connection, shutting down, out of space, lock time-out, deadlock. Interface: closed under our hands.
    return isinstance(error, OperationalError | InterfaceError) or _state(error.orig) == POSTGRES_READ_ONLY


def _unmigrated(origin: BaseException | None) -> bool:
    if isinstance(origin, sqlite3.OperationalError):
        return any(words in str(origin) for words in SQLITE_UNMIGRATED)
    return _state(origin) in POSTGRES_UNMIGRATED


def _state(origin: BaseException | None) -> str | None:
    return getattr(origin, "sqlstate", None)


def _sqlite_code(error: sqlite3.Error) -> int | None:
    """The primary code, which is the extended one's low byte; None for errors of the module itself (wrong use)."""
    code: int | None = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _words(origin: BaseException | None) -> str:
    """The driver's first line, without the statement and its parameters."""
    lines = str(origin).strip().splitlines()
    return lines[0] if lines else type(origin).__name__
