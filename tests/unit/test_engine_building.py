"""A start that is given up: interrupted wherever it is, with no process left."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from threading import Event as Flag
from threading import Thread, Timer, current_thread
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from parley.backends.vllm_engine import building
from parley.backends.vllm_engine.building import Building, GivenUp, built, to_its_end
from parley.backends.vllm_engine.processes import children

WITHIN_S = 10.0


async def nothing(made: object) -> None:
    raise AssertionError(f"{made} was built in time")


def given_up(
    build: Callable[[], object], begun: Flag, undo: Callable[[Any], Awaitable[None]] = nothing
) -> float:
    """Seconds from the cancellation to its end."""

    async def cancel() -> float:
        task = asyncio.ensure_future(built(build, undo))
        await asyncio.to_thread(begun.wait, WITHIN_S)
        at = monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return monotonic() - at

    return asyncio.run(cancel())


def test_what_is_built_and_what_is_raised_come_back() -> None:
    assert asyncio.run(built(lambda: 7, nothing)) == 7

    def fail() -> None:
        raise ValueError("no model")

    with pytest.raises(ValueError, match="no model"):
        asyncio.run(built(fail, nothing))


def test_a_thread_that_computes_is_interrupted() -> None:
    begun, left = Flag(), Flag()

    def compute() -> None:
        try:
            begun.set()
            while True:
                pass
        except Exception:  # whoever handles those, goes on: it is not one of them
            while True:
                pass
        finally:
            left.set()

    assert given_up(compute, begun) < WITHIN_S
    assert left.is_set()


def test_a_process_that_is_waited_for_is_killed() -> None:
    begun, started = Flag(), []

    def wait_for_a_process() -> None:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        started.append(process)
        begun.set()
        process.wait()

    assert given_up(wait_for_a_process, begun) < WITHIN_S
    assert not psutil.pid_exists(started[0].pid) or psutil.Process(started[0].pid).status() == "zombie"
    started[0].wait(WITHIN_S)


def test_a_process_that_was_there_before_is_left_alone() -> None:
    begun = Flag()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:

        def wait() -> None:
            begun.set()
            while True:
                sleep(0.01)

        given_up(wait, begun)
        assert other.poll() is None
        other.communicate(b"\n")


def test_a_start_that_fails_leaves_no_process() -> None:
    started: list[subprocess.Popen[bytes]] = []

    def fail() -> None:
        started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]))
        raise ValueError("no room")

    with pytest.raises(ValueError, match="no room"):
        asyncio.run(built(fail, nothing))
    assert started[0].wait(WITHIN_S) == -signal.SIGKILL


def test_an_interruption_does_not_disturb_the_undoing_of_another(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The next is due while the thread looks for processes to kill, which takes a while on a large host."""
    monkeypatch.setattr(building, "INTERRUPT_EVERY", 2)
    begun, killed = Flag(), Flag()

    def slow() -> set[psutil.Process]:
        if current_thread().name == "engine-start":
            for _ in range(100):
                sleep(0.01)
            killed.set()
        return children()

    def compute() -> None:
        begun.set()
        while True:
            sleep(0.01)

    monkeypatch.setattr(building, "children", slow)
    assert given_up(compute, begun) < WITHIN_S
    assert killed.is_set() and caplog.text == ""


def test_what_is_being_told_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that is up and that nobody hears of would not be ended in good order."""
    begun = Flag()
    undone = []

    class Slow(Future[int]):
        def set_result(self, result: int) -> None:
            begun.set()
            for _ in range(50):
                sleep(0.01)
            super().set_result(result)

    async def undo(made: int) -> None:
        undone.append(made)

    monkeypatch.setattr(building, "Future", Slow)
    assert given_up(lambda: 7, begun, undo) < WITHIN_S
    assert undone == [7]


def test_a_start_that_is_given_up_before_its_thread_runs_does_not_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given_up_first, begun = Flag(), Flag()

    class Late(Thread):
        def run(self) -> None:
            given_up_first.wait(WITHIN_S)
            super().run()

    monkeypatch.setattr(building, "Thread", Late)
    made = Building(begun.set)
    Timer(0.2, given_up_first.set).start()
    made.give_up()
    assert isinstance(made.result.exception(), GivenUp) and not begun.is_set()


def test_what_was_built_a_moment_too_late_is_undone() -> None:
    undone = []

    async def undo(made: int) -> None:
        undone.append(made)

    async def late() -> None:
        task = asyncio.ensure_future(built(lambda: 7, undo))
        await asyncio.sleep(0)  # it has begun
        sleep(0.5)  # and is over, before the loop hears of it
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(late())
    assert undone == [7]


def test_its_processes_do_not_hear_the_terminal() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('here')"

    def run() -> str:
        return subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        ).stdout

    assert asyncio.run(built(run, nothing)) == "here\n"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_an_end_is_waited_for_however_often_it_is_cancelled() -> None:
    ended = []

    async def end() -> None:
        await asyncio.sleep(0.2)
        ended.append(True)

    async def cancelled_twice() -> None:
        task = asyncio.ensure_future(to_its_end(end()))
        for _ in range(2):
            await asyncio.sleep(0.02)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled_twice())
    assert ended == [True]
