"""Any JSON at the doors of channels: an answer that says what is wrong, or the message in the log; never an error of ours.

`PARLEY_FUZZ=100000 pytest tests/integration/test_connector_fuzz.py` tries so many inputs at each door.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from starlette.requests import Request
from starlette.responses import Response

from connectors.examples.webhook.connector import SIGNATURE, WebhookDoor, WebhookSettings
from connectors.kit.http import signature
from connectors.kit.inbox import Inbox
from connectors.telegram.channel import TelegramChannel
from connectors.telegram.service import make_door
from connectors.telegram.settings import KINDS
from connectors.telegram.webhook import SECRET_HEADER, Webhooks, secret_of
from parley.backends.memory_bus import MemoryBus
from parley.settings import Settings
from schemas.tenant import Limits
from tests.support.platform import make_platform
from tests.support.small_tenant import CONFIG, CONTENT, TENANT
from tests.support.spoilt import fuzzed, inputs
from tests.support.telegram import TOKEN, TelegramApi
from workers.wiring import Platform

SECRET = "f" * 40
PERSON = {"id": 5, "is_bot": False, "first_name": "A", "language_code": "en"}
MESSAGE: dict[str, Any] = {
    "message_id": 1, "date": 1_790_000_000, "chat": {"id": 5, "type": "private"}, "from": PERSON, "text": "hello",
}  # fmt: skip
WORDLESS = {name: value for name, value in MESSAGE.items() if name != "text"}
BOT = {"id": 42, "is_bot": True, "first_name": "B"}
FILE = {"file_id": "f", "file_unique_id": "u", "file_size": 7}
STICKER = {**FILE, "type": "regular", "width": 1, "height": 1, "is_animated": False, "is_video": False}
PHOTO = {"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1, "file_size": 7}
UPDATES: list[dict[str, Any]] = [
    {"update_id": 1, "message": MESSAGE},
    {"update_id": 2, "edited_message": {**MESSAGE, "edit_date": 1}},
    {
        "update_id": 3,
        "message": {**MESSAGE, "reply_to_message": MESSAGE, "quote": {"text": "h", "position": 0}},
    },
    {
        "update_id": 4,
        "callback_query": {
            "id": "q",
            "from": PERSON,
            "chat_instance": "c",
            "data": "up:r",
            "message": MESSAGE,
        },
    },
    {"update_id": 5, "message": {**MESSAGE, "text": "/language zh"}},
    {"update_id": 7, "message": {**WORDLESS, "photo": [PHOTO], "caption": "hello", "media_group_id": "g"}},
    {
        "update_id": 8,
        "message": {**WORDLESS, "document": {**PHOTO, "file_name": "a.pdf", "mime_type": "x/y"}},
    },
    {"update_id": 9, "message": {**WORDLESS, "location": {"latitude": 1.5, "longitude": -2.5}}},
    {"update_id": 10, "message": {**WORDLESS, "contact": {"phone_number": "1", "first_name": "A"}}},
    {"update_id": 11, "message": {**WORDLESS, "voice": {**FILE, "duration": 1}}},
    {"update_id": 12, "message": {**WORDLESS, "sticker": STICKER}},
    {
        "update_id": 13,
        "edited_message": {**WORDLESS, "edit_date": 1, "photo": [PHOTO], "caption": "and this"},
    },
    {"update_id": 14, "edited_message": {**WORDLESS, "edit_date": 1, "voice": {**FILE, "duration": 1}}},
    {
        "update_id": 15,
        "message": {**WORDLESS, "checklist": {"title": "t", "tasks": [{"id": 1, "text": "x"}]}},
    },
    {
        "update_id": 16,
        "my_chat_member": {
            "chat": MESSAGE["chat"],
            "from": PERSON,
            "date": 1,
            "old_chat_member": {"status": "member", "user": BOT},
            "new_chat_member": {"status": "kicked", "user": BOT, "until_date": 0},
        },
    },
    {"update_id": 6, "message": {**MESSAGE, "chat": {"id": -7, "type": "group", "title": "G"}}},
]
WRITTEN = {"chat": "5", "id": "1", "text": "hello", "language": "en"}


def request(body: bytes, headers: dict[str, str]) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": raw, "path_params": {"tenant": TENANT}}
    return Request(scope, receive)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    yield made
    made.run_until_complete(made.shutdown_default_executor())
    made.close()


@pytest.fixture(scope="module")
def on() -> Iterator[Platform]:
    """Nobody is too fast here."""
    every = Settings(bus_url="memory:", secret=SECRET, messages_per_minute=10**9)
    made = make_platform(MemoryBus(), settings=every)
    limits = Limits(messages_per_second=1e9, unsettled=10**9)
    made.store.put("f" * 16, CONFIG.model_copy(update={"limits": limits}), CONTENT, datetime.now(UTC))
    yield made
    made.bus.close()


@pytest.mark.timeout(3_600)
def test_telegrams_door(
    on: Platform, loop: asyncio.AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    server = TelegramApi.start()  # it knows none of the chats: whatever the bot says is refused
    server.add_bot()
    channel = TelegramChannel({TENANT: TOKEN}, server.base_url, per_second=1_000_000)
    inbox = Inbox(on, "telegram", TENANT)
    door, saying = make_door(channel, on, TENANT, inbox, dict.fromkeys(KINDS, 0))
    webhooks = Webhooks({TENANT: door}, SECRET.encode())
    headers = {SECRET_HEADER: secret_of(SECRET.encode(), TENANT)}

    @fuzzed
    @given(inputs(UPDATES))
    def tried(body: bytes) -> None:
        answer: Response = loop.run_until_complete(webhooks.take(request(body, headers)))
        assert answer.status_code in (200, 400, 413)
        if answer.status_code != 200:
            assert json.loads(bytes(answer.body))["detail"]

    tried()
    loop.run_until_complete(saying.close())
    inbox.close()
    loop.run_until_complete(channel.close())
    server.stop()
    assert "passed over" not in caplog.text


@pytest.mark.timeout(3_600)
def test_the_webhooks_door(on: Platform, loop: asyncio.AbstractEventLoop) -> None:
    door = WebhookDoor(on, WebhookSettings(url="http://127.0.0.1:9/", tenant=TENANT, secret=SECRET))
    loop.run_until_complete(door.open())
    [route] = door.routes

    @fuzzed
    @given(inputs([WRITTEN]))
    def tried(body: bytes) -> None:
        headers = {SIGNATURE: signature(SECRET, body, int(time.time()))}
        answer: Response = loop.run_until_complete(route.endpoint(request(body, headers)))
        assert answer.status_code in (202, 409, 422)
        assert answer.status_code == 202 or json.loads(bytes(answer.body))["detail"]

    tried()
    loop.run_until_complete(door.close())
