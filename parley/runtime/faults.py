"""Describing an unexpected error without its message: an exception's words may quote what a customer wrote."""

import logging
import traceback
from types import TracebackType

from parley.errors import ParleyError


def describe(error: BaseException) -> str:
    """The error's type and the innermost places it passed through, e.g. `KeyError at turns.py:41 < decider.py:60`."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places or 'unknown place'}"


def summary(error: BaseException) -> str:
    """What people are told: a `ParleyError` in its own words, which quote no customer, any other one as `describe` has it."""
    return str(error) if isinstance(error, ParleyError) else describe(error)


def frames(error: BaseException) -> str:
    """Where the error came from, line by line, without its words or any value."""
    return "".join(traceback.format_tb(error.__traceback__))


class Wordless(logging.Formatter):
    """For every handler: libraries log the errors that reach them with all their words, uvicorn those of every request."""

    def format(self, record: logging.LogRecord) -> str:
        record.exc_text = None  # another handler may have kept it there with its words
        return super().format(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        return "" if ei[1] is None else f"{frames(ei[1])}{type(ei[1]).__name__}"
