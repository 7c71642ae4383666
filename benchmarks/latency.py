"""Message in to reply out, over HTTP and a resumable stream, at 50 messages a second: embedded, and on Kafka and PostgreSQL.

The extractive generator stands for an instant one. Each customer has a conversation with an open event stream. The first
`WARM_UP` messages are not counted: they let the broker's JVM compile what it needs.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from time import perf_counter
from uuid import uuid4

import httpx

from benchmarks.platforms import Running, distributed, embedded
from benchmarks.reporting import percentile, report

RATE = 50
CONVERSATIONS = 50
MESSAGES = 500
WARM_UP = 1_000
QUESTION = "What does the account cost?"


def one_answer(client: httpx.Client, key: str) -> str:
    """Ask once and wait for the reply: everything is loaded afterwards."""
    started = (
        client.post("/v1/conversations", json={"tenant": "bank"}, headers=bearer(key))
        .raise_for_status()
        .json()
    )
    path, headers = f"/v1/conversations/{started['conversation_id']}", bearer(started["token"])
    body = {"client_message_id": str(uuid4()), "text": QUESTION}
    client.post(f"{path}/messages", json=body, headers=headers).raise_for_status()
    with client.stream("GET", f"{path}/events", headers=headers) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:") and '"reply_id"' in line:
                text: str = json.loads(line[5:])["text"]
                return text
    raise RuntimeError("the stream ended before the reply")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Customer:
    """One conversation with its stream; resolves a future when a message of it is answered."""

    def __init__(self, client: httpx.AsyncClient, conversation: str, token: str) -> None:
        self._client = client
        self._path = f"/v1/conversations/{conversation}"
        self._headers = bearer(token)
        self._waiting: dict[str, asyncio.Future[float]] = {}
        self._early: dict[str, float] = {}
        self.ready = asyncio.Event()

    async def listen(self) -> None:
        async with self._client.stream("GET", f"{self._path}/events", headers=self._headers) as stream:
            async for name, data in frames(stream.aiter_lines()):
                if name == "ready":
                    self.ready.set()
                elif name == "reply":
                    for message in data["answers"]:
                        self._answered(message)

    def _answered(self, message: str) -> None:
        waiting = self._waiting.get(message)
        if waiting is None:
            self._early[message] = perf_counter()
        elif not waiting.done():
            waiting.set_result(perf_counter())

    async def ask(self) -> float:
        """Milliseconds from the request's first byte to the reply's frame."""
        began = perf_counter()
        body = {"client_message_id": str(uuid4()), "text": QUESTION}
        response = await self._client.post(f"{self._path}/messages", json=body, headers=self._headers)
        message = response.raise_for_status().json()["message_id"]
        if message in self._early:
            return (self._early[message] - began) * 1000
        self._waiting[message] = asyncio.get_running_loop().create_future()
        return (await self._waiting[message] - began) * 1000


async def frames(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, list[str]]]]:
    name = ""
    async for line in lines:
        if line.startswith("event:"):
            name = line[6:].strip()
        elif line.startswith("data:"):
            yield name, json.loads(line[5:])


async def measure(platform: Running) -> list[float]:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=200)
    async with httpx.AsyncClient(base_url=platform.url, timeout=60, limits=limits) as client:
        customers = [await start(client, platform.api_key) for _ in range(CONVERSATIONS)]
        streams = [asyncio.create_task(customer.listen()) for customer in customers]
        await asyncio.gather(*(customer.ready.wait() for customer in customers))
        await paced(customers, WARM_UP)
        found = await paced(customers, MESSAGES)
        for stream in streams:
            stream.cancel()
        return found


async def paced(customers: list[Customer], messages: int) -> list[float]:
    """Ask in turn, `RATE` a second, however long the answers take; milliseconds each."""
    asked = []
    began = perf_counter()
    for number in range(messages):
        await asyncio.sleep(max(0.0, began + number / RATE - perf_counter()))
        asked.append(asyncio.create_task(customers[number % len(customers)].ask()))
    return list(await asyncio.gather(*asked))


async def start(client: httpx.AsyncClient, key: str) -> Customer:
    response = await client.post("/v1/conversations", json={"tenant": "bank"}, headers=bearer(key))
    started = response.raise_for_status().json()
    return Customer(client, started["conversation_id"], started["token"])


def main() -> None:
    for name, platform, bounds in (
        ("embedded", embedded, {"to_reach_p50_ms": 20}),
        ("kafka_postgres", distributed, {"to_reach_p50_ms": 60, "to_reach_p99_ms": 250}),
    ):
        with platform() as running:
            with httpx.Client(base_url=running.url, timeout=60) as client:
                one_answer(client, running.api_key)
            found = asyncio.run(measure(running))
        report(
            "latency",
            form=name,
            messages_per_s=RATE,
            p50_ms=round(percentile(found, 0.5), 1),
            p99_ms=round(percentile(found, 0.99), 1),
            **bounds,
        )
