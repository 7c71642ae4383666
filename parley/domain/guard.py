"""The guard: nothing unverified leaves. Numbers, rates, dates, times and links of a text must stand in its passages.

Pure, and the same for a streamed sentence and for the finished text. It compares canonical tokens: `€1,000.00`, `1 000 EUR`
and `1000 euros` are one number, `1 October 2026`, `01/10/2026` and `2026年10月1日` one date. It does not judge meaning: a text that
begins with yes or no must quote a passage that does, because a check of numbers alone lets wrong ones through.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import lru_cache

from schemas.parts import GuardReport, Passage

MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ],
        start=1,
    )
    for name in names.split()
}
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))

LINK = re.compile(r"(?:https?://|www\.)[^\s)\]>\"'，。；]+|\]\((/[^)\s]*)\)", re.IGNORECASE)
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+\w")
MASKED = re.compile(r"\[[a-z_]+_\d+\]|\{\{[^}]*\}\}")
DATES = (
    re.compile(
        rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<name>{_MONTH})\b\.?(?:,?\s+(?P<y>\d{{4}}))?",
        re.I,
    ),
    re.compile(
        rf"\b(?P<name>{_MONTH})\.?\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?![.,]\d|\s*%)(?:,?\s+(?P<y>\d{{4}}))?",
        re.I,
    ),
    re.compile(r"(?<!\d)(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?!\d)"),
    re.compile(r"(?<![\d/])(?P<d>\d{1,2})/(?P<m>\d{1,2})/(?P<y>\d{4})(?![\d/])"),
    re.compile(r"(?:(?P<y>\d{4})\s*年\s*)?(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]"),
)
TIME = re.compile(
    r"(?<![\d:])(?P<h>\d{1,2}):(?P<min>[0-5]\d)(?!\d)\s*(?P<half>[ap]\.?m\b\.?)?|"
    r"(?<![\d:.,])(?P<h2>\d{1,2})(?:\.(?P<min2>[0-5]\d))?\s*(?P<half2>[ap]\.?m\b\.?)",
    re.IGNORECASE,
)
RATE = re.compile(
    r"(?P<n>\d(?:[\d,.]*\d)?)\s*(?:%|percent\b|per cent\b)|百分之(?P<zh>\d[\d.]*)", re.IGNORECASE
)
PHONE = re.compile(r"(?:\+|(?<!\d)0)\d[\d\s()-]{5,}\d")
NUMBER = re.compile(r"(?<!\d)\d{1,3}(?:[ \u00a0]\d{3})+(?:[.,]\d+)?(?!\d)|\d(?:[\d,.]*\d)?")
LIST_MARK = re.compile(r"(?m)^\s*\d{1,2}[.)、]\s+")
YES_NO = re.compile(
    r"\s*(?:(yes|no)\b(?!\s+(?:fee|charge|one|more))|(是的|不是|可以的|不可以|不能|对的))", re.IGNORECASE
)
Token = Callable[[re.Match[str]], str | None]
SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？；])|\n+")


def check(text: str, passages: Iterable[Passage]) -> GuardReport:
    """Which rules a text breaks, given what it was written from."""
    sources = tuple(
        f"{' '.join(passage.path)} {passage.title}\n{passage.text}\n[source]({passage.url})"
        for passage in passages
    )
    return check_against(text, sources)


def check_against(text: str, sources: tuple[str, ...]) -> GuardReport:
    known = _tokens_of(sources)
    violations = sorted({token.split(":", 1)[0] for token in tokens(text) - known})
    if MASKED.search(text):
        violations.append("masked")
    if _claims(text, sources):
        violations.append("yes_no")
    return GuardReport(passed=not violations, violations=tuple(violations))


def tokens(text: str) -> frozenset[str]:
    """The canonical tokens of a text: `link:…`, `date:…`, `time:…`, `rate:…`, `number:…`."""
    found: set[str] = set()
    rest = LIST_MARK.sub("\n", unicodedata.normalize("NFKC", text))
    for pattern, token in RULES:
        rest = _take(pattern, token, rest, found)
    return frozenset(found)


@lru_cache(maxsize=256)
def _tokens_of(sources: tuple[str, ...]) -> frozenset[str]:
    """What may be said: every token of the sources; a rate or a part of a date may also be said as a bare number."""
    known = set().union(*(tokens(source) for source in sources))
    for token in list(known):
        kind, value = token.split(":", 1)
        if kind == "rate":
            known.add(f"number:{value}")
        if kind == "date":
            known.update(f"number:{int(part)}" for part in value.split("-") if part)
            known.add(f"date:{'-' + value.split('-', 1)[1]}")  # the same day, said without its year
        if kind == "time" and value.endswith(":00"):
            known.add(f"number:{int(value[:2])}")
    return frozenset(known)


def _take(pattern: re.Pattern[str], token: Token, text: str, found: set[str]) -> str:
    """Note each match as a token, and blank it so that no later rule reads it again."""

    def note(match: re.Match[str]) -> str:
        made = token(match)
        if made is not None:
            found.add(made)
            return " "
        return match[0]

    return pattern.sub(note, text)


def _link(match: re.Match[str]) -> str:
    link = (match[1] or match[0]).rstrip(".,;:!?").lower()
    return f"link:{link.removeprefix('https://').removeprefix('http://').removeprefix('www.').rstrip('/')}"


def _email(match: re.Match[str]) -> str:
    return f"link:{match[0].lower()}"


def _date(match: re.Match[str]) -> str | None:
    parts = match.groupdict()
    month = MONTHS[parts["name"].lower()] if parts.get("name") else int(parts["m"])
    day, year = int(parts["d"]), parts.get("y") or ""
    return f"date:{year}-{month:02}-{day:02}" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _time(match: re.Match[str]) -> str | None:
    hour = int(match["h"] or match["h2"])
    half = (match["half"] or match["half2"] or "").lower().replace(".", "")
    if half == "pm" and hour < 12:
        hour += 12
    if half == "am" and hour == 12:
        hour = 0
    return f"time:{hour:02}:{match['min'] or match['min2'] or '00'}" if hour <= 24 else None


def _rate(match: re.Match[str]) -> str:
    return f"rate:{canonical(match['n'] or match['zh'])}"


def _number(match: re.Match[str]) -> str:
    return f"number:{canonical(match[0])}"


def _phone(match: re.Match[str]) -> str:
    return f"number:{re.sub(r'[^0-9]', '', match[0])}"


def canonical(number: str) -> str:
    """One spelling of a number: no thousands separators, no trailing zeros."""
    plain = re.sub(r"\s", "", number).rstrip(".,")
    plain = re.sub(r",(?=\d{3}(?:\D|$))", "", plain)
    if plain.count(".") > 1 or "," in plain:
        return re.sub(r"\D", "", plain)
    whole, _, fraction = plain.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def _claims(text: str, sources: tuple[str, ...]) -> bool:
    """Does it say yes or no without quoting a sentence of its sources that begins with the same word?"""
    said = YES_NO.match(text)
    if said is None:
        return False
    word = (said[1] or said[2]).lower()
    return not any(
        sentence.strip().lower().startswith(word) for source in sources for sentence in SENTENCE.split(source)
    )


#: Tried in this order; what one rule has read, no later one reads again.
RULES: tuple[tuple[re.Pattern[str], Token], ...] = (
    (LINK, _link),
    (EMAIL, _email),
    *((pattern, _date) for pattern in DATES),
    (TIME, _time),
    (RATE, _rate),
    (PHONE, _phone),
    (NUMBER, _number),
)
