"""Who may knock: tenants, their access keys and their origins, cached for seconds. No HTTP here."""

import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from parley.domain.masking import Masker, masker_of
from parley.errors import TransientError, UnknownTenant
from parley.ports.store import AccessKey, Store
from schemas.base import TENANT_PATTERN, TenantId
from schemas.tenant import TenantConfig
from services.gateway.threads import Threads

K = TypeVar("K")
V = TypeVar("V")

TENANT_TTL_S = 2.0
KEY_TTL_S = 5.0
MAX_ENTRIES = 10_000

_TENANT = re.compile(TENANT_PATTERN)


def key_hash(presented: str) -> str:
    """How access keys are stored and looked up: SHA-256, hex. They are long and random, so no salt is needed."""
    return hashlib.sha256(presented.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class TenantView:
    """A tenant's current version as the doors need it.

    `bound` holds, by their ids, the origins of the keys that have some of their own. Revoked ones are among them: what was
    begun with such a key goes on, but on its pages only.
    """

    version: str
    config: TenantConfig
    masker: Masker
    bound: Mapping[str, tuple[str, ...]]

    def origins(self, key_id: str) -> tuple[str, ...]:
        """From which pages this key, and every token that was given for it, may be used; `*` stands for any."""
        return self.bound.get(key_id) or self.config.channels.web.origins


class _Cache(Generic[K, V]):
    """Values for `ttl_s`; a stale one is better than none while the store is away."""

    def __init__(self, ttl_s: float, now: Callable[[], float]) -> None:
        self._ttl_s = ttl_s
        self._now = now
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        found = self._values.get(key)
        if found is not None and self._now() - found[0] < self._ttl_s:
            return found[1]
        try:
            value = await load()
        except TransientError:
            if found is None:
                raise
            return found[1]
        self._values[key] = (self._now(), value)
        self._values.move_to_end(key)
        if len(self._values) > MAX_ENTRIES:
            self._values.popitem(last=False)
        return value


class Directory:
    """Answers from memory where it can; belongs to the event loop's thread, reads the store in others."""

    def __init__(self, store: Store, threads: Threads, now: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._threads = threads
        self._tenants: _Cache[str, TenantView | None] = _Cache(TENANT_TTL_S, now)
        self._keys: _Cache[str, AccessKey | None] = _Cache(KEY_TTL_S, now)
        self._origins: _Cache[str, frozenset[str]] = _Cache(KEY_TTL_S, now)

    async def tenant(self, tenant: str) -> TenantView:
        """Raises `UnknownTenant`, `StoreUnavailable`."""
        if not _TENANT.fullmatch(tenant):  # it may come out of an address, and PostgreSQL takes no NUL
            raise UnknownTenant(tenant)
        view = await self._tenants.get(tenant, lambda: self._threads.run(lambda: self._load_tenant(tenant)))
        if view is None:
            raise UnknownTenant(tenant)
        return view

    async def key(self, presented: str) -> AccessKey | None:
        """The access key, unless it is unknown or was revoked. Raises `StoreUnavailable`."""
        digest = key_hash(presented)
        found = await self._keys.get(digest, lambda: self._threads.run(lambda: self._store.key(digest)))
        return found if found is not None and found.revoked_at is None else None

    async def api_key(self, presented: str | None) -> AccessKey | None:
        """The same for a key of a tenant's own programs: a widget's is in every visitor's page. Raises `StoreUnavailable`."""
        key = None if presented is None else await self.key(presented)
        return key if key is not None and key.kind == "api" else None

    async def known_origin(self, origin: str) -> bool:
        """Whether any tenant or key allows it: all that can be told before a token or key was read (a preflight)."""
        known = await self._origins.get("all", lambda: self._threads.run(self._load_origins))
        return "*" in known or origin in known

    async def tenants(self) -> list[TenantId]:
        """Every tenant that has a current version, in alphabetical order."""
        return await self._threads.run(lambda: current_tenants(self._store))

    def _load_tenant(self, tenant: str) -> TenantView | None:
        try:
            version = self._store.current(TenantId(tenant))
            config = self._store.config(TenantId(tenant), version)
        except UnknownTenant:
            return None
        keys = self._store.keys(TenantId(tenant))
        bound = {key.key_id: key.origins for key in keys if key.origins}
        return TenantView(version, config, masker_of(config.privacy.patterns), bound)

    def _load_origins(self) -> frozenset[str]:
        found: set[str] = set()
        for version in self._store.versions():
            if version.current:
                found.update(self._store.config(version.tenant, version.version).channels.web.origins)
        every_key = self._store.keys()
        for key in every_key:
            if key.revoked_at is None:
                found.update(key.origins)
        return frozenset(found)


def current_tenants(store: Store) -> list[TenantId]:
    return sorted(version.tenant for version in store.versions() if version.current)
