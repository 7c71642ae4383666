"""Connections: the settings of both databases, and the two ways to use one, to write and to read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from parley.backends.sql import arrays
from parley.backends.sql.translating import translated
from parley.errors import ConfigurationError

LOCK_TIMEOUT_S = 10
POOL_TIMEOUT_S = 10
ALLOWED = "sqlite:///FILE or postgresql+psycopg://USER@HOST:PORT/NAME"

POSTGRES = {
    "application_name": "parley",
    "connect_timeout": "5",
    # A server that vanished without a word is noticed after 15 s, not after the two hours of TCP's default.
    "keepalives_idle": "5",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "15000",
    # A worker that was frozen within a transaction may not keep its rows locked from its successor.
    "options": f"-c lock_timeout={LOCK_TIMEOUT_S}s -c idle_in_transaction_session_timeout=30s",
}
"""What a URL does not say otherwise: libpq's parameters."""

SQLITE = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={LOCK_TIMEOUT_S * 1000}",
)


def make_engine(url: str) -> Engine:
    """Opens nothing yet; its errors hide the statements' parameters. Raises `ConfigurationError` for a URL that cannot work."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.get_backend_name() == "postgresql":
            return _postgres(parsed)
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigurationError(f"database URL: {error}; allowed: {ALLOWED}") from error
    raise ConfigurationError(f"database URL: begins with {parsed.drivername!r}; allowed: {ALLOWED}")


def _postgres(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername != "postgresql+psycopg":
        raise ConfigurationError(f"database URL: begins with {url.drivername!r}; allowed: {ALLOWED}")
    defaults = {name: value for name, value in POSTGRES.items() if name not in url.query}
    engine = create_engine(
        url.update_query_dict(defaults),
        # No ping before each use, which would cost a round trip: a connection that broke makes its first user's call
        # `StoreUnavailable`, and with it all its age are thrown away.
        pool_size=10,
        max_overflow=20,
        pool_timeout=POOL_TIMEOUT_S,
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        arrays.teach(connection)

    return engine


def _sqlite(url: URL) -> Engine:
    if url.database and url.database != ":memory:":
        _make_folder(Path(url.database).parent)
    engine = create_engine(
        url,
        connect_args={"timeout": LOCK_TIMEOUT_S, "check_same_thread": False},
        hide_parameters=True,
        **_pooled(url),
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver's guess
        for pragma in SQLITE:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # What will write takes the lock at once: a transaction that upgraded later could fail half-way as busy.
        if not connection.get_execution_options().get("reads"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _pooled(url: URL) -> dict[str, Any]:
    """A database in memory has one connection, and no pool to wait for."""
    return {"pool_timeout": POOL_TIMEOUT_S} if url.database and url.database != ":memory:" else {}


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"database URL: cannot write to {folder} ({error.strerror})") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, committed at the end, rolled back by whatever is raised."""
    with translated(), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """For one query, without a transaction around it, which would cost two more round trips."""
    with translated(), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
        else:
            yield connection.execution_options(reads=True)
