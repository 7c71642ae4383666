"""Tables: CSV with whatever delimiter, columns found by the header's names. A column of call ids makes several calls of one table."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

from connectors.calls.draft import Draft, Heard
from connectors.calls.fields import confidence_of, milliseconds, moment
from connectors.calls.formats.cues import clock_ms
from connectors.calls.transcript import MOST_CHARACTERS, TranscriptRefused

DELIMITERS = (",", ";", "\t", "|")
COLUMNS: dict[str, tuple[str, ...]] = {
    "speaker": (
        *(
            "speaker",
            "role",
            "participant",
            "speaker role",
            "participant role",
            "party",
            "who",
            "channel",
            "speaker id",
            "speaker label",
        ),
        *("speaker name", "说话人", "角色", "发言人", "讲话人", "身份"),
    ),
    "text": (
        *("text", "content", "utterance", "message", "transcript", "sentence", "body"),
        *("内容", "文本", "话术", "对话内容", "语句", "转写", "转写文本"),
    ),
    "start": (
        *(
            "start",
            "start time",
            "begin",
            "begin time",
            "from",
            "time",
            "timestamp",
            "offset",
            "start ms",
            "begin ms",
            "offset ms",
        ),
        *(
            "start millis",
            "begin offset millis",
            "beginoffsetmillis",
            "start seconds",
            "start s",
            "开始",
            "开始时间",
            "时间",
            "起始时间",
        ),
    ),
    "end": (
        *(
            "end",
            "end time",
            "stop",
            "to",
            "end ms",
            "end millis",
            "end offset millis",
            "endoffsetmillis",
            "end seconds",
            "end s",
        ),
        *("结束", "结束时间"),
    ),
    "confidence": ("confidence", "score", "置信度"),
    "call": (
        "call id",
        "callid",
        "conversation id",
        "contact id",
        "call",
        "session id",
        "通话id",
        "会话id",
        "通话编号",
    ),
}
_MILLISECONDS = ("ms", "millis", "milliseconds")
ALLOWED = "a table's first line must name a column of speakers (speaker, role…) and one of texts (text, content, utterance…)"


def delimiter_of(text: str) -> str | None:
    """The delimiter with which the first line is a header that can be read; None where there is none."""
    head = text.lstrip("\r\n").split("\n", 1)[0].strip("\r")
    return next(
        (each for each in DELIMITERS if {"speaker", "text"} <= _columns(_header(head, each)).keys()), None
    )


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _columns(header: list[str]) -> dict[str, int]:
    """Which column is which, by the first name that fits."""
    found: dict[str, int] = {}
    for number, name in enumerate(header):
        folded = " ".join(name.strip().casefold().replace("_", " ").replace("-", " ").split())
        kind = next((kind for kind, names in COLUMNS.items() if folded in names), None)
        if kind is not None:
            found.setdefault(kind, number)
    return found


def read(text: str) -> list[Draft]:
    """One draft a call. Raises `TranscriptRefused` with the line."""
    if (delimiter := delimiter_of(text)) is None:
        raise TranscriptRefused(f"line 1: {ALLOWED}")
    rows = _rows(text.lstrip("\r\n"), delimiter)
    header = next(rows)[1]
    columns = _columns(header)
    scales = {
        kind: 1.0 if header[number].casefold().endswith(_MILLISECONDS) else 1_000.0
        for kind, number in columns.items()
    }
    calls: dict[str, list[Heard]] = {}
    for line, row in rows:
        if any(cell.strip() for cell in row):
            calls.setdefault(_cell(row, columns, "call"), []).append(
                _turn(row, columns, scales, f"line {line}")
            )
    return [Draft("csv", heard, call_id=call or None) for call, heard in calls.items()] or [Draft("csv", [])]


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise TranscriptRefused(
            f"line {reader.line_num}: {error}; a text may have {MOST_CHARACTERS:,} characters"
        ) from error


def _cell(row: list[str], columns: dict[str, int], kind: str) -> str:
    number = columns.get(kind)
    return row[number].strip() if number is not None and number < len(row) else ""


def _turn(row: list[str], columns: dict[str, int], scales: dict[str, float], at: str) -> Heard:
    if columns["text"] >= len(row):
        raise TranscriptRefused(f"{at}: {len(row)} columns; the text is in column {columns['text'] + 1}")
    start, end = (
        _time(_cell(row, columns, kind), scales.get(kind, 1_000), f"{at}, {kind}")
        for kind in ("start", "end")
    )
    return Heard(
        voice=_cell(row, columns, "speaker"),
        text=_cell(row, columns, "text"),
        start_ms=start if isinstance(start, int) else None,
        end_ms=end if isinstance(end, int) else None,
        confidence=confidence_of(_cell(row, columns, "confidence"), f"{at}, confidence"),
        at=at,
        start_at=start if isinstance(start, datetime) else None,
        end_at=end if isinstance(end, datetime) else None,
    )


def _time(written: str, scale: float, at: str) -> int | datetime | None:
    """A date and time, a clock like 00:01:02, or a number of seconds (of milliseconds, where the column says so)."""
    if "-" in written[1:]:
        return moment(written, at)
    return clock_ms(written, at) if ":" in written else milliseconds(written, at, scale)
