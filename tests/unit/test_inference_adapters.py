"""Adapters in the inference worker, on a scripted engine: slots, new versions under load, canaries, and what stands in for a quarantined one."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from parley.errors import GeneratorUnavailable
from parley.ports.engine import CompletionRequest
from tests.support.effectors import until
from tests.support.inference import generation, lag, outcomes, running
from tests.support.platform import send
from tests.support.scripted_engine import SAYS
from tests.support.served_adapters import AT, PROBE, Served, digest
from tests.support.small_tenant import TENANT
from workers.inference.adapters import Adapters
from workers.inference.desk import Desk


def honest(request: CompletionRequest) -> tuple[str, ...]:
    """Answers, and the probe's tokens as the probe has them."""
    return SAYS if request.prompt_token_ids is None else ("a", "b", "c")


@pytest.fixture
def served(tmp_path: Path) -> Served:
    return Served(tmp_path)


def test_more_tenants_than_slots_are_each_answered_with_their_own(served: Served) -> None:
    names = [f"t{number}" for number in range(8)]
    served.tenants(*names)
    own = {name: served.shelf.publish(name, number) for number, name in enumerate(names)}
    asked = [(number, names[number % 8]) for number in range(80)]
    send(served.on, *(generation(n, tenant=name, on=served.on) for n, name in asked))
    with running(served.worker()):
        until(lambda: len(outcomes(served.on)) == 80 and lag(served.on) == 0)
    assert outcomes(served.on) == {n: [own[name]] for n, name in asked}
    assert served.engine.broken == [] and len(served.engine.loads) >= 8


def test_without_an_adapter_the_base_model_answers_and_needs_no_slot(served: Served) -> None:
    served.tenants("t0", "t1", "t2")
    names = [served.shelf.publish(f"t{number}", number) for number in range(3)]
    served.engine.go_on.clear()
    send(served.on, *(generation(n, tenant=f"t{n}", on=served.on) for n in range(3)))
    send(served.on, generation(3, on=served.on), generation(4, tenant="t0", adapter="base", on=served.on))
    with running(served.worker()):
        until(lambda: sum(request.adapter is None for request in served.engine.asked) == 2)
        served.engine.go_on.set()
        found = until(lambda: len(outcomes(served.on)) == 5 and outcomes(served.on))
    assert found == {0: [names[0]], 1: [names[1]], 2: [names[2]], 3: ["written"], 4: ["written"]}


def test_a_new_version_takes_over_while_the_old_one_answers(served: Served) -> None:
    old = served.shelf.publish(TENANT, 1, probes=True)
    new = served.shelf.publish(TENANT, 2, probes=True)
    served.shelf.point(TENANT, digest(1), AT)
    served.engine.say = honest
    worker = served.worker()
    served.engine.go_on.clear()
    send(served.on, *(generation(n, on=served.on) for n in range(4)))
    with running(worker):
        until(lambda: [each.adapter for each in served.engine.asked].count(old) >= 4)
        served.swap(worker, old, new)
        send(served.on, *(generation(n, on=served.on) for n in range(4, 8)))
        until(lambda: served.engine.loads.count(new) == 1 and new == served.adapters.of(TENANT, None))
        send(served.on, *(generation(n, on=served.on) for n in range(8, 12)))
        served.engine.go_on.set()
        found = until(lambda: len(outcomes(served.on)) == 12 and outcomes(served.on))
        until(lambda: old not in served.engine._held)
    assert all(found[n] == [old] for n in range(4)) and all(found[n] == [new] for n in range(8, 12))
    assert all(found[n] in ([old], [new]) for n in range(4, 8)) and served.engine.broken == []


@pytest.mark.parametrize(("instead", "stands_in"), [("previous", 1), ("base", None)])
def test_an_adapter_that_cannot_be_loaded_is_stood_in_for_and_the_answer_says_so(
    served: Served, instead: str, stands_in: int | None
) -> None:
    served.tenants("choosy", on_quarantine=instead)
    before = served.shelf.publish("choosy", 1)
    broken = served.shelf.publish("choosy", 2)
    served.engine.refuses[broken] = "garbage"
    send(served.on, generation(1, tenant="choosy", on=served.on))
    send(served.on, generation(2, tenant="choosy", on=served.on, adapter=broken))
    with running(served.worker()):
        found = until(lambda: len(outcomes(served.on)) == 2 and outcomes(served.on))
    wrote = before if stands_in else "written"
    assert found == {1: [wrote], 2: [wrote]}
    assert served.adapters.quarantined().keys() == {broken}


@pytest.mark.parametrize("wrong", [lambda n: ("x", "y", "z", "?"), lambda n: ("x",)], ids=["more", "fewer"])
def test_an_adapter_that_answers_its_probes_otherwise_is_quarantined(
    served: Served, wrong: Callable[[int], tuple[str, ...]]
) -> None:
    name = served.shelf.publish(TENANT, 1, probes=True)
    served.engine.say = lambda request: SAYS if request.prompt_token_ids is None else wrong(0)
    send(served.on, generation(1, on=served.on))
    with running(served.worker()):
        assert until(lambda: outcomes(served.on)) == {1: ["written"]}
    assert "token" in served.adapters.quarantined()[name]


def test_while_the_store_is_away_requests_wait_and_nobody_is_quarantined(served: Served) -> None:
    name = served.shelf.publish(TENANT, 1)
    served.shelf.away = True
    send(served.on, generation(1, on=served.on))
    with running(served.worker()):
        until(lambda: served.shelf.fetches == 1)
        served.shelf.away = False
        assert until(lambda: outcomes(served.on)) == {1: [name]}
    assert served.adapters.quarantined() == {} and served.shelf.fetches == 2


def test_an_adapter_that_answers_its_probes_serves_and_each_probe_has_a_salt_of_its_own(
    served: Served,
) -> None:
    name = served.shelf.publish(TENANT, 1, probes=True)
    served.engine.say = honest
    send(served.on, generation(1, on=served.on))
    with running(served.worker()):
        assert until(lambda: outcomes(served.on)) == {1: [name]}
    probes = [each for each in served.engine.asked if each.prompt_token_ids is not None]
    assert probes and all(
        each.adapter == name and not each.cache_salt.startswith("tenant") for each in probes
    )


def test_an_adapter_that_goes_wrong_while_it_serves_is_found_by_the_watch(served: Served) -> None:
    name = served.shelf.publish(TENANT, 1, probes=True)
    gone_wrong = False

    def say(request: CompletionRequest) -> tuple[str, ...]:
        if request.prompt_token_ids is None:
            return SAYS
        return ("x", "y") if gone_wrong else ("a", "b", "c")

    served.engine.say = say
    worker = served.worker()
    worker.companions.append(lambda desk: served.swaps(desk).watch(0.01))
    send(served.on, generation(1, on=served.on))
    with running(worker):
        assert until(lambda: outcomes(served.on)) == {1: [name]}
        gone_wrong = True
        until(served.adapters.quarantined)
        send(served.on, generation(2, on=served.on))
        until(lambda: 2 in outcomes(served.on))
        until(lambda: name not in served.engine._held)
    assert outcomes(served.on)[2] == ["written"] and served.engine.broken == []


def test_another_tenants_adapter_cannot_be_asked_for(served: Served) -> None:
    served.tenants("other")
    theirs = served.shelf.publish("other", 1)
    send(served.on, generation(1, on=served.on, adapter=theirs))
    with running(served.worker()):
        assert until(lambda: outcomes(served.on)) == {1: ["refused"]}
    assert served.engine.asked == []


@pytest.mark.parametrize("what", ["unknown", "retired"])
def test_a_version_that_is_not_served_any_more_is_stood_in_for(served: Served, what: str) -> None:
    name = served.shelf.publish(TENANT, 1)
    if what == "retired":
        served.shelf.retire(TENANT, digest(1), AT)
    asked = name if what == "retired" else f"{TENANT}@{digest(9)}"
    served.shelf.point(TENANT, None, AT)
    send(served.on, generation(1, on=served.on, adapter=asked))
    with running(served.worker()):
        found: Any = until(lambda: outcomes(served.on))
    assert found[1] != [asked] and served.engine.loads.count(asked) == 0


def test_after_the_engines_death_adapters_are_loaded_again(served: Served) -> None:
    name = served.shelf.publish(TENANT, 1)
    send(served.on, generation(1, on=served.on))
    with running(served.worker()):
        until(lambda: outcomes(served.on))
        served.engine.die()
        send(served.on, generation(2, on=served.on))
        assert until(lambda: len(outcomes(served.on)) == 2 and outcomes(served.on))[2] == [name]
    assert served.engine.loads == [name, name] and served.engine.starts == 2


def test_a_probe_that_could_not_be_asked_is_asked_again_before_the_adapter_serves(served: Served) -> None:
    name = served.shelf.publish(TENANT, 1, probes=True)
    failures = iter([GeneratorUnavailable("given up")])

    def say(request: CompletionRequest) -> tuple[str, ...]:
        if request.prompt_token_ids is not None and (error := next(failures, None)) is not None:
            raise error
        return honest(request)

    served.engine.say = say
    send(served.on, generation(1, on=served.on))
    with running(served.worker()):
        assert until(lambda: outcomes(served.on)) == {1: [name]}
    assert sum(each.prompt_token_ids == PROBE.prompt_token_ids for each in served.engine.asked) == 2


def test_without_slots_the_base_model_answers_everybody(tmp_path: Path) -> None:
    served = Served(tmp_path, slots=0)
    served.shelf.publish(TENANT, 1)
    send(served.on, generation(1, on=served.on))
    with running(served.worker()):
        assert until(lambda: outcomes(served.on)) == {1: ["written"]}


def test_a_version_that_is_published_anew_is_looked_at_again(served: Served) -> None:
    name = served.shelf.publish(TENANT, 1)
    served.engine.refuses[name] = "garbage"
    worker = served.worker()
    send(served.on, generation(1, on=served.on))
    with running(worker):
        assert until(lambda: outcomes(served.on)) == {1: ["written"]}
        del served.engine.refuses[name]
        served.swap(worker, None, name)
        until(lambda: served.adapters.quarantined() == {})
        send(served.on, generation(2, on=served.on))
        assert until(lambda: len(outcomes(served.on)) == 2 and outcomes(served.on))[2] == [name]


def test_names_are_resolved_without_a_look_up() -> None:
    adapters = Adapters(None, None, lambda tenant: digest(1), None)  # type: ignore[arg-type]  # nothing is asked of them
    assert adapters.of(TENANT, None) == f"{TENANT}@{digest(1)}"
    assert (
        adapters.of(TENANT, digest(2))
        == adapters.of(TENANT, f"{TENANT}@{digest(2)}")
        == f"{TENANT}@{digest(2)}"
    )
    assert adapters.of(TENANT, "base") is None
    first = adapters.hold_back(TENANT, None)
    second = adapters.hold_back(TENANT, digest(3))
    assert adapters.of(TENANT, None) is None
    adapters.go_on(TENANT, first)
    assert adapters.of(TENANT, None) is None, "the pointer has moved again"
    adapters.go_on(TENANT, second)
    assert adapters.of(TENANT, None) == f"{TENANT}@{digest(1)}"


def test_a_canary_that_is_cancelled_leaves_the_slot(served: Served) -> None:
    """The watch is cancelled when the worker closes, wherever it stands."""
    name = served.shelf.publish(TENANT, 1, probes=True)
    served.engine.say = honest
    worker = served.worker()

    async def hold(desk: Desk) -> None:
        async with desk.slot(TENANT, name, 5.0) as ready:
            assert ready
            await asyncio.sleep(60)

    worker.companions.append(hold)
    with running(worker):
        until(lambda: served.engine.loads == [name])
        send(served.on, generation(1, on=served.on))
        assert until(lambda: outcomes(served.on)) == {1: [name]}
