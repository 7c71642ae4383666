"""Tenant configurations by version, kept in memory: versions never change, so nothing here ever goes stale."""

from collections import OrderedDict
from threading import Lock

from parley.ports.store import TenantStore
from schemas.base import TenantId
from schemas.tenant import TenantConfig

KEPT = 256


class TenantConfigs:
    """Thread-safe. Looks a version up once, then remembers it among the `KEPT` last used."""

    def __init__(self, store: TenantStore) -> None:
        self._store = store
        self._kept: OrderedDict[tuple[str, str], TenantConfig] = OrderedDict()
        self._lock = Lock()

    def get(self, tenant: TenantId, version: str) -> TenantConfig:
        """Raises `UnknownTenant`, `StoreUnavailable`."""
        with self._lock:
            found = self._kept.get((tenant, version))
            if found is not None:
                self._kept.move_to_end((tenant, version))
                return found
        found = self._store.config(tenant, version)
        with self._lock:
            self._kept[tenant, version] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found
