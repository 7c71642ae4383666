"""A worker with adapters on a scripted engine, and the versions that it serves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from parley.backends.memory_bus import MemoryBus
from parley.errors import StoreUnavailable
from parley.ports.adapters import AdapterVersion
from schemas.adapters import Probe, ProbeFile
from schemas.base import TenantId
from tests.support.inference import make_worker
from tests.support.platform import make_platform
from tests.support.scripted_engine import ScriptedEngine
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from workers.inference.adapters import Adapters
from workers.inference.desk import Desk
from workers.inference.metrics import InferenceMetrics
from workers.inference.serving import AdapterWriter
from workers.inference.swapping import Swaps
from workers.inference.worker import InferenceWorker
from workers.wiring import Platform
from workers.writers import cache_salt

AT = datetime(2026, 11, 23, tzinfo=UTC)
PROBE = Probe(prompt_token_ids=(7, 8), token_ids=(0, 1, 2), logprobs=(-0.1,) * 3, base_logprobs=(-4.0,) * 3)


def digest(number: int) -> str:
    return f"{number:064x}"


class Shelf:
    """Versions with their folders, and pointers: implements the registry and the storage."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.pointers: dict[str, str | None] = {}
        self.previous: dict[str, str] = {}
        self.found: dict[tuple[str, str], AdapterVersion] = {}
        self.away = False
        self.fetches = 0

    def publish(self, tenant: str, number: int, *, probes: bool = False) -> str:
        """Stored and live; its name."""
        folder = self._root / tenant / digest(number)
        folder.mkdir(parents=True)
        if probes:
            (folder / "probes.json").write_text(ProbeFile(probes=(PROBE,)).model_dump_json())
        version = AdapterVersion(TenantId(tenant), digest(number), "base", "1", 8, 0, str(folder), AT)
        self.found[tenant, digest(number)] = version
        self.point(TenantId(tenant), digest(number), AT)
        return version.name

    def point(self, tenant: TenantId, digest: str | None, at: datetime) -> str | None:
        before = self.pointers.get(tenant)
        if before is not None:
            self.previous[tenant] = before
        self.pointers[tenant] = digest
        return before

    def get(self, tenant: TenantId, digest: str) -> AdapterVersion | None:
        return self.found.get((tenant, digest))

    def live(self, tenant: TenantId) -> str | None:
        return self.pointers.get(tenant)

    def before(self, tenant: TenantId) -> str | None:
        return self.previous.get(tenant)

    def fetch(self, uri: str, digest: str) -> Path:
        self.fetches += 1
        if self.away:
            raise StoreUnavailable("adapters: not mounted")
        return Path(uri)

    def add(self, version: AdapterVersion, *, again: bool = False) -> None: ...

    @contextmanager
    def locked(self, tenant: TenantId, digest: str) -> Iterator[AdapterVersion | None]:
        yield self.get(tenant, digest)

    def versions(self, tenant: TenantId | None = None) -> list[AdapterVersion]:
        return list(self.found.values())

    def retire(self, tenant: TenantId, digest: str, at: datetime) -> None:
        self.found[tenant, digest] = replace(self.found[tenant, digest], retired_at=at)

    def put(self, folder: Path, digest: str) -> str:
        return str(folder)


class Served:
    """A worker with adapters on a scripted engine."""

    def __init__(self, root: Path, slots: int = 2) -> None:
        self.on: Platform = make_platform(MemoryBus())
        self.shelf = Shelf(root)
        self.engine = ScriptedEngine(slots=slots)
        self.adapters = Adapters(self.shelf, self.shelf, self.shelf.live, lambda version, folder: None)
        ids = iter(range(10**6))
        self.writer = AdapterWriter(
            self.engine,
            cache_salt,
            self.adapters,
            InferenceMetrics(self.on.registry),
            lambda: str(next(ids)),
            _passes,
        )

    def worker(self, **more: Any) -> InferenceWorker:
        self.registry = CollectorRegistry()
        return make_worker(replace(self.on, registry=self.registry), self.engine, writer=self.writer, **more)

    def tenants(self, *names: str, **model: str) -> None:
        for name in names:
            config = CONFIG.model_copy(
                update={"id": TenantId(name), "model": CONFIG.model.model_copy(update=model)}
            )
            self.on.store.put(VERSION, config, CONTENT, AT)

    def swap(self, worker: InferenceWorker, old: str | None, new: str | None) -> None:
        """As the listener of the live pointers does it."""
        move = self.adapters.hold_back(TENANT, old.partition("@")[2] if old else None)
        self.shelf.point(TENANT, new.partition("@")[2] if new else None, AT)
        assert worker.submit(lambda desk: self.swaps(desk).switch(TENANT, old, new, move))

    def swaps(self, desk: Desk) -> Swaps:
        return Swaps(desk, self.writer, self.adapters)


async def _passes() -> None:
    """The self-test of an engine that has nothing to hide."""
