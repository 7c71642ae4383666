"""Dates that name their day, in all forms that the guard reads; where no year or month is said, the nearest one is meant."""

import re
from collections.abc import Iterable, Iterator
from datetime import date

from parley.domain.entities.found import Found
from parley.domain.entities.relative import SHIFTS, month_of
from parley.domain.guard.dates import Written, written_dates
from parley.domain.numerals import ORDINAL, chinese, ordinal

_MAY = re.compile(r"\bmay\b(?= (?:the )?\d)|(?<=\d )may\b|(?<=\d(?:st|nd|rd|th) )may\b|(?<= of )may\b")
_OF_MONTH = re.compile(
    rf"\b(?P<since>since )?(?:(?:on|by|until|till|before|after|from) )?the (?P<day>\d{{1,2}}(?:st|nd|rd|th)|{ORDINAL})\b"
    r"(?: (?:of )?(?P<month>last|this|next) month\b)?(?! (?:of|time|floor|day|attempt|place|payment|card|page|week|one|mistake|question|person)\b)"
)
_OF_MONTH_HAN = re.compile(
    r"(?:(?P<month>上上|上|本|这|下)个?月的?)?(?<![\d尾账帐卡单编第几工型信挂个逗])"
    r"(?P<day>[0-3]?\d|[二三]?十[一二三四五六七八九]?|[一二三四五六七八九])号(?![线楼店门码房院机桌柜窗口台仓车厅馆公路])"
)
_ANNOUNCED = re.compile(r"\b(?:on|by|until|till|before|after|from|since) the ")
"""Without one of these, or a month, `the first` is any first."""


def days(plain: str, on: date) -> Iterator[Found]:
    """Those with a month, then those without."""
    # In small letters the guard takes `may` for the verb; next to a number it is the month.
    for match, written in written_dates(_MAY.sub("May", plain)):
        value = _value(written, on)
        if value is not None:
            yield Found(*match.span(), "date", value)
    for match in _OF_MONTH.finditer(plain):
        if match["month"] or _ANNOUNCED.match(match[0]):
            yield from _of_month(match, _ordinal(match["day"]), on, past=match["since"] is not None)
    for match in _OF_MONTH_HAN.finditer(plain):
        day = match["day"]
        yield from _of_month(match, int(day if day[0].isascii() else chinese(day)), on)


def _ordinal(written: str) -> int:
    return int(re.sub(r"\D", "", written)) if written[0].isdigit() else ordinal(written)


def _of_month(match: re.Match[str], day: int, on: date, *, past: bool = False) -> Iterator[Found]:
    shifts = (SHIFTS[match["month"]],) if match["month"] else (-1, 0) if past else (-1, 0, 1)
    days_ = [_calendar(*month_of(on, shift), day) for shift in shifts]
    value = _nearest((day for day in days_ if day is None or not past or day <= on), on)
    if value is not None:
        start = match.start("month" if match["month"] and not match["month"].isascii() else "day")
        yield Found(start, match.end(), "date", value.isoformat())


def _value(written: Written, on: date) -> str | None:
    """One day, or the first and the last of some: `2026-03-03/2026-03-05`."""
    last = _day(written, written.days[-1], on)
    if last is None:
        return None
    first = _calendar(last.year, last.month, written.days[0])
    if first is None or first >= last:
        return last.isoformat()
    return f"{first.isoformat()}/{last.isoformat()}"


def _day(written: Written, day: int, on: date) -> date | None:
    if written.year:
        return _calendar(int(written.year), written.month, day)
    years = (on.year - 1, on.year, on.year + 1)
    return _nearest((_calendar(year, written.month, day) for year in years), on)


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _nearest(days_: Iterable[date | None], on: date) -> date | None:
    return min((day for day in days_ if day is not None), key=lambda day: abs(day - on), default=None)
