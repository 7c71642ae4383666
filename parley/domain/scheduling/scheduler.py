"""The scheduler of an inference worker: whom the engine serves, and with which adapters. Pure: no engine, no clock, nothing awaited.

The worker tells it what happens and then asks `step` what to do. `Admission` knows the requests, `Slots` what is sure about adapters, and
`Rotation` who gets their slots.
"""

from math import inf

from parley.domain.scheduling.admission import Admission
from parley.domain.scheduling.limits import Limits
from parley.domain.scheduling.requests import Action, Waiting
from parley.domain.scheduling.rotation import Rotation
from parley.domain.scheduling.slots import Slots


class Scheduler:
    """Times that are passed in never run backwards. Words about requests and transfers that it does not know, a dead engine's, change nothing."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._admission = Admission(limits)
        self._slots = Slots(limits.slots, limits.held)
        self._rotation = Rotation(limits, self._admission, self._slots)
        self._retired: set[str] = set()
        self._stepped = -inf
        self._halted = False

    def add(self, waiting: Waiting, now: float) -> None:
        """Raises `ValueError` for an id that waits or is in flight, and for a class below 0."""
        self._admission.add(waiting, now)
        self._changed(waiting, now)

    def cancel(self, id: str) -> bool:
        """Forget one that still waits; False for any other."""
        if id not in self._admission.queues:
            return False
        self._changed(self._admission.take(id), self._stepped)
        return True

    def step(self, now: float) -> list[Action]:
        """All that can be done now; nothing, if asked again before anything has changed."""
        self._stepped = now
        actions = self._refuse(now)
        if self._halted:
            return actions
        actions += self._admit(now)
        if self.limits.slots:
            self._give_up_drained(now)
            if self._rotation.balance(now):
                actions += self._admit(now)
            actions += self._rotation.suspend(now)
            actions += self._transfer(now)
        return actions

    def loaded(self, adapter: str, now: float) -> None:
        """The load, and the decode after it, is over: requests for it can be admitted."""
        self._slots.loaded(adapter, now)

    def load_failed(self, adapter: str, now: float) -> list[str]:
        """The ids that waited for it, oldest first; they are here no more."""
        return self.withdraw(adapter, now) if self._slots.load_failed(adapter) else []

    def unloaded(self, adapter: str, now: float) -> None:
        """It is with the engine no more."""
        self._slots.unloaded(adapter)

    def retire(self, adapter: str) -> None:
        """This version is wanted no more: it is unloaded as soon as nothing waits for it or is in flight with it."""
        if self.limits.slots:
            self._retired.add(adapter)

    def withdraw(self, adapter: str, now: float) -> list[str]:
        """Retire it, and the ids that waited for it, oldest first, are here no more. What is in flight stays so."""
        self.retire(adapter)
        ids = self._admission.queues.of(adapter)
        for id in ids:
            self._changed(self._admission.take(id), now)
        return ids

    def produced(self, id: str, tokens: int) -> None:
        """So many output tokens has the request by now; its tenant is charged for them."""
        self._admission.produced(id, tokens)

    def finished(self, id: str, now: float) -> None:
        """The engine has nothing more to do with it, whatever the end was; for one that is aborted: once the engine has confirmed it."""
        waiting = self._admission.finish(id, now)
        if waiting is not None and waiting.adapter is not None and self.limits.slots:
            self._slots.finished(waiting.adapter, now)

    def halt(self, now: float) -> None:
        """The engine is gone: nothing is in flight, and nothing is begun before `reset`. What waits still waits, and may be refused."""
        self.reset(now)
        self._halted = True

    def reset(self, now: float) -> None:
        """The engine was started anew: it has no adapter, and nothing is in flight. What waits still waits."""
        self._halted = False
        self._admission.lose_flights()
        self._slots.reset()
        for adapter in self._admission.queues.lines:
            if adapter is not None:
                self._rotation.review(adapter, now)

    def wake_at(self) -> float | None:
        """When `step` may have more to do than at its last call although nothing happens until then; None: never."""
        at = min(self._admission.queues.next_due(), self._rotation.next_change(self._stepped))
        return at if at < inf else None

    # How things stand, for metrics.

    @property
    def waiting(self) -> int:
        return len(self._admission.queues)

    @property
    def in_flight(self) -> int:
        return len(self._admission.flights)

    @property
    def oldest_arrival(self) -> float | None:
        """Of those that wait."""
        return self._admission.queues.oldest()

    @property
    def counters(self) -> dict[str, float]:
        """Weighted tokens by tenant; only their differences mean anything."""
        return self._admission.counters.snapshot()

    @property
    def residents(self) -> dict[str, float]:
        """Adapters with a slot, and since when."""
        return {adapter: resident.since for adapter, resident in self._slots.residents.items()}

    @property
    def candidates(self) -> dict[str, float]:
        """Adapters that wait for a slot, and since when."""
        return self._rotation.candidates.snapshot()

    @property
    def loading(self) -> str | None:
        return self._slots.loading

    @property
    def held(self) -> tuple[str, ...]:
        """Adapters with the engine, in slots or not, the least recently used first."""
        return self._slots.held

    @property
    def swaps(self) -> int:
        """Loads that ended well."""
        return self._slots.swaps

    def open_for(self, adapter: str | None, now: float) -> bool:
        """Whether a request for it would be admitted now if there is room."""
        return adapter is None or not self.limits.slots or adapter in self._slots.open(now)

    def _changed(self, waiting: Waiting, now: float) -> None:
        if waiting.adapter is not None and self.limits.slots:
            self._rotation.review(waiting.adapter, now)

    def _refuse(self, now: float) -> list[Action]:
        actions: list[Action] = []
        for waiting, action in self._admission.refuse(now):
            self._changed(waiting, now)
            actions.append(action)
        return actions

    def _admit(self, now: float) -> list[Action]:
        actions: list[Action] = []
        if not self._admission.has_room():
            return actions
        lines = self._admission.queues.lines
        able = [lines[each] for each in (None, *self._slots.open(now)) if each in lines]
        for waiting, action in self._admission.admit(able, now):
            if waiting.id in self._admission.flights and waiting.adapter is not None and self.limits.slots:
                self._slots.admitted(waiting.adapter, now)
            actions.append(action)
        return actions

    def _give_up_drained(self, now: float) -> None:
        for adapter, resident in list(self._slots.residents.items()):
            retired = adapter in self._retired and adapter not in self._admission.queues.lines
            if resident.in_flight == 0 and (resident.draining or retired):
                self._slots.give_up(adapter)
                self._rotation.review(adapter, now)

    def _transfer(self, now: float) -> list[Action]:
        """Begin the next load, or the unload before it."""
        if self._slots.transfer is not None:
            return []
        candidate = self._rotation.next_candidate(now) if self._slots.free > 0 else None
        out = self._outworn() or (
            candidate and self._slots.in_the_way(candidate, self._admission.queues.lines)
        )
        if out:
            self._slots.begin_unload(out)
        elif candidate:
            self._begin_load(candidate, now)
        return [self._slots.transfer] if self._slots.transfer is not None else []

    def _begin_load(self, adapter: str, now: float) -> None:
        self._rotation.loads(adapter, now)
        displaced = self._slots.begin_load(adapter)
        if displaced:
            self._rotation.review(displaced, now)

    def _outworn(self) -> str | None:
        """One that was retired and has no work left, to be unloaded now."""
        busy = self._admission.queues.lines.keys() | self._slots.residents.keys()
        idle = self._retired - busy
        held = sorted(each for each in idle if self._slots.is_held(each))
        self._retired -= idle - set(held[1:])
        return held[0] if held else None
