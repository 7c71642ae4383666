"""Whose an engine's process is, and that it does not outlive that one.

An engine whose owner was killed would keep the device's memory, and the next one could not start.
"""

import os
import signal
import sys
from functools import cache
from threading import Event as Flag
from threading import Thread

from parley.backends.vllm_engine.processes import is_over

OWNER = "PARLEY_ENGINE_OWNER"
"""The owner's process id, in the environment of the processes that it starts."""
SPAWNED = "--multiprocessing-fork"
"""What Python starts `multiprocessing`'s processes with; vLLM has no others that last."""
LOOK_EVERY_S = 1.0


def is_engines() -> bool:
    """Whether this is one of an engine's processes: neither the one that the engine belongs to, nor a command that that one started, which
    inherits its environment.
    """
    return os.environ.get(OWNER, str(os.getpid())) != str(os.getpid()) and SPAWNED in sys.orig_argv


@cache
def end_with_owner() -> None:
    """Called in the engine's own processes, as early as vLLM lets us. Elsewhere it does nothing."""
    if is_engines():
        Thread(target=_watch, args=(int(os.environ[OWNER]),), name="parley-owner", daemon=True).start()


def _watch(owner: int) -> None:
    """Until this process starts an engine itself, if it ever does: then it is its own owner."""
    import psutil  # vLLM brings it along

    never = Flag()
    try:
        process = psutil.Process(owner)
        while is_engines() and not is_over(process):
            never.wait(LOOK_EVERY_S)
    except psutil.NoSuchProcess:  # gone before the first look
        pass
    if is_engines():
        os.kill(os.getpid(), signal.SIGKILL)
