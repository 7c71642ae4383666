"""How fast one bot sends: at most so many messages a second to all chats together, as Telegram asks for (Bots FAQ, "My bot is hitting limits")."""

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

PER_SECOND = 30


class Pace:
    """A place in time for each call, in the order of asking: no more than `per_second` of them within any second."""

    def __init__(self, per_second: int = PER_SECOND, now: Callable[[], float] = monotonic) -> None:
        self._now = now
        self._places: deque[float] = deque(maxlen=per_second)

    def place(self) -> float:
        """Seconds to wait."""
        now = self._now()
        full = len(self._places) == self._places.maxlen
        at = max(now, self._places[0] + 1.0) if full else now
        self._places.append(at)
        return at - now

    def free(self) -> bool:
        """Whether there is a place just now; if so, it is taken."""
        full = len(self._places) == self._places.maxlen
        if full and self._places[0] + 1.0 > self._now():
            return False
        self.place()
        return True

    async def wait(self) -> None:
        if wait_s := self.place():
            await asyncio.sleep(wait_s)
