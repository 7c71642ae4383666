"""The gateway: messages accepted, masked, sealed, claimed and acknowledged by Kafka, load and broker on the same cores.

The workers are stopped: nobody answers. A first round, not counted, lets the broker's JVM compile what it needs.
"""

import asyncio
from time import perf_counter

from benchmarks.clients import Customer, customers
from benchmarks.platforms import Running, distributed
from benchmarks.reporting import percentile, report

CUSTOMERS = 32
SATURATED = 6_000
STEADY_RATE = 200
STEADY = 2_000
TEXT = "My card 4111 1111 1111 1111 was declined at the till, what can I do? "


async def saturate(load: list[Customer]) -> float:
    """Messages a second, each customer sending the next one as soon as the last is accepted."""

    async def many(customer: Customer) -> None:
        for _ in range(SATURATED // CUSTOMERS):
            await customer.post(TEXT)

    began = perf_counter()
    await asyncio.gather(*(many(customer) for customer in load))
    return SATURATED / (perf_counter() - began)


async def steady(load: list[Customer]) -> list[float]:
    """Milliseconds each, at `STEADY_RATE` messages a second."""

    async def paced(at: int, customer: Customer) -> list[float]:
        found = []
        for turn in range(STEADY // CUSTOMERS):
            due = began + (turn * CUSTOMERS + at) / STEADY_RATE
            await asyncio.sleep(max(0.0, due - perf_counter()))
            found.append((await customer.post(TEXT))[1])
        return found

    began = perf_counter()
    each = await asyncio.gather(*(paced(at, customer) for at, customer in enumerate(load)))
    return [value for values in each for value in values]


async def measure(platform: Running) -> tuple[float, list[float]]:
    load = await customers(platform, CUSTOMERS)
    await steady(load)
    latencies = await steady(load)
    return await saturate(load), latencies


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
