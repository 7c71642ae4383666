"""What doors of connectors share over HTTP: what is signed is read, and whatever is refused has its answer."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from connectors.kit.http import Denied, parsed, refusing, signature, signed_body
from connectors.kit.inbox import IdReused, MessageTooLong, TooMany
from parley.errors import StoreUnavailable, UnknownTenant

SECRET = "s" * 40
HEADER = "X-Signature"


def request(body: bytes = b"", headers: dict[str, str] | None = None) -> Request:
    async def receive() -> dict[str, Any]:
        read.append(body)
        return {"type": "http.request", "body": body, "more_body": False}

    read: list[bytes] = []
    raw = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    made = Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)
    made.state.read = read
    return made


def answered(handler: Callable[[Request], Awaitable[Response]], to: Request | None = None) -> Response:
    return asyncio.run(_awaited(refusing(handler)(to or request())))


async def _awaited(work: Awaitable[Response]) -> Response:
    return await work


@pytest.mark.parametrize(
    ("fault", "status", "wait"),
    [
        (Denied(404, "no"), 404, None),
        (MessageTooLong(9_000), 422, None),
        (IdReused("a"), 409, None),
        (TooMany("chat", 7.2), 429, "8"),
        (StoreUnavailable("away"), 503, "5"),
        (UnknownTenant("bank"), 503, "5"),
    ],
)
def test_what_a_door_raises_is_an_answer(fault: Exception, status: int, wait: str | None) -> None:
    async def handler(_: Request) -> Response:
        raise fault

    found = answered(handler)
    assert (found.status_code, found.headers.get("Retry-After")) == (status, wait)
    assert found.media_type == "application/problem+json" and json.loads(bytes(found.body))["detail"]


class Written(BaseModel):
    chat: str = Field(pattern=r"^\w+$", description="letters and digits")
    count: int = Field(0, description="a number")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"chat": "!"}', "chat: is not allowed; allowed: letters and digits"),
        (
            b'{"chat": "a", "count": "x"}',
            "count: Input should be a valid integer, unable to parse string as an integer; allowed: a number",
        ),
        (b"[]", "body: Input should be an object; allowed: JSON with chat, count"),
    ],
)
def test_a_field_that_is_wrong_is_named_with_what_is_allowed(body: bytes, said: str) -> None:
    async def taking(_: Request) -> Response:
        parsed(Written, body)
        return Response()

    found = answered(taking)
    assert (found.status_code, json.loads(bytes(found.body))["detail"]) == (422, said)


def test_a_fault_of_ours_stays_one() -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answered(broken)


def signed(body: bytes, secret: str = SECRET, age_s: int = 0) -> Request:
    return request(body, {HEADER: signature(secret, body, int(time.time()) - age_s)})


def test_what_is_signed_is_read() -> None:
    assert asyncio.run(signed_body(signed(b"hello"), HEADER, SECRET, 5)) == b"hello"


@pytest.mark.parametrize(
    ("sent", "secret", "status", "is_read"),
    [
        (request(b"hello"), SECRET, 401, False),
        (signed(b"hello"), None, 401, False),
        (signed(b"hello"), "", 401, False),
        (signed(b"hello", "x" * 40), SECRET, 401, True),
        (signed(b"hello", age_s=400), SECRET, 401, True),
        (signed(b"hello!"), SECRET, 413, True),
    ],
)
def test_what_is_not_is_denied(sent: Request, secret: str | None, status: int, is_read: bool) -> None:
    with pytest.raises(Denied) as denied:
        asyncio.run(signed_body(sent, HEADER, secret, 5))
    assert denied.value.status == status and bool(sent.state.read) is is_read
