"""A start that is given up: interrupted wherever it is, with no process left."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from threading import Event as Flag
from time import monotonic, sleep

import psutil
import pytest

from parley.backends.vllm_engine.building import built, to_its_end

WITHIN_S = 10.0


async def nothing(made: object) -> None:
    raise AssertionError(f"{made} was built in time")


def given_up(build: Callable[[], object], begun: Flag) -> float:
    """Seconds from the cancellation to its end."""

    async def cancel() -> float:
        task = asyncio.ensure_future(built(build, nothing))
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
