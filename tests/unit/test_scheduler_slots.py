"""Which adapters have the engine's slots: loads, drains, holds, urgency, what is held, and the sequences that once read foreign slots."""

from tests.support.scheduled import Bench


def test_an_adapter_is_loaded_before_anything_is_admitted_for_it() -> None:
    bench = Bench()
    bench.ask("a1", "a2")
    assert bench.step() == ["load a@1"]
    assert bench.step() == [] and bench.scheduler.loading == "a@1"
    bench.at(0.1)
    bench.scheduler.loaded("a@1", 0.1)
    assert bench.step() == ["a1", "a2"]
    assert bench.scheduler.residents == {"a@1": 0.1} and bench.scheduler.swaps == 1


def test_one_load_at_a_time() -> None:
    bench = Bench(slots=3)
    bench.ask("a1", "b1", "c1")
    assert bench.step() == ["load a@1"]
    bench.scheduler.loaded("a@1", 0.0)
    assert bench.step() == ["a1", "load b@1"]


def test_requests_for_the_base_model_need_no_slot() -> None:
    bench = Bench(slots=1)
    bench.ask("a1", adapter=None)
    bench.ask("b1")
    assert bench.step() == ["a1", "load b@1"]


def test_requests_for_the_base_model_flow_while_every_slot_drains() -> None:
    bench = Bench(slots=2)
    bench.ask("a1", "b1", "c1", "d1")
    bench.load("a@1", "b@1")
    bench.at(3.0).ask("a2", "b2")
    assert bench.step() == []
    assert not any(bench.scheduler.open_for(each, 3.0) for each in ("a@1", "b@1"))
    for id in ("e1", "e2", "e3"):
        bench.ask(id, adapter=None)
        assert bench.step() == [id]


def test_the_next_adapter_waits_until_another_has_drained() -> None:
    bench = Bench(slots=2)
    bench.ask("a1", "b1", "c1", "c2")
    assert bench.load("a@1", "b@1") == ["a1", "b1"]
    assert bench.at(5.0).step() == []
    bench.finish("a1")
    assert bench.step() == ["load c@1"]
    assert set(bench.scheduler.residents) == {"b@1"}
    bench.scheduler.loaded("c@1", 5.0)
    assert bench.step() == ["c1", "c2"]


def test_an_idle_resident_gives_way_at_once_the_least_recently_used_first() -> None:
    bench = Bench(slots=3)
    bench.ask("a1", "b1", "c1")
    bench.load("a@1", "b@1", "c@1")
    for now, id in enumerate(("b1", "a1", "c1")):
        bench.at(float(now)).finish(id)
    bench.ask("d1")
    assert bench.step() == ["load d@1"]
    assert set(bench.scheduler.residents) == {"a@1", "c@1"}


def test_a_resident_keeps_its_slot_as_long_as_nobody_needs_it() -> None:
    bench = Bench(slots=1)
    bench.ask("a1")
    bench.load("a@1")
    bench.finish("a1")
    assert bench.at(500.0).step() == []
    bench.ask("a2")
    assert bench.step() == ["a2"]


def test_what_comes_for_a_quiet_resident_within_its_hold_is_still_admitted() -> None:
    bench = Bench(slots=1)
    bench.ask("a1", "b1")
    bench.load("a@1")
    bench.at(1.9).ask("a2")
    assert bench.step() == ["a2"]
    bench.at(2.0).ask("a3")
    assert bench.step() == []
    bench.finish("a1")
    assert bench.step() == []
    bench.finish("a2")
    assert bench.step() == ["load b@1"]


def test_a_resident_with_work_yields_after_its_hold_to_the_tenant_that_was_served_less() -> None:
    bench = Bench(slots=1, in_flight=1)
    bench.ask("a1", "a2", "a3")
    assert bench.load("a@1") == ["a1"]
    bench.ask("b1")
    assert bench.step() == []
    assert bench.scheduler.wake_at() == 2.0
    bench.at(1.9).finish("a1", tokens=10)
    assert bench.step() == ["a2"]
    assert bench.at(2.0).step() == []
    bench.at(2.5).finish("a2", tokens=10)
    assert bench.step() == ["load b@1"]
    bench.scheduler.loaded("b@1", 2.5)
    assert bench.step() == ["b1"]


def test_a_resident_with_work_does_not_yield_to_a_tenant_that_was_served_more_until_that_is_overdue() -> None:
    bench = Bench(slots=1, in_flight=1)
    bench.ask("b1", adapter=None)
    bench.step()
    bench.ask("a1", "a2", "a3", "a4")
    bench.ask("b2")
    bench.finish("b1", tokens=1000)
    assert bench.load("a@1") == ["a1"]
    assert bench.at(4.0).step() == [] and bench.scheduler.wake_at() == 6.0
    bench.finish("a1")
    assert bench.step() == ["a2"]
    assert bench.at(6.0).step() == [] and bench.scheduler.wake_at() == 12.0
    bench.finish("a2")
    assert bench.step() == ["a3"]
    assert bench.at(12.0).step() == []
    bench.finish("a3")
    assert bench.step() == ["load b@1"]


def test_the_hold_begins_with_the_first_admission() -> None:
    """A full engine lets it wait; without this it would drain before it was served."""
    bench = Bench(slots=1, in_flight=1)
    bench.ask("c1", adapter=None)
    bench.step()
    bench.ask("a1", "b1")
    assert bench.load("a@1") == []
    assert bench.at(3.9).step() == []
    bench.finish("c1")
    assert bench.step() == ["a1"]
    bench.at(5.8).ask("a2")
    bench.finish("a1")
    assert bench.step() == ["a2"]


def test_of_candidates_the_one_served_least_is_next_then_the_shortest_line() -> None:
    bench = Bench(slots=1)
    bench.ask("z1", "z2")
    bench.load("z@1")
    bench.ask("d1", adapter=None)
    bench.step()
    bench.ask("a1", "a2", "b1", "d2")
    bench.finish("d1", tokens=50)
    bench.finish("z2")
    order = []
    bench.step()
    for now, drained in enumerate((("z1",), ("b1",), ("a1", "a2"))):
        bench.at(0.1 * now).finish(*drained)
        order += bench.step()
        bench.scheduler.loaded(order[-1].removeprefix("load "), bench.now)
        order += bench.step()
    assert order == ["load b@1", "b1", "load a@1", "a1", "a2", "load d@1", "d2"]


def test_an_urgent_candidate_is_next_whatever_was_served_and_the_longest_waiting_first() -> None:
    bench = Bench(slots=1)
    bench.ask("b1", "c1", adapter=None)
    bench.step()
    bench.finish("b1", tokens=5000)
    bench.finish("c1", tokens=500)
    bench.ask("z1")
    bench.load("z@1")
    bench.at(1.0).ask("b2")
    bench.at(2.0).ask("c2")
    bench.at(7.5).ask("a1")
    bench.at(8.0).finish("z1")
    order = []
    for drained in ("b2", "c2", "a1"):
        order += bench.step()
        bench.scheduler.loaded(order[-1].removeprefix("load "), bench.now)
        order += bench.step()
        bench.finish(drained)
    assert order == ["load b@1", "b2", "load c@1", "c2", "load a@1", "a1"]


def test_batch_work_is_urgent_later_than_a_person() -> None:
    bench = Bench(slots=1)
    bench.ask("z1")
    bench.load("z@1")
    bench.ask("b1", priority=2)
    bench.at(5.0).ask("a1", prompt_tokens=1000)
    bench.at(17.0).finish("z1")
    assert bench.step() == ["load a@1"]
    bench.scheduler.loaded("a@1", 17.0)
    bench.step()
    bench.at(18.0).ask("c1")
    bench.finish("a1")
    assert bench.step() == ["load b@1"]


def test_the_last_busy_resident_stays_while_others_drain() -> None:
    """Else nothing could be admitted until they have drained, and the engine would run empty."""
    bench = Bench(slots=2, in_flight=2)
    bench.ask("a1", "a2", "a3", "b1", "b2", "b3")
    bench.load("a@1", "b@1")
    bench.ask("c1", "d1")
    bench.at(10.0).step()
    assert [bench.scheduler.open_for(each, 10.0) for each in ("a@1", "b@1")].count(True) == 1


def test_drained_residents_serve_again_if_nobody_needs_their_slots() -> None:
    bench = Bench(slots=1)
    bench.ask("a1", "b1")
    bench.load("a@1")
    bench.at(3.0).ask("a2")
    assert bench.step() == []
    bench.scheduler.cancel("b1")
    assert bench.step() == ["a2"]


def test_a_failed_load_hands_back_who_waited_and_frees_the_slot() -> None:
    bench = Bench(slots=1)
    bench.ask("a1", arrived=-1.0)
    bench.ask("b1", "b2", "b3")
    assert bench.step() == ["load a@1"]
    bench.ask("a2", arrived=-2.0)
    assert bench.scheduler.load_failed("a@1", 0.1) == ["a2", "a1"]
    assert bench.scheduler.waiting == 3
    bench.ask("a1", "a2", adapter="a@0")
    assert bench.step() == ["load a@0"]
    bench.scheduler.loaded("a@0", 0.2)
    assert bench.step() == ["a1", "a2"]


def test_what_the_engine_holds_beyond_its_slots_is_loaded_again_and_the_oldest_goes_when_it_is_full() -> None:
    bench = Bench(slots=1, held=3)
    for id in ("a1", "b1", "c1", "b2"):
        bench.ask(id)
        assert bench.load(f"{id[0]}@1") == [id]
        bench.finish(id)
    assert bench.scheduler.held == ("a@1", "c@1", "b@1")
    bench.ask("d1")
    assert bench.step() == ["unload a@1"]
    assert bench.step() == []
    bench.scheduler.unloaded("a@1", 0.0)
    assert bench.load("d@1") == ["d1"]
    assert bench.scheduler.held == ("c@1", "b@1", "d@1")


def test_rather_what_nobody_waits_for_is_unloaded() -> None:
    bench = Bench(slots=1, held=3)
    for id in ("a1", "b1", "c1"):
        bench.ask(id)
        bench.load(f"{id[0]}@1")
        bench.finish(id)
    bench.ask("a2", "a3", "d1")
    assert bench.step() == ["unload b@1"]


def test_an_old_version_drains_then_is_unloaded() -> None:
    bench = Bench(slots=2)
    bench.ask("a1", adapter="a@old")
    bench.load("a@old")
    bench.ask("a2", adapter="a@old")
    bench.ask("a3", adapter="a@new")
    bench.scheduler.retire("a@old")
    assert bench.load("a@new") == ["a2", "a3"]
    bench.finish("a1")
    assert bench.step() == []
    bench.finish("a2")
    assert bench.step() == ["unload a@old"]
    bench.scheduler.unloaded("a@old", 0.0)
    assert bench.step() == [] and bench.scheduler.held == ("a@new",)


def test_requests_of_before_the_swap_still_get_the_version_that_they_name() -> None:
    bench = Bench(slots=1)
    bench.ask("a1", adapter="a@old")
    bench.scheduler.retire("a@old")
    assert bench.load("a@old") == ["a1"]
    bench.finish("a1")
    assert bench.step() == ["unload a@old"]
    bench.scheduler.unloaded("a@old", 0.0)
    bench.ask("a2", adapter="a@old")
    assert bench.step() == ["load a@old"]


def test_a_retired_adapter_that_was_never_loaded_is_nothing_to_unload() -> None:
    bench = Bench()
    bench.scheduler.retire("a@1")
    assert bench.step() == []
    bench.ask("a1")
    assert bench.load("a@1") == ["a1"]
    bench.finish("a1")
    assert bench.step() == []


def test_a_quarantined_adapter_hands_back_who_waits_and_goes_when_it_has_drained() -> None:
    bench = Bench(slots=2, in_flight=1)
    bench.ask("a1", "a2", "a3")
    bench.load("a@1")
    assert bench.scheduler.withdraw("a@1", 0.0) == ["a2", "a3"]
    bench.ask("a2", "a3", adapter=None)
    assert bench.step() == []
    bench.finish("a1")
    assert bench.step() == ["a2", "unload a@1"]


def test_while_the_engine_is_half_empty_every_second_slot_goes_to_the_longest_line() -> None:
    bench = Bench(slots=4, in_flight=16)
    bench.ask("a1", "b1", "c1", *(f"d{number}" for number in range(10)))
    assert bench.at(6.0).step() == ["load d@1"]
    bench.ask(*(f"e{number}" for number in range(10)))
    bench.scheduler.loaded("d@1", 6.0)
    assert bench.step() == [*(f"d{number}" for number in range(10)), "load a@1"]


def test_after_a_new_start_everything_is_loaded_again() -> None:
    bench = Bench(slots=2, in_flight=2)
    bench.ask("a1", "b1")
    assert bench.load("a@1", "b@1") == ["a1", "b1"]
    bench.ask("b2", "c1")
    bench.scheduler.reset(1.0)
    assert (bench.scheduler.in_flight, bench.scheduler.waiting) == (0, 2)
    assert bench.scheduler.residents == {} and bench.scheduler.held == ()
    bench.at(1.0).finish("a1", "b1")
    bench.scheduler.loaded("a@1", 1.0)
    bench.ask("a1", "b1")
    assert bench.load("b@1", "c@1") == ["b2", "b1"]
    bench.finish("b1", "b2")
    assert bench.step() == ["c1", "load a@1"]
    bench.scheduler.loaded("a@1", 1.0)
    assert bench.step() == ["a1"]


def test_a_load_that_was_under_way_in_the_engine_that_died_is_asked_for_again() -> None:
    bench = Bench(slots=1)
    bench.ask("a1")
    bench.step()
    bench.scheduler.reset(0.0)
    assert bench.step() == ["load a@1"]


def test_one_slot_drains_loads_serves() -> None:
    bench = Bench(slots=1)
    bench.ask("a1", "b1")
    assert bench.load("a@1") == ["a1"]
    bench.finish("a1")
    assert bench.load("b@1") == ["b1"]


def test_four_loads_while_idle_then_the_first_again() -> None:
    """The sequence in which a cap of adapters in flight alone read a foreign slot: never more than one request was in flight, but the first
    adapter's slot had gone to another, unseen. Here it has to be loaded, and decoded with, before it is asked again.
    """
    bench = Bench(slots=4)
    for id in ("a1", "b1", "c1", "d1", "e1"):
        bench.ask(id)
        assert bench.load(f"{id[0]}@1") == [id]
        bench.finish(id)
    assert "a@1" not in bench.scheduler.residents
    bench.ask("a2")
    assert bench.step() == ["load a@1"]
    bench.scheduler.loaded("a@1", 1.0)
    assert bench.step() == ["a2"]


def test_loads_of_new_versions_under_load() -> None:
    """The sequence that mixed tenants: loads one after another while others decode. Each waits until a slot has drained."""
    bench = Bench(slots=4, in_flight=100)
    for tenant in "abcdefgh":
        bench.ask(*(f"{tenant}{number}" for number in range(3)))
    bench.load("a@1", "b@1", "c@1", "d@1")
    flying = [f"{tenant}{number}" for tenant in "abcd" for number in range(3)]
    assert bench.at(10.0).step() == []
    for id in flying[:2]:
        bench.finish(id)
        assert bench.step() == []
    bench.finish(flying[2])
    assert bench.step() == ["load e@1"]
    bench.finish(*flying[3:6])
    assert bench.step() == []
    bench.scheduler.loaded("e@1", 10.0)
    assert bench.step() == ["e0", "e1", "e2", "load f@1"]


def test_a_resident_that_the_engine_has_put_out_is_none_any_more() -> None:
    """The engine puts out the least recently used: not the one that drained last but one that stood idle, its tenant at its limit."""
    bench = Bench(slots=3, per_tenant=1)
    bench.ask("a1", "b1", "c1")
    bench.load("a@1", "b@1", "c@1")
    bench.finish("a1")
    bench.at(1.0).ask("a2", adapter=None)
    assert bench.step() == ["a2"]
    bench.ask("a3", "d1")
    assert bench.step() == []
    bench.finish("b1")
    assert bench.step() == ["load d@1"]
    assert set(bench.scheduler.residents) == {"c@1"} and set(bench.scheduler.candidates) == {"a@1"}
    bench.finish("a2")
    assert bench.step() == []
    bench.scheduler.loaded("d@1", 1.0)
    assert bench.load("a@1") == ["d1", "a3"]


def test_while_one_is_loaded_a_slot_drains_for_the_next() -> None:
    bench = Bench(slots=2)
    bench.ask("a1")
    bench.load("a@1")
    bench.at(5.0).ask("b1")
    assert bench.step() == ["load b@1"]
    assert bench.scheduler.open_for("a@1", 5.0)
    bench.ask("c1")
    assert bench.step() == []
    assert not bench.scheduler.open_for("a@1", 5.0)


def test_a_resident_with_more_than_its_share_in_flight_does_not_drain_for_whoever_is_not_urgent() -> None:
    """More comes for it before it has drained, most likely."""
    bench = Bench(slots=2)
    bench.ask("a1", "a2", "a3")
    bench.load("a@1")
    bench.ask("b1")
    bench.load("b@1")
    bench.at(5.0).ask("c1", "d1")
    assert bench.step() == []
    assert bench.scheduler.open_for("a@1", 5.0) and not bench.scheduler.open_for("b@1", 5.0)


def test_later_requests_do_not_make_an_adapter_wait_anew_and_a_person_makes_it_urgent_sooner() -> None:
    bench = Bench(slots=1)
    bench.ask("z1")
    bench.load("z@1")
    bench.ask("b1", priority=2, prompt_tokens=0)
    bench.at(1.0).ask("c1")
    bench.at(5.0).ask("b2")
    assert bench.scheduler.candidates == {"b@1": 0.0, "c@1": 1.0}
    bench.at(6.0).finish("z1")
    assert bench.step() == ["load b@1"]
