"""What the desk has whoever writes do besides writing: load and unload adapters, and come back after a death. Runs in the event loop."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from parley.domain.scheduling import Scheduler
from parley.errors import EngineDied, ParleyError
from parley.runtime.backoff import Backoff
from parley.runtime.faults import describe
from workers.inference.metrics import InferenceMetrics
from workers.inference.writing import Writer, started

log = logging.getLogger(__name__)

LASTING_S = 60.0
"""An engine that was up for so long has recovered: the next death is answered at once again."""


class EngineLife:
    """`number` is of the engine's present life: what was begun in another says nothing of this one.

    `spawn` lets work run, `changed` is called when the scheduler may have more to do, and `not_loaded` with the ids that waited for an
    adapter, and why they cannot have it.
    """

    def __init__(
        self,
        writer: Writer,
        scheduler: Scheduler,
        metrics: InferenceMetrics,
        spawn: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]],
        changed: Callable[[], None],
        not_loaded: Callable[[Sequence[str], Exception], None],
    ) -> None:
        self._writer = writer
        self._scheduler = scheduler
        self._metrics = metrics
        self._spawn = spawn
        self._changed = changed
        self._not_loaded = not_loaded
        self._loop = asyncio.get_running_loop()
        self._restarting = False
        self._up_since = self._loop.time()
        self._backoff = Backoff(0.1, 30.0)
        self._closing = False
        self._bringing: asyncio.Task[None] | None = None
        self.number = 0

    def close(self) -> None:
        """It is not brought back any more; where that is under way, it is given up."""
        self._closing = True
        if self._bringing is not None:
            self._bringing.cancel()

    async def load(self, name: str) -> None:
        began, life = self._loop.time(), self.number
        try:
            await self._writer.load(name)
        except EngineDied:
            self.died(life)
        except Exception as error:  # a version must not bring the others' worker down
            if life == self.number:
                told = error if isinstance(error, ParleyError) else describe(error)
                log.error("inference: adapter %s was not loaded: %s", name, told)
                self._not_loaded(self._scheduler.load_failed(name, self._loop.time()), error)
        else:
            if life != self.number:
                return
            self._metrics.swapped(self._loop.time() - began)
            self._scheduler.loaded(name, self._loop.time())
        self._changed()

    async def unload(self, name: str) -> None:
        life = self.number
        try:
            await self._writer.unload(name)
        except EngineDied:
            self.died(life)
        except Exception as error:
            log.error("inference: adapter %s was not unloaded: %s", name, describe(error))
        if life == self.number and not self._restarting:
            self._scheduler.unloaded(name, self._loop.time())
        self._changed()

    def died(self, life: int) -> None:
        """Nothing is begun until the engine is there again. Done once a death, however many notice it, and however late."""
        if life == self.number and not self._restarting and not self._closing:
            self._restarting = True
            self._scheduler.halt(self._loop.time())
            self._bringing = self._spawn(self._bring_back())

    async def _bring_back(self) -> None:
        log.error("inference: the engine died; it is started anew")
        pause_s = self._backoff.next()
        if self._loop.time() - self._up_since > LASTING_S:
            self._backoff.reset()
        await asyncio.sleep(pause_s)
        await started(self._writer)
        self.number += 1
        self._up_since = self._loop.time()
        self._restarting = False
        self._scheduler.reset(self._loop.time())
        self._changed()
