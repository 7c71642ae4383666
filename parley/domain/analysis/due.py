"""By when something was promised: a day that is named or counted from the day of the turn."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from parley.domain.entities import entities
from parley.domain.numerals import CHINESE_DIGITS, ORDINAL, SMALL, chinese
from schemas.parts import Entity
from schemas.tenant import BusinessHours

_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(word for word in SMALL if word != 'zero')}|an?|the next|couple of)"
_HAN_NUMBER = rf"(?:\d{{1,3}}|[{''.join(CHINESE_DIGITS)}十半]{{1,3}})"
_COUNTED = re.compile(
    rf"\b(?P<count>{_NUMBER}) ?(?P<working>(?:working|business|banking|bank|work)[ -])?(?P<unit>minute|hour|day|week|fortnight|month)s?\b(?! (?:from|on) (?!today|now))"
    rf"|(?P<han>{_HAN_NUMBER})个?(?P<han_unit>工作日|小时|钟头|分钟|天|日(?!前)|周|星期|礼拜|月)(?=之?以?[内后中里]|左右|到账|就|$)"
)
_WEEKDAYS = {name: at for at, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_WEEKDAYS |= {name: at for at, name in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAY = re.compile(
    r"(?<!last )(?<!next )(?<!this )(?<!past )(?<!coming )(?<!every )(?<!each )(?<!(?<!end) of )(?P<later>\ba week (?:from|on) )?\b(?P<day>mon|tues|wednes|thurs|fri|satur|sun)day\b(?P<next> (?:of )?next week| week\b)?"
    r"|\bnext week,? (?:on )?(?P<day_of_next>mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|(?<![上本这下个每])(?:周|星期|礼拜)(?P<han>[一二三四五六日天])"
)
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_END_OF = re.compile(
    r"\b(?:end of (?:(?:the|this) )?|(?=month[ -]end))(?P<unit>day|week|month|year)\b|\b(?:close of (?P<business>business)|(?P<eod>eod))\b"
    rf"|\bend of (?P<name>{'|'.join(_MONTHS)})\b|(?P<of>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月[底末]"
    r"|(?P<han>今天下班|下班|本周|这周|这个星期|月底|月末|年底|年末)(?=之?以?[前内]|会|就|还|给|把|$|，)"
)
_HAN_ENDS = {"今": "day", "下": "day", "本": "week", "这": "week", "月": "month", "年": "year"}
_NAMED = re.compile(
    r"\b(?P<weekend>(?:this|the) weekend)\b|\b(?P<morning>(?:first thing )?in the morning)(?=\W*$)|(?P<early>明早)|(?<![上下])(?P<han>周末)|(?P<next>下周末)"
)
_BY_THE = re.compile(r"\b(?:by|until|till|before|no later than) (?:the )?$", re.IGNORECASE)
_BEFORE_HAN = re.compile("之?以?前")
_OF_A_MONTH = re.compile(
    rf"\d{{1,2}}(?:st|nd|rd|th)|{ORDINAL}|(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}})[号日]", re.IGNORECASE
)
_DENIED = re.compile(r"(?:\bnot (?:by |on |until |before )?|不是)$", re.IGNORECASE)
"""`not today but tomorrow`: of these the second."""
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
        named = (one for one in self._days(text, plain, said_at) if one.day >= on)
        found = sorted((one for one in named if not _DENIED.search(plain, 0, one.at)), key=lambda one: one.at)
        after = [one for one in found if one.at >= behind]
        return after[0].day if after else found[-1].day if found else None

    def _days(self, text: str, plain: str, said_at: datetime) -> Iterator[_Found]:
        on = self.day_of(said_at)
        for entity in entities(text, on):
            if entity.kind == "date" and (day := last_day(entity.value)) is not None:
                yield _Found(entity.start, _still_to_come(day, on, text, entity))
        for match in _COUNTED.finditer(plain):
            day = self._counted(match, said_at)
            if day is not None and not _is_past(plain, match.end()):
                yield _Found(match.start(), day)
        yield from _named_days(plain, on)

    def _counted(self, match: re.Match[str], said_at: datetime) -> date | None:
        count = _count(match["count"] or match["han"])
        unit = match["unit"] or match["han_unit"]
        on = self.day_of(said_at)
        if match["working"] or unit == "工作日":
            return self._working_days_on(on, count)
        if unit in ("minute", "hour", "分钟", "小时", "钟头"):
            minutes = count * (1 if unit in ("minute", "分钟") else 60)
            return self._later(said_at, minutes)
        if unit in ("month", "月"):
            return _plus(on, 15) if (match["han"] or "").startswith("半") else _months_on(on, count)
        return _plus(on, count * {"day": 1, "天": 1, "日": 1, "fortnight": 14}.get(unit, 7))

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


def _named_days(plain: str, on: date) -> Iterator[_Found]:
    """Without those that `parley.domain.entities` finds."""
    for match in _WEEKDAY.finditer(plain):
        name = match["day"] or match["day_of_next"] or match["han"]
        weekday = _WEEKDAYS[name[:3]]
        if match["next"] or match["day_of_next"]:
            day = _plus(on, 7 + weekday - on.weekday())
        else:
            day = _plus(_coming(on, weekday), 7 if match["later"] else 0)
        if day is not None:
            yield _Found(match.start(), day)
    for match in _END_OF.finditer(plain):
        yield _Found(match.start(), _end_of(match, on))
    for match in _NAMED.finditer(plain):
        days = 1 if match["morning"] or match["early"] else 6 - on.weekday() + 7 * bool(match["next"])
        yield _Found(match.start(), _plus(on, days) or on)


def _end_of(match: re.Match[str], on: date) -> date:
    if match["name"] or match["of"]:
        month = _MONTHS.index(match["name"]) + 1 if match["name"] else int(_month_number(match["of"]))
        return _last_of(date(min(on.year + (month < on.month), date.max.year), month, 1), "month")
    day_ends = match["business"] or match["eod"]
    return _last_of(on, match["unit"] or ("day" if day_ends else _HAN_ENDS[match["han"][0]]))


def _month_number(written: str) -> str:
    return written if written.isdigit() else str(chinese(written))


def _still_to_come(day: date, on: date, text: str, entity: Entity) -> date:
    """`by the 15th` is the next one, where the one that is over is nearer."""
    behind = text[entity.start + len(entity.text) :]
    announced = _BY_THE.search(text, 0, entity.start) or _BEFORE_HAN.match(behind)
    if day >= on or not announced or not _OF_A_MONTH.fullmatch(entity.text):
        return day
    return _months_on(day, 1) or day


def _months_on(day: date, count: int) -> date | None:
    """The same day of a later month, or its last."""
    years, month = divmod(day.month - 1 + count, 12)
    if day.year + years > date.max.year:
        return None
    last = _last_of(date(day.year + years, month + 1, 1), "month")
    return min(last, last.replace(day=min(day.day, last.day)))


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
