"""Which tenant version each event belongs to, and that version's configuration and content, looked up when needed."""

from collections.abc import Sequence
from typing import TypeVar

from parley.ports.store import TenantStore
from parley.runtime.tenants import TenantConfigs
from schemas.base import AnyEvent, TenantId
from schemas.tenant import TenantConfig, TenantContent

E = TypeVar("E", bound=AnyEvent)


class VersionedContent:
    """Configurations are remembered; content is large, wanted once a version, and read from the store each time."""

    def __init__(self, store: TenantStore, configs: TenantConfigs) -> None:
        self._store = store
        self._configs = configs

    def config(self, tenant: TenantId, version: str) -> TenantConfig:
        """Raises `UnknownTenant`, `StoreUnavailable`."""
        return self._configs.get(tenant, version)

    def get(self, tenant: TenantId, version: str) -> tuple[TenantConfig, TenantContent]:
        """Raises `UnknownTenant`, `StoreUnavailable`."""
        return self._configs.get(tenant, version), self._store.content(tenant, version)

    def current(self) -> list[tuple[TenantId, str]]:
        """Every tenant with its current version. Raises `StoreUnavailable`."""
        return [(each.tenant, each.version) for each in self._store.versions() if each.current]

    @staticmethod
    def by_version(events: Sequence[E]) -> dict[tuple[TenantId, str], list[E]]:
        """The events grouped by (tenant, version), each group in order."""
        groups: dict[tuple[TenantId, str], list[E]] = {}
        for event in events:
            groups.setdefault((event.envelope.tenant, event.envelope.tenant_version), []).append(event)
        return groups
