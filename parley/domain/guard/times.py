"""Times of day: `17:00`, `5 pm`, `5-8pm`, `noon`, `下午5点半`, `早上八点`."""

import re

from parley.domain.guard.facts import READ, Facts, Rule, reading
from parley.domain.guard.signs import FIGURES, ODD, words
from parley.domain.numerals import chinese

_HALF = r"(?:[ap]\.?\s?m\b\.?)"
_ENGLISH = re.compile(
    rf"(?=\d)(?:(?<![\d:])(?P<h>\d{{1,2}}):(?P<min>[0-5]\d)(?::[0-5]\d)?(?![\d:])\s*(?P<half>{_HALF})?"
    rf"|(?<![\d:.,])(?P<h2>\d{{1,2}})(?:\.(?P<min2>[0-5]\d))?(?:\s*(?P<half2>{_HALF})|(?=(?:\s*-\s*|\s+(?:to|until|till)\s+)(?P<h3>\d{{1,2}})(?:[.:][0-5]\d)?\s*(?P<half3>{_HALF}))|\s*o'clock))",
    re.IGNORECASE,
)
"""The first of two hours shares the half of the day with the second: `8-10 pm`, but `9-5 pm`."""
_NAMED = re.compile(r"\b(?:12\s+)?(?:(noon|midday)|midnight)\b|(正午)|午夜|零点", re.IGNORECASE)

_HAN = "[零〇一二两三四五六七八九十]"
_PART = "(?P<part>凌晨|清晨|早上|早晨|上午|中午|午后|下午|傍晚|晚上|晚间|夜里|夜间|晚)"
_MINUTES = (
    rf"(?P<half>半)|(?P<quarter>[一三])刻|(?P<min>[0-5]?\d|{_HAN}{{1,3}})分|(?P<min2>[0-5]\d)(?!\d)|整|钟"
)
_CHINESE = re.compile(
    rf"{_PART}\s*(?P<h>\d{{1,2}}|{_HAN}{{1,3}})\s*(?:[点时](?!{_HAN}?[个段%])(?:{_MINUTES})?|:(?P<min3>[0-5]\d))"
    rf"|(?<![\d.第])(?P<h2>\d{{1,2}})\s*[点时](?![{_HAN[1:-1]}](?!刻|十|分))(?P<rest>半|整|钟|[一三]刻|[0-5]?\d分|[0-5]\d(?!\d)|)"
    rf"|(?<!第)(?P<h4>{_HAN}{{1,3}})点(?P<rest4>半|整|钟|[一三]刻)"
)
_AFTERNOON = ("中午", "午后", "下午", "傍晚", "晚上", "晚间", "夜里", "夜间", "晚")
_REST = {"半": 30, "一刻": 15, "三刻": 45}


def _say(facts: Facts, hour: int, minute: int, *, either: bool = False) -> bool:
    """`either`: it may be that hour of the afternoon, too."""
    if hour > 24 or minute > 59:
        return False
    later = (f"time:{hour % 12 + 12:02}:{minute:02}",) if either else ()
    facts.say(f"time:{hour % 24:02}:{minute:02}", *later)
    facts.imply(*(f"number:{each}" for each in {hour, hour - 12 if hour > 12 else hour} if not minute))
    return True


def _english(match: re.Match[str], facts: Facts) -> bool:
    hour, half = int(match["h"] or match["h2"]), (match["half"] or match["half2"] or "")[:1].lower()
    if match["half3"]:
        half, last = match["half3"][0].lower(), int(match["h3"])
        half = "a" if half == "p" and hour % 12 > last % 12 else half
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "p" else 0)
    either = match[0].lower().endswith("o'clock")
    return _say(facts, hour, int(match["min"] or match["min2"] or 0), either=either)


def _named(match: re.Match[str], facts: Facts) -> bool:
    return _say(facts, 12 if match[1] or match[2] else 0, 0)


def _chinese(match: re.Match[str], facts: Facts) -> bool:
    hour = _number(match["h"] or match["h2"] or match["h4"])
    if match["part"] in _AFTERNOON and hour < 12 and not (match["part"] == "中午" and hour > 9):
        hour += 12
    return _say(facts, hour, _minutes(match))


def _minutes(match: re.Match[str]) -> int:
    rest = match["rest"] or match["rest4"]
    if rest:
        return _REST.get(rest) or int(re.sub(r"\D", "", rest) or 0)
    if match["half"]:
        return 30
    if match["quarter"]:
        return 15 if match["quarter"] == "一" else 45
    return _number(match["min"] or match["min2"] or match["min3"] or "0")


def _number(written: str) -> int:
    return int(written) if written[0].isdigit() else int(chinese(written))


_ALWAYS = re.compile(r"\b24\s?/\s?7\b|\b(?:a)?round the clock\b|\bday and night\b|全天候|昼夜", re.IGNORECASE)
_DAY_LONG = re.compile(
    r"\b24 hours a day\b|\bat any (?:hour|time)\b|\ball day\b|全天|24 ?小时|随时", re.IGNORECASE
)


def _always(text: str, facts: Facts) -> str:
    if _DAY_LONG.search(text) is not None:
        facts.imply("time:always")
    if _ALWAYS.search(text) is None:
        return text
    facts.say("time:always")
    facts.imply("number:24", "number:7", "number:86400 second", "plain:24")
    return _ALWAYS.sub(READ, text)


TIMES: tuple[Rule, ...] = (
    Rule(words("hours any all clock night / 全 小 随 昼") | ODD, _always),
    reading(_CHINESE, _chinese, "点时晨早午晚夜"),
    reading(_ENGLISH, _english, FIGURES),
    reading(_NAMED, _named, words("noon midday midnight 正 午 零") | ODD),
)
