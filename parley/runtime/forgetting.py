"""Texts and keys that a process remembers only to be faster: forgotten every minute, so that nothing outlives an erasure for long.

No process is told of an erasure; each forgets by itself, whatever happens to the others. What is kept where it is used (a decider's
states, what a gateway streams) forgets in its own place.
"""

import logging
from collections.abc import Callable, Sequence

from parley.domain.remembering import forget_texts
from parley.runtime.faults import describe
from parley.runtime.recurring import Recurring

log = logging.getLogger(__name__)

FORGET_EVERY_S = 60.0


class Forgetting(Recurring):
    """Runs in a thread of its own until it is stopped. `others` are more places to forget in; each must be quick."""

    def __init__(self, others: Sequence[Callable[[], None]], *, every_s: float = FORGET_EVERY_S) -> None:
        super().__init__("forgetting", self._forget, first_after_s=every_s, every_s=every_s)
        self._places = (forget_texts, *others)

    def _forget(self) -> None:
        for forget in self._places:
            try:
                forget()
            except Exception as error:  # the other places are forgotten in all the same
                log.error("a cache was not emptied: %s", describe(error))
