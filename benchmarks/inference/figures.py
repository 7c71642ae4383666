"""The figures, each one JSON line: what is compared was measured in one run on one engine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from statistics import median
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep

from benchmarks.inference.load import Load, zipf
from benchmarks.inference.sides import Bench, Run, Served
from benchmarks.reporting import percentile

Report = Callable[..., None]
RUNS = 2
SWAP_EVERY_S = 2.0
RAREST = 0.25
"""The share of tenants, those with the fewest requests, whose waits are told apart."""


def throughput(
    bench: Bench,
    load: Load,
    tenants: Sequence[str],
    requests: int,
    output_tokens: int,
    report: Report,
    name: str,
) -> float:
    """Parley beside the raw engine, in turn; the raw engine's requests a second."""
    names = [tenants[number % len(tenants)] for number in range(requests)]
    few = names[: max(len(tenants), 64)]
    bench.raw(load.calls(few), output_tokens)
    bench.parley(load.calls(few))
    raws, ours = [], []
    for _ in range(RUNS):
        raws.append(bench.raw(load.calls(names), output_tokens))
        bench.forget_raw()
        ours.append(bench.parley(load.calls(names)))
    raw, our = (median(run.requests_per_s for run in runs) for runs in (raws, ours))
    report(
        name,
        requests=requests,
        adapters=len(tenants) if bench.shelf.live else 0,
        raw_requests_per_s=raw,
        parley_requests_per_s=our,
        parley_of_raw=round(our / raw, 3),
        raw_tokens_per_s=median(run.tokens_per_s for run in raws),
        parley_tokens_per_s=median(run.tokens_per_s for run in ours),
        raw_gpu_busy=busy(raws),
        parley_gpu_busy=busy(ours),
        parley_failed=sum(run.failed for run in ours),
        cpu_ms_a_request=round(
            1000 * median((o.cpu_s - r.cpu_s) / requests for o, r in zip(ours, raws, strict=True)), 3
        ),
        raw_runs=[run.requests_per_s for run in raws],
        parley_runs=[run.requests_per_s for run in ours],
    )
    return raw


def busy(runs: Sequence[Run]) -> float | None:
    known = [run.gpu_busy for run in runs if run.gpu_busy is not None]
    return round(median(known), 1) if known else None


def batching(bench: Bench, load: Load, requests: int, output_tokens: int, report: Report) -> None:
    """Static batches, each waiting for its last, against continuous batching, with outputs of 16 to `output_tokens` tokens."""
    random = Random(0)
    lengths = [random.randint(16, output_tokens) for _ in range(requests)]
    calls = load.calls(["t0"] * requests)
    found = {at_once: bench.raw_of(calls, lengths, at_once=at_once) for at_once in (64, requests)}
    static, continuous = found[64], found[requests]
    report(
        "inference_batching",
        requests=requests,
        static_batch=64,
        static_tokens_per_s=static.tokens_per_s,
        continuous_tokens_per_s=continuous.tokens_per_s,
        static_gpu_busy=static.gpu_busy,
        continuous_gpu_busy=continuous.gpu_busy,
        times=round(continuous.tokens_per_s / static.tokens_per_s, 2),
    )


def open_loop(bench: Bench, load: Load, names: Sequence[str], rate: float) -> list[Served]:
    """Calls at random moments (Poisson), `rate` a second; what became of them."""
    calls = load.calls(names)
    random, began = Random(1), len(bench.metrics.served)
    at = monotonic()
    for call in calls:
        at += random.expovariate(rate)
        sleep(max(0.0, at - monotonic()))
        bench.send(call)
    bench.idle()
    return bench.metrics.served[began:]


def slot_waits(
    bench: Bench, load: Load, tenants: Sequence[str], rate: float, seconds: float, report: Report
) -> None:
    """Waits of the rarest tenants below saturation."""
    swapped, suspended = bench.swaps(), bench.suspensions()
    served = open_loop(bench, load, zipf(tenants, int(rate * seconds), seed=2), rate)
    few = rarest(served, tenants)
    whole = [each.ended - each.arrived for each in served]
    report(
        "inference_slot_waits",
        tenants=len(tenants),
        slots=bench.slots,
        rate_per_s=round(rate, 1),
        seconds=seconds,
        wait_p50_s=round(percentile(waits(served), 0.5), 3),
        wait_p95_s=round(percentile(waits(served), 0.95), 3),
        rarest_wait_p50_s=round(percentile(waits(few), 0.5), 3),
        rarest_wait_p95_s=round(percentile(waits(few), 0.95), 3),
        rarest_requests=len(few),
        answered_p50_s=round(percentile(whole, 0.5), 3),
        answered_p95_s=round(percentile(whole, 0.95), 3),
        swaps=bench.swaps() - swapped,
        suspensions=bench.suspensions() - suspended,
        suspended_once_or_more=sum(each.suspensions > 0 for each in served),
    )


def waits(served: Sequence[Served]) -> list[float]:
    return [each.began - each.arrived for each in served] or [0.0]


def rarest(served: Sequence[Served], tenants: Sequence[str]) -> list[Served]:
    """Those of the last quarter of the tenants, which are ordered by how much they ask."""
    few = set(tenants[int(len(tenants) * (1 - RAREST)) :])
    return [each for each in served if each.tenant in few]


def fairness(
    bench: Bench, load: Load, tenants: Sequence[str], rate: float, seconds: float, report: Report
) -> None:
    """A tenant with one per cent of the load, alone and beside one with ninety, at more than the engine can do; all have a slot."""
    count = int(rate * seconds)
    quiet = ["t1"] * max(20, count // 100)
    alone = open_loop(bench, load, quiet, rate / 20)
    mixed = (
        quiet
        + ["t0"] * int(count * 0.9)
        + [tenants[2 + n % (len(tenants) - 2)] for n in range(int(count * 0.09))]
    )
    Random(3).shuffle(mixed)
    beside = [each for each in open_loop(bench, load, mixed, rate) if each.tenant == "t1"]
    before, after = (percentile(waits(each), 0.95) for each in (alone, beside))
    report(
        "inference_fairness",
        rate_per_s=round(rate, 1),
        quiet_requests=len(quiet),
        alone_wait_p95_s=round(before, 3),
        beside_wait_p95_s=round(after, 3),
        hold_s=bench.limits.hold_s,
        swap_p95_s=round(bench.swap_s(0.95), 3),
        flood_wait_p95_s=round(
            percentile(waits([e for e in bench.metrics.served[-len(mixed) :] if e.tenant == "t0"]), 0.95), 3
        ),
    )


def swaps(
    bench: Bench,
    load: Load,
    tenants: Sequence[str],
    weights: Sequence[Path],
    rank: int,
    rate: float,
    count: int,
    report: Report,
) -> None:
    """New versions one after the other while every tenant is being answered: how soon the first text of a new one comes."""
    names = [tenants[number % len(tenants)] for number in range(int(rate * count * SWAP_EVERY_S))]
    live = {tenant: f"{tenant}@{bench.shelf.live[tenant]}" for tenant in tenants}
    new_names: list[str] = []
    stop = Flag()

    def swap() -> None:
        while not stop.wait(SWAP_EVERY_S):
            tenant = tenants[len(new_names) % len(tenants)]
            new = bench.shelf.publish(tenant, weights[len(new_names) % len(weights)], rank)
            bench.switch(tenant, live[tenant], new)
            live[tenant] = new
            new_names.append(new)

    swapping = Thread(target=swap, daemon=True)
    failed = len(bench.failures())
    swapping.start()
    served = open_loop(bench, load, names, rate)
    stop.set()
    swapping.join()
    first_of: dict[str, Served] = {}
    warm: list[float] = []
    for each in sorted(served, key=lambda each: each.arrived):
        if each.first is None or each.adapter is None:
            continue
        if each.adapter in new_names and each.adapter not in first_of:
            first_of[each.adapter] = each
        else:
            warm.append(each.first - each.arrived)
    cold = [each.first - each.arrived for each in first_of.values() if each.first is not None]
    report(
        "inference_swaps",
        swaps=len(new_names),
        requests=len(names),
        rate_per_s=round(rate, 1),
        failed=len(bench.failures()) - failed,
        new_first_text_p95_ms=round(1000 * percentile(cold, 0.95), 1),
        warm_first_text_p50_ms=round(1000 * percentile(warm, 0.5), 1),
        warm_first_text_p95_ms=round(1000 * percentile(warm, 0.95), 1),
        above_warm_p95_ms=round(1000 * (percentile(cold, 0.95) - percentile(warm, 0.95)), 1),
        load_p50_ms=round(1000 * bench.swap_s(0.5), 1),
        load_p95_ms=round(1000 * bench.swap_s(0.95), 1),
    )
