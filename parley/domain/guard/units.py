"""What is counted: each unit's one name, and how many of that a unit is."""

import re
from dataclasses import dataclass

from parley.domain.guard.signs import words


@dataclass(frozen=True, slots=True)
class Unit:
    """`rate` is a share of a hundred. A day is no 24 hours and no working day: banks tell them apart."""

    name: str
    factor: int = 1
    small: bool = False
    """A small number of it in words is a fact: `three working days`, `一个月`."""

    @property
    def is_price(self) -> bool:
        return self.name in ("rate", "cent") or (len(self.name) == 3 and self.name.isupper())


_UNITS: tuple[tuple[Unit, str], ...] = (
    (Unit("rate", small=True), r"%|percent(?:age points?)?\b|per ?cent\b|pct\b|个?百分点"),
    (Unit("second", small=True), r"seconds?\b|secs?\b|秒钟?"),
    (Unit("second", 60, small=True), r"minutes?\b|mins?\b|分钟"),
    (Unit("second", 3600, small=True), r"hours?\b|hrs?\b|h\b|个?小时|个?钟头"),
    (
        Unit("workday", small=True),
        r"(?:working|business|banking|work)[ -]days?\b|workdays?\b|weekdays?\b|个?(?:工作日|营业日|银行日)",
    ),
    (Unit("day", small=True), r"(?:calendar )?days?\b|天|日(?=内|之内|以内)|个?自然日"),
    (
        Unit("day", 7, small=True),
        r"weeks?\b|周(?![年末一二三四五六日])|个?星期(?![一二三四五六日天])|个?礼拜(?![一二三四五六日天])",
    ),
    (Unit("month", small=True), r"(?:calendar )?months?\b|个月|個月"),
    (Unit("month", 3, small=True), r"quarters?\b|个?季度"),
    (Unit("month", 12, small=True), r"years?\b(?:[ -]olds?\b)?|yrs?\b|年|周?岁"),
    (Unit("EUR", small=True), r"€|eur\b|euros?\b|欧元"),
    (Unit("USD", small=True), r"us\$|\$|usd\b|(?:us )?dollars?\b|美元|美金"),
    (Unit("GBP", small=True), r"£|gbp\b|pounds?\b(?: sterling\b)?|英镑"),
    (Unit("CHF", small=True), r"chf\b|(?:swiss )?francs?\b|瑞士法郎|瑞郎"),
    (Unit("HKD", small=True), r"hkd\b|港[元币]"),
    (Unit("JPY", small=True), r"jpy\b|yen\b|日元"),
    (Unit("CNY", small=True), r"¥|cny\b|rmb\b|yuan\b|人民币|元|块钱?"),
    (Unit("cent", small=True), r"cents?\b|欧分|美分"),
    (Unit("KB"), r"kb\b"),
    (Unit("MB"), r"mb\b|兆(?!比特)"),
    (Unit("GB"), r"gb\b|g流量"),
    (Unit("TB"), r"tb\b"),
    (Unit("kbit"), r"k(?:bit/s|bps|bits?)\b|千比特"),
    (Unit("Mbit"), r"m(?:bit/s|bps|bits?)\b|兆比特"),
    (Unit("Gbit"), r"g(?:bit/s|bps|bits?)\b"),
    (Unit("km"), r"km\b|kilomet(?:er|re)s?\b|公里|千米"),
    (Unit("kg"), r"kg\b|kilos?\b|kilograms?\b|公斤|千克"),
)
_ANY = "|".join(f"(?P<u{at}>{pattern})" for at, (_, pattern) in enumerate(_UNITS))
BEHIND = re.compile(
    rf"[ \n-]?(?:an? |(?:full|whole|more|further|extra|additional|free|other|consecutive|successive|first|last) |整)?(?:{_ANY})"
)
"""The unit right behind a number, in a text in small letters."""
BEFORE = re.compile(r"(?:(us\$|[€$£¥]|\b(?:eur|usd|gbp|chf|hkd|jpy|cny|rmb)\b|人民币))\s?$")
"""The currency right before one."""
_LONGEST_BEFORE = 5

_ONE = r"an?|per|each|every|any|one|/"
SINGLE = re.compile(
    rf"(?:(?<![a-z0-9])(?=[adehmopwy/])|(?=[每按当同日月年]))(?:(?:(?<![a-z0-9])(?:{_ONE})\s?|[每按当同]个?)(?:{_ANY})|\b(?P<hourly>hourly)\b|\b(?P<daily>daily)\b|\b(?P<weekly>weekly)\b"
    r"|\b(?P<monthly>monthly|month's)\b|\b(?P<yearly>yearly|annual(?:ly)?|p\.a\.|per annum\b|apr\b)|(?P<han>日限|月费|月租|年费|年利率|年化))"
)
"""One of a unit without a number: `a month`, `每月`, `daily`. What it may begin with comes first: most of a text is passed over by that."""
LASTING = re.compile(rf"\b(?:within|after|takes?|about|for|in|up to|at least|only)\s+an?\s(?:{_ANY})")
"""One of a unit that says how long: `within a week`, but not `€5 a week`."""
PERCENT_COLUMN = re.compile(r"[(（]\s?%\s?[)）]|\bin (?:%|per ?cent\b)")
"""A table's heading that gives its cells their unit."""
_SINGLES = {
    "hourly": ("second", 3600), "daily": ("day", 1), "weekly": ("day", 7), "monthly": ("month", 1), "yearly": ("month", 12),
}  # fmt: skip
_SINGLES_HAN = {"日": ("day", 1), "月": ("month", 1), "年": ("month", 12)}
FREE = re.compile(
    r"(?=[cfnpw不免零])(?:(?<!feel )(?<!not )(?<!n't )\bfree\b(?! to\b)|\bno (?:extra |additional )?(?:fees?|charges?|costs?)\b|\bwithout (?:a |any )?(?:fee|charge|cost)s?\b"
    r"|\b(?:costs?|pays?|charges?) (?:you |us )?nothing\b|\bwaived?\b|(?<!不)(?<!不是)免费|不收(?!到|回)|不要钱|不用钱|免收|零费用)"
)

FREE_SIGNS = words("free no without nothing waive waived 免 不 零")
"""Every match of `FREE` has one of these."""


def unit_of(match: re.Match[str]) -> Unit | None:
    """The unit that a match of `BEHIND` or `SINGLE` names."""
    group = match.lastgroup or ""
    return _UNITS[int(group[1:])][0] if group[:1] == "u" and group[1:].isdigit() else None


def currency_before(text: str, start: int) -> Unit | None:
    before = BEFORE.search(text[max(0, start - _LONGEST_BEFORE) : start])
    behind = BEHIND.match(before[1]) if before is not None else None
    return unit_of(behind) if behind is not None else None


def single(match: re.Match[str]) -> tuple[str, int]:
    """Name and count of what a match of `SINGLE` is one of."""
    unit = unit_of(match)
    if unit is not None:
        return unit.name, unit.factor
    group = match.lastgroup or ""
    return _SINGLES_HAN[match[group][0]] if group == "han" else _SINGLES[group]
