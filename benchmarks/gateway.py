"""The gateway: messages accepted, masked, sealed, claimed and acknowledged by Kafka, load and broker on the same cores.

The workers are stopped: nobody answers. The load is a few raw keep-alive connections, because a full HTTP client in Python would
cost more than the server. A first round, not counted, lets the broker's JVM compile what it needs.
"""

import asyncio
import json
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from benchmarks.latency import bearer
from benchmarks.platforms import Running, distributed
from benchmarks.reporting import percentile, report

CONNECTIONS = 32
SATURATED = 6_000
STEADY_RATE = 200
STEADY = 2_000
TEXT = "My card 4111 1111 1111 1111 was declined at the till, what can I do? "


class Connection:
    """One keep-alive connection in one conversation; one message at a time."""

    def __init__(self, host: str, port: int, conversation: str, token: str) -> None:
        self._address = (host, port)
        self._head = (
            f"POST /v1/conversations/{conversation}/messages HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: "
        )

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection(*self._address)

    async def post(self) -> float:
        """Milliseconds until the 202. Raises `RuntimeError` for any other answer."""
        body = json.dumps({"client_message_id": str(uuid4()), "text": TEXT})
        began = perf_counter()
        self._writer.write(f"{self._head}{len(body)}\r\n\r\n{body}".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        answer = await self._reader.readexactly(length)
        if b" 202 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(answer.decode())
        return (perf_counter() - began) * 1000


async def connect(platform: Running) -> list[Connection]:
    parts = urlsplit(platform.url)
    connections = []
    async with httpx.AsyncClient(base_url=platform.url, timeout=60) as client:
        for _ in range(CONNECTIONS):
            response = await client.post(
                "/v1/conversations", json={"tenant": "bank"}, headers=bearer(platform.api_key)
            )
            started = response.raise_for_status().json()
            assert parts.hostname is not None and parts.port is not None  # our own address has both
            connection = Connection(parts.hostname, parts.port, started["conversation_id"], started["token"])
            await connection.open()
            connections.append(connection)
    return connections


async def saturate(connections: list[Connection]) -> float:
    async def many(connection: Connection) -> None:
        for _ in range(SATURATED // CONNECTIONS):
            await connection.post()

    began = perf_counter()
    await asyncio.gather(*(many(connection) for connection in connections))
    return SATURATED / (perf_counter() - began)


async def steady(connections: list[Connection]) -> list[float]:
    async def paced(at: int, connection: Connection) -> list[float]:
        found = []
        for turn in range(STEADY // CONNECTIONS):
            due = began + (turn * CONNECTIONS + at) / STEADY_RATE
            await asyncio.sleep(max(0.0, due - perf_counter()))
            found.append(await connection.post())
        return found

    began = perf_counter()
    each = await asyncio.gather(*(paced(at, connection) for at, connection in enumerate(connections)))
    return [value for values in each for value in values]


async def measure(platform: Running) -> tuple[float, list[float]]:
    connections = await connect(platform)
    await steady(connections)
    latencies = await steady(connections)
    return await saturate(connections), latencies


def main() -> None:
    with distributed(workers=False) as platform:
        rate, latencies = asyncio.run(measure(platform))
    report(
        "gateway",
        accepted_per_s=round(rate),
        p50_ms_at_200_per_s=round(percentile(latencies, 0.5), 1),
        p99_ms_at_200_per_s=round(percentile(latencies, 0.99), 1),
        to_reach={"accepted_per_s": 1_000, "p99_ms": 100},
    )
