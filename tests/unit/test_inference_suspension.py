"""Texts that wait in mid-sentence while another tenant has the slot: the only one, so that everybody's visit ends for the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from parley.ports.engine import CompletionRequest
from schemas.base import AnyEvent
from schemas.conversation_events import ReplyGenerated
from schemas.outbound import ReplyDelta
from schemas.topics import INFERENCE_REQUESTS
from tests.support.effectors import WITHIN_S, until
from tests.support.inference import bodies, generation, lag, outcomes, running
from tests.support.platform import events_on, records_on, send
from tests.support.scripted_engine import SAYS
from tests.support.served_adapters import AT, Served, digest
from tests.support.small_tenant import TENANT
from workers.inference.cancelling import Cancellations
from workers.inference.desk import Desk
from workers.inference.worker import InferenceWorker

T1 = f"t1@{digest(1)}"
TEXT = "It costs €4.50 a month. Nothing else."


@pytest.fixture
def served(tmp_path: Path) -> Served:
    found = Served(tmp_path, slots=1)
    found.tenants("t0", "t1", "t2")
    for number in range(3):
        found.shelf.publish(f"t{number}", number)
    return found


@contextmanager
def taught(served: Served, **more: Any) -> Iterator[InferenceWorker]:
    """It has seen how long a completion takes; what comes now stops after its first piece."""
    send(served.on, generation(0, tenant="t0", on=served.on))
    with running(served.worker(suspends=True, **more)) as worker:
        until(lambda: outcomes(served.on))
        served.engine.go_on.clear()
        yield worker


def suspended(served: Served) -> float:
    labels = {"reason": "suspended"}
    return served.registry.get_sample_value("parley_inference_aborts_total", labels) or 0.0


def visits(served: Served, adapter: str) -> list[CompletionRequest]:
    """What was asked of this adapter, without the token that shows it loaded."""
    asked = [each for each in served.engine.asked if each.prompt_token_ids is None]
    return [each for each in asked if each.adapter == adapter]


def pieces(served: Served, said: ReplyGenerated) -> list[ReplyDelta]:
    """What was shown of this generation while it was written."""
    deltas = [each.body for each in events_on(served.on, "chat.deltas")]
    return [d for d in deltas if isinstance(d, ReplyDelta) and d.generation_id == said.generation_id]


def put_out(served: Served, asked: AnyEvent, adapter: str, *, times: int = 1) -> None:
    """This text is begun, and suspended for another tenant's; with `times` that one's for it in turn as well."""
    send(served.on, asked)
    until(lambda: visits(served, adapter))
    send(served.on, generation(2, tenant="t2", on=served.on))
    until(lambda: suspended(served) >= times)


def test_texts_take_turns_and_each_is_whole_at_the_end(served: Served) -> None:
    with taught(served):
        send(served.on, *(generation(n, tenant=f"t{n % 3}", on=served.on) for n in range(1, 7)))
        until(lambda: suspended(served) >= 4)
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 7 and lag(served.on) == 0)
    assert all(each == [f"t{n % 3}@{digest(n % 3)}"] for n, each in outcomes(served.on).items())
    for said in bodies(served.on, ReplyGenerated):
        assert said.text == TEXT and said.usage.completion_tokens == len(SAYS)
        own = pieces(served, said)
        assert "".join(each.text for each in own) == TEXT
        assert {each.attempt for each in own} == {said.attempt}
        assert [each.index for each in own] == list(range(len(own)))
    assert served.engine.broken == []


def test_what_goes_on_is_asked_for_its_rest_alone(served: Served) -> None:
    with taught(served):
        put_out(served, generation(1, tenant="t1", on=served.on), T1, times=2)
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 3)
    first = visits(served, T1)
    assert [each.written for each in first][:2] == [(), (0,)]
    assert len({each.request_id for each in first}) == len(first) == 2
    assert len({(each.seed, each.max_tokens, each.messages) for each in first}) == 1
    metrics = served.registry
    assert metrics.get_sample_value("parley_inference_wait_seconds_count", {"tenant": "t1"}) == 1
    assert (metrics.get_sample_value("parley_inference_paused_seconds_count") or 0) >= 1
    assert metrics.get_sample_value("parley_inference_tokens_total", {"tenant": "t1"}) == len(SAYS)


def test_nobody_is_suspended_for_somebody_who_has_not_waited_long(served: Served) -> None:
    with taught(served, urgent_s=60.0):
        send(served.on, generation(1, tenant="t1", on=served.on))
        until(lambda: visits(served, T1))
        send(served.on, generation(2, tenant="t2", on=served.on))
        until(lambda: served.registry.get_sample_value("parley_inference_waiting") == 1)
        assert outcomes(served.on).keys() == {0}
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 3)
        assert suspended(served) == 0


def test_a_suspended_text_is_cancelled_where_it_waits(served: Served) -> None:
    cancellations = Cancellations()
    with taught(served, cancellations=cancellations):
        send(served.on, generation(1, tenant="t1", on=served.on))
        until(lambda: visits(served, T1))
        send(served.on, *(generation(n, tenant="t2", on=served.on) for n in (2, 3)))
        until(lambda: suspended(served) >= 1)
        cancellations.cancel(f"{1:032x}")
        until(lambda: outcomes(served.on).get(1))
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 4)
    assert outcomes(served.on)[1] == ["cancelled"] and served.engine.broken == []


def test_a_suspended_text_whose_time_is_over_fails_as_late(served: Served) -> None:
    with taught(served, urgent_s=0.2):
        send(served.on, generation(1, tenant="t1", on=served.on, deadline_s=0.4))
        until(lambda: visits(served, T1))
        send(served.on, generation(2, tenant="t2", on=served.on))
        until(lambda: outcomes(served.on).get(1))
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 3)
        assert suspended(served) >= 1
    assert outcomes(served.on)[1] in (["deadline"], ["busy"])


def test_a_text_that_was_begun_is_ended_by_the_version_that_began_it(served: Served) -> None:
    old, new = served.shelf.publish(TENANT, 7), served.shelf.publish(TENANT, 8)
    served.shelf.point(TENANT, digest(7), AT)
    with taught(served, urgent_s=0.2) as worker:
        put_out(served, generation(1, on=served.on), old)
        served.shelf.point(TENANT, digest(8), AT)
        assert worker.submit(lambda desk: _retire(desk, old))
        send(served.on, generation(3, on=served.on))
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 4)
    assert outcomes(served.on)[1] == [old] and outcomes(served.on)[3] == [new]
    assert {each.text for each in bodies(served.on, ReplyGenerated)} == {TEXT}
    until(lambda: old not in served.engine._held)


def test_a_text_is_not_gone_on_with_by_another_version(served: Served) -> None:
    """Where its own is quarantined it begins anew, as an attempt of its own, or the answer would say that one wrote what two did."""
    before, bad = served.shelf.publish(TENANT, 7), served.shelf.publish(TENANT, 8)
    with taught(served, urgent_s=0.2) as worker:
        put_out(served, generation(1, on=served.on), bad)
        served.adapters.quarantine(bad, "it answers otherwise")
        assert worker.submit(lambda desk: _retire(desk, bad))
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 3)
    assert outcomes(served.on)[1] == [before]
    [said] = [each for each in bodies(served.on, ReplyGenerated) if each.adapter == before]
    own = [each for each in pieces(served, said) if each.attempt == said.attempt]
    assert said.text == TEXT == "".join(each.text for each in own)


async def _retire(desk: Desk, name: str) -> None:
    desk.retire(name)


def test_after_the_engines_death_a_suspended_text_begins_anew(served: Served) -> None:
    with taught(served):
        put_out(served, generation(1, tenant="t1", on=served.on), T1, times=1)
        served.engine.die()
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 3)
    assert {each.text for each in bodies(served.on, ReplyGenerated)} == {TEXT}


def test_a_pause_before_the_first_text_is_no_part_of_the_time_between_tokens(served: Served) -> None:
    with taught(served):
        served.engine.say = lambda request: ("", *SAYS)
        put_out(served, generation(1, tenant="t1", on=served.on), T1, times=2)
        served.engine.go_on.set()
        until(lambda: len(outcomes(served.on)) == 3)
        assert (served.registry.get_sample_value("parley_inference_token_seconds_sum") or 0) > 0


def test_a_text_that_comes_back_after_its_partition_was_given_up_is_asked_under_other_ids(
    served: Served,
) -> None:
    asked = [generation(n, tenant=f"t{n}", on=served.on) for n in (1, 2)]
    with taught(served) as worker:
        send(served.on, asked[0])
        until(lambda: visits(served, T1))
        send(served.on, asked[1])
        until(lambda: suspended(served) >= 2)
        give_up(worker, served)
        send(served.on, *asked)
        served.engine.go_on.set()
        until(lambda: {1, 2} <= outcomes(served.on).keys())
    assert served.engine.broken == []


def test_a_text_whose_partition_is_given_up_is_not_gone_on_with(served: Served) -> None:
    """The next owner writes it: what was being written is, but it takes no more turns here."""
    with taught(served, urgent_s=0.2) as worker:
        send(served.on, generation(1, tenant="t1", on=served.on))
        until(lambda: visits(served, T1))
        give_up(worker, served)
        send(served.on, generation(2, tenant="t2", on=served.on))
        until(lambda: suspended(served) >= 1)
        served.engine.go_on.set()
        until(lambda: visits(served, f"t2@{digest(2)}"))
        until(lambda: served.registry.get_sample_value("parley_inference_in_flight") == 0)
    assert 1 not in outcomes(served.on) and len(visits(served, T1)) == 1


def give_up(worker: InferenceWorker, served: Served) -> None:
    """It has let go of every partition when this returns: what is sent from then on was not given up."""
    partitions = {each.topic_partition for each in records_on(served.on, INFERENCE_REQUESTS.name)}
    done = Flag()

    async def drop(desk: Desk) -> None:
        desk.drop(partitions)
        done.set()

    assert worker.submit(drop)
    assert done.wait(WITHIN_S)
