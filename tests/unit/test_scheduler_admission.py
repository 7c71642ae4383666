"""Who is given to the engine next, and who is refused."""

import pytest

from parley.domain.scheduling import Limits
from tests.support.scheduled import Bench


def base(**more: int) -> Bench:
    return Bench(slots=0, **more)


def test_what_there_is_room_for_is_admitted_at_once_and_once() -> None:
    bench = base(in_flight=2)
    bench.ask("a1", "a2", "a3")
    assert bench.step() == ["a1", "a2"]
    assert bench.step() == []
    bench.finish("a1")
    assert bench.step() == ["a3"]
    assert (bench.scheduler.waiting, bench.scheduler.in_flight) == (0, 2)


def test_the_tenant_that_was_served_least_goes_first() -> None:
    bench = base(in_flight=1)
    bench.ask("a1", "a2", "a3", "b1", "b2")
    assert bench.step() == ["a1"]
    bench.finish("a1", tokens=10)
    assert bench.scheduler.counters == {"a": 10 + 2 * 10, "b": 0}
    assert bench.step() == ["b1"]
    bench.finish("b1", tokens=5)
    assert bench.step() == ["b2"]
    bench.finish("b2", tokens=5)
    assert bench.step() == ["a2"]


def test_output_is_charged_while_it_is_written() -> None:
    bench = base(in_flight=1)
    bench.ask("a1")
    bench.step()
    for tokens, charged in ((3, 16), (7, 24), (7, 24), (5, 24)):
        bench.scheduler.produced("a1", tokens)
        assert bench.scheduler.counters == {"a": charged}


def test_time_without_requests_saves_up_no_credit() -> None:
    bench = base(in_flight=1)
    bench.ask("a1", "a2", "a3", "a4")
    for id in ("a1", "a2"):
        assert bench.step() == [id]
        bench.finish(id, tokens=10)
    bench.ask("b1", "b2")
    assert bench.scheduler.counters == {"a": 60, "b": 60}


def test_a_tenant_that_comes_after_all_have_left_begins_where_the_last_one_is() -> None:
    bench = base()
    bench.ask("a1")
    bench.step()
    bench.finish("a1", tokens=10)
    bench.ask("b1")
    assert bench.scheduler.counters == {"a": 30, "b": 30}


def test_a_tenant_that_comes_back_begins_at_the_least_served_of_those_who_wait() -> None:
    bench = base(in_flight=2)
    bench.ask("a1", "b1", "a2", "b2")
    bench.step()
    bench.scheduler.produced("a1", 10)
    bench.scheduler.produced("b1", 20)
    bench.ask("c1")
    assert bench.scheduler.counters == {"a": 30, "b": 50, "c": 30}


def test_a_tenant_served_from_one_line_has_a_worse_claim_in_the_others() -> None:
    bench = Bench(slots=1, in_flight=3)
    bench.ask("z1")
    bench.load("z@1")
    bench.ask("a1", adapter=None)
    bench.ask("a2", adapter="z@1")
    bench.at(1.0).ask("b1", adapter=None)
    assert bench.step() == ["a1", "b1"]


def test_who_came_back_keeps_what_it_was_served_too_much() -> None:
    bench = base(in_flight=2)
    bench.ask("a1", "b1", "b2")
    bench.step()
    bench.finish("a1", tokens=100)
    bench.ask("a2")
    assert bench.scheduler.counters["a"] == 210
    assert bench.step() == ["b2"]


def test_a_tenant_fills_no_more_than_its_part() -> None:
    bench = base(in_flight=4, per_tenant=2)
    bench.ask("a1", "a2", "a3", "b1")
    assert bench.step() == ["a1", "b1", "a2"]
    bench.finish("a1")
    assert bench.step() == ["a3"]


def test_equals_go_in_order_of_arrival() -> None:
    bench = base(in_flight=1)
    bench.ask("a1", arrived=3.0)
    bench.ask("a2", arrived=1.0)
    bench.ask("b1", arrived=2.0)
    bench.at(3.0)
    assert bench.scheduler.oldest_arrival == 1.0
    assert bench.step() == ["a2"]


def test_a_person_goes_before_a_draft_before_batch_work() -> None:
    bench = base(in_flight=1)
    bench.ask("a1", priority=2)
    bench.ask("a2", priority=1)
    bench.ask("b1", priority=0, prompt_tokens=1000)
    bench.ask("b2", priority=0)
    for id in ("b1", "b2", "a2", "a1"):
        assert bench.step() == [id]
        bench.finish(id)


def test_a_lower_class_is_lifted_one_class_each_time_it_waited_so_long_then_waits_again() -> None:
    bench = base(in_flight=1)
    bench.ask("b1", "b2", "b3", "b4", "b5", prompt_tokens=100)
    bench.ask("a1", "a2", priority=1)
    assert bench.step() == ["b1"]
    bench.finish("b1")
    bench.at(5.9)
    assert bench.step() == ["b2"]
    bench.finish("b2")
    bench.at(6.0)
    assert bench.step() == ["a1"]
    bench.finish("a1")
    bench.at(11.9)
    assert bench.step() == ["b3"]
    bench.finish("b3")
    bench.at(12.0)
    assert bench.step() == ["a2"]


def test_too_late_is_told_as_soon_as_the_deadline_has_passed() -> None:
    bench = base(in_flight=1)
    bench.ask("a1")
    bench.step()
    bench.ask("a2", deadline=5.0)
    bench.ask("a3", deadline=7.0)
    assert bench.step() == [] and bench.scheduler.wake_at() == 5.0
    bench.at(4.9)
    assert bench.step() == []
    bench.at(5.0)
    assert bench.step() == ["a2 deadline"]
    bench.at(30.0)
    bench.finish("a1")
    assert bench.step() == ["a3 deadline"]


def paced(**more: int) -> Bench:
    """One request in flight, and one that took a second for ten tokens, half of its limit: one of 20 is expected to take as long."""
    bench = base(in_flight=2, **more)
    bench.ask("a1", "a2", max_tokens=20)
    bench.step()
    bench.at(1.0).finish("a1", tokens=10)
    return bench


def test_what_cannot_be_ready_in_time_is_told_so_before_its_deadline() -> None:
    bench = paced()
    bench.ask("a3")
    bench.ask("b1", max_tokens=20, deadline=1.9)
    bench.ask("b2", max_tokens=10, deadline=1.6)
    bench.ask("b3", max_tokens=20, deadline=2.5)
    assert bench.step() == ["b1 busy", "a3"]
    assert bench.scheduler.wake_at() == 1.1
    assert bench.at(1.1).step() == ["b2 busy"]
    assert bench.scheduler.wake_at() == 1.5
    assert bench.at(1.4).step() == []
    assert bench.at(1.5).step() == ["b3 busy"]


def test_nobody_is_told_busy_while_nothing_is_in_flight() -> None:
    """The pace may be that of a bad minute."""
    bench = paced()
    bench.finish("a2")
    bench.ask("b1", max_tokens=20, deadline=1.1)
    assert bench.step() == ["b1"]


def test_the_pace_is_counted_from_admission() -> None:
    bench = paced()
    bench.ask("a3", max_tokens=20)
    assert bench.step() == ["a3"]
    bench.at(2.0).finish("a3", tokens=10)
    bench.ask("b1", max_tokens=20, deadline=3.1)
    assert bench.step() == ["b1"]


def test_a_request_whose_turn_comes_too_late_is_not_begun() -> None:
    """Its time had not come at the pace known when it was asked; the engine has become slower since."""
    bench = base(in_flight=3)
    bench.ask("a1", "a2", "a3", max_tokens=20)
    bench.step()
    bench.at(1.0).finish("a1", tokens=10)
    bench.ask("a4", "a5", max_tokens=20)
    assert bench.step() == ["a4"]
    bench.at(1.5)
    bench.ask("b1", max_tokens=20, deadline=4.0)
    assert bench.step() == []
    bench.at(2.9).finish("a2", tokens=2)
    assert bench.step() == ["b1 busy", "a5"]


@pytest.mark.parametrize("max_tokens", (0, 20))
def test_requests_without_output_teach_no_pace(max_tokens: int) -> None:
    bench = base(in_flight=2)
    bench.ask("a1", "a2", max_tokens=max_tokens)
    bench.step()
    bench.at(50.0).finish("a1", tokens=0)
    bench.ask("b1", max_tokens=20, deadline=50.1)
    assert bench.step() == ["b1"]


def test_who_is_cancelled_while_waiting_is_forgotten() -> None:
    bench = base(in_flight=1)
    bench.ask("a1", "a2", "a3")
    bench.step()
    assert bench.scheduler.cancel("a2") and not bench.scheduler.cancel("a2")
    assert not bench.scheduler.cancel("a1")
    bench.finish("a1")
    assert bench.step() == ["a3"]
    bench.finish("a3")
    bench.ask("a2")
    assert bench.step() == ["a2"]


def test_an_engine_without_slots_is_asked_for_any_adapter_by_name() -> None:
    bench = base(in_flight=3)
    bench.ask("a1", adapter="a@1")
    bench.ask("a2", adapter="a@2")
    bench.ask("b1", adapter=None)
    bench.ask("c1", adapter="c@1")
    assert bench.step() == ["a1", "b1", "c1"]
    bench.scheduler.retire("a@1")
    bench.finish("a1")
    assert bench.step() == ["a2"]
    bench.ask("c2", adapter="c@2")
    assert bench.scheduler.withdraw("c@1", bench.now) == [] and bench.scheduler.withdraw("c@2", 0.0) == ["c2"]


def test_one_id_is_one_request() -> None:
    bench = base(in_flight=1)
    bench.ask("a1", "a2")
    bench.step()
    for id in ("a1", "a2"):
        with pytest.raises(ValueError, match=f"request {id} is here already"):
            bench.ask(id)
    with pytest.raises(ValueError, match="priority -1; it must be at least 0"):
        bench.ask("a3", priority=-1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    (
        ({"slots": -1}, "slots is -1; it must be at least 0"),
        ({"held": 3}, "held is 3; it must be at least 4"),
        ({"in_flight": 0}, "in_flight is 0; it must be at least 1"),
        ({"per_tenant": 0}, "per_tenant is 0; it must be at least 1"),
        ({"hold_s": -0.1}, "hold_s is -0.1; it must be at least 0"),
        ({"hold_s": float("nan")}, "hold_s is nan"),
        ({"urgent_s": 0.0}, "urgent_s is 0.0; it must be above 0"),
        ({"input_weight": -1.0}, "input_weight is -1.0"),
        ({"output_weight": -1.0}, "output_weight is -1.0"),
    ),
)
def test_limits_that_cannot_work(wrong: dict[str, float], message: str) -> None:
    settings: dict[str, float] = {"slots": 4, "held": 8, "in_flight": 8, "per_tenant": 8, **wrong}
    with pytest.raises(ValueError, match=message):
        Limits(**settings)  # type: ignore[arg-type]  # some of them are integers
