"""A start of vLLM in a thread of its own, which can be given up at any moment: while it is imported, configured, or loading a model.

vLLM itself knows no way to end a start: it waits for its processes until they are up. So they are killed, and the thread is interrupted
wherever it is. That may leave modules half imported: a start that was given up is for a program that is about to end.
"""

import asyncio
import ctypes
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing import resource_tracker
from threading import Thread
from typing import Any, Generic, TypeVar

from parley.backends.vllm_engine.processes import children, deaf_to_the_terminal, kill

log = logging.getLogger(__name__)

T = TypeVar("T")

LOOK_EVERY_S = 0.1
INTERRUPT_EVERY = 20
"""Looks: what is being undone is not interrupted at each of them, or it would never be."""
LONGEST_S = 20.0
"""An interruption waits for the C code that the thread is in; one that takes longer than this is left to the program's end."""


class GivenUp(BaseException):
    """No `Exception`: whoever handles one would go on."""


async def built(build: Callable[[], T], undo: Callable[[T], Awaitable[None]]) -> T:
    """What `build` returns, or raises. Cancelled, it ends within moments, and no process that it has started is left; `undo` ends what
    was built a moment too late.
    """
    building = Building(build)
    made = asyncio.wrap_future(building.result)
    made.add_done_callback(_retrieved)
    try:
        return await asyncio.shield(made)
    except asyncio.CancelledError:
        await to_its_end(_given_up(building, undo))
        raise


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Whoever cancels this waits for it all the same: what was half ended would stay."""
    task = asyncio.ensure_future(work)
    cancelled = False
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            cancelled = True
    task.result()
    if cancelled:
        raise asyncio.CancelledError


def _retrieved(made: "asyncio.Future[Any]") -> None:
    """Nobody asks for it any more where the start was given up, and asyncio would complain of that."""
    if not made.cancelled():
        made.exception()


async def _given_up(building: "Building[T]", undo: Callable[[T], Awaitable[None]]) -> None:
    await asyncio.to_thread(building.give_up)
    if building.result.done() and building.result.exception() is None:
        await undo(building.result.result())


class Building(Generic[T]):
    """Begins at once."""

    def __init__(self, build: Callable[[], T]) -> None:
        self.result: Future[T] = Future()
        self._build = build
        # Started here, for starting it lets the signal through again that is held back below.
        resource_tracker.ensure_running()
        self._before = children()
        self._thread = Thread(target=self._run, name="engine-start", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        """Returns when the thread has ended and, unless it has built everything, its processes are gone."""
        for look in range(int(LONGEST_S / LOOK_EVERY_S)):
            if self.result.done():
                return
            if look % INTERRUPT_EVERY == 0:
                _interrupt(self._thread)
            self._kill_processes()
            self._thread.join(LOOK_EVERY_S)
        log.warning("the engine's start could not be interrupted within %g s", LONGEST_S)

    def _run(self) -> None:
        with suppress(GivenUp):  # which may come as late as here
            deaf_to_the_terminal()
            try:
                made = self._build()
            except BaseException as error:
                self._kill_processes()
                self.result.set_exception(error)
            else:
                self.result.set_result(made)

    def _kill_processes(self) -> None:
        if begun := children() - self._before:
            kill(begun)


def _interrupt(thread: Thread) -> None:
    """Raise `GivenUp` in it, as soon as it runs Python again."""
    if thread.ident is not None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(GivenUp))
