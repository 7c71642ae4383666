"""The store on SQLAlchemy: one code path for SQLite and PostgreSQL."""

from parley.backends.sql.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
