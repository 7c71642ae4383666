"""Adapters that wait for a slot, in the order in which they become urgent."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from math import inf


class Candidates:
    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._urgent_at: dict[str, float] = {}
        self._order: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._since)

    def __contains__(self, adapter: str) -> bool:
        return adapter in self._since

    def __iter__(self) -> Iterator[str]:
        return iter(self._since)

    def snapshot(self) -> dict[str, float]:
        """Since when each waits."""
        return dict(self._since)

    def put(self, adapter: str, now: float, patience_s: float) -> None:
        """It waits, since now if it did not before, and is urgent once it has waited so long."""
        self._leave_order(adapter)
        since = self._since.setdefault(adapter, now)
        self._urgent_at[adapter] = since + patience_s
        insort(self._order, (since + patience_s, adapter))

    def discard(self, adapter: str) -> None:
        self._leave_order(adapter)
        self._since.pop(adapter, None)
        self._urgent_at.pop(adapter, None)

    def urgent(self, now: float, for_s: float = 0.0) -> int:
        """How many have been, for so long."""
        return bisect_right(self._order, now, key=lambda each: each[0] + for_s)

    def most_urgent(self, now: float) -> str | None:
        """The one that has been urgent for longest."""
        return self._order[0][1] if self._order and self._order[0][0] <= now else None

    def next_urgent(self, now: float, for_s: float = 0.0) -> float:
        """When it will be one more; infinite: never."""
        at = self.urgent(now, for_s)
        return self._order[at][0] + for_s if at < len(self._order) else inf

    def _leave_order(self, adapter: str) -> None:
        if adapter in self._urgent_at:
            del self._order[bisect_left(self._order, (self._urgent_at[adapter], adapter))]
