"""From an index URL to a retriever; each backend, and its library, is imported only when it is asked for."""

from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from parley.backends.hybrid import HybridRetriever
from parley.errors import ConfigurationError
from parley.ports.models import Retriever

ALLOWED = "sqlite: | chroma: | weaviate://HOST:PORT?grpc=PORT"


def open_retriever(url: str, folder: Path) -> Retriever:
    """What keeps its index in files keeps it below `folder`. Opens no file and no connection yet. Raises `ConfigurationError`."""
    if url == "sqlite:":
        from parley.backends.sqlite_index import SqliteIndex

        return HybridRetriever(SqliteIndex(folder))
    if url == "chroma:":
        from parley.backends.chroma import ChromaIndex

        return HybridRetriever(ChromaIndex(folder / "chroma"))
    if url.startswith("weaviate://"):
        from parley.backends.weaviate import WeaviateIndex

        return HybridRetriever(WeaviateIndex(*_address(url)))
    raise ConfigurationError(f"PARLEY_INDEX_URL: {url!r} is unknown; allowed are {ALLOWED}")


def _address(url: str) -> tuple[str, int, int]:
    """Host, HTTP port, gRPC port."""
    try:
        parts = urlsplit(url)
        [(name, grpc)] = parse_qsl(parts.query, strict_parsing=True)
        if not parts.hostname or parts.port is None or parts.path not in ("", "/") or name != "grpc":
            raise ValueError("host or port is missing, or something else is there")
        if not (grpc.isascii() and grpc.isdigit() and 0 < int(grpc) < 65536):
            raise ValueError(f"{grpc} is no port")
    except ValueError as error:
        raise ConfigurationError(
            f"PARLEY_INDEX_URL: {url!r} is no Weaviate; allowed are {ALLOWED}"
        ) from error
    return parts.hostname, parts.port, int(grpc)
