"""The garbage collector's part in latency, and memory that loading leaves behind."""

import ctypes
import gc
from contextlib import suppress

THRESHOLDS = (20_000, 20, 20)
"""Python's own (700, 10, 10) look through young objects every few records."""


def settle() -> None:
    """Call once everything is loaded: what is there now stays, and is never looked through again.

    A full collection over a loaded platform stops all threads for tens of milliseconds; with the modules, schemas and models
    frozen (https://docs.python.org/3/library/gc.html#gc.freeze) it has only conversations to look at.
    """
    gc.collect()
    _give_back()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


def _give_back() -> None:
    """What is free goes back to the system, where the C library knows how: glibc keeps what models needed while they were opened."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
