"""Who asks for a slot without a text to write: a version that is loaded ahead of its requests, and the probes of one that serves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from parley.domain.scheduling import Scheduler, Waiting
from schemas.base import TenantId
from workers.inference.jobs import PRIORITY

LAST = max(PRIORITY.values())


class Borrowers:
    """They wait in the scheduler under ids of their own, beside the jobs. Belongs to the event loop; `changed` is called when the
    scheduler may have more to do.
    """

    def __init__(self, scheduler: Scheduler, new_id: Callable[[], str], changed: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._new_id = new_id
        self._changed = changed
        self._waiting: dict[str, asyncio.Future[bool]] = {}

    def answer(self, borrower_id: str, *, granted: bool) -> bool:
        """Whether this is a borrower's id at all. Who asked may have been cancelled meanwhile."""
        answered = self._waiting.get(borrower_id)
        if answered is not None and not answered.done():
            answered.set_result(granted)
        return answered is not None

    @asynccontextmanager
    async def slot(self, tenant: TenantId, adapter: str, within_s: float) -> AsyncIterator[bool]:
        """While inside, this adapter has a slot and may decode; False where it could not be had in time."""
        loop = asyncio.get_running_loop()
        borrower_id = f"slot:{self._new_id()}"
        granted = self._waiting[borrower_id] = loop.create_future()
        now = loop.time()
        asked = Waiting(
            borrower_id, tenant, adapter, LAST, now, now + within_s, prompt_tokens=0, max_tokens=1
        )
        self._scheduler.add(asked, now)
        self._changed()
        try:
            yield await granted
        finally:
            del self._waiting[borrower_id]
            if not self._scheduler.cancel(borrower_id):
                self._scheduler.finished(borrower_id, loop.time())
            self._changed()
