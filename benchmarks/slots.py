"""The scheduler of slots in simulation: shares, waiting times and swaps, beside an engine that is left to itself.

No engine is run: `tests/support/simulated_engine.py` says what is taken for an 8 B model on an H200 (`python -m benchmarks.inference --gpu paces`).
Waiting is until the first decode.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import mean
from time import perf_counter

from benchmarks.reporting import median_of, percentile, report
from parley.domain.scheduling import Admit, Limits, Load, Scheduler, Waiting
from tests.support.simulated_engine import Rates
from tests.support.simulated_load import Outcome, limits, names
from tests.support.simulated_scenes import (
    Engine,
    backlog,
    closed_zipf,
    flood,
    gap_bound,
    open_zipf,
    rarest,
    service_gap,
    slot_waits,
    waits,
)

SEEDS = (1, 2, 3)
LIMITS = Limits(1, 1, 1, 1)


def main() -> None:
    report(
        "slots",
        simulated=True,
        hold_s=LIMITS.hold_s,
        urgent_s=LIMITS.urgent_s,
        gap=_gaps(),
        flood_90_beside_1=_floods(),
        zipf_64_tenants=[
            _zipf(Engine(in_flight=in_flight, suspends=suspends), 64)
            for in_flight, suspends in ((256, True), (256, False), (80, False))
        ],
        # With these the simulation has as many in flight and as many loads as a full H200 had (`python -m benchmarks.inference --gpu tenants`).
        zipf_64_tenants_17_slots_settling_150_ms=_zipf(Engine(17, 256, rates=Rates(settle_s=0.15)), 64),
        zipf_200_tenants=[_zipf(Engine(), 200)],
        us_a_request=_cost(),
    )


def _gaps() -> dict[str, object]:
    """Weighted tokens by which two tenants' services differ who always wait, one with requests eight times as large."""
    return {
        name: {
            "scheduled": _rounded(service_gap(backlog(engine, tenants, 200.0, adapters), names(tenants))),
            "first_come": _rounded(
                service_gap(backlog(_left(engine), tenants, 200.0, adapters), names(tenants))
            ),
            "bound": gap_bound(engine, prompt_tokens=512, tokens=256),
        }
        for name, engine, tenants, adapters in (
            ("base_model_20_tenants", Engine(0, 32), 20, False),
            ("base_model_200_tenants", Engine(0, 256), 200, False),
            ("64_adapters_on_16_slots", Engine(16, 128), 64, True),
        )
    }


def _floods() -> dict[str, float]:
    """The 95th percentile of how long the small tenant waits, worst of the seeds."""
    engine = Engine()

    def p95(alone: bool, of: Engine) -> float:
        return max(
            percentile(
                [
                    (200.0 if each.begun is None else each.begun) - each.ask.at
                    for each in flood(of, seed, alone=alone)
                ],
                0.95,
            )
            for seed in SEEDS
        )

    beside, alone, first_come = p95(False, engine), p95(True, engine), p95(False, _left(engine))
    return {
        "p95_s": _rounded(beside),
        "alone_p95_s": _rounded(alone),
        "first_come_p95_s": _rounded(first_come),
    }


def _zipf(engine: Engine, tenants: int) -> dict[str, object]:
    return {
        "slots": engine.slots,
        "in_flight": engine.in_flight,
        "suspends": engine.suspends,
        "four_tenants_tokens_per_s": _rounded(engine.full_tokens_per_s),
        "closed_1024_clients": _both(closed_zipf, engine, tenants),
        "open_90_percent": _both(open_zipf, engine, tenants),
        "open_50_percent": _both(partial(open_zipf, load=0.5), engine, tenants),
    }


Run = Callable[[Engine, int, int], Outcome]


def _both(run: Run, engine: Engine, tenants: int) -> dict[str, object]:
    scheduled = [run(engine, tenants, seed) for seed in SEEDS]
    first_come = [run(_left(engine), tenants, seed) for seed in SEEDS]
    slot_wait = mean(percentile(slot_waits(each, rarest(tenants)), 0.95) for each in scheduled)
    return {
        "rarest_slot_wait_p95_s": _rounded(slot_wait),
        "scheduled": _figures(scheduled, engine, tenants),
        "first_come": _figures(first_come, engine, tenants),
    }


def _figures(outcomes: Sequence[Outcome], engine: Engine, tenants: int) -> dict[str, float]:
    """Means of the runs."""

    def of(figure: Callable[[Outcome], float]) -> float:
        return _rounded(mean(figure(outcome) for outcome in outcomes))

    return {
        "kept": of(lambda each: each.tokens_per_s / engine.full_tokens_per_s),
        "rarest_wait_p95_s": of(lambda each: percentile(waits(each, rarest(tenants)), 0.95)),
        "wait_p50_s": of(lambda each: percentile(waits(each, names(tenants)), 0.5)),
        "wait_p95_s": of(lambda each: percentile(waits(each, names(tenants)), 0.95)),
        "answered_mean_s": of(lambda each: mean(answered(each))),
        "swaps_per_hour": of(lambda each: 3600 * each.loads / each.seconds),
    }


def answered(outcome: Outcome) -> list[float]:
    """Seconds from asking to the end."""
    return [seen.ended - seen.ask.at for seen in outcome.seen if seen.ended is not None] or [0.0]


def _cost() -> dict[str, float]:
    """Microseconds of the scheduler for each request, with 10,000 waiting of 200 tenants: three steps and all that is told it."""
    return {
        "base_model": _rounded(median_of(lambda: _cost_of_one(0))),
        "adapters_on_16_slots": _rounded(median_of(lambda: _cost_of_one(16))),
    }


def _cost_of_one(slots: int, waiting: int = 10_000, requests: int = 2_000) -> float:
    scheduler = Scheduler(limits(slots, 256, held=200))
    flying: list[str] = []
    for number in range(waiting):
        scheduler.add(_request(number), 0.0)
    now = 0.0
    while len(flying) < 256:
        now += 0.1
        _carry_out(scheduler, flying, now)
    begun = perf_counter()
    for number in range(waiting, waiting + requests):
        now += 0.01
        scheduler.produced(flying[0], 128)
        scheduler.finished(flying.pop(0), now)
        _carry_out(scheduler, flying, now)
        scheduler.add(_request(number), now)
        _carry_out(scheduler, flying, now)
        scheduler.wake_at()
    return (perf_counter() - begun) / requests * 1e6


def _request(number: int) -> Waiting:
    tenant = f"tenant-{number % 200}"
    return Waiting(f"r{number}", tenant, f"{tenant}@1", 0, number * 1e-3, 1e6, 256, 128)


def _carry_out(scheduler: Scheduler, flying: list[str], now: float) -> None:
    for action in scheduler.step(now):
        if isinstance(action, Admit):
            flying.append(action.id)
        elif isinstance(action, Load):
            scheduler.loaded(action.adapter, now)


def _left(engine: Engine) -> Engine:
    return replace(engine, scheduled=False)


def _rounded(value: float) -> float:
    return round(value, 2) if value < 100 else round(value)
