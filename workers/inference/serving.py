"""The writer whose engine loads the tenants' adapters: fetched and checked, loaded, probed, and quarantined where the probes fail."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from parley.errors import AdapterRefused, EngineDied, RequestRefused
from parley.ports.engine import AdapterFiles, Engine
from schemas.adapters import Probe
from schemas.base import TenantId
from schemas.tenant import TenantConfig
from workers.inference.adapters import Adapters
from workers.inference.canary import Canary, probes_of
from workers.inference.metrics import InferenceMetrics
from workers.inference.writing import Capacity, EngineWriter

log = logging.getLogger(__name__)

SelfTest = Callable[[], Awaitable[None]]


class AdapterWriter(EngineWriter):
    """Implements `Writer`. `self_test` is what the engine has to pass before it gets any work."""

    def __init__(
        self,
        engine: Engine,
        salt: Callable[[TenantId], str],
        adapters: Adapters,
        metrics: InferenceMetrics,
        new_id: Callable[[], str],
        self_test: SelfTest,
    ) -> None:
        super().__init__(engine, salt)
        self._adapters = adapters
        self._metrics = metrics
        self._canary = Canary(engine, new_id)
        self._self_test = self_test
        self._held: dict[str, tuple[AdapterFiles, tuple[Probe, ...]]] = {}
        self._slots = 0
        self._starts = 0

    async def start(self) -> Capacity:
        self._held.clear()
        self._starts += 1
        await self._engine.start()
        self._metrics.engine_starts.inc()
        await self._self_test()
        facts = self._engine.facts
        self._slots = facts.slots
        return Capacity(facts.running, facts.slots, facts.held, facts.resumes)

    def adapter_of(self, tenant: TenantId, asked: str | None, config: TenantConfig) -> str | None:
        """An engine without slots serves everybody with the base model, and the answers say so."""
        name = self._adapters.of(tenant, asked, config.model.on_quarantine)
        return name if self._slots else None

    async def load(self, name: str) -> None:
        """Probes are asked when it is loaded; one that comes back into a slot has shown already what it is."""
        try:
            held = self._held.get(name)
            starts = self._starts
            files, probes = held if held is not None else await asyncio.to_thread(self._fetch, name)
            if starts != self._starts:
                raise EngineDied("the engine was started anew meanwhile")
            await self._engine.load(files)
            if held is None:
                self._held[name] = (files, probes)
                try:
                    await self.check(name)
                except BaseException:
                    del self._held[name]  # it is fetched and probed anew, and never serves unprobed
                    raise
            else:
                await self._canary.touch(files)
        except AdapterRefused as error:
            await self.quarantine(name, str(error))
            await self.unload(name)
            raise

    async def quarantine(self, name: str, reason: str) -> None:
        """Another one writes in its place from now on."""
        await asyncio.to_thread(self._adapters.quarantine, name, reason)
        self._metrics.quarantined.set(len(self._adapters.quarantined()))

    def holds(self, name: str) -> bool:
        return name in self._held

    async def check(self, name: str) -> None:
        """Ask the probes of an adapter that has a slot. Raises `AdapterRefused` where something else comes back."""
        files, probes = self._held[name]
        if not probes:
            await self._canary.touch(files)
            self._metrics.canaries.labels("unprobed").inc()
            return
        try:
            verdict = await self._canary.check(files, probes)
        except RequestRefused as error:
            raise AdapterRefused(f"{name}: a probe cannot be asked of this engine: {error}") from error
        self._metrics.canaries.labels("mismatch" if verdict.fault else "passed").inc()
        if verdict.fault:
            raise AdapterRefused(
                f"{name}: a probe is not answered as this adapter answers it: {verdict.fault}"
            )

    def probed(self, name: str) -> bool:
        """Whether the canary can say anything of this adapter now."""
        return bool(self._held.get(name, (None, ()))[1])

    async def unload(self, name: str) -> None:
        self._held.pop(name, None)
        await self._engine.unload(name)

    def _fetch(self, name: str) -> tuple[AdapterFiles, tuple[Probe, ...]]:
        files = self._adapters.files(name)
        return files, probes_of(files)
