"""The garbage collector's part in latency."""

import gc

THRESHOLDS = (20_000, 20, 20)
"""Python's own (700, 10, 10) look through young objects every few records."""


def settle() -> None:
    """Call once everything is loaded: what is there now stays, and is never looked through again.

    A full collection over a loaded platform stops all threads for tens of milliseconds; with the modules, schemas and models
    frozen (https://docs.python.org/3/library/gc.html#gc.freeze) it has only conversations to look at.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
