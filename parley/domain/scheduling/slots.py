"""Which adapters may decode, and which the engine holds besides.

A *resident* is an adapter that has been loaded (with a decode after it) and has not given its slot up since: requests are admitted for
residents alone. Residents and the one being loaded are never more than `count`, and what is in flight is in flight for residents; so

    distinct adapters in flight + the one being loaded <= count

holds at every moment. An adapter that gave its slot up stays with the engine, *held*; to be a resident again it takes the same way as a
new one, through `Load`.

The engine chooses by itself whose weights a load replaces in its slots: the least recently used (vLLM's `LRUCacheLoRAModelManager`). Here its
order of use is kept as well, so that a resident which that choice hits (one with nothing in flight, for what is in flight is in use) is a
resident no longer, rather than brought back by the engine unseen.
"""

from collections.abc import Container
from dataclasses import dataclass

from parley.domain.scheduling.requests import Load, Unload


@dataclass(slots=True)
class Resident:
    #: When it was loaded.
    since: float
    #: When a request of it last was admitted or ended.
    used: float
    #: When a request of it first was admitted.
    served: float | None = None
    in_flight: int = 0
    #: From then on nothing more is admitted, and with nothing in flight its slot is given up: it drains. None: it serves.
    closes: float | None = None

    @property
    def draining(self) -> bool:
        return self.closes is not None


class Slots:
    def __init__(self, count: int, held: int) -> None:
        self.count = count
        self.residents: dict[str, Resident] = {}
        #: What the engine is busy with: one at a time.
        self.transfer: Load | Unload | None = None
        #: Loads that ended well.
        self.swaps = 0
        self._held_limit = held
        #: With the engine; the least recently used first.
        self._held: dict[str, None] = {}
        #: In the engine's slots, by its own choice; the least recently used first.
        self._active: dict[str, None] = {}

    @property
    def loading(self) -> str | None:
        return self.transfer.adapter if isinstance(self.transfer, Load) else None

    @property
    def free(self) -> int:
        return self.count - len(self.residents) - (self.loading is not None)

    @property
    def held(self) -> tuple[str, ...]:
        return tuple(self._held)

    def open(self, now: float) -> list[str]:
        """Those that requests are admitted for."""
        return [
            each
            for each, resident in self.residents.items()
            if resident.closes is None or now < resident.closes
        ]

    def is_held(self, adapter: str) -> bool:
        return adapter in self._held

    def admitted(self, adapter: str, now: float) -> None:
        resident = self.residents[adapter]
        assert resident.closes is None or now < resident.closes, f"{adapter} drains"
        resident.in_flight += 1
        if resident.served is None:
            resident.served = now
        self._touch(adapter, resident, now)

    def finished(self, adapter: str, now: float) -> None:
        resident = self.residents[adapter]
        resident.in_flight -= 1
        self._touch(adapter, resident, now)

    def give_up(self, adapter: str) -> None:
        """The slot is for another from now on. Nothing of the adapter may be in flight."""
        assert self.residents[adapter].in_flight == 0, f"{adapter} is in flight"
        del self.residents[adapter]

    def in_the_way(self, adapter: str, wanted: Container[str | None]) -> str | None:
        """What has to be unloaded before this adapter can be loaded, because the engine holds no more: the least recently used,
        rather none that is wanted.
        """
        if adapter in self._held or len(self._held) < self._held_limit:
            return None
        idle = [each for each in self._held if each not in self.residents]
        return next((each for each in idle if each not in wanted), idle[0])

    def begin_load(self, adapter: str) -> str | None:
        """The resident, if any, that the engine will take the slot from."""
        assert self.transfer is None and self.free > 0 and adapter not in self.residents
        full = adapter not in self._active and len(self._active) >= self.count
        displaced = self._evict() if full else None
        self._active.pop(adapter, None)
        self._active[adapter] = None
        self.transfer = Load(adapter)
        return displaced

    def loaded(self, adapter: str, now: float) -> bool:
        """False, and nothing happens, for one that is not being loaded."""
        if self.loading != adapter:
            return False
        self.transfer = None
        self.swaps += 1
        self.residents[adapter] = Resident(since=now, used=now)
        self._touch(adapter, self.residents[adapter], now)
        return True

    def load_failed(self, adapter: str) -> bool:
        """False, and nothing happens, for one that is not being loaded."""
        if self.loading != adapter:
            return False
        self.transfer = None
        self._forget(adapter)
        return True

    def begin_unload(self, adapter: str) -> None:
        assert self.transfer is None and adapter not in self.residents
        self.transfer = Unload(adapter)

    def unloaded(self, adapter: str) -> bool:
        """False, and nothing happens, for one that is not being unloaded."""
        if self.transfer != Unload(adapter):
            return False
        self.transfer = None
        self._forget(adapter)
        return True

    def reset(self) -> None:
        self.residents.clear()
        self._held.clear()
        self._active.clear()
        self.transfer = None

    def _evict(self) -> str | None:
        """What the engine does when it needs a slot. An adapter in flight is in use, so never the least recently used."""
        oldest = next(each for each in self._active if not self._in_flight(each))
        del self._active[oldest]
        return oldest if self.residents.pop(oldest, None) else None

    def _in_flight(self, adapter: str) -> bool:
        return adapter in self.residents and self.residents[adapter].in_flight > 0

    def _touch(self, adapter: str, resident: Resident, now: float) -> None:
        resident.used = now
        for order in (self._held, self._active):
            order.pop(adapter, None)
            order[adapter] = None

    def _forget(self, adapter: str) -> None:
        self._held.pop(adapter, None)
        self._active.pop(adapter, None)
