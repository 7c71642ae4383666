"""The bus in one SQLite file (WAL), shared by the threads of a process and by processes of one machine."""

from parley.backends.sqlite_bus.bus import SqliteBus

__all__ = ["SqliteBus"]
