"""Which adapter writes a tenant's answers here and now: the live one, the one a request names, or what stands in for one that is quarantined."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

from parley.errors import AdapterRefused, StoreUnavailable
from parley.ports.adapters import AdapterRegistry, AdapterStorage, AdapterVersion
from parley.ports.engine import AdapterFiles
from schemas.base import TenantId
from workers.inference.writing import BASE, own_part

log = logging.getLogger(__name__)

Instead = Literal["previous", "base"]


@dataclass(frozen=True, slots=True)
class _Quarantine:
    reason: str
    before: str | None


class Adapters:
    """Thread-safe. Names are `tenant@digest`, so no request can name another tenant's.

    `check` looks at a version's files before the engine does, and raises `AdapterRefused`. The pointer that answers follow is this worker's own: it moves to a new version once that is loaded and has passed its canary.
    """

    def __init__(
        self,
        registry: AdapterRegistry,
        storage: AdapterStorage,
        live: Callable[[TenantId], str | None],
        check: Callable[[AdapterVersion, Path], None],
    ) -> None:
        self._registry = registry
        self._storage = storage
        self._live = live
        self._check = check
        self._lock = Lock()
        self._held_back: dict[TenantId, str | None] = {}
        self._moves: dict[TenantId, int] = {}
        self._quarantined: dict[str, _Quarantine] = {}

    def of(self, tenant: TenantId, asked: str | None, instead: Instead = "previous") -> str | None:
        """The name of what writes for this request; None is the base model. Looks nothing up.

        `instead` is what the tenant wants in place of a quarantined version. Raises `UnknownAdapter` for another tenant's name.
        """
        if asked == BASE:
            return None
        if asked is None:
            with self._lock:
                digest = self._held_back[tenant] if tenant in self._held_back else self._live(tenant)
        else:
            digest = own_part(tenant, asked)
        return self._served(tenant, digest, instead)

    def hold_back(self, tenant: TenantId, digest: str | None) -> int:
        """Go on with this version although another one is live by now, until that is ready; with the one before it, where the pointer has
        moved twice. Returns the move's number, for `go_on`.
        """
        with self._lock:
            self._held_back.setdefault(tenant, digest)
            self._moves[tenant] = move = self._moves.get(tenant, 0) + 1
            return move

    def go_on(self, tenant: TenantId, move: int) -> None:
        """Follow the live pointer again, unless it has moved once more since."""
        with self._lock:
            if self._moves.get(tenant) == move:
                self._held_back.pop(tenant, None)

    def quarantine(self, name: str, reason: str) -> None:
        """Serve this version no more in this process. Looks up what stands in for it: not for the event loop."""
        tenant, _, digest = name.partition("@")
        try:
            before = self._registry.before(TenantId(tenant))
        except StoreUnavailable:
            before = None  # the base model stands in: an answer in the wrong style beats none
        with self._lock:
            self._quarantined[name] = _Quarantine(reason, before if before != digest else None)
        log.error("inference: adapter %s is quarantined: %s", name, reason)

    def forgive(self, name: str) -> None:
        """It was published anew: whatever was wrong with it is looked at again."""
        with self._lock:
            self._quarantined.pop(name, None)

    def quarantined(self) -> dict[str, str]:
        """The reason by the version's name."""
        with self._lock:
            return {name: each.reason for name, each in self._quarantined.items()}

    def files(self, name: str) -> AdapterFiles:
        """Fetched and checked; may take as long as a download. Raises `AdapterRefused`, `StoreUnavailable`."""
        tenant, _, digest = name.partition("@")
        version = self._registry.get(TenantId(tenant), digest)
        if version is None:
            raise AdapterRefused(f"{name}: no such version is registered")
        if version.retired_at is not None:
            raise AdapterRefused(f"{name}: this version was retired")
        folder = self._storage.fetch(version.uri, digest)
        self._check(version, folder)
        return AdapterFiles(name=name, folder=folder, rank=version.rank)

    def _served(self, tenant: TenantId, digest: str | None, instead: Instead) -> str | None:
        """Never a quarantined one: one step back at most, since what lies further back was replaced on purpose."""
        if digest is None:
            return None
        name = f"{tenant}@{digest}"
        with self._lock:
            quarantine = self._quarantined.get(name)
            if quarantine is None:
                return name
            if instead == "base" or quarantine.before is None:
                return None
            stands_in = f"{tenant}@{quarantine.before}"
            return None if stands_in in self._quarantined else stands_in
