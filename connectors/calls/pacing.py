"""Importing many calls without standing in anybody's way: what runs now is decided in the log's order, behind whatever was imported before it.

So at most some turns are on their way to being conversations at any time. A message that comes meanwhile waits for those, about a second, and not for
all that a folder holds.
"""

import logging
from collections import deque
from threading import Lock
from time import monotonic, sleep

from connectors.calls.book import CallBook, Taken
from connectors.calls.transcript import Transcript
from parley.ports.store import ReadModel
from schemas.base import ConversationId

log = logging.getLogger(__name__)

ON_THEIR_WAY = 2_400
"""Turns, of about 0.4 ms of the dialogue worker's time each."""
PATIENCE_S = 10.0
"""Where nothing moves for so long, and for `TURN_S` more for each turn of what is next, no worker runs, and nobody has to wait;"""
TURN_S = 0.002
NOBODY_S = 60.0
"""for so long, until it is looked at again."""
LOOK_EVERY_S = 0.02


class OnTheirWay:
    """Calls that were imported and are no conversations yet. Thread-safe. Its methods raise `StoreUnavailable`."""

    def __init__(self, store: ReadModel, *, most: int = ON_THEIR_WAY, patience_s: float = PATIENCE_S) -> None:
        self._store = store
        self._most = most
        self._patience_s = patience_s
        self._calls: deque[tuple[ConversationId, int]] = deque()
        self._moved_at = monotonic()
        self._nobody_until = 0.0
        self._lock = Lock()

    def add(self, taken: Taken) -> None:
        """One call a conversation: what is imported twice is on its way once."""
        if taken.state == "heard_live":
            return
        with self._lock:
            if not self._calls:
                self._moved_at = monotonic()
            if all(name != taken.conversation_id for name, _ in self._calls):
                self._calls.append((taken.conversation_id, max(1, taken.turns)))

    def too_many(self) -> bool:
        """Whether more turns than allowed are on their way, and somebody makes conversations of them."""
        with self._lock:
            return monotonic() >= self._nobody_until and self._turns() > self._most and self._is_moving()

    def _turns(self) -> int:
        """Without the calls that were made meanwhile. They are made in their order, so that the first of those that wait is the one to ask for."""
        if sum(turns for _, turns in self._calls) <= self._most:
            return 0
        while self._calls and self._is_made(self._calls[0][0]):
            self._calls.popleft()
            self._moved_at = monotonic()
        return sum(turns for _, turns in self._calls)

    def _is_moving(self) -> bool:
        """A call that is never made (its customer was erased) is not waited for; where it is not alone in that, no worker runs."""
        if monotonic() - self._moved_at <= self._patience_s + TURN_S * self._calls[0][1]:
            return True
        self._calls.popleft()
        self._moved_at = monotonic()
        if any(self._is_made(name) for name, _ in self._calls):
            return self._turns() > self._most
        log.warning("calls: no worker makes conversations of what is imported; they wait in the log")
        self._calls.clear()
        self._nobody_until = monotonic() + NOBODY_S
        return False

    def _is_made(self, conversation_id: ConversationId) -> bool:
        row = self._store.conversation(conversation_id)
        return row is not None and row.status == "closed"


class Pacer:
    """Takes calls one by one, and waits where too many turns are on their way."""

    def __init__(self, book: CallBook, way: OnTheirWay) -> None:
        self._book = book
        self._way = way

    def take(self, transcript: Transcript, language: str | None = None) -> Taken:
        """As `CallBook.take`."""
        while self._way.too_many():
            sleep(LOOK_EVERY_S)
        taken = self._book.take(transcript, language)
        self._way.add(taken)
        return taken
