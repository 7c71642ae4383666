"""Which versions' files nobody needs any more, and their removal. The registry keeps what it knows of a version: answers name it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from parley.errors import StoreUnavailable
from parley.ports.adapters import AdapterArchive, AdapterRegistry, AdapterVersion, RemovalStep
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

    def remove(self, version: AdapterVersion, note: Callable[[AdapterVersion], None]) -> bool:
        """False, and nothing is removed, for one that was published again in the meantime, or whose files are gone.

        `note` is told of it as soon as it cannot be fetched any more, before the rest is removed, which may fail. Who publishes it just now waits for
        one step; no other is taken after that, and what is gone is put there anew.
        """
        removed = False
        if self._unneeded(version):
            for step in self._archive.removal(version.tenant, version.digest):
                if not self._take(version, step):
                    break
                if not removed:
                    note(version)
                removed = True
        return removed

    def _take(self, version: AdapterVersion, step: RemovalStep) -> bool:
        """False, and the step is not taken, for a version that was published again in the meantime."""
        taken = False
        try:
            with self._registry.locked(version.tenant, version.digest) as now:
                if now is None or not self._retired_long_ago(now):
                    return False
                step()
                taken = True
        except StoreUnavailable:
            if not taken:  # else only the lock was lost at the end: what is done is to be noted
                raise
        return True

    def _unneeded(self, version: AdapterVersion) -> bool:
        # A registry holds no retired version live, nor leads back to one: files that are gone do not come back, so both are looked up.
        return self._retired_long_ago(version) and version.digest not in (
            self._registry.live(version.tenant),
            self._registry.before(version.tenant),
        )

    def _retired_long_ago(self, version: AdapterVersion) -> bool:
        return version.retired_at is not None and version.retired_at <= self._retired_until
