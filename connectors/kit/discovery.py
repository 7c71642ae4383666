"""Which connectors there are: every package beside this one, or in `connectors.examples`, that has a module `connector`. Adding one is adding
a folder.
"""

import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from threading import Event as Flag
from typing import Any, Protocol, cast

from starlette.routing import BaseRoute

import connectors
from connectors import examples
from connectors.kit.channel import Doorway, Opened
from parley.errors import ConfigurationError

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
    """By the name of their folder, or the `NAME` that their module has. The web chat has none: its door is the gateway. Raises
    `ConfigurationError` where two have one name.
    """
    known: dict[str, Connector] = {}
    for package in (connectors, examples):
        for folder in sorted(each.name for each in pkgutil.iter_modules(package.__path__) if each.ispkg):
            if not _has_module(where := f"{package.__name__}.{folder}"):
                continue
            module = importlib.import_module(f"{where}.{MODULE}")
            name = getattr(module, "NAME", folder)
            if name in known:
                raise ConfigurationError(
                    f"{where}: there is a connector {name!r} already; allowed: a name of its own"
                )
            known[name] = cast(Connector, module)
    return known


def has_chats(connector: Connector) -> bool:
    """Whether customers write there and are answered: then it has to pass the connectors' suite. One that only brings something in says
    `CHATS = False`.
    """
    return bool(getattr(connector, "CHATS", True))


def _has_module(package: str) -> bool:
    return importlib.util.find_spec(f"{package}.{MODULE}") is not None
