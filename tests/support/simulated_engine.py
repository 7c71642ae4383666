"""An engine in simulated time: what it has decodes in step, a token each, the slower the more there is; a load holds all of it up.

Left to itself it chooses who gets its slots as vLLM's scheduler does: in order of arrival, and whoever needs an adapter beyond those
that decode is passed over until one of them has nothing left to decode.
"""

from collections import OrderedDict
from dataclasses import dataclass
from heapq import heapify, heappop, heappush


@dataclass(frozen=True, slots=True)
class Rates:
    """The defaults are an 8 B model on an H200 with 16 adapters, measured by `python -m benchmarks.inference --gpu paces`: from 2,126 tokens a
    second for 32 requests of 256 + 128 tokens to 7,872 for 256. Their prompts are part of `per_request_s`.
    """

    step_s: float = 0.0125
    per_request_s: float = 0.000_078
    load_s: float = 0.09
    #: To bring one that is held back into a slot.
    reload_s: float = 0.01
    #: To go on with a completion that was suspended: what the prefix cache does not have of it is computed again.
    resume_s: float = 0.001_5
    #: The decode after it, which holds nothing up.
    settle_s: float = 0.03
    #: How much of a load the engine stands still.
    stall: float = 1.0

    def tokens_per_s(self, running: int) -> float:
        return running / (self.step_s + self.per_request_s * running)


@dataclass(slots=True)
class Completion:
    id: str
    adapter: str | None
    tokens: int
    begun: float = 0.0


class SimulatedEngine:
    def __init__(self, rates: Rates, slots: int, held: int) -> None:
        self.rates = rates
        self.now = 0.0
        self.tokens = 0.0
        self.loads = 0
        self._slots = slots
        self._held_limit = held
        #: How many tokens a request that runs from the beginning would have.
        self._progress = 0.0
        self._stalled_until = 0.0
        self._running: dict[str, Completion] = {}
        self._ends: list[tuple[float, str]] = []
        self._waiting: dict[str, Completion] = {}
        #: What has begun to decode since this was last emptied.
        self.begun: list[str] = []
        self._adapters: dict[str, int] = {}
        self._active: OrderedDict[str, None] = OrderedDict()
        self._held: OrderedDict[str, None] = OrderedDict()

    @property
    def running(self) -> int:
        return len(self._running)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def adapters(self) -> set[str]:
        """Those with a completion under way, running or waiting."""
        return {each.adapter for each in self._waiting.values() if each.adapter} | set(self._adapters)

    @property
    def held(self) -> set[str]:
        return set(self._held)

    def submit(self, id: str, adapter: str | None, tokens: int, *, resumed: bool = False) -> None:
        if resumed:
            self._stalled_until = max(self.now, self._stalled_until) + self.rates.resume_s
        self._waiting[id] = Completion(id, adapter, tokens)
        self._start_waiting()

    def suspend(self, id: str) -> int:
        """The tokens that it has by now; it is gone."""
        produced = self.produced(id)
        tokens = self._running[id].tokens
        self._end(id)
        self._ends = [each for each in self._ends if each[1] != id]
        heapify(self._ends)
        self._start_waiting()
        return min(produced, tokens - 1)

    def load(self, adapter: str) -> float:
        """When the load and the decode after it are over."""
        self._activate(adapter)
        return max(self._stalled_until, self.now) + self.rates.settle_s

    def unload(self, adapter: str) -> None:
        self._held.pop(adapter, None)
        self._active.pop(adapter, None)

    def produced(self, id: str) -> int:
        running = self._running.get(id)
        return min(running.tokens, int(self._progress - running.begun + 1e-6)) if running else 0

    def in_engine(self) -> list[str]:
        return list(self._running)

    def next_end(self) -> float | None:
        """When the next completion ends, if nothing else happens."""
        if not self._ends:
            return None
        return (
            max(self.now, self._stalled_until) + max(0.0, self._ends[0][0] - self._progress) * self._step_s()
        )

    def advance(self, to: float) -> list[str]:
        """The completions that have ended by then, which is not after `next_end`."""
        decoding = max(0.0, to - max(self.now, self._stalled_until))
        if self._running:
            self._progress += decoding / self._step_s()
            self.tokens += decoding / self._step_s() * len(self._running)
        self.now = to
        ended = []
        while self._ends and self._ends[0][0] <= self._progress + 1e-6:
            ended.append(self._end(heappop(self._ends)[1]))
        if ended:
            self._start_waiting()
        return ended

    def _step_s(self) -> float:
        return self.rates.step_s + self.rates.per_request_s * len(self._running)

    def _end(self, id: str) -> str:
        adapter = self._running.pop(id).adapter
        if adapter is not None:
            self._adapters[adapter] -= 1
            if not self._adapters[adapter]:
                del self._adapters[adapter]
        return id

    def _start_waiting(self) -> None:
        for completion in list(self._waiting.values()):
            if self._may_run(completion.adapter):
                del self._waiting[completion.id]
                self._start(completion)

    def _may_run(self, adapter: str | None) -> bool:
        return (
            adapter is None
            or not self._slots
            or adapter in self._adapters
            or len(self._adapters) < self._slots
        )

    def _start(self, completion: Completion) -> None:
        if completion.adapter is not None:
            if self._slots:
                self._activate(completion.adapter)
            self._adapters[completion.adapter] = self._adapters.get(completion.adapter, 0) + 1
        completion.begun = self._progress
        self.begun.append(completion.id)
        self._running[completion.id] = completion
        heappush(self._ends, (completion.begun + completion.tokens, completion.id))

    def _activate(self, adapter: str) -> None:
        """Bring it into a slot, and the least recently used that does not decode out of one."""
        if adapter not in self._active:
            took = self.rates.reload_s if adapter in self._held else self.rates.load_s
            self._stalled_until = max(self.now, self._stalled_until) + took * self.rates.stall
            self.loads += 1
            if len(self._active) >= self._slots:
                del self._active[next(each for each in self._active if each not in self._adapters)]
        for order in (self._active, self._held):
            order[adapter] = None
            order.move_to_end(adapter)
        if len(self._held) > self._held_limit:
            del self._held[next(each for each in self._held if each not in self._adapters)]
