"""Waiting for something to become true without looking again and again."""

import asyncio
from collections.abc import Callable


class Changes:
    """Whoever changes the world tells; whoever waits looks then."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def tell(self) -> None:
        self._next.set()
        self._next = asyncio.Event()

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Whether `condition` became true in time; it is looked at once at least."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        while not condition():
            left = end - loop.time()
            if left <= 0:
                return False
            await self.changed(left)
        return True

    async def changed(self, within_s: float | None) -> None:
        """Until something changes, or the time is over."""
        waiting = self._next
        try:
            await asyncio.wait_for(waiting.wait(), within_s)
        except TimeoutError:
            return
