"""Which versions' files nobody needs any more, and their removal. The registry keeps what it knows of a version: answers name it."""

from datetime import datetime, timedelta

from parley.ports.adapters import AdapterArchive, AdapterRegistry, AdapterVersion
from schemas.base import TenantId


class Pruning:
    """Of versions that were retired `after` ago or earlier, so that no worker still answers with one. Raises `StoreUnavailable`."""

    def __init__(
        self, registry: AdapterRegistry, archive: AdapterArchive, now: datetime, after: timedelta
    ) -> None:
        self._registry = registry
        self._archive = archive
        self._retired_until = now - after

    def found(self, tenant: TenantId | None = None) -> list[AdapterVersion]:
        """Those whose files are still there, the newest first."""
        return [
            version
            for version in self._registry.versions(tenant)
            if self._unneeded(version) and self._archive.holds(version.tenant, version.digest)
        ]

    def remove(self, version: AdapterVersion) -> bool:
        """False, and nothing is removed, for one that was published again in the meantime. Who publishes it just now waits, and then puts its files
        there anew.
        """
        if not self._unneeded(version):
            return False
        with self._registry.locked(version.tenant, version.digest) as now:
            if now is None or not self._retired_long_ago(now):
                return False
            self._archive.remove(version.tenant, version.digest)
            return True

    def _unneeded(self, version: AdapterVersion) -> bool:
        # A registry holds no retired version live, nor leads back to one: files that are gone do not come back, so both are looked up.
        return self._retired_long_ago(version) and version.digest not in (
            self._registry.live(version.tenant),
            self._registry.before(version.tenant),
        )

    def _retired_long_ago(self, version: AdapterVersion) -> bool:
        return version.retired_at is not None and version.retired_at <= self._retired_until
