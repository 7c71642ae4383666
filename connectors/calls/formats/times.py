"""A turn's time however it is written: counted from the call's beginning, or a clock's."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.calls.fields import milliseconds, moment, number_of
from connectors.calls.formats.cues import clock_ms
from connectors.calls.transcript import TranscriptRefused

Time = int | datetime | None
"""Milliseconds from the call's beginning, or a clock's time in UTC; None where there is none."""

_DATE = re.compile(r"\d{4}(?:[-/年]|\.\d{1,2}\.)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_FROM_S, _CLOCK_UNTIL_S = 946_684_800, 7_258_118_400  # 2000 to 2200 as seconds since 1970
_CLOCK_UNITS = (1.0, 1e3, 1e6, 1e9)  # seconds, milliseconds, microseconds, nanoseconds


def time_of(value: Any, at: str, scale: float = 1_000.0) -> Time:
    """A date and time, a clock like 00:01:02, or a number of units of which `scale` makes milliseconds.

    A number of thirty years or more is one since 1970, in whatever unit: no call lasts so long. Raises `TranscriptRefused`.
    """
    if value is None or value == "":
        return None
    if isinstance(value, str):
        written = value.strip()
        if is_date(written):
            return moment(written, at)
        if ":" in written:
            return clock_ms(written, at)
        value = written
    number = number_of(value, at)
    if number is None or number * scale < _CLOCK_FROM_S * 1_000:
        return milliseconds(number, at, scale)
    return _since_1970(number, at)


def is_date(written: str) -> bool:
    """Whether this begins like a date, or has what only dates have."""
    return _DATE.match(written) is not None or "-" in written[1:] or "/" in written


def _since_1970(number: float, at: str) -> datetime:
    for unit in _CLOCK_UNITS:
        if _CLOCK_FROM_S <= number / unit < _CLOCK_UNTIL_S:
            return _EPOCH + timedelta(milliseconds=round(number / unit * 1_000))
    raise TranscriptRefused(f"{at} must be a time of at least 0 and below a century, or one since 1970")
