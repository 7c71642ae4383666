"""Reading parsed JSON: every value with where it stands, so that what is refused can be named.

A place is written as in JavaScript: `Transcript[3].BeginOffsetMillis`.
"""

import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from connectors.calls.transcript import MOST_MS, TranscriptRefused

Object = dict[str, Any]

_NUMBER = re.compile(r"[+-]?\d{1,19}(?:\.\d{0,15})?s?", re.ASCII)
#: Dates as spreadsheets write them: the year first, for 3/1/2026 is in March or in January.
_SPREADSHEET = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T ]\s*(\d{1,2}):(\d{2})(?::(\d{2}(?:\.\d{1,9})?))?(Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_NO_LANGUAGE = ("und", "mul", "mis", "zxx")  # what ISO 639 has for none, several, and none of its own
_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z0-9]{2,8}))?(?:[-_].*)?", re.ASCII)


def parse_json(text: str, what: str = "the file") -> Any:
    """Raises `TranscriptRefused` with line and column; so does a document that is nested too deeply (1,024)."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise TranscriptRefused(f"{what} is no JSON: {error}") from error


def placed(at: str, key: str | int) -> str:
    if isinstance(key, int):
        return f"{at}[{key}]"
    return f"{at}.{key[:80]}" if at else key[:80]


def objects(value: Any, at: str) -> Iterator[tuple[str, Object]]:
    """Each object of a list with its place; a missing list has none."""
    if value is None:
        return
    if not isinstance(value, list):
        raise TranscriptRefused(f"{at} must be a list")
    for number, each in enumerate(value):
        if not isinstance(each, dict):
            raise TranscriptRefused(f"{at}[{number}] must be an object")
        yield f"{at}[{number}]", each


def object_at(value: Any, at: str) -> Object:
    """An object, or an empty one where there is none."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise TranscriptRefused(f"{at} must be an object")
    return value


def text_at(holder: Object, key: str, at: str) -> str:
    """A text, or "" where there is none."""
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TranscriptRefused(f"{placed(at, key)} must be a text")
    return value


def label_at(holder: Object, key: str, at: str) -> str:
    """What names a speaker: a text or a whole number; "" where there is none."""
    value = holder.get(key)
    if value is None or value == "":
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TranscriptRefused(f"{placed(at, key)} must be a text or a whole number")
    return str(value).strip()


def number_of(value: Any, at: str) -> float | None:
    """A number, also written as text (`"4.87"`, Google's `"4.870s"`) or as seconds and nanos; None where there is none."""
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        seconds, nanos = (number_of(value.get(key, 0), placed(at, key)) for key in ("seconds", "nanos"))
        return (seconds or 0.0) + (nanos or 0.0) / 1e9
    if isinstance(value, str):
        if _NUMBER.fullmatch(value) is None:
            raise TranscriptRefused(f"{at} must be a number that is finite and not negative")
        return float(value.removesuffix("s"))
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TranscriptRefused(f"{at} must be a number that is finite and not negative")
    return float(value)


def milliseconds(value: Any, at: str, scale: float = 1.0) -> int | None:
    """A time in whole milliseconds, `scale` to one of the source's units; None where there is none."""
    number = number_of(value, at)
    if number is None:
        return None
    if not 0 <= number * scale <= MOST_MS:
        raise TranscriptRefused(f"{at} must be a time of at least 0 and below a century")
    return round(number * scale)


def confidence_of(value: Any, at: str) -> float | None:
    """A confidence from 0 to 1; what lies outside is cut to it, for some recognisers overshoot."""
    number = number_of(value, at)
    return None if number is None else min(1.0, max(0.0, number))


def mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 4) if known else None


def moment(value: Any, at: str) -> datetime | None:
    """A point in time as RFC 3339 writes it, in UTC; one without a zone counts as UTC. None where there is none."""
    if value is None or value == "":
        return None
    try:
        read = datetime.fromisoformat(_padded(value))
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise TranscriptRefused(f"{at} must be a time like 2026-03-01T09:30:00Z") from error


def _padded(value: Any) -> Any:
    """`2026-03-01T09:30:05` of `2026/3/1 9:30:05`; whatever is no such date stays."""
    if not isinstance(value, str) or (found := _SPREADSHEET.fullmatch(value.strip())) is None:
        return value
    year, month, day, hour, minute, second, zone = found.groups()
    return f"{year}-{month:0>2}-{day:0>2}T{hour or '0':0>2}:{minute or '00'}:{second or '00'}{zone or ''}"


def language_of(value: Any) -> str | None:
    """`en-US` of `en-us`, `en_US` or `EN-US-x`; None of what is no language."""
    if not isinstance(value, str) or (found := _LANGUAGE.fullmatch(value)) is None:
        return None
    base, region = found[1].lower(), found[2]
    if base in _NO_LANGUAGE:
        return None
    if region is None:
        return base
    return f"{base}-{region.upper() if len(region) == 2 else region}"
