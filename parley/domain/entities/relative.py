"""Dates that count from the day of the message: `yesterday`, `last Friday`, `three weeks ago`, `上周五`, `下个月`."""

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from parley.domain.entities.found import Found
from parley.domain.numerals import CHINESE_DIGITS, SMALL, chinese

_DAYS = {
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
    "yesterday": -1,
    "last night": -1,
    "today": 0,
    "tonight": 0,
    "this morning": 0,
    "this afternoon": 0,
    "this evening": 0,
    "tomorrow": 1,
    "大前天": -3,
    "前天": -2,
    "昨天": -1,
    "昨日": -1,
    "昨晚": -1,
    "今天": 0,
    "今日": 0,
    "今晚": 0,
    "今早": 0,
    "明天": 1,
    "明日": 1,
    "明晚": 1,
    "后天": 2,
    "大后天": 3,
}
_NAMED = re.compile(
    "|".join(rf"\b{name}\b" if name.isascii() else name for name in sorted(_DAYS, key=len, reverse=True))
)

SHIFTS = {
    "last": -1,
    "past": -1,
    "previous": -1,
    "this": 0,
    "current": 0,
    "next": 1,
    "coming": 1,
    "following": 1,
}
SHIFTS |= {
    "上上": -2,
    "上": -1,
    "本": 0,
    "这": 0,
    "这个": 0,
    "下": 1,
    "下下": 2,
    "去": -1,
    "今": 0,
    "明": 1,
    "前": -2,
    "后": 2,
}
_WEEKDAYS = {name: at for at, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
_WEEKDAYS |= {name: at for at, name in enumerate("一二三四五六日")} | {"天": 6}
_WEEKDAY = re.compile(
    r"\b(?P<shift>last|past|previous|this|next|coming) (?P<day>mon|tues?|wednes|thurs?|fri|satur|sun)day\b"
    r"|(?P<han>上上|上|本|这|下下|下)个?(?:周|星期|礼拜)(?P<han_day>[一二三四五六日天])"
)
_PERIOD = re.compile(
    r"\b(?:the )?(?P<shift>last|past|previous|this|current|next|coming|following) (?P<unit>week|month|year)\b"
    r"|(?P<han>上上|上|本|这|下下|下)个?(?P<han_unit>周(?!边|[末一二三四五六日])|星期(?![一二三四五六日天])|礼拜(?![一二三四五六日天])|月(?![供租费卡]))|(?P<year>[去今明前后]|本)年(?![轻龄])"
)
_HAN_NUMBER = rf"\d{{1,3}}|[{''.join(CHINESE_DIGITS)}十]{{1,3}}"
_SMALL = "|".join(word for word in SMALL if word != "zero")
_COUNTED = re.compile(
    rf"\b(?P<count>\d{{1,3}}|an?|{_SMALL}) (?P<unit>day|week|month|year)s? (?:ago|back)\b"
    rf"|\bin (?P<ahead>\d{{1,3}}|an?|{_SMALL}) (?P<unit_ahead>day|week|month|year)s?(?:' time)?\b(?! (?:of|with))"
    rf"|(?P<han>{_HAN_NUMBER})(?P<han_unit>天|个?星期|个?礼拜|周|个月|年)(?P<way>以?之?[前后])"
)
_UNITS = {"天": "day", "星": "week", "礼": "week", "周": "week", "月": "month", "年": "year"}
_MOST_YEARS = 100


def relative_days(plain: str, on: date) -> Iterator[Found]:
    for pattern, read in _FORMS:
        for match in pattern.finditer(plain):
            value = read(match, on)
            if value is not None:
                yield Found(*match.span(), "date", value)


def _named(match: re.Match[str], on: date) -> str:
    return (on + timedelta(days=_DAYS[match[0]])).isoformat()


def _weekday(match: re.Match[str], on: date) -> str:
    """In Chinese a week runs from Monday; in English `last Friday` is the one before today, `next Friday` the one of the next week."""
    if match["han_day"] is not None:
        return _of_week(on, SHIFTS[match["han"]], _WEEKDAYS[match["han_day"]])
    shift, weekday = SHIFTS[match["shift"]], _WEEKDAYS[match["day"][:3]]
    if shift < 0:
        return (on - timedelta(days=(on.weekday() - weekday - 1) % 7 + 1)).isoformat()
    if match["shift"] == "coming":
        return (on + timedelta(days=(weekday - on.weekday() - 1) % 7 + 1)).isoformat()
    return _of_week(on, shift, weekday)


def _of_week(on: date, shift: int, weekday: int) -> str:
    return (on + timedelta(days=7 * shift + weekday - on.weekday())).isoformat()


def _period(match: re.Match[str], on: date) -> str:
    """A whole week, month or year."""
    if match["year"] is not None:
        return f"{on.year + SHIFTS[match['year']]:04}"
    shift = SHIFTS[match["shift"] or match["han"]]
    unit = match["unit"] or _UNITS[match["han_unit"][0]]
    if unit == "week":
        year, week, _ = (on + timedelta(days=7 * shift)).isocalendar()
        return f"{year:04}-W{week:02}"
    return _month(on, shift) if unit == "month" else f"{on.year + shift:04}"


def month_of(on: date, shift: int) -> tuple[int, int]:
    """Year and month so many months from that of a day."""
    years, month = divmod(on.month - 1 + shift, 12)
    return on.year + years, month + 1


def _month(on: date, shift: int) -> str:
    year, month = month_of(on, shift)
    return f"{year:04}-{month:02}"


def _counted(match: re.Match[str], on: date) -> str | None:
    """As exact as it is said: `two months ago` is a month."""
    unit = match["unit"] or match["unit_ahead"] or _UNITS[match["han_unit"].lstrip("个")[0]]
    count = _count(match["count"] or match["ahead"] or match["han"])
    back = match["count"] is not None or (match["way"] or "").endswith("前")
    shift = -count if back else count
    if unit in ("day", "week"):
        return (on + timedelta(days=shift * (7 if unit == "week" else 1))).isoformat()
    if unit == "month":
        return _month(on, shift)
    return f"{on.year + shift:04}" if count <= _MOST_YEARS else None


def _count(written: str) -> int:
    if written.isdigit():
        return int(written)
    if written in ("a", "an"):
        return 1
    return SMALL[written] if written.isascii() else int(chinese(written))


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], str | None]], ...] = (
    (_NAMED, _named),
    (_WEEKDAY, _weekday),
    (_PERIOD, _period),
    (_COUNTED, _counted),
)
