"""Shares, waiting times and throughput in simulation, beside an engine that is given requests in order of arrival and left to itself."""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

import pytest

from benchmarks.reporting import percentile
from parley.domain.scheduling import Limits
from tests.support.simulated_load import Ask, Outcome, Seen, Simulation, names, own_adapter
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

SWAP_S = 0.12
HOLD_S = Limits(1, 1, 1, 1).hold_s


def left_to_itself(engine: Engine) -> Engine:
    return replace(engine, scheduled=False)


def keeps_the_invariant(simulation: Simulation) -> None:
    """Nothing that was admitted waits for a slot in the engine, and its slots hold what is in flight and what is being loaded."""
    engine = simulation.engine
    assert engine.waiting == 0
    assert simulation.loading not in engine.adapters
    assert len(engine.adapters) + (simulation.loading is not None) <= 16


@pytest.mark.parametrize(("tenants", "in_flight"), ((20, 32), (200, 256)))
def test_tenants_who_always_wait_get_the_same_within_the_proven_bound(tenants: int, in_flight: int) -> None:
    """Every second one has requests eight times as large: in order of arrival it gets eight times as much."""
    engine = Engine(slots=0, in_flight=in_flight)
    outcome = backlog(engine, tenants, 120.0, adapters=False)
    gap = service_gap(outcome, names(tenants))
    assert gap <= gap_bound(engine, prompt_tokens=512, tokens=256)
    assert gap <= 2 * (512 + 2 * 256), "measured: less than two of the large requests"
    in_order = backlog(left_to_itself(engine), tenants, 120.0, adapters=False)
    assert service_gap(in_order, names(tenants)) > 10 * gap
    assert outcome.tokens_per_s == pytest.approx(in_order.tokens_per_s, rel=0.01)


def test_tenants_who_always_wait_on_fewer_slots_stay_within_the_same_bound() -> None:
    """Measured, not proven: while an adapter has no slot the others get all there is."""
    engine = Engine(in_flight=128)
    outcome = backlog(engine, 64, 200.0, adapters=True)
    assert service_gap(outcome, names(64)) <= gap_bound(engine, prompt_tokens=512, tokens=256)
    served = outcome.service[-1]
    assert min(served[tenant] for tenant in names(64)) >= 0.4 * max(served.values())
    in_order = backlog(left_to_itself(engine), 64, 200.0, adapters=True)
    assert outcome.tokens_per_s >= 1.8 * in_order.tokens_per_s


@pytest.mark.parametrize("seed", (1, 2, 3))
def test_a_small_tenant_beside_a_flood_waits_hardly_longer_than_alone(seed: int) -> None:
    engine = Engine()
    beside, alone = flood(engine, seed), flood(engine, seed, alone=True)
    assert len(beside) == len(alone) > 50 and not any(seen.begun is None for seen in beside)
    p95 = percentile([seen.wait for seen in beside], 0.95)
    assert p95 <= 2 * percentile([seen.wait for seen in alone], 0.95) + HOLD_S + SWAP_S
    in_order = flood(left_to_itself(engine), seed)
    assert percentile([waited(seen, 200.0) for seen in in_order], 0.95) > 20 * p95 + 10


def waited(seen: Seen, end: float) -> float:
    return (end if seen.begun is None else seen.begun) - seen.ask.at


def test_two_hundred_quiet_tenants_in_turn_wait_for_a_load_each_and_no_longer() -> None:
    asks = [own_adapter(0.5 * number, names(200)[number % 200]) for number in range(800)]
    outcome = Engine(held=64).run(asks, 410.0, warm_up_s=0.0, watch=keeps_the_invariant)
    assert max(seen.wait for seen in outcome.seen) <= 2 * SWAP_S
    assert outcome.loads == 800


OFFERED = 0.9
"""The part of an engine's throughput that is asked for in the open loop."""


@pytest.mark.parametrize(("run", "asked"), ((closed_zipf, 1.0), (open_zipf, OFFERED)))
def test_many_tenants_on_few_slots_keep_the_throughput_and_the_rarest_do_not_wait_long(
    run: Callable[..., Outcome], asked: float
) -> None:
    engine = Engine(in_flight=256)
    outcome = run(engine, 64, seed=1)
    assert outcome.tokens_per_s >= 0.85 * asked * engine.full_tokens_per_s
    assert percentile(slot_waits(outcome, rarest(64)), 0.95) <= 10.0
    in_order = run(left_to_itself(engine), 64, seed=1)
    assert outcome.tokens_per_s >= 1.15 * in_order.tokens_per_s
    assert percentile(waits(in_order, rarest(64)), 0.95) > 2 * percentile(waits(outcome, rarest(64)), 0.95)


@pytest.mark.parametrize("run", (closed_zipf, open_zipf))
def test_suspension_gives_the_rarest_a_slot_sooner_for_little_throughput(
    run: Callable[..., Outcome],
) -> None:
    engine = Engine(in_flight=256)
    suspending, plain = (run(replace(engine, suspends=suspends), 64, seed=1) for suspends in (True, False))
    sooner, later = (percentile(slot_waits(each, rarest(64)), 0.95) for each in (suspending, plain))
    assert sooner < 0.8 * later
    assert suspending.tokens_per_s > 0.95 * plain.tokens_per_s
    assert mean(answered_s(suspending)) < 1.5 * mean(answered_s(plain))
    assert max(seen.suspensions for seen in suspending.seen) <= 3


def answered_s(outcome: Outcome) -> list[float]:
    return [seen.ended - seen.ask.at for seen in outcome.seen if seen.ended is not None]


@pytest.mark.parametrize(("run", "kept"), ((closed_zipf, 0.65), (open_zipf, 0.75)))
def test_two_hundred_tenants_at_once_do_not_leave_the_engine_half_empty(
    run: Callable[..., Outcome], kept: float
) -> None:
    engine = Engine(in_flight=256)
    outcome = run(engine, 200, seed=1)
    assert outcome.tokens_per_s >= kept * engine.full_tokens_per_s
    assert percentile(slot_waits(outcome, rarest(200)), 0.95) <= 45.0


def test_every_moment_of_a_crowded_run_keeps_the_invariant() -> None:
    asks = [
        Ask(
            0.05 * number,
            f"tenant-{number * number % 97:03}",
            f"{number * number % 97}@1",
            tokens=16 + number % 200,
        )
        for number in range(4000)
    ]
    outcome = Engine(held=24).run(asks, 500.0, warm_up_s=0.0, watch=keeps_the_invariant)
    assert all(seen.ended is not None for seen in outcome.seen)
    assert outcome.loads > 300


def test_a_decision_costs_little_with_ten_thousand_waiting() -> None:
    """Seconds of the whole run by the number of requests; a simulated engine and the books of the simulation are part of it."""
    asks = [own_adapter(0.0, tenant) for _ in range(50) for tenant in names(200)]
    begun = time.perf_counter()
    outcome = Engine(in_flight=256).run(asks, 60.0, warm_up_s=0.0)
    done = sum(seen.ended is not None for seen in outcome.seen)
    assert done > 1000
    assert (time.perf_counter() - begun) / len(asks) < 0.001
