"""The scenes in which schedulers are compared: a model of 8 B on an H200, completions of 128 tokens, adapters of the tenants' own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tests.support.simulated_engine import Rates
from tests.support.simulated_load import (
    Ask,
    Chooser,
    FirstCome,
    Outcome,
    Scheduled,
    Seen,
    limits,
    names,
    own_adapter,
    poisson,
    simulate,
    zipf,
)

TOKENS = 128
WARM_UP_S = 40.0


@dataclass(frozen=True, slots=True)
class Engine:
    """`scheduled`: false leaves the slots to the engine, and gives it requests in order of arrival."""

    slots: int = 16
    in_flight: int = 128
    held: int = 200
    rates: Rates = field(default_factory=Rates)
    scheduled: bool = True
    suspends: bool = True

    def chooser(self) -> Chooser:
        if not self.scheduled:
            return FirstCome(self.in_flight)
        return Scheduled(limits(self.slots, self.in_flight, held=self.held, suspends=self.suspends))

    @property
    def full_tokens_per_s(self) -> float:
        """With every place taken and no swaps: what four tenants get."""
        return self.rates.tokens_per_s(self.in_flight)

    def run(
        self, asks: Sequence[Ask], seconds: float, warm_up_s: float = WARM_UP_S, **more: object
    ) -> Outcome:
        return simulate(
            self.chooser(),
            self.slots,
            asks,
            seconds,
            rates=self.rates,
            held=self.held,
            warm_up_s=warm_up_s,
            **more,  # type: ignore[arg-type]  # `again` and `watch`
        )


def closed_zipf(
    engine: Engine, tenants: int, seed: int, clients: int = 1024, seconds: float = 120.0
) -> Outcome:
    """So many clients, each of one tenant, by Zipf's law, who ask again as soon as they are answered."""
    rng, who = random.Random(seed), names(tenants)
    asks = [
        own_adapter(0.0, tenant)
        for tenant, share in zip(who, zipf(tenants), strict=True)
        for _ in range(max(1, round(clients * share)))
    ]
    rng.shuffle(asks)
    return engine.run(asks, seconds, again=again)


def open_zipf(engine: Engine, tenants: int, seed: int, load: float = 0.9, seconds: float = 120.0) -> Outcome:
    """Requests come at this part of the rate that the engine would manage without swaps, answered or not."""
    rate = load * engine.full_tokens_per_s / TOKENS
    shares = dict(zip(names(tenants), zipf(tenants), strict=True))
    return engine.run(poisson(rate, shares, seconds + WARM_UP_S, seed, own_adapter), seconds)


def flood(engine: Engine, seed: int, others: int = 9, load: float = 1.3, alone: bool = False) -> list[Seen]:
    """What became of the requests of a tenant with 1 % of an overload of which another has 90 %; or of the same requests alone."""
    shares = {"flood": 0.9, "small": 0.01, **{f"other-{number}": 0.09 / others for number in range(others)}}
    rate = load * engine.full_tokens_per_s / TOKENS
    asks = poisson(rate, shares, 180.0, seed, own_adapter)
    outcome = engine.run([ask for ask in asks if not alone or ask.tenant == "small"], 200.0, warm_up_s=0.0)
    return outcome.of(("small",))


def backlog(engine: Engine, tenants: int, seconds: float, adapters: bool, requests: int = 1500) -> Outcome:
    """Everybody always has something waiting: every second tenant short requests, the others long ones."""
    asks = [
        Ask(0.0, tenant, f"{tenant}@1" if adapters else None, tokens=tokens, prompt_tokens=prompt)
        for number, tenant in enumerate(names(tenants))
        for tokens, prompt, count in ((32, 64, requests) if number % 2 == 0 else (256, 512, requests // 6),)
        for _ in range(count)
    ]
    random.Random(0).shuffle(asks)
    return engine.run(asks, seconds, warm_up_s=0.0)


def again(seen: Seen, now: float) -> Ask:
    return own_adapter(now, seen.ask.tenant)


def service_gap(outcome: Outcome, tenants: Sequence[str]) -> float:
    """The greatest difference of weighted tokens that two of these tenants got in the same stretch of time, of all stretches."""
    served = np.array([[moment.get(tenant, 0.0) for tenant in tenants] for moment in outcome.service])
    return max(float(np.ptp(served[:, [number]] - served, axis=0).max()) for number in range(len(tenants)))


def gap_bound(engine: Engine, prompt_tokens: int, tokens: int) -> float:
    """Theorem 4.4 of arXiv 2401.00588, with the weights 1 and 2: M is what the requests in flight have to write."""
    return 2 * max(1.0 * prompt_tokens, 2.0 * engine.in_flight * tokens)


def slot_waits(outcome: Outcome, tenants: Sequence[str]) -> list[float]:
    return [seen.slot_wait for seen in outcome.of(tenants, WARM_UP_S) if seen.admitted is not None]


def waits(outcome: Outcome, tenants: Sequence[str]) -> list[float]:
    return [seen.wait for seen in outcome.of(tenants, WARM_UP_S) if seen.begun is not None]


def rarest(tenants: int) -> list[str]:
    """The quarter with the least load."""
    return names(tenants)[-(tenants // 4) :]
