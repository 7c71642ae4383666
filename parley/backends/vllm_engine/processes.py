"""The processes that an engine runs in: which they are, and their end. vLLM brings psutil along, which knows them on every system."""

import signal
from collections.abc import Collection
from contextlib import suppress
from time import monotonic, sleep
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psutil import Process

GONE_WITHIN_S = 2.0
LOOK_EVERY_S = 0.02


def children() -> "set[Process]":
    """This process's, and theirs. None where psutil is missing, and vLLM with it, which then starts nothing."""
    try:
        import psutil
    except ImportError:
        return set()
    return set(psutil.Process().children(recursive=True))


def kill(processes: "Collection[Process]") -> None:
    """At once: an engine's processes hold nothing that anybody needs afterwards, and take seconds to end by themselves.

    How they ended is left for vLLM to ask the system, which tells it once: without it vLLM takes them to be there still.
    """
    import psutil

    for each in processes:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    until = monotonic() + GONE_WITHIN_S
    while not all(map(is_over, processes)) and monotonic() < until:
        sleep(LOOK_EVERY_S)


def is_over(process: "Process") -> bool:
    """Also where nobody has asked yet how it ended: a zombie does nothing any more."""
    import psutil

    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def deaf_to_the_terminal() -> None:
    """What this thread starts from now on does not hear Ctrl-C: when the engine ends is decided by the process that it belongs to."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
