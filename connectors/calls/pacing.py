"""Importing many calls without standing in anybody's way: what runs now is decided in the log's order, behind whatever was imported before it.

So at most a few calls are on their way to being conversations at any time. A message that comes meanwhile waits for those, about a second, and not for
all that a folder holds.
"""

import logging
from collections import deque
from time import monotonic, sleep

from connectors.calls.book import CallBook, Taken
from connectors.calls.transcript import Transcript
from parley.ports.store import ReadModel
from schemas.base import ConversationId

log = logging.getLogger(__name__)

ON_THEIR_WAY = 40
"""Calls, of some 25 ms of the dialogue worker's time each."""
PATIENCE_S = 10.0
"""Where nothing moves for so long no worker runs, and nobody has to wait;"""
NOBODY_S = 60.0
"""for so long, until it is looked at again."""
LOOK_EVERY_S = 0.02


class Pacer:
    """Takes calls one by one, and waits where too many are on their way."""

    def __init__(
        self,
        book: CallBook,
        store: ReadModel,
        *,
        on_their_way: int = ON_THEIR_WAY,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._book = book
        self._store = store
        self._most = on_their_way
        self._patience_s = patience_s
        self._open: deque[ConversationId] = deque()
        self._nobody_until = 0.0

    def take(self, transcript: Transcript, language: str | None = None) -> Taken:
        """As `CallBook.take`."""
        taken = self._book.take(transcript, language)
        self._open.append(taken.conversation_id)
        if len(self._open) > self._most:
            self._wait_for(self._open.popleft())
        return taken

    def _wait_for(self, conversation_id: ConversationId) -> None:
        until = monotonic() + self._patience_s
        while monotonic() >= self._nobody_until and not self._is_made(conversation_id):
            if monotonic() > until:
                log.warning("calls: no worker makes conversations of what is imported; they wait in the log")
                self._nobody_until = monotonic() + NOBODY_S
            sleep(LOOK_EVERY_S)

    def _is_made(self, conversation_id: ConversationId) -> bool:
        row = self._store.conversation(conversation_id)
        return row is not None and row.status == "closed"
