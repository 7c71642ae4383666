"""A platform for tests: any bus, any store, keys in memory, and the small tenant imported."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from time import monotonic

from prometheus_client import CollectorRegistry

from parley.backends.memory_store import MemoryStore
from parley.cli.admin import specs
from parley.codec import Codec
from parley.errors import KeyErased
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, Record
from parley.ports.clock import Clock, SystemClock
from parley.ports.keys import Erasure
from parley.ports.store import Store
from parley.runtime.exports import read_records
from parley.runtime.tenants import TenantConfigs
from parley.runtime.vault import Vault
from parley.settings import Settings
from schemas.base import AnyEvent, CustomerId, Event, TenantId
from schemas.outbound import MessageSettled, ReplyReady
from tests.support.media import memory_media
from tests.support.small_tenant import CONFIG, CONTENT, VERSION
from workers.wiring import Platform

WAIT_S = 30.0


class DictKeys:
    """A key store in a dictionary, which makes keys as they are asked for."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], bytes] = {}
        self._erasures: dict[tuple[str, str], Erasure] = {}

    def create(self, tenant: TenantId, customer: CustomerId) -> bytes:
        return self.get(tenant, customer)

    def get(self, tenant: TenantId, customer: CustomerId) -> bytes:
        if (tenant, customer) in self._erasures:
            raise KeyErased(f"{customer}: erased")
        key = self._keys.get((tenant, customer))
        return key if key is not None else self._keys.setdefault((tenant, customer), secrets.token_bytes(32))

    def erase(self, tenant: TenantId, customer: CustomerId) -> None:
        self.apply_erasures([Erasure(tenant, customer, datetime.now(UTC))])

    def made_at(self, tenant: TenantId, customer: CustomerId) -> datetime | None:
        return datetime(2026, 1, 1, tzinfo=UTC) if (tenant, customer) in self._keys else None

    def erasures(self) -> list[Erasure]:
        return list(self._erasures.values())

    def apply_erasures(self, listed: Iterable[Erasure] = ()) -> int:
        for each in listed:
            self._erasures.setdefault((each.tenant, each.customer_id), each)
        gone = [name for name in self._erasures if self._keys.pop(name, None) is not None]
        return len(gone)

    def wipe(self) -> str | None:
        return None

    def forget(self) -> None:
        """Nothing is remembered."""

    def close(self) -> None:
        """Nothing is open."""


class ManualClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def make_platform(
    bus: Bus, store: Store | None = None, *, settings: Settings | None = None, clock: Clock | None = None
) -> Platform:
    """With topics applied and the small tenant current."""
    settings = settings or Settings(bus_url="memory:")
    kept: Store = store or MemoryStore()
    keys = DictKeys()
    codec = Codec(keys)
    registry = CollectorRegistry()
    admin = bus.admin()
    admin.apply(specs(settings))
    admin.close()
    kept.put(VERSION, CONFIG, CONTENT, datetime.now(UTC))
    return Platform(
        settings=settings,
        bus=bus,
        store=kept,
        keys=keys,
        codec=codec,
        vault=Vault(kept, codec),
        media=memory_media(codec),
        clock=clock or SystemClock(),
        registry=registry,
        metrics=WorkerMetrics(registry),
        configs=TenantConfigs(kept),
    )


def events_on(platform: Platform, topic: str) -> list[AnyEvent]:
    """Every event of a topic that can be read, each partition in order."""
    decoded = (platform.codec.decode(record) for record in read_records(platform.bus, [topic]))
    return [event for event in decoded if isinstance(event, Event)]


def records_on(platform: Platform, topic: str) -> list[Record]:
    return list(read_records(platform.bus, [topic]))


def send(platform: Platform, *events: AnyEvent) -> None:
    """Put events on their topics, in order, acknowledged."""
    from parley.runtime.publishing import publish

    producer = platform.bus.producer()
    try:
        publish(producer, [platform.codec.encode(event) for event in events])
    finally:
        producer.close()


def settled(platform: Platform, *names: str) -> dict[str, str]:
    """Wait until these messages are settled; the outcome of each."""
    found: dict[str, str] = {}
    until = monotonic() + WAIT_S
    while not set(names) <= found.keys():
        assert monotonic() < until, f"settled only {found}"
        for each in events_on(platform, "chat.outbound"):
            if isinstance(each.body, MessageSettled):
                found |= {s.message_id: s.outcome for s in each.body.settlements}
    return found


def replies(platform: Platform) -> dict[str, ReplyReady]:
    """By message, the bot's reply to it."""
    bodies = [each.body for each in events_on(platform, "chat.outbound")]
    return {message: body for body in bodies if isinstance(body, ReplyReady) for message in body.answers}
