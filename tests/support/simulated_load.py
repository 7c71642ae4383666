"""Tenants that ask a simulated engine, through a scheduler or first come, first served; and what came of it."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any, Protocol

from parley.domain.scheduling import Action, Admit, Limits, Load, Refuse, Scheduler, Suspend, Unload, Waiting
from tests.support.simulated_engine import Rates, SimulatedEngine

CHARGE_S = 0.25
"""How often what is being written is charged for."""


class Chooser(Protocol):
    """What a simulation asks of a scheduler."""

    def add(self, waiting: Waiting, now: float) -> None: ...
    def step(self, now: float) -> list[Action]: ...
    def loaded(self, adapter: str, now: float) -> None: ...
    def unloaded(self, adapter: str, now: float) -> None: ...
    def produced(self, id: str, tokens: int) -> None: ...
    def finished(self, id: str, now: float) -> None: ...
    def wake_at(self) -> float | None: ...
    def serving(self, now: float) -> frozenset[str] | None:
        """The adapters that requests are admitted for; None: any."""


class FirstCome:
    """The baseline: admits in order of arrival, and leaves the slots to the engine."""

    def __init__(self, in_flight: int) -> None:
        self._room = in_flight
        self._waiting: dict[str, None] = {}

    def add(self, waiting: Waiting, now: float) -> None:
        self._waiting[waiting.id] = None

    def step(self, now: float) -> list[Action]:
        admitted = list(self._waiting)[: self._room] if self._room else []
        for id in admitted:
            del self._waiting[id]
        self._room -= len(admitted)
        return [Admit(id) for id in admitted]

    def loaded(self, adapter: str, now: float) -> None: ...

    def unloaded(self, adapter: str, now: float) -> None: ...

    def produced(self, id: str, tokens: int) -> None: ...

    def finished(self, id: str, now: float) -> None:
        self._room += 1

    def wake_at(self) -> float | None:
        return None

    def serving(self, now: float) -> frozenset[str] | None:
        return None


class Scheduled(Scheduler):
    def serving(self, now: float) -> frozenset[str] | None:
        if not self.limits.slots:
            return None
        return frozenset(each for each in self.residents if self.open_for(each, now))


@dataclass(frozen=True, slots=True)
class Ask:
    """A request to come: the rest of it is the same for all."""

    at: float
    tenant: str
    adapter: str | None
    tokens: int = 128
    prompt_tokens: int = 256
    priority: int = 0
    patience_s: float = 1e6


@dataclass(slots=True)
class Seen:
    """What became of a request."""

    ask: Ask
    admitted: float | None = None
    #: When the engine began with it; in an engine that chooses by itself, that may be long after its admission.
    begun: float | None = None
    ended: float | None = None
    refused: str | None = None
    #: Tokens of the visits before.
    written: int = 0
    suspensions: int = 0
    #: While it waited: seconds in which its adapter had no slot.
    slot_wait: float = 0.0

    @property
    def wait(self) -> float:
        """Seconds until it was decoded."""
        assert self.begun is not None
        return self.begun - self.ask.at


@dataclass(slots=True)
class Outcome:
    seen: list[Seen]
    seconds: float
    tokens: float
    loads: int
    #: At moments CHARGE_S apart: weighted tokens served so far, by tenant.
    service: list[dict[str, float]] = field(default_factory=list)
    most_adapters: int = 0
    mean_running: float = 0.0

    def of(self, tenants: Sequence[str], since: float = 0.0) -> list[Seen]:
        chosen = set(tenants)
        return [each for each in self.seen if each.ask.tenant in chosen and each.ask.at >= since]

    @property
    def tokens_per_s(self) -> float:
        return self.tokens / self.seconds


def zipf(tenants: int, exponent: float = 1.0) -> list[float]:
    """Shares of the load, the greatest first."""
    weights = [1.0 / (rank + 1) ** exponent for rank in range(tenants)]
    return [each / sum(weights) for each in weights]


def names(tenants: int) -> list[str]:
    return [f"tenant-{number:03}" for number in range(tenants)]


def poisson(
    rate: float, shares: dict[str, float], seconds: float, seed: int, make: Callable[[float, str], Ask]
) -> list[Ask]:
    """An open loop: they come whether or not the ones before were answered."""
    rng, at, asks = random.Random(seed), 0.0, []
    tenants, weights = list(shares), list(shares.values())
    while (at := at + rng.expovariate(rate)) < seconds:
        asks.append(make(at, rng.choices(tenants, weights)[0]))
    return asks


def own_adapter(at: float, tenant: str) -> Ask:
    return Ask(at, tenant, f"{tenant}@1")


def base_model(at: float, tenant: str) -> Ask:
    return Ask(at, tenant, None)


class Simulation:
    """One run. `again` is told each request that ended and may name the next one of that client: a closed loop."""

    def __init__(
        self,
        chooser: Chooser,
        engine: SimulatedEngine,
        asks: Sequence[Ask],
        again: Callable[[Seen, float], Ask | None] | None = None,
        warm_up_s: float = 0.0,
        watch: Callable[["Simulation"], None] | None = None,
    ) -> None:
        self.chooser = chooser
        self.engine = engine
        self.now = 0.0
        self.loading: str | None = None
        self._again = again
        self._warm_up_s = warm_up_s
        self._watch = watch
        self._numbers = count()
        self._coming: list[tuple[float, int, Ask]] = []
        for ask in asks:
            self._expect(ask)
        self._seen: dict[str, Seen] = {}
        self._load_ends: float | None = None
        self._unloading: str | None = None
        self._charge_at = CHARGE_S
        self._service: dict[str, float] = defaultdict(float)
        self._charged: dict[str, int] = {}
        #: By adapter: seconds without a slot so far, and since when it has none.
        self._without: dict[str, float] = defaultdict(float)
        self._since: dict[str, float] = {}
        self._serving: frozenset[str] = frozenset()
        self._marks: dict[str, float] = {}
        self._outcome = Outcome([], 0.0, 0.0, 0)
        self._running_s = 0.0

    def run(self, seconds: float) -> Outcome:
        end = self._warm_up_s + seconds
        tokens = loads = 0.0
        warm = False
        while True:
            at = self._next(end)
            if not warm and at >= self._warm_up_s:
                warm, tokens, loads, self._running_s = True, self.engine.tokens, self.engine.loads, 0.0
            if at >= end:
                break
            self._advance(at)
        self._finish_at(end)
        outcome = self._outcome
        outcome.seen = list(self._seen.values())
        outcome.seconds = seconds
        outcome.tokens = self.engine.tokens - tokens
        outcome.loads = int(self.engine.loads - loads)
        outcome.mean_running = self._running_s / seconds
        return outcome

    def _expect(self, ask: Ask) -> None:
        heappush(self._coming, (ask.at, next(self._numbers), ask))

    def _next(self, end: float) -> float:
        times = [self._charge_at, end]
        if self._coming:
            times.append(self._coming[0][0])
        for at in (self.engine.next_end(), self._load_ends, self.chooser.wake_at()):
            if at is not None:
                times.append(at)
        assert min(times) >= self.now, "somebody wants to be woken in the past"
        return min(times)

    def _finish_at(self, end: float) -> None:
        self._running_s += self.engine.running * (end - self.now)
        self.engine.advance(end)

    def _advance(self, at: float) -> None:
        self._running_s += self.engine.running * (at - self.now)
        self.now = at
        for id in self.engine.advance(at):
            self._ended(id)
        if self._load_ends is not None and at >= self._load_ends:
            self._load_ended()
        while self._coming and self._coming[0][0] <= at:
            self._arrived(heappop(self._coming)[2])
        if at >= self._charge_at:
            self._charge()
        self._act(self.chooser.step(at))
        self._note_begun()
        self._note_serving()
        if self._watch is not None:
            self._watch(self)

    def _arrived(self, ask: Ask) -> None:
        id = f"r{len(self._seen)}"
        self._seen[id] = Seen(ask)
        self._marks[id] = self._without_slot(ask.adapter)
        self.chooser.add(
            Waiting(
                id,
                ask.tenant,
                ask.adapter,
                ask.priority,
                ask.at,
                ask.at + ask.patience_s,
                ask.prompt_tokens,
                ask.tokens,
            ),
            self.now,
        )

    def _act(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Admit(id):
                    self._admitted(id)
                case Refuse(id, reason):
                    self._refused(id, reason)
                case Load(adapter):
                    self.loading, self._load_ends = adapter, self.engine.load(adapter)
                case Suspend(id):
                    self._suspended(id)
                case Unload(adapter):
                    self.engine.unload(adapter)
                    self._unloading, self._load_ends = adapter, self.now + self.engine.rates.settle_s

    def _admitted(self, id: str) -> None:
        seen = self._seen[id]
        if seen.admitted is None:
            seen.admitted = self.now
            seen.slot_wait = self._without_slot(seen.ask.adapter) - self._marks.pop(id)
            self._service[seen.ask.tenant] += seen.ask.prompt_tokens
        self._charged[id] = 0
        self.engine.submit(id, seen.ask.adapter, seen.ask.tokens - seen.written, resumed=seen.suspensions > 0)

    def _suspended(self, id: str) -> None:
        """What is left of it waits again, with its age."""
        seen = self._seen[id]
        written = self.engine.suspend(id)
        self._charge_one(id, written)
        seen.written += written
        seen.suspensions += 1
        self.chooser.finished(id, self.now)
        self.chooser.add(
            Waiting(
                id,
                seen.ask.tenant,
                seen.ask.adapter,
                seen.ask.priority,
                seen.ask.at,
                seen.ask.at + seen.ask.patience_s,
                0,
                seen.ask.tokens - seen.written,
                suspensions=seen.suspensions,
            ),
            self.now,
        )

    def _refused(self, id: str, reason: str) -> None:
        self._seen[id].refused = reason
        self._go_on(self._seen[id])

    def _ended(self, id: str) -> None:
        seen = self._seen[id]
        seen.ended = self.now
        self._charge_one(id, seen.ask.tokens - seen.written)
        del self._charged[id]
        self.chooser.finished(id, self.now)
        self._go_on(seen)

    def _go_on(self, seen: Seen) -> None:
        following = self._again(seen, self.now) if self._again else None
        if following is not None:
            self._expect(following)

    def _load_ended(self) -> None:
        self._load_ends = None
        if self.loading is not None:
            self.chooser.loaded(self.loading, self.now)
            self.loading = None
        if self._unloading is not None:
            self.chooser.unloaded(self._unloading, self.now)
            self._unloading = None

    def _charge(self) -> None:
        self._charge_at += CHARGE_S
        for id in self.engine.in_engine():
            self._charge_one(id, self.engine.produced(id))
        self._outcome.service.append(dict(self._service))
        self._outcome.most_adapters = max(
            self._outcome.most_adapters, len(self.engine.adapters) + (self.loading is not None)
        )

    def _charge_one(self, id: str, tokens: int) -> None:
        self.chooser.produced(id, tokens)
        self._service[self._seen[id].ask.tenant] += 2.0 * (tokens - self._charged[id])
        self._charged[id] = tokens

    def _without_slot(self, adapter: str | None) -> float:
        """Seconds that it was without a slot so far."""
        if adapter is None or self.chooser.serving(self.now) is None or adapter in self._serving:
            return self._without[adapter] if adapter else 0.0
        return self._without[adapter] + self.now - self._since.setdefault(adapter, self.now)

    def _note_begun(self) -> None:
        for id in self.engine.begun:
            if self._seen[id].begun is None:
                self._seen[id].begun = self.now
        self.engine.begun.clear()

    def _note_serving(self) -> None:
        serving = self.chooser.serving(self.now)
        if serving is None or serving == self._serving:
            return
        for adapter in serving - self._serving:
            self._without[adapter] += self.now - self._since.pop(adapter, self.now)
        for adapter in self._serving - serving:
            self._since[adapter] = self.now
        self._serving = serving


def limits(slots: int = 16, in_flight: int = 256, **more: float) -> Limits:
    settings: dict[str, Any] = {"held": 4 * slots, "per_tenant": max(1, in_flight // 2), **more}
    return Limits(slots=slots, in_flight=in_flight, **settings)


def simulate(
    chooser: Chooser,
    slots: int,
    asks: Sequence[Ask],
    seconds: float,
    *,
    again: Callable[[Seen, float], Ask | None] | None = None,
    rates: Rates = Rates(),
    held: int = 64,
    warm_up_s: float = 0.0,
    watch: Callable[[Simulation], None] | None = None,
) -> Outcome:
    return Simulation(chooser, SimulatedEngine(rates, slots, held), asks, again, warm_up_s, watch).run(
        seconds
    )
