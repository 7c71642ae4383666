"""A start of vLLM in a thread of its own, which can be given up at any moment: while it is imported, configured, or loading a model.

vLLM itself knows no way to end a start: it waits for its processes until they are up. So they are killed, and the thread is interrupted
wherever it is. That may leave modules half imported: a start that was given up is for a program that is about to end.
"""

import asyncio
import ctypes
import logging
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from multiprocessing import resource_tracker
from threading import Lock, Thread, get_ident
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


async def called_off(task: "asyncio.Task[Any]") -> None:
    """Cancels it, and waits until it has ended; what it raised is nobody's business any more."""
    task.cancel()
    await to_its_end(_ended(task))


async def _ended(task: "asyncio.Task[Any]") -> None:
    await asyncio.gather(task, return_exceptions=True)


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
        self._interrupting = Lock()
        self._interruptible = self._given_up = False
        self._thread = Thread(target=self._run, name="engine-start", daemon=True)
        self._thread.start()

    def give_up(self) -> None:
        """Returns when the thread has ended and, unless it has built everything, its processes are gone."""
        for look in range(int(LONGEST_S / LOOK_EVERY_S)):
            if not self._thread.is_alive():
                return
            if look % INTERRUPT_EVERY == 0:
                self._interrupt()
            if not self.result.done():
                self._kill_processes()
            self._thread.join(LOOK_EVERY_S)
        log.warning("the engine's start could not be interrupted within %g s", LONGEST_S)

    def _run(self) -> None:
        """Interrupted as often as it may be, it ends with a result."""
        made: list[T] = []
        failed: BaseException | None = None
        try:
            try:
                self._allow_interruptions()
                deaf_to_the_terminal()
                made.append(self._build())
            finally:
                self._end_interruptions()
        except BaseException as error:
            failed = error
            self._end_interruptions()  # where one came before the first call was through
        if made:
            self.result.set_result(made[0])
        else:
            self._kill_processes()
            self.result.set_exception(failed)

    def _interrupt(self) -> None:
        """Only where `_run` handles it: later its id may be another thread's."""
        with self._interrupting:
            self._given_up = True
            if self._interruptible and self._thread.ident is not None:
                _raise_later(self._thread.ident, ctypes.py_object(GivenUp))

    def _allow_interruptions(self) -> None:
        with self._interrupting:
            self._interruptible = not self._given_up
        if self._given_up:
            raise GivenUp

    def _end_interruptions(self) -> None:
        """One that is on its way is raised in here, or taken back."""
        with self._interrupting:
            self._interruptible = False
        _raise_later(get_ident(), ctypes.py_object())

    def _kill_processes(self) -> None:
        if begun := children() - self._before:
            kill(begun)


def _raise_later(thread: int, error: "ctypes.py_object[type[BaseException]]") -> None:
    """As soon as the thread runs Python again; NULL takes back what was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), error)
