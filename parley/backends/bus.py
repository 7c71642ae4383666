"""From a bus URL to a bus; each backend, and its library, is imported only when it is asked for."""

from pathlib import Path

from parley.errors import ConfigurationError
from parley.ports.bus import Bus

ALLOWED = "memory: | sqlite:///FILE | kafka://HOST:PORT[,HOST:PORT…]"


def open_bus(url: str) -> Bus:
    """Opens no file and no connection yet. Raises `ConfigurationError`.

    `sqlite:///log.db` is relative to the working directory, `sqlite:////var/log.db` absolute, as in SQLAlchemy's URLs.
    """
    scheme, colon, rest = url.partition(":")
    if colon and scheme == "memory" and not rest:
        from parley.backends.memory_bus import MemoryBus

        return MemoryBus()
    if scheme == "sqlite" and rest.startswith("///") and len(rest) > 3:
        from parley.backends.sqlite_bus import SqliteBus

        return SqliteBus(Path(rest[3:]))
    if scheme == "kafka" and rest.startswith("//"):
        from parley.backends.kafka_bus import KafkaBus

        return KafkaBus(_brokers(rest[2:], url))
    raise ConfigurationError(f"bus URL {url!r}: allowed are {ALLOWED}")


def _brokers(names: str, url: str) -> list[str]:
    brokers = names.rstrip("/").split(",")
    for broker in brokers:
        host, colon, port = broker.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ConfigurationError(f"bus URL {url!r}: {broker!r} is no HOST:PORT; allowed are {ALLOWED}")
    return brokers
