"""A clock's times to milliseconds from the call's beginning."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.calls.draft import Heard
from connectors.calls.transcript import MOST_MS, TranscriptRefused

_MILLISECOND = timedelta(milliseconds=1)


def on_timeline(heard: Sequence[Heard], started_at: datetime | None) -> tuple[datetime | None, list[Heard]]:
    """The call's beginning, and its turns by milliseconds from it.

    The beginning is what the source says, or the earliest clock time, whichever is earlier. Raises `TranscriptRefused` for a call of a
    century.
    """
    clocked = [turn.start_at for turn in heard if turn.start_at is not None]
    if not clocked:
        return started_at, list(heard)
    begin = min(clocked) if started_at is None else min(started_at, *clocked)
    return begin, [_relative(turn, begin) for turn in heard]


def since(begin: datetime, then: datetime, at: str) -> int:
    """Whole milliseconds from one time to a later one."""
    passed = round((then - begin) / _MILLISECOND)
    if passed > MOST_MS:
        raise TranscriptRefused(f"{at or 'a turn'} begins a century after the call")
    return max(0, passed)


def later(moment: datetime, milliseconds: int, at: str) -> datetime:
    try:
        return moment + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise TranscriptRefused(f"{at} lies beyond the year 9999") from error


def after(start: int | datetime | None, milliseconds: int, at: str) -> int | datetime | None:
    """The end of what began then and lasted so long; None where nobody knows when it began."""
    if isinstance(start, datetime):
        return later(start, milliseconds, at)
    return None if start is None else start + milliseconds


def _relative(turn: Heard, begin: datetime) -> Heard:
    if turn.start_at is None:
        return turn
    end = turn.end_ms if turn.end_at is None else since(begin, turn.end_at, turn.at)
    return replace(turn, start_ms=since(begin, turn.start_at, turn.at), end_ms=end)
