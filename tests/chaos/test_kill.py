"""Everything is killed in the middle of two hundred conversations on real Kafka and PostgreSQL; the log must not show it."""

import asyncio
import hashlib
import secrets
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest

from infra.dev.ground import free_ports
from infra.migrations import upgrade_keys, upgrade_store
from parley.cli.admin import specs
from parley.ports.store import AccessKey
from parley.runtime.exports import read_records
from parley.settings import Settings
from schemas.base import Event
from schemas.outbound import MessageSettled, Outbound, ReplyReady
from tests.support.processes import ParleyProcess, wait_ready
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from workers.wiring import Platform, open_platform

CONVERSATIONS = 200
MESSAGES = 2
SETTLED_WITHIN_S = 150.0
WORKERS = ("dialogue", "intent", "rag", "inference", "assignment")
TEXTS = ("What does the account cost?", "my card was stolen", "hello", "I do not recognise a payment")
API_KEY = "sk_test_" + secrets.token_urlsafe(16)


class Cluster:
    """The distributed form: a gateway and each worker a process of its own."""

    def __init__(self, environment: dict[str, str], url: str, logs: Path) -> None:
        self.url = url
        self.workers = {name: ParleyProcess(name, ["worker", name], environment, logs) for name in WORKERS}
        self.gateway = ParleyProcess("gateway", ["gateway"], environment, logs)

    def start(self) -> None:
        for process in (*self.workers.values(), self.gateway):
            process.start()
        wait_ready(self.url, self.gateway)

    def stop(self) -> None:
        for process in (self.gateway, *self.workers.values()):
            process.stop()


@pytest.fixture
def cluster(clean_kafka: Any, fresh_database: Any, tmp_path: Path) -> Iterator[tuple[Cluster, Platform]]:
    [port] = free_ports(1)
    environment = {
        "PARLEY_HOME": str(tmp_path / "home"),
        "PARLEY_BUS_URL": clean_kafka.url,
        "PARLEY_DATABASE_URL": fresh_database(),
        "PARLEY_KEYS_URL": fresh_database(),
        "PARLEY_SECRET": secrets.token_hex(32),
        "PARLEY_PORT": str(port),
        "PARLEY_MESSAGES_PER_MINUTE": "1000",
        "PARLEY_CONVERSATIONS_PER_MINUTE": "10000",
        "PARLEY_DEMO": "false",
    }
    settings = Settings(
        home=tmp_path / "home",
        bus_url=clean_kafka.url,
        database_url=environment["PARLEY_DATABASE_URL"],
        keys_url=environment["PARLEY_KEYS_URL"],
    )
    upgrade_store(settings.database)
    upgrade_keys(settings.keys)
    platform = open_platform(settings)
    admin = platform.bus.admin()
    admin.apply(specs(settings))
    admin.close()
    limits = CONFIG.limits.model_copy(update={"messages_per_second": 10_000.0, "unsettled": 100_000})
    platform.store.put(VERSION, CONFIG.model_copy(update={"limits": limits}), CONTENT, datetime.now(UTC))
    digest = hashlib.sha256(API_KEY.encode()).hexdigest()
    platform.store.put_key(AccessKey(digest, TENANT, "api", "test", (), datetime.now(UTC)))
    started = Cluster(environment, f"http://127.0.0.1:{port}", tmp_path)
    started.start()
    yield started, platform
    started.stop()
    platform.close()


async def converse(client: httpx.AsyncClient, number: int, sent: dict[str, list[str]]) -> None:
    """One customer: every message is sent until it is accepted, under the same client id each time."""
    start = await _until_accepted(client, "/v1/conversations", {"tenant": TENANT}, API_KEY, 201)
    conversation, token = start["conversation_id"], start["token"]
    for at in range(MESSAGES):
        body = {"client_message_id": f"{number}-{at}", "text": TEXTS[(number + at) % len(TEXTS)]}
        accepted = await _until_accepted(
            client, f"/v1/conversations/{conversation}/messages", body, token, 202
        )
        sent[conversation].append(accepted["message_id"])
        await asyncio.sleep(0)


async def _until_accepted(
    client: httpx.AsyncClient, path: str, body: dict[str, str], bearer: str, status: int
) -> dict[str, str]:
    until = monotonic() + 120
    while monotonic() < until:
        try:
            response = await client.post(path, json=body, headers={"Authorization": f"Bearer {bearer}"})
        except httpx.TransportError:
            continue
        if response.status_code == status:
            accepted: dict[str, str] = response.json()
            return accepted
        assert response.status_code in (429, 503), response.text
        await asyncio.sleep(0.2)
    raise AssertionError(f"{path} was not accepted within 120 s")


async def trouble(cluster: Cluster, kafka: Any) -> None:
    """Kill each worker once, then the broker, while the conversations run."""
    for process in cluster.workers.values():
        await asyncio.to_thread(process.kill)
        await asyncio.to_thread(process.start)
    await asyncio.to_thread(kafka.stop)
    await asyncio.to_thread(kafka.start)


async def run(cluster: Cluster, kafka: Any) -> dict[str, list[str]]:
    sent: dict[str, list[str]] = defaultdict(list)
    limits = httpx.Limits(max_connections=32)
    async with httpx.AsyncClient(base_url=cluster.url, timeout=40.0, limits=limits) as client:
        customers = [converse(client, number, sent) for number in range(CONVERSATIONS)]
        await asyncio.gather(trouble(cluster, kafka), *customers)
    return sent


def outbound(platform: Platform) -> list[Event[Outbound]]:
    """Everything said, in order, each event once: what was published again after a crash has the same id."""
    found: dict[str, Event[Outbound]] = {}
    for record in read_records(platform.bus, ["chat.outbound"]):
        event = platform.codec.decode(record)
        if isinstance(event, Event) and isinstance(event.body, Outbound):
            found.setdefault(event.envelope.event_id, Event(event.envelope, event.body))
    return list(found.values())


def settlements(events: list[Event[Outbound]]) -> list[tuple[str, str]]:
    bodies = [event.body for event in events if isinstance(event.body, MessageSettled)]
    return [(s.message_id, s.outcome) for body in bodies for s in body.settlements]


@pytest.mark.timeout(420)
def test_every_message_is_settled_exactly_once_and_in_order(
    cluster: tuple[Cluster, Platform], kafka: Any
) -> None:
    running, platform = cluster
    sent = asyncio.run(run(running, kafka))
    expected = {message for messages in sent.values() for message in messages}
    assert len(expected) == CONVERSATIONS * MESSAGES
    until = monotonic() + SETTLED_WITHIN_S
    while {message for message, _ in settlements(outbound(platform))} < expected and monotonic() < until:
        continue
    events = outbound(platform)
    settled = settlements(events)
    assert {message for message, _ in settled} == expected
    assert len(settled) == len(expected), "a message was settled twice"
    answers = [message for e in events if isinstance(e.body, ReplyReady) for message in e.body.answers]
    assert len(answers) == len(set(answers)), "a message was answered twice"
    by_conversation: dict[str, list[int]] = defaultdict(list)
    for event in events:
        by_conversation[event.envelope.conversation_id].append(event.body.seq)
    for conversation, numbers in by_conversation.items():
        assert numbers == list(range(1, len(numbers) + 1)), conversation
    for conversation, messages in sent.items():
        rows = platform.store.history(conversation, limit=1_000)  # type: ignore[arg-type]  # ids are plain strings in HTTP
        assert [row.seq for row in rows] == by_conversation[conversation]
        assert messages
