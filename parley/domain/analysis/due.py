"""By when something was promised: a day that is named or counted from the day of the turn."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from parley.domain.entities import entities
from parley.domain.numerals import CHINESE_DIGITS, SMALL, chinese
from schemas.tenant import BusinessHours

_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(word for word in SMALL if word != 'zero')}|an?|the next|couple of)"
_HAN_NUMBER = rf"(?:\d{{1,3}}|[{''.join(CHINESE_DIGITS)}十半]{{1,3}})"
_COUNTED = re.compile(
    rf"\b(?P<count>{_NUMBER}) ?(?P<working>(?:working|business|banking|bank|work)[ -])?(?P<unit>minute|hour|day|week|month)s?\b"
    rf"|(?P<han>{_HAN_NUMBER})个?(?P<han_unit>工作日|小时|钟头|分钟|天|日(?!前)|周|星期|礼拜|月)(?=之?以?[内后中里]|左右|到账|就|$)"
)
_WEEKDAYS = {name: at for at, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_WEEKDAYS |= {name: at for at, name in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAY = re.compile(
    r"(?<!last )(?<!next )(?<!this )(?<!past )(?<!coming )\b(?P<day>mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|(?<![上本这下个每])(?:周|星期|礼拜)(?P<han>[一二三四五六日天])"
)
_END_OF = re.compile(
    r"\bend of (?:the|this) (?P<unit>day|week|month|year)\b|\bclose of (?P<business>business)\b"
    r"|(?P<han>今天下班|下班|本周|这周|这个星期|月底|月末|年底|年末)(?=之?以?[前内]|会|就|还|给|$|，)"
)
_HAN_ENDS = {"今": "day", "下": "day", "本": "week", "这": "week", "月": "month", "年": "year"}
_WEEK = re.compile(r"(\d{4})-W(\d{2})")


@dataclass(frozen=True, slots=True)
class _Found:
    at: int
    day: date


class Calendar:
    """The tenant's days: in its time zone, and working days without its holidays."""

    def __init__(self, hours: BusinessHours) -> None:
        self._zone = ZoneInfo(hours.timezone)
        self._holidays = frozenset(hours.holidays)

    def day_of(self, moment: datetime) -> date:
        return self._local(moment).date()

    def due(self, text: str, plain: str, behind: int, said_at: datetime) -> date | None:
        """The first day that is named behind that place of a sentence, else the last one before it; never one that was over."""
        on = self.day_of(said_at)
        found = sorted(
            (one for one in self._days(text, plain, said_at) if one.day >= on), key=lambda one: one.at
        )
        after = [one for one in found if one.at >= behind]
        return after[0].day if after else found[-1].day if found else None

    def _days(self, text: str, plain: str, said_at: datetime) -> Iterator[_Found]:
        on = self.day_of(said_at)
        for entity in entities(text, on):
            if entity.kind == "date" and (day := last_day(entity.value)) is not None:
                yield _Found(entity.start, day)
        for match in _COUNTED.finditer(plain):
            day = self._counted(match, said_at)
            if day is not None and not _is_past(plain, match.end()):
                yield _Found(match.start(), day)
        for match in _WEEKDAY.finditer(plain):
            yield _Found(match.start(), _coming(on, _WEEKDAYS[(match["day"] or match["han"])[:3]]))
        for match in _END_OF.finditer(plain):
            unit = match["unit"] or ("day" if match["business"] else _HAN_ENDS[match["han"][0]])
            yield _Found(match.start(), _last_of(on, unit))

    def _counted(self, match: re.Match[str], said_at: datetime) -> date | None:
        count = _count(match["count"] or match["han"])
        unit = match["unit"] or match["han_unit"]
        on = self.day_of(said_at)
        if match["working"] or unit == "工作日":
            return self._working_days_on(on, count)
        if unit in ("minute", "hour", "分钟", "小时", "钟头"):
            minutes = count * (1 if unit in ("minute", "分钟") else 60)
            return self._later(said_at, minutes)
        days = {"day": 1, "天": 1, "日": 1, "month": 30, "月": 30}.get(unit, 7)
        return _plus(on, count * days)

    def _later(self, said_at: datetime, minutes: int) -> date | None:
        try:
            return self.day_of(said_at + timedelta(minutes=minutes))
        except OverflowError:
            return None

    def _local(self, moment: datetime) -> datetime:
        try:
            return moment.astimezone(self._zone)
        except OverflowError:
            return moment

    def _working_days_on(self, on: date, count: int) -> date | None:
        day: date | None = on
        while count and day is not None:
            day = _plus(day, 1)
            if day is not None and day.weekday() < 5 and day not in self._holidays:
                count -= 1
        return day


def last_day(value: str) -> date | None:
    """Of an entity's date (`parley.domain.entities`): itself, or the last day of the week, month, year or span."""
    value = value.rpartition("/")[2]
    week = _WEEK.fullmatch(value)
    try:
        if week:
            return date.fromisocalendar(int(week[1]), int(week[2]), 7)
        if len(value) == 10:
            return date.fromisoformat(value)
        year, _, month = value.partition("-")
        return _last_of(date(int(year), int(month or 12), 1), "month")
    except ValueError:
        return None


def _is_past(plain: str, at: int) -> bool:
    """Three days ago."""
    return re.match(r" ?(?:ago|back\b|earlier|before|old|long|之?以?前)", plain[at : at + 10]) is not None


def _count(written: str) -> int:
    if written.isdigit():
        return int(written)
    if written in ("a", "an", "the next"):
        return 1
    if written == "couple of":
        return 2
    if "半" in written:
        return 1
    return (
        SMALL[written]
        if written.isascii()
        else int(chinese(written[-1] if len(written) == 2 and "十" not in written else written))
    )


def _coming(on: date, weekday: int) -> date:
    return _plus(on, (weekday - on.weekday() - 1) % 7 + 1) or on


def _plus(day: date, days: int) -> date | None:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None


def _last_of(on: date, unit: str) -> date:
    if unit == "day":
        return on
    if unit == "week":
        return _plus(on, 6 - on.weekday()) or on
    if unit == "year":
        return date(on.year, 12, 31)
    following = (
        date(on.year + on.month // 12, on.month % 12 + 1, 1) if (on.year, on.month) < (9999, 12) else None
    )
    return following - timedelta(days=1) if following is not None else date.max
