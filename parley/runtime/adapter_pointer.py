"""Moving the pointer that says which adapter a tenant's answers are written with, and telling everybody on `adapters.updates`.

The registry in SQL holds the truth, the topic tells it: its last record of a tenant is either `AdapterPublished`, the version that is live,
or `AdapterRetired`, none is. Between the two a process can die; `tell` says it again, and whoever moves the pointer later does too.
"""

from datetime import datetime

from parley.codec import Codec
from parley.errors import AdapterRefused
from parley.ids import named_id
from parley.ports.adapters import AdapterRegistry, AdapterVersion
from parley.ports.bus import Bus
from parley.ports.clock import Clock
from parley.ports.store import TenantStore
from parley.runtime.announcing import about_tenant
from parley.runtime.publishing import publish
from schemas.base import Body, TenantId, rfc3339
from schemas.other_events import AdapterPublished, AdapterRetired


class AdapterPointer:
    """Raises `StoreUnavailable`, `BusUnavailable` (the pointer has moved then, and `tell` is all that is left to do)."""

    def __init__(
        self, registry: AdapterRegistry, tenants: TenantStore, bus: Bus, codec: Codec, clock: Clock
    ) -> None:
        self._registry = registry
        self._tenants = tenants
        self._bus = bus
        self._codec = codec
        self._clock = clock

    def check(self, version: AdapterVersion, *, again: bool = False) -> bool:
        """Before its files are stored: raises `AdapterRefused` for what `register` would refuse. Whether it was retired, and is to be there again."""
        held = self._registry.get(version.tenant, version.digest)
        retired = held is not None and held.retired_at is not None
        if held is not None and not (again and retired):
            _refuse(version, held)
        return retired

    def register(self, version: AdapterVersion, *, again: bool = False) -> AdapterVersion:
        """As the registry has it now. `again`: also one that was retired.

        Raises `AdapterRefused` where it was retired and this is not `again`, or where the same files are registered for another base.
        """
        self._registry.add(version, again=again)
        held = self._registry.get(version.tenant, version.digest)
        assert held is not None  # versions are never deleted
        _refuse(version, held)
        return held

    def go_live(self, tenant: TenantId, digest: str | None) -> str | None:
        """Point at a version, or at the base model (None), and tell; returns what was live until now.

        Raises `AdapterRefused` for a version that cannot be served. What is live already is told again.
        """
        before = self._registry.point(tenant, digest, self._clock.now())
        self.tell(tenant)
        return before

    def retire(self, tenant: TenantId, digest: str, *, to_base: bool = False) -> None:
        """Raises `AdapterRefused` for the live version, unless `to_base` lets the base model answer from now on."""
        now = self._clock.now()
        moves = to_base and self._registry.live(tenant) == digest
        if moves:
            self._registry.point(tenant, None, now)
        self._registry.retire(tenant, digest, now)
        if moves:
            self.tell(tenant)

    def tell(self, tenant: TenantId) -> bool:
        """Tell what is live. False, and nothing is told, where a tenant never had an adapter.

        Said again where the pointer moved meanwhile: of two who move it at once, the last to speak speaks of the last move.
        """
        while True:
            live = self._registry.live(tenant)
            body = self._news(tenant, live)
            if body is None:
                return False
            self._send(tenant, body, self._clock.now())
            if self._registry.live(tenant) == live:
                return True

    def _news(self, tenant: TenantId, live: str | None) -> Body | None:
        if live is None:
            last = self._registry.before(tenant) or next(
                (each.digest for each in self._registry.versions(tenant)), None
            )
            return None if last is None else AdapterRetired(adapter=tenant, digest=last)
        version = self._registry.get(tenant, live)
        assert version is not None  # the pointer never points at what is not registered
        return AdapterPublished(
            adapter=tenant,
            digest=live,
            base_model=version.base_model,
            base_revision=version.base_revision,
            uri=version.uri,
        )

    def _send(self, tenant: TenantId, body: Body, now: datetime) -> None:
        event_id = named_id("adapter-pointer", tenant, body.event_type(), now.isoformat())
        event = about_tenant(body, event_id, tenant, self._tenants.current(tenant), now)
        producer = self._bus.producer()
        try:
            publish(producer, [self._codec.encode(event)])
        finally:
            producer.close()


def _refuse(version: AdapterVersion, held: AdapterVersion) -> None:
    """Raises `AdapterRefused` where what the registry holds of a version is not what is to be registered."""
    which = f"adapter {version.digest[:12]} of {version.tenant}"
    if held.retired_at is not None:
        raise AdapterRefused(
            f"{which}: was retired at {rfc3339(held.retired_at)}; allowed: to publish it --again, after which it can be served again"
        )
    ours, theirs = ((each.base_model, each.base_revision) for each in (version, held))
    if ours != theirs:
        raise AdapterRefused(
            f"{which}: is registered for the base {'@'.join(theirs)}, not {'@'.join(ours)}; allowed: to retire it first, and publish it --again"
        )
