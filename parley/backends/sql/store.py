"""The whole store, put together from its parts."""

from sqlalchemy import text

from parley.backends.sql.adapters import SqlAdapters
from parley.backends.sql.channels import SqlChannels
from parley.backends.sql.decisions import Decisions
from parley.backends.sql.doors import Doors, Tenants
from parley.backends.sql.engine import make_engine, reading
from parley.backends.sql.links import SqlLinks
from parley.backends.sql.privacy import Privacy
from parley.backends.sql.readmodel import Reads
from parley.backends.sql.values import Values


class SqlStore(Decisions, Reads, Tenants, Doors, Privacy, Values):
    """Implements `parley.ports.store.Store`; thread-safe, each call on a connection of its own."""

    def __init__(self, url: str) -> None:
        self._engine = make_engine(url)
        self._adapters = SqlAdapters(self._engine)
        self._channels = SqlChannels(self._engine)
        self._links = SqlLinks(self._engine)

    @property
    def adapters(self) -> SqlAdapters:
        return self._adapters

    @property
    def channels(self) -> SqlChannels:
        return self._channels

    @property
    def links(self) -> SqlLinks:
        return self._links

    def ping(self) -> None:
        with reading(self._engine) as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        self._engine.dispose()


def open_store(url: str) -> SqlStore:
    """Opens nothing yet. Raises `ConfigurationError` for a URL that cannot work."""
    return SqlStore(url)
