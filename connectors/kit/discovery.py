"""Which connectors there are: every package beside this one that has a module `connector`. Adding one is adding a folder."""

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Event as Flag
from typing import Any, Protocol

from starlette.routing import BaseRoute

import connectors
from connectors.kit.channel import Doorway, Opened

MODULE = "connector"


class Runs(Protocol):
    """A worker of the embedded form and of `parley worker`."""

    name: str
    ready: Flag

    def run(self, stop: Flag) -> None: ...


class HttpDoor(Protocol):
    """Addresses of the gateway that a channel calls. Opened and closed in the gateway's event loop."""

    @property
    def routes(self) -> Sequence[BaseRoute]: ...

    @property
    def paths(self) -> Mapping[str, Any]:
        """Its part of the gateway's OpenAPI document: what `connectors.kit.http.operation` makes, by the routes' paths."""

    async def open(self) -> None: ...

    async def close(self) -> None: ...


class Connector(Protocol):
    """What a module `connector` has."""

    def configured(self) -> bool:
        """Whether this deployment wants it, by its own settings. Raises `ConfigurationError`."""

    def build(self, opened: Opened) -> Runs:
        """Raises `ConfigurationError`. Opens nothing yet."""

    def door(self, opened: Doorway) -> HttpDoor | None:
        """None where the channel calls no address of ours. Raises `ConfigurationError`."""


@cache
def found() -> Mapping[str, Connector]:
    """By the name of their folder, or the `NAME` that their module has. The web chat has none: its door is the gateway."""
    folders = [each.name for each in pkgutil.iter_modules(connectors.__path__) if each.ispkg]
    modules = {
        each: importlib.import_module(f"connectors.{each}.{MODULE}")
        for each in sorted(folders)
        if _has_module(each)
    }
    return {getattr(module, "NAME", folder): module for folder, module in modules.items()}


def has_chats(connector: Connector) -> bool:
    """Whether customers write there and are answered: then it has to pass the connectors' suite. One that only brings something in says
    `CHATS = False`.
    """
    return bool(getattr(connector, "CHATS", True))


def _has_module(name: str) -> bool:
    return importlib.util.find_spec(f"connectors.{name}.{MODULE}") is not None
