"""Who waits: by adapter, tenant and class, oldest first, and all of them by the moment at which waiting on becomes pointless."""

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush, heapreplace
from math import inf

from parley.domain.scheduling.requests import Reason, Waiting

SLACK = 64
"""A heap is made anew once it holds more of the dead than of the living and this many."""


class Entry:
    """A request in the queues. One that left stays in the heaps, dead, until it comes up or they are made anew."""

    __slots__ = ("alive", "lane", "waiting")

    def __init__(self, waiting: Waiting, lane: "Lane") -> None:
        self.waiting = waiting
        self.lane = lane
        self.alive = True


Heap = list[tuple[float, int, Entry]]


class Lane:
    """What waits of one tenant for one adapter in one class. It exists as long as something waits in it."""

    __slots__ = ("heap", "priority", "since", "size", "tenant")

    def __init__(self, tenant: str, priority: int, since: float) -> None:
        self.tenant = tenant
        self.priority = priority
        #: When it last was served or, if never, began.
        self.since = since
        self.size = 0
        self.heap: Heap = []

    @property
    def head(self) -> Waiting:
        return self.heap[0][2].waiting

    @property
    def oldest(self) -> float:
        return self.heap[0][0]

    def rank(self, now: float, urgent_s: float) -> int:
        """Its class, lifted by one for each `urgent_s` that it was not served. Lower goes first."""
        return max(0, self.priority - int((now - self.since) / urgent_s))


Claim = tuple[int, float]
"""How good a claim to be served is: class, then what the tenant has been served. Lower is better."""


class Line:
    """All that waits for one adapter, or for the base model."""

    __slots__ = ("_first_class", "lanes", "size")

    def __init__(self) -> None:
        self.lanes: dict[tuple[str, int], Lane] = {}
        self.size = 0
        #: The lanes of class 0 by their claims when last looked at. A tenant is never served less than it was, so none is better now.
        self._first_class: list[tuple[Claim, float, int, Lane]] = []

    def put(self, lane: Lane, number: int) -> None:
        self.lanes[lane.tenant, lane.priority] = lane
        if lane.priority == 0:
            if len(self._first_class) > 2 * len(self.lanes) + SLACK:
                self._first_class = [each for each in self._first_class if each[3].size]
                heapify(self._first_class)
            heappush(self._first_class, ((0, 0.0), -inf, number, lane))

    def best(
        self, now: float, claim: Callable[[Lane, float], Claim], blocked: Callable[[str], bool]
    ) -> tuple[Claim, float, Lane] | None:
        """The lane with the best claim, of equal ones that with the oldest request, and both; passing over blocked tenants."""
        found = [
            (claim(lane, now), lane.oldest, lane)
            for lane in self.lanes.values()
            if lane.priority and not blocked(lane.tenant)
        ]
        first = self._best_first_class(now, claim, blocked)
        if first is not None:
            found.append((claim(first, now), first.oldest, first))
        return min(found, key=lambda each: each[:2], default=None)

    def _best_first_class(
        self, now: float, claim: Callable[[Lane, float], Claim], blocked: Callable[[str], bool]
    ) -> Lane | None:
        heap, aside = self._first_class, []
        while heap:
            seen, oldest, number, lane = heap[0]
            if lane.size == 0:
                heappop(heap)
            elif (fresh := (claim(lane, now), lane.oldest)) > (seen, oldest):
                heapreplace(heap, (*fresh, number, lane))
            elif blocked(lane.tenant):
                aside.append(heappop(heap))
            else:
                break
        found = heap[0][3] if heap else None
        for each in aside:
            heappush(heap, each)
        return found


class Queues:
    """Lines by adapter; or only one, if adapters need no slots."""

    def __init__(self, by_adapter: bool) -> None:
        self._by_adapter = by_adapter
        #: Only those in which something waits.
        self.lines: dict[str | None, Line] = {}
        self._entries: dict[str, Entry] = {}
        self._due: Heap = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, id: str) -> bool:
        return id in self._entries

    def add(self, waiting: Waiting, now: float, expected_s: float) -> None:
        """A completion of it is expected to take so long."""
        line = self.lines.setdefault(self._key(waiting.adapter), Line())
        lane = line.lanes.get((waiting.tenant, waiting.priority))
        self._number += 1
        if lane is None:
            lane = Lane(waiting.tenant, waiting.priority, now)
            line.put(lane, self._number)
        entry = self._entries[waiting.id] = Entry(waiting, lane)
        place = -self._number if waiting.suspensions else self._number
        heappush(lane.heap, (waiting.arrived, place, entry))
        heappush(self._due, (waiting.deadline - expected_s, self._number, entry))
        lane.size += 1
        line.size += 1

    def remove(self, id: str) -> Waiting:
        """Raises `KeyError` for one that does not wait."""
        entry = self._entries.pop(id)
        entry.alive = False
        waiting, lane = entry.waiting, entry.lane
        key = self._key(waiting.adapter)
        line = self.lines[key]
        lane.size -= 1
        line.size -= 1
        if lane.size == 0:
            del line.lanes[waiting.tenant, waiting.priority]
        else:
            _bury(lane.heap, lane.size)
        if line.size == 0:
            del self.lines[key]
        _bury(self._due, len(self._entries))
        return waiting

    def of(self, adapter: str | None) -> list[str]:
        """The ids of all that wait for it, oldest first."""
        line = self.lines.get(self._key(adapter))
        found = [each for lane in line.lanes.values() for each in lane.heap if each[2].alive] if line else []
        waiting = [entry.waiting for _, _, entry in sorted(found, key=lambda each: each[:2])]
        return [each.id for each in waiting if each.adapter == adapter]

    def overdue(self, now: float, expected_s: Callable[[int], float]) -> Iterator[tuple[Waiting, Reason]]:
        """Those that can no longer be answered in time; whoever iterates removes each before the next.

        A request comes up when its deadline, less what a completion was expected to take when this was last looked at, has passed.
        """
        while self._due and self._due[0][0] <= now:
            _, number, entry = self._due[0]
            if not entry.alive:
                heappop(self._due)
                continue
            waiting = entry.waiting
            latest = waiting.deadline - expected_s(waiting.max_tokens)
            if latest > now:
                heapreplace(self._due, (latest, number, entry))
                continue
            heappop(self._due)
            yield waiting, "deadline" if waiting.deadline <= now else "busy"

    def _key(self, adapter: str | None) -> str | None:
        return adapter if self._by_adapter else None

    def next_due(self) -> float:
        """When `overdue` may have something; infinite: never."""
        return self._due[0][0] if self._due else inf

    def oldest(self) -> float | None:
        """When the one that has waited longest arrived."""
        return min(
            (lane.oldest for line in self.lines.values() for lane in line.lanes.values()), default=None
        )


def _bury(heap: Heap, living: int) -> None:
    """Keep a living entry on top, and the dead from piling up; amortised, the cost is that of a few pushes."""
    if len(heap) > 2 * living + SLACK:
        heap[:] = [each for each in heap if each[2].alive]
        heapify(heap)
    while heap and not heap[0][2].alive:
        heappop(heap)
