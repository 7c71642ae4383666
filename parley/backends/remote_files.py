"""Whatever store of files fsspec reaches, such as `s3://BUCKET/PATH`: opening one by its URL, and what its errors mean."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from parley.errors import ConfigurationError, ParleyError, StoreUnavailable

ALLOWED = "allowed: a folder, or a URL that fsspec knows, such as s3://BUCKET/PATH"

OBJECT_STORES = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "oss", "oci"})
"""Protocols of fsspec."""


def open_remote(url: str, setting: str) -> tuple[Any, str]:
    """The file system and the path in it. Raises `ConfigurationError`, which names the setting, for a URL that cannot work."""
    from fsspec.core import url_to_fs

    if "::" in url or "@" in urlsplit(url).netloc:
        raise ConfigurationError(
            f"{setting}: holds a chain of stores, or a user's name or key, which would stand in every record; "
            f"give keys by the store's own environment variables; {ALLOWED}"
        )
    return _known(url_to_fs, url, setting)


def has_folders(filesystem: Any) -> bool:
    """Object stores have none; asked to make one, they would make the bucket that somebody mistyped."""
    protocol = filesystem.protocol
    return not OBJECT_STORES & {*([protocol] if isinstance(protocol, str) else protocol)}


@contextmanager
def reached(what: str) -> Iterator[None]:
    """Each kind of store has errors of its own; their words may hold keys, so only their names are told. Raises `StoreUnavailable`."""
    try:
        yield
    except ParleyError:
        raise
    except Exception as error:
        raise StoreUnavailable(f"{what}: {type(error).__name__}") from error


def _known(open_url: Callable[[str], tuple[Any, str]], url: str, setting: str) -> tuple[Any, str]:
    try:
        return open_url(url)
    except ImportError as error:
        raise ConfigurationError(
            f"{setting}: {urlsplit(url).scheme}:// needs a package that is not installed ({error.name or error}); {ALLOWED}"
        ) from error
    except ValueError as error:
        raise ConfigurationError(f"{setting}: {url!r} is no address ({error}); {ALLOWED}") from error
