"""Floods at the doors of channels: who writes too fast is asked to wait, whoever has no secret uses up nothing."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from connectors.examples.webhook.connector import SIGNATURE
from connectors.kit.http import signature
from connectors.telegram.webhook import SECRET_HEADER, secret_of
from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.sql import open_store
from parley.settings import Settings
from schemas.conversation_events import MessageReceived
from services.gateway import GatewayServer, create_gateway
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import TENANT
from tests.support.telegram import TOKEN, TelegramApi
from workers.wiring import Platform

SECRET = "s" * 40
FLOOD = 200
PER_MINUTE = 6


@pytest.fixture
def api() -> Iterator[TelegramApi]:
    started = TelegramApi.start()
    started.add_bot()
    yield started
    started.stop()


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Platform]:
    settings = Settings(home=tmp_path, secret=SECRET, demo=False, messages_per_minute=PER_MINUTE)
    upgrade_store(settings.database)
    opened = make_platform(open_bus(settings.bus), open_store(settings.database), settings=settings)
    yield opened
    opened.close()


@contextmanager
def gateway(on: Platform) -> Iterator[str]:
    server = GatewayServer(create_gateway(replace(on, registry=CollectorRegistry())), "127.0.0.1", 0)
    server.start()
    server.wait_ready()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def received(on: Platform) -> list[str]:
    bodies = [each.body for each in events_on(on, "conversation.events")]
    return [body.text for body in bodies if isinstance(body, MessageReceived)]


def test_at_the_webhooks_door(on: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_WEBHOOK_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PARLEY_WEBHOOK_SECRET", "w" * 40)

    def post(client: httpx.Client, number: int, chat: str = "a", secret: str = "w" * 40) -> httpx.Response:
        body = json.dumps({"chat": chat, "id": str(number), "text": f"message {number}"}).encode()
        return client.post(
            "/hooks/bank", content=body, headers={SIGNATURE: signature(secret, body, int(time.time()))}
        )

    with gateway(on) as url, httpx.Client(base_url=url) as client:
        assert {post(client, n, secret="x" * 40).status_code for n in range(FLOOD)} == {401}
        assert on.store.channels.chat(TENANT, "api", "a") is None
        assert {post(client, n).status_code for n in range(PER_MINUTE)} == {202}
        refused = post(client, 99)
        assert refused.status_code == 429 and 1 <= int(refused.headers["Retry-After"]) <= 60 // PER_MINUTE
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert "too many of this chat" in refused.json()["detail"]
        assert post(client, 1, chat="b").status_code == 202
    assert len(received(on)) == PER_MINUTE + 1


def update(number: int, chat: int = 5) -> dict[str, object]:
    person = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "en"}
    message = {
        "message_id": number, "date": 1_790_000_000, "chat": {"id": chat, "type": "private"}, "from": person,
        "text": f"message {number}",
    }  # fmt: skip
    return {"update_id": number, "message": message}


def test_at_telegrams_webhook(on: Platform, api: TelegramApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that writes too fast is told so once a minute; Telegram brings the update again."""
    monkeypatch.setenv("PARLEY_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("PARLEY_TELEGRAM_API_URL", api.base_url)
    monkeypatch.setenv("PARLEY_TELEGRAM_WEBHOOK", "true")
    chat = api.add_private_chat(5, language_code="en")
    ours = {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}
    with gateway(on) as url, httpx.Client(base_url=url) as client:

        def post(number: int, headers: dict[str, str] = ours, chat: int = 5) -> httpx.Response:
            return client.post(f"/telegram/{TENANT}", json=update(number, chat), headers=headers)

        assert {post(n, {SECRET_HEADER: "wrong"}).status_code for n in range(FLOOD)} == {401}
        assert {post(n).status_code for n in range(PER_MINUTE)} == {200}
        refused = [post(n) for n in range(50, 55)]
        assert {each.status_code for each in refused} == {429}
        assert all(1 <= int(each.headers["Retry-After"]) <= 60 // PER_MINUTE for each in refused)
        assert post(60, chat=6).status_code == 200
    told = [each.text for each in api.messages(chat) if each.by_bot]
    assert len(told) == 1 and told[0].startswith("You are writing faster than I can read.")
    # Two chats may be in two partitions, which are read in any order.
    assert sorted(received(on)) == sorted(f"message {n}" for n in (*range(PER_MINUTE), 60))
