"""The inference worker while its engine comes up, and when it is told to stop meanwhile: nothing is begun again."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event as Flag
from threading import Thread
from time import monotonic

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.errors import EngineDied
from tests.support.effectors import until
from tests.support.inference import WITHIN_S, generation, lag, make_worker, outcomes
from tests.support.platform import make_platform, send
from tests.support.scripted_engine import ScriptedEngine
from workers.inference.worker import InferenceWorker
from workers.wiring import Platform

SOON_S = 3.0


class SlowEngine(ScriptedEngine):
    """Comes up `quick` times at once, and then never; a start that is given up ends with its engine's death, as vLLM's may."""

    def __init__(self, quick: int) -> None:
        super().__init__()
        self._quick = quick

    async def start(self) -> None:
        await super().start()
        if self.starts > self._quick:
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                with suppress(asyncio.CancelledError):
                    await asyncio.sleep(0.2)  # what it undoes is not left half-way
                raise EngineDied("the engine's process ended") from None


@pytest.fixture
def on() -> Platform:
    return make_platform(MemoryBus())


@contextmanager
def stopped_soon(worker: InferenceWorker) -> Iterator[None]:
    """Running inside, then told to stop, which it has to do without waiting for anything."""
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        began = monotonic()
        stop.set()
        thread.join(2 * WITHIN_S)
    assert monotonic() - began < SOON_S


def test_a_worker_is_ready_when_its_engine_is(on: Platform) -> None:
    engine = SlowEngine(quick=0)
    worker = make_worker(on, engine)
    with stopped_soon(worker):
        until(lambda: engine.starts)
        assert not worker.ready.is_set()
    worker = make_worker(make_platform(MemoryBus()), ScriptedEngine())
    with stopped_soon(worker):
        until(worker.ready.is_set)


def test_a_start_that_is_given_up_is_not_begun_again(on: Platform) -> None:
    engine = SlowEngine(quick=0)
    send(on, generation(1, on=on))
    with stopped_soon(make_worker(on, engine)):
        until(lambda: engine.starts)
    assert engine.starts == 1 and outcomes(on) == {} and lag(on) == 1


def test_an_engine_that_is_being_brought_back_is_given_up(on: Platform) -> None:
    engine = SlowEngine(quick=1)
    engine.go_on.clear()
    send(on, generation(1, on=on))
    with stopped_soon(make_worker(on, engine)):
        until(lambda: engine.asked)
        engine.die()
        until(lambda: engine.starts == 2)
    assert engine.starts == 2 and outcomes(on) == {} and lag(on) == 1


def test_an_engine_that_dies_as_the_worker_ends_is_not_brought_back(on: Platform) -> None:
    engine = ScriptedEngine()
    engine.go_on.clear()
    send(on, *(generation(number, on=on) for number in (1, 2)))
    worker, stop = make_worker(on, engine, in_flight=1), Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    until(lambda: engine.asked)
    stop.set()
    until(lambda: worker.intake.under_way() == 1)  # the other one was handed back: nothing more is begun
    engine.die()
    thread.join(WITHIN_S)
    assert not thread.is_alive() and engine.starts == 1 and lag(on) == 2
