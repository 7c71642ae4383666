"""Which adapters the engine holds, and which of them are in use."""

from collections import Counter, OrderedDict
from itertools import count
from typing import Generic, TypeVar

from parley.errors import AdapterRefused, RequestRefused, UnknownAdapter

R = TypeVar("R")


class HeldAdapters(Generic[R]):
    """Names to what the engine knows them by, in one life of the engine; at most `room`."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._held: OrderedDict[str, R] = OrderedDict()
        self._in_use: Counter[str] = Counter()
        self._numbers = count(1)

    def __contains__(self, name: str) -> bool:
        return name in self._held

    def new_number(self) -> int:
        """Never one that was used before: vLLM would go on with that one's weights, silently."""
        return next(self._numbers)

    def keep(self, name: str, known_by: R) -> None:
        self._held[name] = known_by

    def use(self, name: str | None) -> R | None:
        """What to generate with; None for the base model. Raises `UnknownAdapter`. To be followed by `release`."""
        if name is None:
            return None
        if name not in self._held:
            raise UnknownAdapter(f"adapter {name} is not loaded")
        self._in_use[name] += 1
        self._held.move_to_end(name)
        return self._held[name]

    def release(self, name: str | None) -> None:
        if name is not None:
            self._in_use[name] -= 1
            if not self._in_use[name]:
                del self._in_use[name]

    def surplus(self) -> str | None:
        """The one to let go before another is loaded: not used for the longest time. None while there is room.

        Raises `AdapterRefused` when all are in use.
        """
        if len(self._held) < self._room:
            return None
        idle = next((name for name in self._held if not self._in_use[name]), None)
        if idle is None:
            raise AdapterRefused(f"all {self._room} adapters that the engine can hold are in use")
        return idle

    def forget(self, name: str) -> R | None:
        """Hold it no longer; None where it was not held. Raises `RequestRefused` while it is in use."""
        if self._in_use[name]:
            raise RequestRefused(f"adapter {name} has {self._in_use[name]} completions under way")
        return self._held.pop(name, None)
