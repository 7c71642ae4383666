"""Dates, months and weekdays, however they are written. `01/10/2026` is the first of October; `11/23/2026` can only be November."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from parley.domain.guard.facts import READ, Facts, Note, Rule, reading
from parley.domain.guard.signs import FIGURES, FOREIGN_FIGURE, ODD, last_words, words
from parley.domain.numerals import ORDINAL, ORDINALS, chinese, ordinal

_NAMES = "january jan|february feb|march mar|april apr|may|june jun|july jul|august aug|september sept sep|october oct|november nov|december dec"
MONTHS = {name: number for number, names in enumerate(_NAMES.split("|"), start=1) for name in names.split()}
_MONTH = "|".join(sorted((name for name in MONTHS if name != "may"), key=len, reverse=True))
_MONTH = rf"(?P<name>{_MONTH}|(?-i:May|MAY))"
"""In small letters `may` is a verb."""
_DAY = rf"(?:\d{{1,2}}(?:st|nd|rd|th)?|{ORDINAL})"
_YEAR = r"(?:\d{4})"
_TO = r"\s*(?:-|to|till|until|and|or|&)\s*"
_HAN = "[零〇一二三四五六七八九十]"

_DAY_MONTH = re.compile(
    rf"\b(?=[\dtfsen])(?<!\d[.,:])(?:(?:the\s)?(?P<from>{_DAY}){_TO})?(?:the\s)?(?P<d>{_DAY})(?:\s+(?:day\s)?(?:of\s+)?|[./-]\s?){_MONTH}\b\.?"
    rf"(?:(?:,?\s+|[./-])(?P<y>{_YEAR})(?!\d))?",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"\b(?=[adfjmnos]){_MONTH}\.?\s+(?:the\s)?(?:(?P<from>\d{{1,2}})(?:st|nd|rd|th)?\s*-\s*)?(?P<d>{_DAY})\b(?![.,:]\d|\s*%)(?:,?\s+(?P<y>{_YEAR})(?!\d))?",
    re.IGNORECASE,
)
_ISO = re.compile(r"(?=\d)(?<![\d-])(?P<y>\d{4})([-/.])(?P<m>\d{1,2})\2(?P<d>\d{1,2})(?!\d|[-/.]\d)")
_FIGURES = re.compile(
    r"(?=\d)(?<![\d./-])(?P<a>\d{1,2})([./-])(?P<b>\d{1,2})\2(?P<y>(?:19|20)\d{2}|\d{2})(?!\d|[./-]\d)"
)
_CHINESE = re.compile(
    rf"(?:(?P<y>\d{{4}}|{_HAN}{{4}})\s*年\s*)?(?P<m>\d{{1,2}}|{_HAN}{{1,3}})\s*月\s*(?:(?P<from>\d{{1,2}})\s*[日号]?\s*(?:-|~|至|到|和|、)\s*)?"
    rf"(?P<d>\d{{1,2}}|{_HAN}{{1,3}})\s*[日号]"
)
_ONLY_MONTH = re.compile(
    rf"\b(?:(?P<long>{'|'.join(name.capitalize() for name in MONTHS if len(name) > 4 or name in ('june', 'july'))})(?:,?\s+(?:of\s)?(?P<y>{_YEAR}))?"
    rf"|(?P<short>May|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?\s+(?P<y2>{_YEAR})"
    r"|(?<=\bin )(?P<may>May)|(?<=\bof )(?P<may2>May))\b"
)
_ONLY_CHINESE_MONTH = re.compile(
    rf"(?:(?P<y>\d{{4}})\s*年\s*)?(?<![\d.个上下前后每近这])(?P<m>\d{{1,2}}|{_HAN}{{1,3}})\s*月(?!\d|份?租|费)"
)
_OF_MONTH = re.compile(
    rf"\b(?=[\dabefnostu])(?:\b(?:on|by|until|till|from|before|after|since|to|and)\s+the\s+(?P<a>{_DAY})\b(?!\s+(?!of\b|and\b|or\b|to\b|until\b|you\b|we\b|it\b|if\b|at\b)[a-z])|\b(?P<b>{_DAY})(?:\s+day)?\s+of\s+(?:the|each|every|that|any)(?:\s+\w+)?\s+month\b)",
    re.IGNORECASE,
)
"""A day of any month is said with an ordinal too."""

_WEEKDAY = re.compile(
    r"\b(?:(?i:(monday|tuesday|wednesday|thursday|friday|saturday|sunday)s?)|(Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun))\b\.?"
    r"|(?:周|星期|礼拜)(?<![一二两三四五六七八九十\d个每]周)([一二三四五六日天])(?![次个遍回度年百])|每周([一二三四五六日天])(?![次个遍回])"
)
_WEEKDAYS = {name: at for at, name in enumerate(["mon", "tue", "wed", "thu", "fri", "sat", "sun"], start=1)}
_WEEKDAYS |= {name: at for at, name in enumerate("一二三四五六日", start=1)} | {"天": 7}
_WEEKDAY_RANGE = re.compile(r"\s*(?:-|to|through|until|till|至|到|~)\s*([一二三四五六日](?![次个遍]))?")
_CLOSED = re.compile(
    r"\bclosed\b|\bshut\b|\b(?:not|never|isn't|aren't|don't) open|\bno (?:branch|shop|store)|休息|休业|不营业|不开门|不上班|关闭",
    re.IGNORECASE,
)
_CLAUSE, _SENTENCE = re.compile(r"[.!?;](?=\s|$)|[,。！？；，\n]"), re.compile(r"[.!?;](?=\s|$)|[。！？；\n]")
_NEAR = 120
"""Characters: so far from a day a sentence still says whether it is closed."""
_WEEKEND = re.compile(r"\bweek-?ends?\b|周末", re.IGNORECASE)
_WEEK = re.compile(r"\b(?:on|during)\s+weekdays\b|平日", re.IGNORECASE)
_ALL_WEEK = re.compile(
    r"\bevery day\b|\b(?:seven|7) days a week\b|24/7|全年无休|每周七天|周末照常", re.IGNORECASE
)


def _number(written: str) -> int:
    if written[0].isdigit():
        return int(re.sub(r"\D", "", written))
    return int(chinese(written)) if written[0] > "\u2e7f" else ordinal(_small(written))


def _small(name: str) -> str:
    """A name in small letters. The patterns ignore case, and take İ and ı for an i."""
    return name.lower().replace("\u0307", "").replace("ı", "i")


def _say(facts: Facts, year: str, month: int, *days: int) -> bool:
    if not (1 <= month <= 12 and all(1 <= day <= 31 for day in days)):
        return False
    for day in days:
        facts.say(f"date:{year}-{month:02}-{day:02}")
        facts.imply(f"date:-{month:02}-{day:02}", f"number:{day}")
    if not days:
        facts.say(f"date:{year}-{month:02}")
    facts.imply(f"date:{year}-{month:02}", f"date:-{month:02}", f"number:{month}")
    if year:
        facts.imply(f"number:{year}", f"plain:{year}")
    return True


@dataclass(frozen=True, slots=True)
class Written:
    """A date as it is written: `year` is empty where none is said, and two days are the ends of a range."""

    year: str
    month: int
    days: tuple[int, ...]


def _with_names(match: re.Match[str]) -> Written:
    parts = match.groupdict()
    month = MONTHS[_small(parts["name"])] if parts.get("name") else _number(parts["m"])
    year = parts.get("y") or ""
    days = tuple(_number(parts[name]) for name in ("from", "d") if parts.get(name))
    return Written(year if year.isascii() else chinese(year), month, days)


def _in_figures(match: re.Match[str]) -> Written:
    first, second, year = int(match["a"]), int(match["b"]), match["y"]
    day_first = second <= 12 or match[2] == "."
    month, day = (second, first) if day_first else (first, second)
    return Written(year if len(year) == 4 else f"20{year}", month, (day,))


def written_dates(text: str) -> Iterator[tuple[re.Match[str], Written]]:
    """Every date of a text that names its day and month, form by form; none is checked against a calendar."""
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            yield match, read(match)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Written]], ...] = (
    (_DAY_MONTH, _with_names),
    (_MONTH_DAY, _with_names),
    (_ISO, _with_names),
    (_FIGURES, _in_figures),
    (_CHINESE, _with_names),
)


def _date(match: re.Match[str], facts: Facts) -> bool:
    written = _with_names(match)
    return _say(facts, written.year, written.month, *written.days)


def _figures(match: re.Match[str], facts: Facts) -> bool:
    written = _in_figures(match)
    return _say(facts, written.year, written.month, *written.days)


def _only_month(match: re.Match[str], facts: Facts) -> bool:
    name = match["long"] or match["short"] or match["may"] or match["may2"]
    return _say(facts, match["y"] or match["y2"] or "", MONTHS[name.lower()])


def _only_chinese_month(match: re.Match[str], facts: Facts) -> bool:
    return _say(facts, match["y"] or "", _number(match["m"]))


def _of_month(match: re.Match[str], facts: Facts) -> bool:
    facts.say(f"number:{_number(match['a'] or match['b'])}")
    return True


def _weekdays(text: str, facts: Facts) -> str:
    """Those named, and those between the two ends of a range."""
    last, end = 0, -1
    for match in _WEEKDAY.finditer(text):
        day = _weekday(match)
        between = _WEEKDAY_RANGE.fullmatch(text, end, match.start()) if last else None
        _say_days(_days(last, day) if between is not None else (day,), match, facts)
        last, end = day, match.end()
        short = _WEEKDAY_RANGE.match(text, end)
        if short is not None and short[1]:  # 周一至五
            _say_days(_days(day, _WEEKDAYS[short[1]]), match, facts)
    return _WEEKDAY.sub(READ, text)


def _say_days(days: Iterable[int], match: re.Match[str], facts: Facts) -> None:
    """`closed on Sunday` is not `open on Sunday`. Said is the weaker of the two where a sentence speaks of both."""
    in_sentence = _closed(match, _SENTENCE)
    in_clause = in_sentence and _closed(match, _CLAUSE)
    for day in days:
        facts.say(f"weekday:{day} closed" if in_sentence else f"weekday:{day}")
        facts.imply(f"weekday:{day} closed", *([] if in_clause else [f"weekday:{day}"]))


def _closed(match: re.Match[str], ends: re.Pattern[str]) -> bool:
    text, first, last = match.string, max(0, match.start() - _NEAR), match.end() + _NEAR
    before = [end.end() for end in ends.finditer(text, first, match.start())]
    behind = ends.search(text, match.end(), last)
    part = text[before[-1] if before else first : behind.start() if behind is not None else last]
    return _CLOSED.search(part) is not None


def _weekday(match: re.Match[str]) -> int:
    return _WEEKDAYS[_small(match[1] or match[2] or match[3] or match[4])[:3]]


def _days(first: int, last: int) -> Iterator[int]:
    for offset in range((last - first) % 7 + 1):
        yield (first - 1 + offset) % 7 + 1


def _whole(days: tuple[int, ...], *, said: bool) -> Note:
    def note(match: re.Match[str], facts: Facts) -> bool:
        if said:
            _say_days(days, match, facts)
        else:
            facts.imply(*(f"weekday:{day}{state}" for day in days for state in ("", " closed")))
        return said

    return note


_MONTH_NAMES = frozenset(MONTHS)
_DAY_NAMES = words(
    "monday mondays tuesday tuesdays wednesday wednesdays thursday thursdays friday fridays saturday saturdays sunday sundays",
    "mon tue tues wed thu thur thurs fri sat sun 周 星 礼",
)

DATES: tuple[Rule, ...] = (
    reading(_DAY_MONTH, _date, _MONTH_NAMES | ODD),
    reading(_MONTH_DAY, _date, _MONTH_NAMES | ODD),
    reading(_ISO, _date, FIGURES),
    reading(_FIGURES, _figures, FIGURES),
    reading(_CHINESE, _date, "月"),
    reading(_ONLY_MONTH, _only_month, _MONTH_NAMES),
    reading(_ONLY_CHINESE_MONTH, _only_chinese_month, "月"),
    reading(_OF_MONTH, _of_month, FIGURES | {FOREIGN_FIGURE} | ODD | last_words(ORDINALS), "the"),
    Rule(_DAY_NAMES | ODD, _weekdays),
    reading(_WEEKEND, _whole((6, 7), said=True), words("week weekend weekends 周")),
    reading(_WEEK, _whole((1, 2, 3, 4, 5), said=True), words("weekdays 平")),
    reading(_ALL_WEEK, _whole((1, 2, 3, 4, 5, 6, 7), said=False), words("every days / 全 每 周")),
)
