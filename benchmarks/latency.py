"""Message in to reply out, over HTTP and a resumable stream: embedded, and with real servers and each worker a process, at several rates.

The extractive generator stands for an instant one. Each customer has a conversation with an open event stream. The first
`WARM_UP` messages are not counted: they let the broker's JVM compile what it needs. `processor_ms` is what the whole machine spent on
one message, this load generator included, and what of that each process did.
"""

import asyncio
import json
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from benchmarks.clients import Customer, ask_once, customers
from benchmarks.platforms import Running, distributed, embedded
from benchmarks.processor import families_s, machine_s
from benchmarks.reporting import percentile, report

RATE = 50
LOWER_RATES = (20, 30)
"""Where two cores are not yet busy all the time."""
CUSTOMERS = 50
MESSAGES = 500
WARM_UP = 1_000
QUESTION = "What does the account cost?"


class Asker:
    """Asks in one conversation, and notes when each message's reply arrived."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self._arrived: dict[str, asyncio.Future[float]] = {}
        self.ready = asyncio.Event()

    async def listen(self) -> None:
        async for name, data in self._customer.frames():
            if name == "ready":
                self.ready.set()
            elif name == "reply":
                self._arrive(json.loads(data))

    def _arrive(self, reply: dict[str, Any]) -> None:
        """An apology comes fast, and is no answer."""
        for message in reply["answers"]:
            future = self._reply_to(message)
            if reply["citations"]:
                future.set_result(perf_counter())
            else:
                future.set_exception(RuntimeError(f"not answered, but told: {reply['text']}"))

    async def ask(self) -> float:
        """Milliseconds from the request's first byte to the reply's frame."""
        began = perf_counter()
        message, _ = await self._customer.post(QUESTION)
        return (await self._reply_to(message) - began) * 1000

    def _reply_to(self, message: str) -> "asyncio.Future[float]":
        return self._arrived.setdefault(message, asyncio.get_running_loop().create_future())


async def measure(platform: Running, rates: Sequence[int]) -> list[dict[str, Any]]:
    """At each rate in turn."""
    askers = [Asker(customer) for customer in await customers(platform, CUSTOMERS)]
    streams = [asyncio.create_task(asker.listen()) for asker in askers]
    await asyncio.gather(*(asker.ready.wait() for asker in askers))
    await paced(askers, RATE, WARM_UP)
    found = [await at_rate(platform, askers, rate) for rate in rates]
    for stream in streams:
        stream.cancel()
    return found


async def at_rate(platform: Running, askers: list[Asker], rate: int) -> dict[str, Any]:
    machine, parts = machine_s(), families_s(platform.parts)
    took = await paced(askers, rate, MESSAGES)
    spent = {name: seconds - parts[name] for name, seconds in families_s(platform.parts).items()}
    return {
        "messages_per_s": rate,
        "p50_ms": round(percentile(took, 0.5), 1),
        "p99_ms": round(percentile(took, 0.99), 1),
        "processor_ms": _each_ms(machine_s() - machine),
        "processor_ms_of": {name: _each_ms(seconds) for name, seconds in spent.items()},
    }


def _each_ms(seconds: float) -> float:
    return round(1000 * seconds / MESSAGES, 1)


async def paced(askers: list[Asker], rate: int, messages: int) -> list[float]:
    """Ask in turn, so many a second, however long the answers take; milliseconds each."""
    asked = []
    began = perf_counter()
    for number in range(messages):
        await asyncio.sleep(max(0.0, began + number / rate - perf_counter()))
        asked.append(asyncio.create_task(askers[number % len(askers)].ask()))
    return list(await asyncio.gather(*asked))


def main() -> None:
    for name, platform, rates, bounds in (
        ("embedded", embedded, (RATE,), {"to_reach_p50_ms": 20}),
        ("distributed", distributed, (*LOWER_RATES, RATE), {"to_reach_p50_ms": 60, "to_reach_p99_ms": 250}),
    ):
        with platform() as running:
            ask_once(running, QUESTION)
            found = asyncio.run(measure(running, rates))
        for each in found:
            report("latency", form=name, **each, **(bounds if each["messages_per_s"] == RATE else {}))
