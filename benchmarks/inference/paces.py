"""What the engine's own moves cost, without Parley: requests at once, loads of adapters, completions cut in two.

Two of them are what `tests/support/simulated_engine.py` has to guess: the part of a step that does not grow with the requests, and how
long a load keeps the engine from decoding.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from time import perf_counter
from typing import Any

from benchmarks.inference.load import Call, Load
from benchmarks.inference.sides import Bench

Report = Callable[..., None]
AT_ONCE = (32, 64, 96, 128, 192, 256)
BATCHES = 3
"""A run at n requests at once has so many times n requests."""
LOAD_EVERY_S = 0.05
SPARE = 8
"""Adapters that take turns in the one slot that no request uses."""


def paces(bench: Bench, load: Load, tenants: Sequence[str], output_tokens: int, report: Report) -> None:
    """`tenants` are more by `SPARE` than the slots less one."""
    busy = tenants[:-SPARE]
    bench.raw(load.calls(tenants), output_tokens)
    counts = [count for count in AT_ONCE if count <= bench.engine.facts.running]
    found = {}
    for at_once in counts:
        calls = _calls(load, busy, BATCHES * at_once)
        found[at_once] = bench.raw_by(calls, _running(bench, calls, output_tokens, at_once))
    most = counts[-2]
    calls = _calls(load, busy, BATCHES * most)
    loads: list[float] = []
    loaded = bench.raw_by(calls, _beside(bench, tenants, loads, _running(bench, calls, output_tokens, most)))
    calls = _calls(load, busy, BATCHES * most)
    halves = bench.raw_by(calls, _running(bench, calls, output_tokens, most, _in_two(bench)))
    calls = _calls(load, busy, BATCHES * most)
    after = bench.raw_by(calls, _running(bench, calls, output_tokens, most))
    plain_s = (found[most].seconds + after.seconds) / 2
    bench.forget_raw()
    report(
        "inference_paces",
        adapters=len(busy),
        tokens_per_s={at_once: run.tokens_per_s for at_once, run in found.items()},
        at_once=most,
        at_once_runs=[found[most].tokens_per_s, after.tokens_per_s],
        loads=len(loads),
        load_p50_ms=round(1000 * sorted(loads)[len(loads) // 2], 1),
        stall_ms_a_load=round(1000 * (loaded.seconds - plain_s) / len(loads), 2),
        cut_in_two_ms_a_cut=round(1000 * (halves.seconds - plain_s) / len(calls), 3),
    )


def _calls(load: Load, tenants: Sequence[str], count: int) -> list[Call]:
    return load.calls([tenants[number % len(tenants)] for number in range(count)])


def _running(
    bench: Bench,
    calls: Sequence[Call],
    output_tokens: int,
    at_once: int,
    write: Callable[[Call, int], Coroutine[Any, Any, int]] | None = None,
) -> Callable[[], Coroutine[Any, Any, int]]:
    """Always so many under way."""
    places = asyncio.Semaphore(at_once)

    async def one(call: Call) -> int:
        async with places:
            return await (write or bench.generate)(call, output_tokens)

    async def all_of_them() -> int:
        return sum(await asyncio.gather(*(one(call) for call in calls)))

    return all_of_them


def _beside(
    bench: Bench,
    tenants: Sequence[str],
    seconds: list[float],
    write: Callable[[], Coroutine[Any, Any, int]],
) -> Callable[[], Coroutine[Any, Any, int]]:
    """Meanwhile adapters that the engine holds are given a slot, one after the other."""

    async def keep_loading() -> None:
        while True:
            began = perf_counter()
            await bench.add_raw(tenants[-1 - len(seconds) % SPARE])
            seconds.append(perf_counter() - began)
            await asyncio.sleep(LOAD_EVERY_S)

    async def both() -> int:
        loading = asyncio.ensure_future(keep_loading())
        try:
            return await write()
        finally:
            loading.cancel()

    return both


def _in_two(bench: Bench) -> Callable[[Call, int], Coroutine[Any, Any, int]]:
    """The second half is a request of its own whose prompt is all before it, most of which the prefix cache has."""

    async def write(call: Call, output_tokens: int) -> int:
        first = await bench.tokens(call, call.prompt_token_ids, output_tokens // 2)
        second = await bench.tokens(call, [*call.prompt_token_ids, *first], output_tokens - len(first))
        return len(first) + len(second)

    return write
