"""Whose an engine's process is, and that it does not outlive that one. Imported in the engine's own processes, as early as vLLM lets us.

An engine whose owner was killed would keep the device's memory, and the next one could not start.
"""

import os
import signal
from threading import Event as Flag
from threading import Thread

OWNER = "PARLEY_ENGINE_OWNER"
"""The owner's process id, in the environment of the processes that it starts."""
LOOK_EVERY_S = 1.0


def is_engines() -> bool:
    """Whether this is one of an engine's processes, and not the one that the engine belongs to."""
    return os.environ.get(OWNER, str(os.getpid())) != str(os.getpid())


def _end_with(owner: int) -> None:
    never = Flag()
    while not never.wait(LOOK_EVERY_S):
        try:
            os.kill(owner, 0)
        except ProcessLookupError:
            os.kill(os.getpid(), signal.SIGKILL)


if is_engines():
    Thread(target=_end_with, args=(int(os.environ[OWNER]),), name="parley-owner", daemon=True).start()
