"""The gateway with everything behind it for tests: an in-memory bus, SQLite below a folder, a tenant, keys, and a pen.

The pen stands in for the dialogue worker: it commits an event to the history and then publishes it, in that order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from infra.migrations import upgrade_keys, upgrade_store
from parley.backends.keys import CachedKeys, open_keys
from parley.backends.memory_bus import MemoryBus
from parley.backends.sql import open_store
from parley.codec import Codec, Erased
from parley.domain.readmodel import ConversationRow
from parley.ports.bus import Bus, Headers, Producer, Record, TopicSpec
from parley.ports.keys import CustomerKeys
from parley.ports.store import AccessKey, Commit, HistoryRow, Store
from parley.runtime.exports import read_records
from parley.runtime.vault import Vault
from parley.settings import Settings
from schemas.base import (
    AnyEvent,
    Body,
    ConversationId,
    CustomerId,
    Envelope,
    Event,
    EventId,
    GenerationId,
    TenantId,
)
from schemas.conversation_events import MessageReceived
from schemas.outbound import Outbound, ReplyDelta
from schemas.tenant import TenantConfig
from schemas.topics import TOPICS
from services.gateway import Deps, GatewayServer, create_app
from services.gateway.directory import key_hash
from services.gateway.tokens import Grant
from tests.support.asgi import InProcess
from tests.support.media import memory_media
from tests.support.platform import ManualClock
from tests.support.small_tenant import CONFIG, CONTENT, VERSION

SECRET = "a test's secret of more than 32 characters"
ORIGIN = "https://bank.example"
WIDGET_KEY = "pk_test_widget"
API_KEY = "sk_test_api"
OTHER_KEY = "pk_test_other"
WIDGET = {"X-Widget-Key": WIDGET_KEY, "Origin": ORIGIN}
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def tenant(name: str, **changes: Any) -> TenantConfig:
    """The small tenant under another name, open to one origin only."""
    return CONFIG.model_copy(update={"id": name, **changes})


@dataclass
class Doors:
    """A gateway's application with what lies behind it."""

    settings: Settings
    bus: Bus
    store: Store
    keys: CustomerKeys
    codec: Codec
    clock: ManualClock
    app: FastAPI = field(init=False)
    producer: Producer = field(init=False)

    def __post_init__(self) -> None:
        self.producer = self.bus.producer()
        self.app = self.gateway()

    @property
    def memory_bus(self) -> MemoryBus:
        """The bus, where it is the one in memory: that one can be stopped and started."""
        assert isinstance(self.bus, MemoryBus)
        return self.bus

    def gateway(self) -> FastAPI:
        """A gateway's application; the second one is a second gateway on the same bus and store."""
        registry = CollectorRegistry()
        return create_app(
            Deps(
                self.bus,
                self.store,
                self.codec,
                Vault(self.store, self.codec),
                self.keys,
                memory_media(self.codec),
                self.settings,
                self.clock,
                registry,
            )
        )

    def records(self, *topics: str) -> list[Record]:
        """Everything that these topics hold (all of them, if none is named)."""
        return list(read_records(self.bus, topics or tuple(topic.name for topic in TOPICS)))

    def events(self, topic: str) -> list[AnyEvent]:
        decoded = [self.codec.decode(record) for record in self.records(topic)]
        return [event for event in decoded if not isinstance(event, Erased)]

    def received(self) -> list[Event[MessageReceived]]:
        """The customers' messages in the log."""
        events = self.events("conversation.events")
        return [Event(e.envelope, e.body) for e in events if isinstance(e.body, MessageReceived)]

    def pen(self, conversation_id: str | None = None) -> "Pen":
        return Pen(self, ConversationId(conversation_id or str(uuid4())))


class Pen:
    """Writes to one conversation's customer as the dialogue worker does."""

    def __init__(self, doors: Doors, conversation_id: ConversationId) -> None:
        self.doors = doors
        self.conversation_id = conversation_id
        self.customer_id = CustomerId(str(uuid4()))
        self.tenant = TenantId("bank")
        self.seq = 0
        self.epoch = 0
        doors.keys.create(self.tenant, self.customer_id)

    def token(self, *, expires_in: timedelta = timedelta(hours=1)) -> str:
        expires_at = self.doors.clock.now() + expires_in
        key_id = key_hash(WIDGET_KEY)[:12]
        grant = Grant(self.conversation_id, self.tenant, self.customer_id, "web", key_id, expires_at)
        token: str = self.doors.app.state.gateway.signer.sign(grant)
        return token

    def commit(self, event_type: type[Outbound], /, **fields: Any) -> AnyEvent:
        """Commit the next event to the history, without publishing it."""
        self.seq += 1
        event = self._event(event_type(seq=self.seq, epoch=self.epoch, **fields))
        record = self.doors.codec.encode(event)
        body = event.body
        assert isinstance(body, Outbound)
        row = HistoryRow(
            self.conversation_id, body.seq, body.epoch, event.envelope.event_id, event.envelope.type, body.audience,
            event.envelope.occurred_at, record.headers, record.value,
        )  # fmt: skip
        self.doors.store.commit(Commit("pen", advances=(), history=(row,), projections=(self._row(),)))
        return event

    def publish(self, event: AnyEvent) -> None:
        record = self.doors.codec.encode(event)
        sent = self.doors.producer.send(
            record.topic, key=record.key, value=record.value, headers=record.headers
        )
        sent.result(10)

    def publish_raw(self, value: bytes | None, headers: Headers) -> None:
        """A record as somebody else's faulty or newer program might write it."""
        key = self.conversation_id.encode()
        self.doors.producer.send("chat.outbound", key=key, value=value, headers=headers).result(10)

    def say(self, event_type: type[Outbound], /, **fields: Any) -> AnyEvent:
        event = self.commit(event_type, **fields)
        self.publish(event)
        return event

    def delta(self, index: int, text: str, generation: str = "g", attempt: str = "a") -> None:
        generation_id = GenerationId(generation)
        body = ReplyDelta(
            generation_id=generation_id, attempt=attempt, epoch=self.epoch, index=index, text=text
        )
        self.publish(self._event(body))

    def _event(self, body: Body) -> AnyEvent:
        envelope = Envelope(
            event_id=EventId(str(uuid4())),
            type=body.event_type(),
            tenant=self.tenant,
            tenant_version=VERSION,
            customer_id=self.customer_id,
            conversation_id=self.conversation_id,
            occurred_at=self.doors.clock.now(),
        )
        return Event(envelope, body)

    def _row(self) -> ConversationRow:
        now = self.doors.clock.now()
        return ConversationRow(
            self.conversation_id, self.tenant, self.customer_id, "web", "en", "bot", None, "open",
            self.epoch, self.seq, 0, None, now, now,
        )  # fmt: skip


@contextmanager
def open_doors(
    home: Path,
    *,
    limits: dict[str, Any] | None = None,
    store: Store | None = None,
    bus: Bus | None = None,
    **settings: Any,
) -> Iterator[Doors]:
    """Everything opened below `home`, with two tenants: `bank`, for one origin, and `shop`, for another.

    The bus is in memory and the store is SQLite, unless others are given.
    """
    configured = Settings(
        **{
            "home": home,
            "secret": SECRET,
            "messages_per_minute": 10_000,
            "conversations_per_minute": 10_000,
            **settings,
        }
    )
    upgrade_keys(configured.keys)
    if store is None:
        upgrade_store(configured.database)
        store = open_store(configured.database)
    bus = bus or MemoryBus()
    admin = bus.admin()
    admin.apply([TopicSpec(topic.name, topic.partitions, topic.retention_ms) for topic in TOPICS])
    admin.close()
    kept_keys = open_keys(configured.keys)
    keys = CachedKeys(kept_keys)
    put_tenants(store, limits or {})
    doors = Doors(configured, bus, store, keys, Codec(keys), ManualClock(NOW))
    try:
        yield doors
    finally:
        doors.producer.close()
        kept_keys.close()
        store.close()
        bus.close()


def put_tenants(store: Store, limits: dict[str, Any]) -> None:
    allowed = CONFIG.limits.model_copy(
        update={"messages_per_second": 10_000.0, "unsettled": 100_000, **limits}
    )
    web = CONFIG.channels.model_copy(
        update={"web": CONFIG.channels.web.model_copy(update={"origins": (ORIGIN,)})}
    )
    elsewhere = CONFIG.channels.web.model_copy(update={"origins": ("https://shop.example",)})
    shop = CONFIG.channels.model_copy(update={"web": elsewhere})
    store.put(VERSION, tenant("bank", channels=web, limits=allowed), CONTENT, NOW)
    store.put("fedcba9876543210", tenant("shop", channels=shop, limits=allowed), CONTENT, NOW)
    store.put_key(AccessKey(key_hash(WIDGET_KEY), TenantId("bank"), "widget", "test", (), NOW))
    store.put_key(AccessKey(key_hash(API_KEY), TenantId("bank"), "api", "test", (), NOW))
    store.put_key(AccessKey(key_hash(OTHER_KEY), TenantId("shop"), "widget", "test", (), NOW))


class Visitor:
    """A customer with a conversation."""

    def __init__(self, client: InProcess, started: httpx.Response) -> None:
        assert started.status_code == 201, started.text
        self.client = client
        self.conversation_id = str(started.json()["conversation_id"])
        self.headers = {"Authorization": f"Bearer {started.json()['token']}"}
        self.path = f"/v1/conversations/{self.conversation_id}"

    def write(self, text: str, client_message_id: str = "m-1", **headers: str) -> httpx.Response:
        body = {"client_message_id": client_message_id, "text": text}
        return self.client.post(f"{self.path}/messages", json=body, headers={**self.headers, **headers})


def problem(response: httpx.Response, status: int, field: str | None = None) -> dict[str, Any]:
    """The problem, which must have the one shape, this status, and a line for this field."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert set(found) == {"type", "title", "status", "detail", "errors"}
    assert found["status"] == status
    assert found["type"].startswith("urn:parley:problem:")
    if field is not None:
        assert field in [error["field"] for error in found["errors"]], found
    return found


@contextmanager
def running(server: GatewayServer) -> Iterator[GatewayServer]:
    """Started and ready; stopped at the end."""
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.stop()
