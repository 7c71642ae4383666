"""Customers that cost little: raw HTTP/1.1 over asyncio, because a full HTTP client in Python would cost more than the server."""

import asyncio
import json
from collections.abc import AsyncIterator
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from benchmarks.platforms import Running


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Customer:
    """One conversation: a keep-alive connection for its messages, and another for its events."""

    def __init__(self, url: str, conversation: str, token: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None and parts.port is not None  # our own address has both
        self._address = (parts.hostname, parts.port)
        self._path = f"/v1/conversations/{conversation}"
        self._headers = f"HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: Bearer {token}\r\n"
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(*self._address)

    async def post(self, text: str) -> tuple[str, float]:
        """The message's id, and the milliseconds until the 202. Raises `RuntimeError` for any other answer."""
        body = json.dumps({"client_message_id": str(uuid4()), "text": text}).encode()
        head = f"POST {self._path}/messages {self._headers}Content-Type: application/json\r\nContent-Length: {len(body)}"
        began = perf_counter()
        async with self._lock:
            self._writer.write(f"{head}\r\n\r\n".encode() + body)
            answered = await self._reader.readuntil(b"\r\n\r\n")
            length = int(answered.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            answer = await self._reader.readexactly(length)
        if b" 202 " not in answered.split(b"\r\n")[0]:
            raise RuntimeError(answer.decode())
        message_id: str = json.loads(answer)["message_id"]
        return message_id, (perf_counter() - began) * 1000

    async def frames(self) -> AsyncIterator[tuple[str, bytes]]:
        """Name and data of each event, until cancelled. A chunk holds whole lines, so chunk sizes are lines to pass over."""
        reader, writer = await asyncio.open_connection(*self._address)
        try:
            writer.write(f"GET {self._path}/events {self._headers}Accept: text/event-stream\r\n\r\n".encode())
            name = ""
            while line := await reader.readline():
                if line.startswith(b"event:"):
                    name = line[6:].strip().decode()
                elif line.startswith(b"data:"):
                    yield name, line[5:]
        finally:
            writer.close()


async def customers(platform: Running, count: int) -> list[Customer]:
    """So many new conversations with the bank."""
    made = []
    async with httpx.AsyncClient(base_url=platform.url, timeout=60) as client:
        for _ in range(count):
            response = await client.post(
                "/v1/conversations", json={"tenant": "bank"}, headers=bearer(platform.api_key)
            )
            started = response.raise_for_status().json()
            customer = Customer(platform.url, started["conversation_id"], started["token"])
            await customer.open()
            made.append(customer)
    return made


def ask_once(platform: Running, text: str) -> str:
    """The reply to a first question, after which everything is loaded."""

    async def one() -> str:
        [customer] = await customers(platform, 1)
        await customer.post(text)
        async for name, data in customer.frames():
            if name == "reply":
                reply: str = json.loads(data)["text"]
                return reply
        raise RuntimeError("the stream ended before the reply")

    return asyncio.run(one())
