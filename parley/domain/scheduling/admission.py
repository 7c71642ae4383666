"""Who is given to the engine next, among those that may be: by class, then the tenant that was served least, then the oldest."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf

from parley.domain.scheduling.counters import Counters
from parley.domain.scheduling.limits import Limits
from parley.domain.scheduling.pace import Pace
from parley.domain.scheduling.queues import Claim, Lane, Line, Queues
from parley.domain.scheduling.requests import Admit, Refuse, Suspend, Waiting


@dataclass(slots=True)
class Flight:
    waiting: Waiting
    admitted: float
    produced: int = 0
    #: It was told to leave the engine, to go on later.
    suspended: bool = False


class Admission:
    """The requests, waiting and in flight. No request waits while there is room for it: nothing is held back for better claims to come."""

    def __init__(self, limits: Limits) -> None:
        self.queues = Queues(by_adapter=limits.slots > 0)
        self.counters = Counters(limits.input_weight, limits.output_weight)
        self.flights: dict[str, Flight] = {}
        #: Texts that are suspended, or were told to leave the engine for that.
        self.paused = 0
        self._limits = limits
        self._pace = Pace()
        self._of_tenant: dict[str, int] = {}
        self._of_adapter: dict[str | None, dict[str, Flight]] = {}

    def add(self, waiting: Waiting, now: float) -> None:
        """Raises `ValueError` for an id that waits or is in flight, and for a class below 0."""
        if waiting.priority < 0:
            raise ValueError(f"request {waiting.id} has priority {waiting.priority}; it must be at least 0")
        if waiting.id in self.queues or waiting.id in self.flights:
            raise ValueError(f"request {waiting.id} is here already")
        self.counters.waits(waiting.tenant)
        self.paused += waiting.suspensions > 0
        self.queues.add(waiting, now, self._pace.expected_s(waiting.max_tokens))

    def take(self, id: str) -> Waiting:
        """Out of the queues. Raises `KeyError` for one that does not wait."""
        waiting = self.queues.remove(id)
        self.counters.waits_no_more(waiting.tenant)
        self.paused -= waiting.suspensions > 0
        return waiting

    def refuse(self, now: float) -> Iterator[tuple[Waiting, Refuse]]:
        """Those that have become pointless. With nothing in flight only what is too late: the last ones' pace says little about the next."""
        expected_s = self._pace.expected_s if self.flights else lambda max_tokens: 0.0
        for waiting, reason in self.queues.overdue(now, expected_s):
            self.take(waiting.id)
            yield waiting, Refuse(waiting.id, reason)

    def admit(self, lines: Iterable[Line], now: float) -> Iterator[tuple[Waiting, Admit | Refuse]]:
        """As many of these lines as there is room for, and refusals of those whose turn it is too late."""
        heap = [
            (claim, oldest, number, lane, line)
            for number, line in enumerate(lines)
            for claim, oldest, lane in self._best(line, now)
        ]
        heapify(heap)
        while heap and self.has_room():
            seen, _, number, lane, line = heappop(heap)
            # Otherwise its tenant was served from another line since.
            if seen == self.claim(lane, now) and not self._capped(lane.tenant):
                yield self._admit_head(lane, now)
            for claim, oldest, best in self._best(line, now):
                heappush(heap, (claim, oldest, number, best, line))

    def has_room(self) -> bool:
        return len(self.flights) < self._limits.in_flight

    def claim(self, lane: Lane, now: float) -> Claim:
        return lane.rank(now, self._limits.urgent_s), self.counters[lane.tenant]

    def produced(self, id: str, tokens: int) -> None:
        flight = self.flights.get(id)
        if flight is not None and tokens > flight.produced:
            self.counters.charge(flight.waiting.tenant, output_tokens=tokens - flight.produced)
            flight.produced = tokens

    def finish(self, id: str, now: float) -> Waiting | None:
        """None for one that is not in flight."""
        flight = self.flights.pop(id, None)
        if flight is None:
            return None
        waiting = flight.waiting
        self._leave_adapter(waiting)
        self._of_tenant[waiting.tenant] -= 1
        if not self._of_tenant[waiting.tenant]:
            del self._of_tenant[waiting.tenant]
        self.paused -= flight.suspended
        if not flight.suspended:  # how much of its limit it would have used is not known
            self._pace.learn(now - flight.admitted, flight.produced, waiting.max_tokens)
        return waiting

    def visits_end(self, adapter: str) -> float:
        """When all that is in flight for this adapter has had its hold. Each suspension doubles it, so that even where everybody takes turns
        a text has few of them and ends.
        """
        flying = self._of_adapter.get(adapter, {}).values()
        holds = (
            each.admitted + self._limits.hold_s * 2**each.waiting.suspensions
            for each in flying
            if not each.suspended
        )
        return max(holds, default=-inf)

    def lasting(self, adapter: str) -> list[Flight]:
        """What is in flight for this adapter, not told to leave yet, and expected to go on for so long that suspending it is worth it."""
        return [
            flight
            for flight in self._of_adapter.get(adapter, {}).values()
            if not flight.suspended
            and self._pace.expected_s(flight.waiting.max_tokens - flight.produced) > self._limits.worth_s
        ]

    def suspend(self, flights: Iterable[Flight]) -> Iterator[Suspend]:
        for flight in flights:
            flight.suspended = True
            self.paused += 1
            yield Suspend(flight.waiting.id)

    def lose_flights(self) -> None:
        self.paused -= sum(flight.suspended for flight in self.flights.values())
        self.flights.clear()
        self._of_adapter.clear()
        self._of_tenant.clear()

    def _best(self, line: Line, now: float) -> list[tuple[Claim, float, Lane]]:
        """One, or none."""
        best = line.best(now, self.claim, self._capped)
        return [best] if best else []

    def _admit_head(self, lane: Lane, now: float) -> tuple[Waiting, Admit | Refuse]:
        waiting = self.take(lane.head.id)
        if self._hopeless(waiting, now):
            return waiting, Refuse(waiting.id, "busy")
        lane.since = now
        self.counters.charge(waiting.tenant, prompt_tokens=waiting.prompt_tokens)
        flight = self.flights[waiting.id] = Flight(waiting, now)
        self._of_adapter.setdefault(waiting.adapter, {})[waiting.id] = flight
        self._of_tenant[waiting.tenant] = self._of_tenant.get(waiting.tenant, 0) + 1
        return waiting, Admit(waiting.id)

    def _leave_adapter(self, waiting: Waiting) -> None:
        others = self._of_adapter[waiting.adapter]
        del others[waiting.id]
        if not others:
            del self._of_adapter[waiting.adapter]

    def _capped(self, tenant: str) -> bool:
        return self._of_tenant.get(tenant, 0) >= self._limits.per_tenant

    def _hopeless(self, waiting: Waiting, now: float) -> bool:
        """Too late to begin. Not said while the engine is half empty: the pace is that of a fuller one."""
        if 2 * len(self.flights) < self._limits.in_flight:
            return False
        return now + self._pace.expected_s(waiting.max_tokens) > waiting.deadline
