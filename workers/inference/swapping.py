"""New versions while the old ones answer, and the canary across swaps under load. Runs in the event loop, beside the desk."""

import asyncio
import logging

from parley.errors import AdapterRefused, ParleyError
from schemas.base import TenantId
from workers.inference.adapters import Adapters
from workers.inference.desk import Desk
from workers.inference.serving import AdapterWriter

log = logging.getLogger(__name__)

WARM_WITHIN_S = 60.0
CHECK_WITHIN_S = 30.0


class Swaps:
    """`switch` is told of every move of a live pointer; `watch` probes adapters that are serving, one at a time."""

    def __init__(self, desk: Desk, writer: AdapterWriter, adapters: Adapters) -> None:
        self._desk = desk
        self._writer = writer
        self._adapters = adapters

    async def switch(self, tenant: TenantId, old: str | None, new: str | None, move: int) -> None:
        """Answers go on with the old version (`tenant@digest`; None is the base model) until the new one is loaded and has passed its canary.

        Where the old one is not with the engine nobody is being answered with it, and the next request loads the new one.
        """
        if new is not None:
            self._adapters.forgive(new)
        try:
            if new is not None and old is not None and self._writer.holds(old):
                async with self._desk.slot(tenant, new, WARM_WITHIN_S) as ready:
                    if not ready:
                        log.warning("inference: adapter %s could not be loaded ahead of its requests", new)
        except ParleyError as error:
            log.warning("inference: adapter %s: %s", new, error)
        finally:
            self._adapters.go_on(tenant, move)
        if old is not None and old not in (new, self._adapters.of(tenant, None)):
            self._desk.retire(old)

    async def watch(self, every_s: float) -> None:
        """Now and then the next adapter that has a slot is asked its probes, while everything else goes on. Ends when it is cancelled."""
        last = ""
        while True:
            await asyncio.sleep(every_s)
            probed = sorted(name for name in self._desk.residents() if self._writer.probed(name))
            if not probed:
                continue
            last = next((name for name in probed if name > last), probed[0])
            await self._check(last)

    async def _check(self, name: str) -> None:
        tenant, _, _ = name.partition("@")
        try:
            async with self._desk.slot(TenantId(tenant), name, CHECK_WITHIN_S) as ready:
                if ready:
                    await self._writer.check(name)
        except AdapterRefused as error:
            await self._writer.quarantine(name, str(error))
            self._desk.retire(name)
        except ParleyError as error:
            log.warning("inference: adapter %s was not probed: %s", name, error)
