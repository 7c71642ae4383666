"""Many tenants on few slots by Zipf's law, asking for more than can be done: tokens kept against four tenants, and against the engine left to itself.

What is measured is how it goes on: so many requests are always outstanding, and the beginning and the end, where an engine fills and
empties, are left out.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean
from time import monotonic, sleep

from benchmarks.inference.figures import rarest, waits
from benchmarks.inference.gpu import Watch
from benchmarks.inference.load import Call, Load, zipf
from benchmarks.inference.sides import LOOK_EVERY_S, Bench, Served
from benchmarks.reporting import percentile

Report = Callable[..., None]
OUTSTANDING = 3
"""Requests that are always outstanding, in those that run at once."""
RAW_SHARE = 2
"""Left to itself the engine is slower: half of the requests shows it."""


@dataclass(frozen=True, slots=True)
class Steady:
    """The time from when half of the first requests had ended until the last one was sent."""

    seconds: float
    tokens: int
    in_flight: float
    gpu_busy: float | None
    served: Sequence[Served]

    @property
    def tokens_per_s(self) -> float:
        return round(self.tokens / self.seconds, 1)


def many_tenants(
    bench: Bench, load: Load, tenants: Sequence[str], requests: int, output_tokens: int, report: Report
) -> None:
    """`requests` are several times what is outstanding."""
    bench.parley(load.calls(tenants))  # every adapter in the host's memory, as the raw side's are
    few = steady(bench, load.calls(zipf(tenants[:4], requests)))
    suspended, swapped = bench.suspensions(), bench.swaps()
    many = steady(bench, load.calls(zipf(tenants, requests)))
    swapped, suspended = bench.swaps() - swapped, bench.suspensions() - suspended
    report(
        "inference_tenants",
        requests=requests,
        outstanding=outstanding(bench),
        tenants=len(tenants),
        slots=bench.slots,
        seconds=round(many.seconds, 1),
        four_tokens_per_s=few.tokens_per_s,
        parley_tokens_per_s=many.tokens_per_s,
        kept=round(many.tokens_per_s / few.tokens_per_s, 3),
        failed=requests - len(many.served),
        in_flight_of_four=few.in_flight,
        in_flight=many.in_flight,
        gpu_busy_of_four=few.gpu_busy,
        gpu_busy=many.gpu_busy,
        backlog_wait_p95_s_of_rarest=round(percentile(waits(rarest(many.served, tenants)), 0.95), 2),
        swaps=swapped,
        suspensions=suspended,
    )
    raw = raw_steady(bench, load.calls(zipf(tenants, requests // RAW_SHARE)), output_tokens)
    bench.forget_raw()
    report(
        "inference_tenants_raw",
        requests=requests // RAW_SHARE,
        outstanding=outstanding(bench),
        tokens_per_s=raw,
        times_raw=round(many.tokens_per_s / raw, 2),
    )


def outstanding(bench: Bench) -> int:
    return OUTSTANDING * bench.limits.in_flight


def steady(bench: Bench, calls: Sequence[Call]) -> Steady:
    """Through the log, the next one sent as soon as one has ended."""
    most, sent, before, first = outstanding(bench), 0, bench.ended(), len(bench.metrics.served)
    flying: list[tuple[float, int]] = []
    with Watch() as watch:
        while sent < len(calls):
            while sent < len(calls) and sent - (bench.ended() - before) < most:
                bench.send(calls[sent])
                sent += 1
            flying.append((monotonic(), bench.in_flight()))
            sleep(LOOK_EVERY_S)
        end = monotonic()
    bench.idle()
    served = bench.metrics.served[first:]
    began = served[most // 2].ended
    tokens = sum(each.tokens for each in served if began < each.ended <= end)
    in_flight = mean(count for at, count in flying if at > began)
    return Steady(end - began, tokens, round(in_flight, 1), watch.busy(), served)


def raw_steady(bench: Bench, calls: Sequence[Call], output_tokens: int) -> float:
    """The engine left to itself, in tokens a second over the same part."""
    most, ends = outstanding(bench), [0.0]
    places = asyncio.Semaphore(most)
    begun: list[float] = []

    async def one(call: Call) -> int:
        async with places:
            begun.append(monotonic())
            tokens = await bench.generate(call, output_tokens)
            ends.append(monotonic())
            return tokens

    async def all_of_them() -> int:
        return sum(await asyncio.gather(*(one(call) for call in calls)))

    tokens = bench.raw_by(calls, all_of_them).tokens / len(calls)
    began, end = ends[most // 2], begun[-1]
    return round(tokens * sum(began < at <= end for at in ends) / (end - began), 1)
