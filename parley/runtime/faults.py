"""Describing an unexpected error without its message: an exception's words may quote what a customer wrote."""

import traceback


def describe(error: BaseException) -> str:
    """The error's type and the innermost places it passed through, e.g. `KeyError at turns.py:41 < decider.py:60`."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places or 'unknown place'}"
