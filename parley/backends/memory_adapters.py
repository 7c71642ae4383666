"""The registry of adapters in dictionaries: part of the store in memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from threading import Lock

from parley.errors import AdapterRefused
from parley.ports.adapters import AdapterVersion
from schemas.base import TenantId


class MemoryAdapters:
    """Implements `parley.ports.adapters.AdapterRegistry`; what it refuses and passes over is as on SQL."""

    def __init__(self) -> None:
        self._versions: dict[tuple[str, str], AdapterVersion] = {}
        self._moves: dict[str, list[str | None]] = {}
        self._lock = Lock()

    def add(self, version: AdapterVersion, *, again: bool = False) -> None:
        with self._lock:
            held = self._versions.get((version.tenant, version.digest))
            if held is None or (again and held.retired_at is not None):
                self._versions[version.tenant, version.digest] = version

    def get(self, tenant: TenantId, digest: str) -> AdapterVersion | None:
        with self._lock:
            return self._versions.get((tenant, digest))

    def versions(self, tenant: TenantId | None = None) -> list[AdapterVersion]:
        with self._lock:
            found = [each for each in self._versions.values() if tenant in (None, each.tenant)]
        by_name = sorted(found, key=lambda each: (each.tenant, each.digest))
        return sorted(by_name, key=lambda each: each.published_at, reverse=True)

    def retire(self, tenant: TenantId, digest: str, at: datetime) -> None:
        with self._lock:
            if self._live(tenant) == digest:
                raise AdapterRefused(f"adapter {digest} of {tenant}: is live; allowed: one that is not")
            if self._can_be_served(tenant, digest):
                self._versions[tenant, digest] = replace(self._versions[tenant, digest], retired_at=at)

    @contextmanager
    def locked(self, tenant: TenantId, digest: str) -> Iterator[AdapterVersion | None]:
        with self._lock:
            yield self._versions.get((tenant, digest))

    def live(self, tenant: TenantId) -> str | None:
        with self._lock:
            return self._live(tenant)

    def point(self, tenant: TenantId, digest: str | None, at: datetime) -> str | None:
        with self._lock:
            if digest is not None and not self._can_be_served(tenant, digest):
                raise AdapterRefused(
                    f"adapter {digest} of {tenant}: was never registered, or is retired; allowed: one that can be served"
                )
            live = self._live(tenant)
            if live == digest:
                return self._before(tenant)
            self._moves.setdefault(tenant, []).append(digest)
            return live

    def before(self, tenant: TenantId) -> str | None:
        with self._lock:
            return self._before(tenant)

    def _can_be_served(self, tenant: str, digest: str) -> bool:
        held = self._versions.get((tenant, digest))
        return held is not None and held.retired_at is None

    def _live(self, tenant: str) -> str | None:
        return self._moves.get(tenant, [None])[-1]

    def _before(self, tenant: str) -> str | None:
        earlier = (each for each in reversed(self._moves.get(tenant, [])) if each != self._live(tenant))
        return next(
            (each for each in earlier if each is not None and self._can_be_served(tenant, each)), None
        )
