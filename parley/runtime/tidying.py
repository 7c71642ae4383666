"""Forgetting what no record of the log can need any more: ids of events that were seen, clients' claimed message ids, and what became of
what was sent; and the vault's originals whose term is over.

The ids are kept longer than any record that could repeat them. `parley db tidy` does it by hand; `Tidying` once a day.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.errors import StoreUnavailable
from parley.ports.clock import Clock
from parley.ports.keys import CustomerKeys
from parley.ports.media import MediaStore
from parley.ports.store import Store
from parley.runtime.erasing import reapply
from parley.runtime.recurring import Recurring
from schemas.topics import DAY_MS, TOPICS

log = logging.getLogger(__name__)

MARGIN = timedelta(days=14)
"""The bus deletes late: Kafka only whole segments, which hold up to a week."""
KEPT = timedelta(days=max(topic.retention_ms or 0 for topic in TOPICS) / DAY_MS) + MARGIN
AT_ONCE = 5_000
FIRST_AFTER_S = 300.0
EVERY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Tidied:
    """How much was older than `before` and is gone, and of how many masked values the original."""

    before: datetime
    seen: int
    claims: int
    deliveries: int
    originals: int


def tidy(store: Store, now: datetime) -> Tidied:
    """Raises `StoreUnavailable`. Safe to repeat, and to run in several processes at once."""
    before = now - KEPT
    return Tidied(
        before,
        _all(store.forget_seen, before),
        _all(store.forget_claims, before),
        _all(store.channels.forget_deliveries, before),
        _all(store.forget_originals, now),
    )


def _all(forget: Callable[[datetime, int], int], before: datetime) -> int:
    """A little at a time, so that whoever writes meanwhile is not kept waiting."""
    total = 0
    while gone := forget(before, AT_ONCE):
        total += gone
    return total


class Tidying(Recurring):
    """Tidies some minutes after the start and then once a day, in a thread of its own, until it is stopped.

    It also applies the lists of erasures again: somebody may have restored a backup, or a process that hung for minutes may have
    written a row once more.
    """

    def __init__(
        self,
        store: Store,
        keys: CustomerKeys,
        media: MediaStore,
        clock: Clock,
        *,
        first_after_s: float = FIRST_AFTER_S,
        every_s: float = EVERY_S,
    ) -> None:
        super().__init__("tidying", self._tidy, first_after_s=first_after_s, every_s=every_s)
        self._store = store
        self._keys = keys
        self._media = media
        self._clock = clock

    def _tidy(self) -> None:
        try:
            erased = reapply(self._store, self._keys, self._media)
            done = tidy(self._store, self._clock.now())
        except StoreUnavailable as error:
            log.warning("not tidied today: %s", error)
        else:
            log.info(
                "forgot %d seen events, %d claims and %d deliveries from before %s, and %d originals of the vault",
                done.seen,
                done.claims,
                done.deliveries,
                done.before,
                done.originals,
            )
            if erased.keys:
                log.warning("%d keys of erased customers were there again, and are erased", erased.keys)
