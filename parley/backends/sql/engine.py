"""Connections: pragmas and time-outs of both databases, and every error of theirs in Parley's own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Insert, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from parley.errors import ConfigurationError, StoreUnavailable

BUSY_TIMEOUT_S = 10.0
POOL_TIMEOUT_S = 10.0
ALLOWED = "sqlite:///FILE or postgresql+psycopg://USER@HOST:PORT/NAME"


def make_engine(url: str) -> Engine:
    """Opens nothing yet. Raises `ConfigurationError` for a URL that cannot work."""
    try:
        if url.startswith("sqlite"):
            return _sqlite(url)
        if url.startswith("postgresql"):
            return create_engine(
                url,
                pool_size=10,
                max_overflow=20,
                pool_timeout=POOL_TIMEOUT_S,
                connect_args={"connect_timeout": 5},
            )
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError(f"database URL: {error}; allowed: {ALLOWED}") from error
    raise ConfigurationError(f"database URL: begins with {url.split(':', 1)[0]!r}; allowed: {ALLOWED}")


def _sqlite(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False})
    path = engine.url.database
    if path and path != ":memory:":
        _make_folder(Path(path).parent)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that will write takes the lock at once: one that upgraded later could fail half-way as busy.
        connection.exec_driver_sql(
            "BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE"
        )

    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"database URL: cannot write to {folder} ({error.strerror})") from error


@contextmanager
def translated() -> Iterator[None]:
    """Database errors that may pass become `StoreUnavailable`; those that are our bugs stay what they are."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise StoreUnavailable(_words(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(_words(error)) from error
        raise


def _words(error: Exception) -> str:
    """The driver's first line, without the statement and its parameters."""
    origin = getattr(error, "orig", None)
    return f"database: {str(origin or error).strip().splitlines()[0] if str(origin or error).strip() else type(error).__name__}"


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    with translated(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One query: on PostgreSQL without a transaction around it, which would cost two more round trips."""
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
            return
        reader = connection.execution_options(reads=True)
        with reader.begin():
            yield reader


def insert(engine: Engine, table: Table) -> Insert:
    """An INSERT that can say ON CONFLICT in this database's dialect."""
    return _insert(engine.dialect.name, table)


def upsert(engine: Engine, table: Table) -> Insert:
    """INSERT, or where the primary key is taken UPDATE all other columns."""
    return _upsert(engine.dialect.name, table)


def insert_missing(engine: Engine, table: Table) -> Insert:
    """INSERT, or nothing where the primary key is taken."""
    return _insert_missing(engine.dialect.name, table)


# Making a statement costs more than running it on a small batch: each is made once.


@cache
def _insert(dialect: str, table: Table) -> Insert:
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


@cache
def _upsert(dialect: str, table: Table) -> Insert:
    statement: Any = _insert(dialect, table)
    keys = [column.name for column in table.primary_key]
    others = {
        column.name: statement.excluded[column.name] for column in table.columns if column.name not in keys
    }
    merged: Insert = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return merged


@cache
def _insert_missing(dialect: str, table: Table) -> Insert:
    statement: Any = _insert(dialect, table)
    missing: Insert = statement.on_conflict_do_nothing(index_elements=[c.name for c in table.primary_key])
    return missing
