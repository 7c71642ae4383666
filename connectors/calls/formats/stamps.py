"""When a line of text was said: an offset into the call (`00:01:23`), the time of a day (`09:30:05 AM`), or a date with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

from connectors.calls.formats.cues import clock_ms
from connectors.calls.transcript import TranscriptRefused

_DAY_MS = 86_400_000
_CLOCK_MS = 3_600_000  # no call's first words are an hour into it: from there on it is the time of a day
_HALF = r"[AaPp]\.?[Mm]\.?(?![^\W_])"
_CLOCK = rf"[-−]?\d{{1,3}}(?::\d{{1,3}}){{1,3}}(?:[.,]\d{{1,9}})?(?![:\d])(?:\s?{_HALF})?"
WRITTEN = (
    rf"(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}[T,]?\s{{0,2}})?{_CLOCK}(?:Z(?![^\W_])|[+-]\d\d:?\d\d)?"
    rf"(?:\s?(?:[-–—~]|to)\s?{_CLOCK})?"
)
"""A time as text has it, without its brackets; of a span the beginning counts."""
_PARTS = re.compile(
    rf"(?:(\d{{4}})[-/.](\d{{1,2}})[-/.](\d{{1,2}})[T,]?\s{{0,2}})?([\d:.,]+)\s?({_HALF})?(Z|[+-]\d\d:?\d\d)?.*"
)
_BELOW_MS = re.compile(r"(?<=[.,]\d{3})\d+")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?(?:[.,](\d{1,9}))?")


@dataclass(frozen=True, slots=True)
class Stamp:
    """`ms` from the call's beginning or, of a `clock`, from midnight; in `zone` on `day` where it has a date."""

    ms: int
    clock: bool = False
    day: date | None = None
    zone: timezone = UTC


def stamp_of(written: str, at: str) -> Stamp:
    """Of what `WRITTEN` matches. Raises `TranscriptRefused` with the place for what looks like a time and is none."""
    if written[:1] in "-−":
        raise TranscriptRefused(f"{at}: a time must not be negative")
    found = _PARTS.fullmatch(written)
    if found is None:
        raise TranscriptRefused(f"{at}: a time must read like 00:01:02.500")
    year, month, day, clock, half, zone = found.groups()
    if year is None and half is None:
        return Stamp(clock_ms(_BELOW_MS.sub("", clock), at))
    return Stamp(
        _of_day(clock, half, at), True, _day(year, month, day, at) if year else None, _zone(zone, at)
    )


def _of_day(clock: str, half: str | None, at: str) -> int:
    found = _TIME_OF_DAY.fullmatch(clock)
    hour = int(found[1]) if found else 24
    if found is None or not (1 <= hour <= 12 if half else hour <= 23):
        raise TranscriptRefused(
            f"{at}: the time of a day must read like {'09:30:05 AM' if half else '21:30:05'}"
        )
    if half:
        hour = hour % 12 + (12 if half[0] in "Pp" else 0)
    seconds = (hour * 60 + int(found[2])) * 60 + int(found[3] or 0)
    return seconds * 1_000 + int((found[4] or "0")[:3].ljust(3, "0"))


def _day(year: str, month: str, day: str, at: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError as error:
        raise TranscriptRefused(f"{at}: a date must read like 2026-03-01") from error


def _zone(written: str | None, at: str) -> timezone:
    if written is None or written == "Z":
        return UTC
    ahead = timedelta(hours=int(written[1:3]), minutes=int(written[-2:]))
    if ahead >= timedelta(days=1):
        raise TranscriptRefused(f"{at}: a zone must read like +01:00")
    return timezone(-ahead if written[0] == "-" else ahead)


def placed_in_time(stamps: Sequence[Stamp | None]) -> list[int | datetime | None]:
    """The stamps of a text in its order, as a draft has them: milliseconds from the call's beginning, or points in time where one of
    them has a date.

    The times of a day begin the call with the earliest, and go on behind midnight.
    """
    known = [stamp for stamp in stamps if stamp is not None]
    day = next((stamp.day for stamp in known if stamp.day is not None), None)
    if day is not None:
        return _dated(stamps, day)
    if not known or not (known[0].ms >= _CLOCK_MS or any(stamp.clock for stamp in known)):
        return [None if stamp is None else stamp.ms for stamp in stamps]
    passed = _through_midnights(known)
    begin, each = min(passed), iter(passed)
    return [None if stamp is None else next(each) - begin for stamp in stamps]


def _through_midnights(stamps: Sequence[Stamp]) -> list[int]:
    passed: list[int] = []
    days = 0
    for before, stamp in zip((None, *stamps), stamps, strict=False):
        # what is a little earlier than the line before was said at once with it
        days += _DAY_MS * (before is not None and stamp.ms < before.ms - _DAY_MS // 2)
        passed.append(days + stamp.ms)
    return passed


def _dated(stamps: Sequence[Stamp | None], day: date) -> list[int | datetime | None]:
    """A time without a date is of the day of the line before, or of the next one where it is behind midnight."""
    found: list[int | datetime | None] = []
    before, zone = 0, next(stamp.zone for stamp in stamps if stamp is not None and stamp.day is not None)
    for stamp in stamps:
        if stamp is None:
            found.append(None)
            continue
        if stamp.day is None and stamp.ms < before - _DAY_MS // 2:
            day = min(day, date.max - timedelta(days=1)) + timedelta(days=1)
        day, zone = (day, zone) if stamp.day is None else (stamp.day, stamp.zone)
        before = stamp.ms
        found.append(_moment(day, zone, stamp.ms))
    return found


def _moment(day: date, zone: timezone, ms: int) -> datetime:
    try:
        return (datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(milliseconds=ms)).astimezone(
            UTC
        )
    except OverflowError as error:
        raise TranscriptRefused(
            "started_at: a time at the ends of the calendar; allowed: 1900 to 2200"
        ) from error
