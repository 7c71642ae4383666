"""Telegram's webhook at the gateway: who may bring updates, what becomes of any body, and that 200 is said once the log has it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors.kit.outbox import Outbox
from connectors.telegram.service import ListeningTelegram
from connectors.telegram.settings import TelegramSettings
from connectors.telegram.webhook import MAX_BODY_BYTES, SECRET_HEADER, secret_of
from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.sql import open_store
from parley.errors import ConfigurationError
from parley.settings import Settings
from schemas.conversation_events import MessageReceived
from services.gateway import GatewayServer, create_gateway
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import TENANT
from tests.support.telegram import TOKEN, TelegramApi
from workers.embedded import Embedded
from workers.wiring import BUILDERS, Platform

SECRET = "s" * 40


@pytest.fixture(scope="module")
def api(bot_api: TelegramApi) -> TelegramApi:
    bot_api.set_backoff(0.05, 0.2)
    return bot_api


@pytest.fixture
def served(
    api: TelegramApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Platform, str]]:
    """A platform with its gateway, and the webhook's address."""
    monkeypatch.setenv("PARLEY_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("PARLEY_TELEGRAM_API_URL", api.base_url)
    monkeypatch.setenv("PARLEY_TELEGRAM_WEBHOOK", "true")
    settings = Settings(home=tmp_path, secret=SECRET, demo=False)
    upgrade_store(settings.database)
    platform = make_platform(open_bus(settings.bus), open_store(settings.database), settings=settings)
    server = GatewayServer(create_gateway(platform), "127.0.0.1", 0)
    server.start()
    server.wait_ready()
    yield platform, f"http://127.0.0.1:{server.port}/telegram/{TENANT}"
    server.stop()
    platform.close()


def update(number: int = 1, text: str = "hello", chat: int = 5) -> dict[str, object]:
    person = {"id": chat, "is_bot": False, "first_name": "A", "language_code": "en"}
    message = {
        "message_id": number, "date": 1_790_000_000, "chat": {"id": chat, "type": "private"}, "from": person,
        "text": text,
    }  # fmt: skip
    return {"update_id": number, "message": message}


def received(on: Platform) -> list[tuple[str, str]]:
    found = [each for each in events_on(on, "conversation.events") if isinstance(each.body, MessageReceived)]
    return [
        (each.envelope.event_id, each.body.text) for each in found if isinstance(each.body, MessageReceived)
    ]


def test_a_message_is_answered_through_the_webhook(served: tuple[Platform, str], api: TelegramApi) -> None:
    platform, url = served
    public = platform.settings.model_copy(update={"public_url": url.partition("/telegram")[0]})
    embedded = Embedded(replace(platform, settings=public), (*BUILDERS, "telegram"))
    embedded.start()
    try:
        api.calls("setWebhook", at_least=1)
        chat = api.add_private_chat(501, language_code="en")
        api.deliver_twice(3)
        api.say(chat, "What does the account cost?")
        said = [each.text for each in api.messages(chat, at_least=2) if each.by_bot]
        assert said[0].startswith("The Everyday account costs €4.50 a month.")
        assert len({name for name, _ in received(platform)}) == 1
        assert {each.status for each in api.deliveries(at_least=2)} == {200}
    finally:
        embedded.stop()
    assert embedded.failed is None


def test_a_command_is_answered_by_the_gateway_once_and_when_telegram_takes_it(
    served: tuple[Platform, str], api: TelegramApi
) -> None:
    _, url = served
    chat = api.add_private_chat(502, language_code="en")
    api.set_faults({"method": "sendMessage", "chat_id": chat, "do": "429", "retry_after": 1, "times": 1})
    headers = {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}
    for _ in range(2):
        answer = httpx.post(url, json=update(7_001, "/help", chat), headers=headers, timeout=20.0)
        assert answer.status_code == 200
    assert len(api.messages(chat)) == 1 and len(api.calls("sendMessage", chat_id=chat)) == 2


def test_only_who_knows_the_secret_brings_updates(served: tuple[Platform, str]) -> None:
    platform, url = served
    good = {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}
    others: tuple[dict[str, str], ...] = (
        {},
        {SECRET_HEADER: ""},
        {SECRET_HEADER: "wrong"},
        {SECRET_HEADER: good[SECRET_HEADER].upper()},
    )
    with httpx.Client() as client:
        for headers in others:
            answer = client.post(url, json=update(), headers=headers)
            assert (answer.status_code, SECRET_HEADER in answer.json()["detail"]) == (401, True)
        assert client.post(url.replace(TENANT, "nobody"), json=update(), headers=good).status_code == 401
        assert client.get(url, headers=good).status_code == 405
        assert received(platform) == []
        assert client.post(url, json=update(), headers=good).status_code == 200
        assert [text for _, text in received(platform)] == ["hello"]


@pytest.mark.parametrize(
    ("body", "status", "named"),
    [
        (b"", 400, "body"),
        (b"nothing", 400, "body"),
        (b"[]", 400, "Update"),
        (b"{}", 400, "update_id"),
        (b'{"update_id": "x"}', 400, "update_id"),
        (json.dumps({"update_id": 1, "message": {"text": "x"}}).encode(), 400, "message.message_id"),
        (b"\xff\xfe", 400, "body"),
        (b'{"a":' * 5_000, 400, "body"),
        (b"x" * (MAX_BODY_BYTES + 1), 413, "body"),
    ],
)
def test_a_body_that_is_no_update_is_refused_with_what_is_wrong(
    served: tuple[Platform, str], body: bytes, status: int, named: str
) -> None:
    platform, url = served
    answer = httpx.post(url, content=body, headers={SECRET_HEADER: secret_of(SECRET.encode(), TENANT)})
    assert answer.status_code == status, answer.text
    assert named in answer.json()["detail"] and received(platform) == []


def test_what_means_nothing_to_us_is_taken_all_the_same(served: tuple[Platform, str]) -> None:
    platform, url = served
    headers = {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}
    assert httpx.post(url, json={"update_id": 9}, headers=headers).status_code == 200
    assert httpx.post(url, json={"update_id": 9, "new_kind": {"x": 1}}, headers=headers).status_code == 200
    assert received(platform) == []


def test_a_repeat_has_the_same_id(served: tuple[Platform, str]) -> None:
    platform, url = served
    headers = {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}
    for number in (3, 1, 3, 2, 1):
        assert httpx.post(url, json=update(number), headers=headers).status_code == 200
    assert len(received(platform)) == 5 and len(set(received(platform))) == 3


def test_an_address_that_telegram_does_not_call_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_TELEGRAM_TOKEN", TOKEN)
    monkeypatch.setenv("PARLEY_TELEGRAM_WEBHOOK", "true")
    monkeypatch.delenv("PARLEY_TELEGRAM_API_URL", raising=False)
    platform = make_platform(open_bus("memory:"), settings=Settings(home=tmp_path, secret=SECRET))
    with pytest.raises(ConfigurationError, match="PARLEY_PUBLIC_URL"):
        Outbox(platform, ListeningTelegram(platform, TelegramSettings.load()))
    platform.close()
