"""The inference worker on an in-memory bus and a scripted engine: each request has one end, whatever happens on the way."""

from dataclasses import replace
from datetime import timedelta
from threading import Event as Flag
from threading import Thread

import pytest
from prometheus_client import CollectorRegistry

from parley.backends.memory_bus import MemoryBus
from parley.codec import Codec, Erased
from parley.errors import (
    ConfigurationError,
    GeneratorUnavailable,
    NewerVersion,
    PromptTooLong,
    RequestRefused,
)
from parley.metrics import WorkerMetrics
from parley.ports.bus import Record
from parley.ports.engine import CompletionRequest
from parley.ports.keys import KeyStore
from schemas.base import AnyEvent
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated
from schemas.outbound import ReplyDelta
from schemas.topics import INFERENCE_REQUESTS
from tests.support.effectors import until
from tests.support.inference import WITHIN_S, bodies, generation, lag, make_worker, outcomes, running
from tests.support.platform import events_on, make_platform, records_on, send
from tests.support.scripted_engine import SAYS, ScriptedEngine
from tests.support.small_tenant import CONFIG, CONTENT, VERSION
from workers.inference.cancelling import Cancellations
from workers.wiring import Platform


@pytest.fixture
def on() -> Platform:
    return make_platform(MemoryBus())


@pytest.fixture
def engine() -> ScriptedEngine:
    return ScriptedEngine()


def test_every_request_is_written_and_committed(on: Platform, engine: ScriptedEngine) -> None:
    send(on, *(generation(number, on=on) for number in range(40)))
    with running(make_worker(on, engine)):
        until(lambda: len(outcomes(on)) == 40 and lag(on) == 0)
    assert outcomes(on) == {number: ["written"] for number in range(40)}
    assert engine.broken == [] and 1 < engine.most_at_once <= 40


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (("It costs €4", ".50 a mon\ufffd", "th."), "garbled"),
        (("It costs €4.50", " a month<|end", "|>."), "control"),
        (("Keep every number, rate ", "and date exactly."), "instructions"),
    ],
)
def test_a_models_debris_is_never_streamed_and_is_counted(
    on: Platform, says: tuple[str, ...], reason: str
) -> None:
    send(on, generation(1, on=on))
    with running(make_worker(on, ScriptedEngine(lambda request: says))):
        until(lambda: outcomes(on))
    [said] = bodies(on, ReplyGenerated)
    assert not said.guard.passed and said.guard.violations == (reason,)
    assert bodies(on, ReplyDelta) == []
    assert on.registry.get_sample_value("parley_inference_stopped_total", {"reason": reason}) == 1


def test_an_answer_carries_all_that_tells_where_it_comes_from(on: Platform, engine: ScriptedEngine) -> None:
    send(on, generation(1, on=on))
    with running(make_worker(on, engine)):
        until(lambda: outcomes(on))
    [said] = bodies(on, ReplyGenerated)
    assert said.text == "It costs €4.50 a month. Nothing else." and said.guard.passed
    assert said.cited == ("en/fees/1",) and said.model == "scripted@1"
    assert len(said.prompt_hash) == 64 and said.seed == 0 and said.usage.completion_tokens == len(SAYS)
    [asked] = engine.asked
    assert asked.cache_salt == "tenant/bank" and asked.temperature == 0.0
    deltas = [each.body for each in events_on(on, "chat.deltas") if isinstance(each.body, ReplyDelta)]
    assert "".join(delta.text for delta in deltas) == said.text
    assert {delta.attempt for delta in deltas} == {said.attempt}


def test_saying_that_there_is_no_answer_is_an_event_of_its_own(on: Platform) -> None:
    send(on, generation(1, on=on))
    with running(make_worker(on, ScriptedEngine(lambda request: ("NO_AN", "SWER")))):
        assert until(lambda: outcomes(on)) == {1: ["nothing"]}
    assert events_on(on, "chat.deltas") == []


def test_a_human_agent_is_shown_what_a_draft_was_to_be_written_from_where_there_is_none(on: Platform) -> None:
    send(on, generation(1, on=on), generation(2, on=on, purpose="draft"))
    with running(make_worker(on, ScriptedEngine(lambda request: ("NO_AN", "SWER")))):
        assert until(lambda: len(outcomes(on)) == 2)
    said = [e.body for e in events_on(on, "conversation.events") if isinstance(e.body, NothingFound)]
    nearest = {body.generation_id: [each.article_id for each in body.nearest] for body in said}
    assert nearest == {f"{1:032x}": [], f"{2:032x}": ["fees"]}


def test_who_waits_for_an_answer_goes_before_drafts_and_shadows(on: Platform, engine: ScriptedEngine) -> None:
    engine.go_on.clear()
    send(on, generation(0, on=on))
    with running(make_worker(on, engine, in_flight=1, urgent_s=60.0)):
        until(lambda: engine.asked)
        send(on, *(generation(n, on=on, purpose="shadow") for n in (1, 2)))
        send(on, generation(3, on=on, purpose="draft"), generation(4, on=on))
        until(lambda: on.registry.get_sample_value("parley_inference_waiting") == 4)
        engine.go_on.set()
        until(lambda: len(outcomes(on)) == 5)
    order = [int(request.messages[-1].content.rsplit("(", 1)[1][:-1]) for request in engine.asked]
    assert order[:3] == [0, 4, 3] and [request.priority for request in engine.asked] == [0, 0, 1, 2, 2]


# -- cancelled, late --------------------------------------------------------------------------------------------------


def test_a_cancelled_generation_ends_wherever_it_is(on: Platform, engine: ScriptedEngine) -> None:
    engine.go_on.clear()
    cancellations = Cancellations()
    cancellations.cancel(f"{3:032x}")
    send(on, *(generation(n, on=on) for n in (1, 2, 3)))
    with running(make_worker(on, engine, in_flight=1, cancellations=cancellations)):
        until(lambda: engine.asked and on.registry.get_sample_value("parley_inference_waiting") == 1)
        cancellations.cancel(f"{1:032x}")
        until(lambda: len(engine.asked) == 2)
        cancellations.cancel(f"{2:032x}")
        assert until(lambda: len(outcomes(on)) == 3 and outcomes(on)) == {n: ["cancelled"] for n in (1, 2, 3)}
    assert on.registry.get_sample_value("parley_inference_aborts_total", {"reason": "cancelled"}) == 2


def test_what_is_late_is_not_asked_and_what_becomes_late_is_ended(
    on: Platform, engine: ScriptedEngine
) -> None:
    engine.go_on.clear()
    send(on, generation(1, on=on, deadline_s=-1), generation(2, on=on, deadline_s=0.3))
    with running(make_worker(on, engine)):
        found = until(lambda: len(outcomes(on)) == 2 and outcomes(on))
    assert found == {1: ["deadline"], 2: ["deadline"]} and len(engine.asked) == 1


def test_what_waits_too_long_is_told_so(on: Platform, engine: ScriptedEngine) -> None:
    engine.go_on.clear()
    send(on, generation(1, on=on))
    with running(make_worker(on, engine, in_flight=1)):
        until(lambda: engine.asked)
        send(on, generation(2, on=on, deadline_s=0.3))
        assert until(lambda: outcomes(on)) == {2: ["deadline"]}
        engine.go_on.set()
        until(lambda: len(outcomes(on)) == 2)


# -- what the engine says no to ---------------------------------------------------------------------------------------


def test_a_prompt_that_is_too_long_is_told_with_both_numbers(on: Platform) -> None:
    def say(request: CompletionRequest) -> tuple[str, ...]:
        raise PromptTooLong(5000, 4096)

    send(on, generation(1, on=on))
    with running(make_worker(on, ScriptedEngine(say))):
        until(lambda: outcomes(on))
    [failed] = bodies(on, GenerationFailed)
    assert (failed.reason, failed.prompt_tokens, failed.context_tokens) == ("too_long", 5000, 4096)


@pytest.mark.parametrize(
    ("error", "reason"), [(RequestRefused("no"), "refused"), (RuntimeError("secret text"), "error")]
)
def test_what_fails_fails_alone(
    on: Platform, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    def say(request: CompletionRequest) -> tuple[str, ...]:
        if "(2)" in request.messages[-1].content:
            raise error
        return SAYS

    send(on, *(generation(n, on=on) for n in (1, 2, 3)))
    with running(make_worker(on, ScriptedEngine(say))):
        found = until(lambda: len(outcomes(on)) == 3 and lag(on) == 0 and outcomes(on))
    assert found == {1: ["written"], 2: [reason], 3: ["written"]}
    assert "secret" not in caplog.text


def test_a_server_that_is_away_is_asked_again_within_the_deadline(on: Platform) -> None:
    failures = iter([GeneratorUnavailable("away"), GeneratorUnavailable("away")])

    def say(request: CompletionRequest) -> tuple[str, ...]:
        if (error := next(failures, None)) is not None:
            raise error
        return SAYS

    send(on, generation(1, on=on))
    engine = ScriptedEngine(say)
    with running(make_worker(on, engine)):
        assert until(lambda: outcomes(on)) == {1: ["written"]}
    assert engine.broken == [] and len(engine.asked) == 3


def test_a_setting_that_cannot_work_ends_the_worker_and_loses_nothing(on: Platform) -> None:
    def say(request: CompletionRequest) -> tuple[str, ...]:
        raise ConfigurationError("PARLEY_OPENAI_KEY: refused")

    send(on, generation(1, on=on))
    with pytest.raises(ConfigurationError):
        make_worker(on, ScriptedEngine(say)).run(Flag())
    assert outcomes(on) == {} and lag(on) == 1


# -- an engine that dies ----------------------------------------------------------------------------------------------


def test_after_the_engines_death_what_was_under_way_is_asked_once_more(
    on: Platform, engine: ScriptedEngine
) -> None:
    engine.go_on.clear()
    send(on, *(generation(n, on=on) for n in range(5)))
    with running(make_worker(on, engine, in_flight=3)):
        until(lambda: len(engine.asked) == 3)
        engine.die()
        until(lambda: engine.starts == 2)
        engine.go_on.set()
        found = until(lambda: len(outcomes(on)) == 5 and lag(on) == 0 and outcomes(on))
    assert found == {n: ["written"] for n in range(5)} and engine.broken == []


def test_what_brings_the_engine_down_twice_fails(on: Platform) -> None:
    engine = ScriptedEngine()

    def say(request: CompletionRequest) -> tuple[str, ...]:
        if "(2)" in request.messages[-1].content:
            engine.die()
        return SAYS

    engine.say = say
    send(on, *(generation(n, on=on) for n in (1, 2)))
    with running(make_worker(on, engine, in_flight=1)):
        found = until(lambda: len(outcomes(on)) == 2 and lag(on) == 0 and outcomes(on))
    assert found == {1: ["written"], 2: ["unavailable"]} and engine.starts == 3


# -- stopping, redelivery ---------------------------------------------------------------------------------------------


def test_stopping_finishes_what_was_begun_and_leaves_the_rest_to_the_next_owner(
    on: Platform, engine: ScriptedEngine
) -> None:
    engine.go_on.clear()
    send(on, *(generation(n, on=on) for n in range(6)))
    worker = make_worker(on, engine, in_flight=2)
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    until(lambda: len(engine.asked) == 2)
    stop.set()
    until(lambda: worker.intake.under_way() == 2)
    engine.go_on.set()
    thread.join(WITHIN_S)
    assert sorted(outcomes(on).values()) == [["written"]] * 2 and lag(on) >= 4
    with running(make_worker(_with_new_registry(on), engine)):
        until(lambda: len(outcomes(on)) == 6 and lag(on) == 0)


def _with_new_registry(on: Platform) -> Platform:
    """As another process has it."""
    registry = CollectorRegistry()
    return replace(on, registry=registry, metrics=WorkerMetrics(registry))


def test_what_does_not_end_in_time_is_left_uncommitted(on: Platform, engine: ScriptedEngine) -> None:
    engine.go_on.clear()
    send(on, generation(1, on=on))
    with running(make_worker(on, engine, drain_s=0.2)):
        until(lambda: engine.asked)
    assert outcomes(on) == {} and lag(on) == 1


def test_an_unreadable_request_becomes_a_dead_letter_and_a_newer_one_ends_the_worker(
    on: Platform, engine: ScriptedEngine
) -> None:
    on.bus.producer().send(INFERENCE_REQUESTS.name, key=b"k", value=b"garbage").result(5)
    send(on, generation(1, on=on))
    with running(make_worker(on, engine)):
        until(lambda: outcomes(on) and lag(on) == 0)
    [letter] = records_on(on, f"{INFERENCE_REQUESTS.name}.dlq")
    assert letter.value == b"garbage"
    outgoing = on.codec.encode(generation(2, on=on))
    headers = tuple((name, b"9" if name == "version" else value) for name, value in outgoing.headers)
    on.bus.producer().send(outgoing.topic, key=b"k", value=outgoing.value, headers=headers).result(5)
    with pytest.raises(NewerVersion):
        make_worker(_with_new_registry(on), engine).run(Flag())


def test_a_request_that_was_published_twice_is_written_once_and_both_are_committed(
    on: Platform, engine: ScriptedEngine
) -> None:
    engine.go_on.clear()
    twice = generation(1, on=on)
    send(on, twice, twice, generation(2, on=on))
    with running(make_worker(on, engine)):
        until(lambda: len(engine.asked) == 2)
        send(on, twice)
        engine.go_on.set()
        until(lambda: len(outcomes(on)) == 2 and lag(on) == 0)
    assert outcomes(on)[2] == ["written"] and set(outcomes(on)[1]) == {"written"}


def test_a_result_that_cannot_be_made_is_a_failure_and_no_poison(on: Platform) -> None:
    send(on, generation(1, on=on), generation(2, on=on))

    def say(request: CompletionRequest) -> tuple[str, ...]:
        return ("x" * 70_000,) if "(1)" in request.messages[-1].content else SAYS

    with running(make_worker(on, ScriptedEngine(say))):
        found = until(lambda: len(outcomes(on)) == 2 and lag(on) == 0 and outcomes(on))
    assert found == {1: ["error"], 2: ["written"]}


def test_a_server_that_is_away_is_not_asked_by_everybody_who_waits(on: Platform) -> None:
    def say(request: CompletionRequest) -> tuple[str, ...]:
        raise GeneratorUnavailable("away")

    engine = ScriptedEngine(say)
    send(on, *(generation(n, on=on, deadline_s=1.0) for n in range(40)))
    with running(make_worker(on, engine, in_flight=2)):
        until(lambda: len(outcomes(on)) == 40)
    assert len(engine.asked) < 20


class HeldCodec(Codec):
    """Decodes nothing until `go_on`."""

    def __init__(self, keys: KeyStore) -> None:
        super().__init__(keys)
        self.begun, self.go_on = Flag(), Flag()

    def decode(self, record: Record) -> AnyEvent | Erased:
        self.begun.set()
        self.go_on.wait(WITHIN_S)
        return super().decode(record)


def test_what_was_read_of_partitions_that_are_given_up_is_written_by_their_next_owner_alone(
    on: Platform, engine: ScriptedEngine
) -> None:
    """Also what the preparing thread had in hand, or had not come to yet."""
    tenants = [f"t{number}" for number in range(10)]
    for name in tenants:
        on.store.put(VERSION, CONFIG.model_copy(update={"id": name}), CONTENT, on.clock.now())
    send(on, *(generation(number, tenant=tenants[number % 10], on=on) for number in range(100)))
    slow, other = HeldCodec(on.keys), ScriptedEngine()
    second = make_worker(_with_new_registry(on), other)
    with running(make_worker(replace(on, codec=slow), engine)) as first:
        until(lambda: slow.begun.is_set() and first.intake.under_way() == 100)
        with running(second):
            until(lambda: other.asked and lag(on) == first.intake.under_way() < 100)
            slow.go_on.set()
            until(lambda: len(outcomes(on)) == 100 and lag(on) == 0)
    assert outcomes(on) == {number: ["written"] for number in range(100)}
    assert len(engine.asked) + len(other.asked) == 100 and engine.asked


def test_an_erased_customers_request_is_passed_over(on: Platform, engine: ScriptedEngine) -> None:
    gone = generation(1, on=on)
    send(on, gone, generation(2, on=on))
    on.keys.erase(gone.envelope.tenant, gone.envelope.customer_id)
    with running(make_worker(on, engine)):
        until(lambda: outcomes(on) and lag(on) == 0)
    assert outcomes(on) == {2: ["written"]}


def test_a_tenant_that_nobody_knows_fails_and_holds_nothing_up(on: Platform, engine: ScriptedEngine) -> None:
    send(on, generation(1, on=on, tenant="nobody"), generation(2, on=on))
    with running(make_worker(on, engine)):
        found = until(lambda: len(outcomes(on)) == 2 and lag(on) == 0 and outcomes(on))
    assert found == {1: ["error"], 2: ["written"]}


def test_what_an_engine_keeps_of_prompts_is_let_go_of_while_it_runs(
    on: Platform, engine: ScriptedEngine
) -> None:
    with running(make_worker(on, engine, forget_every_s=0.01)):
        until(lambda: engine.forgotten > 2)


def test_deadlines_are_those_of_the_platforms_clock(on: Platform, engine: ScriptedEngine) -> None:
    send(on, generation(1, on=on))
    with running(make_worker(on, engine)):
        until(lambda: outcomes(on))
    [said] = [each for each in events_on(on, "conversation.events") if isinstance(each.body, ReplyGenerated)]
    assert abs(said.envelope.occurred_at - on.clock.now()) < timedelta(seconds=30)
