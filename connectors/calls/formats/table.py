"""Tables: CSV with whatever delimiter, columns found by the header's names. A column of call ids makes several calls of one table."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from connectors.calls.draft import Draft, Heard
from connectors.calls.fields import confidence_of
from connectors.calls.formats.columns import best, column, names_somebody
from connectors.calls.formats.roles import Said, voices_of
from connectors.calls.formats.times import Time, time_of
from connectors.calls.timeline import after
from connectors.calls.transcript import MOST_CHARACTERS, TranscriptRefused

DELIMITERS = (",", ";", "\t", "|")
ALLOWED = "a table's first line must name a column of speakers (speaker, role…) and one of texts (text, content, utterance…)"

_SEPARATOR = re.compile(r"sep=([,;\t|])\s*", re.IGNORECASE)  # a spreadsheet's own first line
_DECIMAL_COMMA = re.compile(r"\d+,\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Table:
    """`columns` by what they hold; `scales` make milliseconds of the times. The header is line `line`."""

    delimiter: str
    header: list[str]
    line: int
    columns: dict[str, int]
    scales: dict[str, float]


def delimiter_of(text: str) -> str | None:
    """The delimiter with which the first line is a header that can be read; None where there is none."""
    table = _table(text)
    return None if table is None else table.delimiter


def _table(text: str) -> Table | None:
    number, head, told = _head(text)
    for delimiter in (told,) if told else DELIMITERS:
        header = _header(head, delimiter)
        names = best(tuple(header))
        if "text" in names and names_somebody(names):
            columns = {kind: header.index(name) for kind, name in names.items()}
            scales = {kind: _scale(name) for kind, name in names.items()}
            return Table(delimiter, header, number, columns, scales)
    return None


def _head(text: str) -> tuple[int, str, str]:
    """The header's line and its number, and the delimiter that a line before it names, "" where there is none."""
    told = ""
    for number, line in enumerate(io.StringIO(text, newline=""), 1):
        if found := _SEPARATOR.fullmatch(line) if not told else None:
            told = found[1]
        elif line.strip("\r\n"):
            return number, line.strip("\r\n"), told
    return 1, "", told


def _header(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _scale(name: str) -> float:
    known = column(name)
    return 1_000.0 if known is None or known.scale is None else known.scale


def read(text: str) -> list[Draft]:
    """One draft a call. Raises `TranscriptRefused` with the line."""
    if (table := _table(text)) is None:
        raise TranscriptRefused(f"line 1: {ALLOWED}")
    calls: defaultdict[str, list[Said]] = defaultdict(list)
    for line, cells in _rows(text, table):
        if any(cell.strip() for cell in cells):
            calls[_cell(cells, table, "call")].append(_row(cells, table, line))
    return [_draft(call, rows) for call, rows in calls.items()] or [Draft("csv", [])]


def _draft(call: str, rows: Sequence[Said]) -> Draft:
    """A row that names nobody goes on with the voice before it, as captions do: spreadsheets merge cells."""
    said: list[Said] = []
    for row in rows:
        nobody = not row.heard.voice and bool(said)
        said.append(
            replace(said[-1], heard=replace(row.heard, voice=said[-1].heard.voice)) if nobody else row
        )
    heard, voices = voices_of(said)
    return Draft("csv", heard, call_id=call or None, voices=voices)


def _rows(text: str, table: Table) -> Iterator[tuple[int, list[str]]]:
    """Each row below the header with the number of its first line. Raises `TranscriptRefused`."""
    lines = islice(io.StringIO(text, newline=""), table.line, None)
    # strict: else all that follows a quotation mark that is never closed is one text
    reader = csv.reader(lines, delimiter=table.delimiter, strict=True)
    first = table.line + 1
    try:
        for cells in reader:
            yield first, _fitting(cells, table, first)
            first = table.line + 1 + reader.line_num
    except csv.Error as error:
        raise TranscriptRefused(f"line {first}: {_why(error)}") from error


def _why(error: csv.Error) -> str:
    if "unexpected end" in str(error):
        return 'a quotation mark opens a text and none closes it; allowed: "…", and "" for a mark within'
    if "expected after" in str(error):
        return 'a text goes on behind its closing quotation mark; allowed: "…", and "" for a mark within'
    return f"{error}; a text may have {MOST_CHARACTERS:,} characters"


def _fitting(cells: list[str], table: Table, line: int) -> list[str]:
    """Nothing may stand in cells that no name is above: it would be the rest of a text with the delimiter in it."""
    width = len(table.header)
    if any(cell.strip() for cell in cells[width:]):
        raise TranscriptRefused(
            f"line {line}: {len(cells)} columns; the header has {width}: a text that holds a {table.delimiter!r} must stand in quotation marks"
        )
    return cells


def _cell(cells: list[str], table: Table, kind: str) -> str:
    number = table.columns.get(kind)
    return cells[number].strip() if number is not None and number < len(cells) else ""


def _row(cells: list[str], table: Table, line: int) -> Said:
    at = f"line {line}"
    if table.columns["text"] >= len(cells):
        raise TranscriptRefused(
            f"{at}: {len(cells)} columns; the text is in column {table.columns['text'] + 1}"
        )
    start, end, lasted = (_time(cells, table, kind, at) for kind in ("start", "end", "duration"))
    if end is None and isinstance(lasted, int):
        end = after(start, lasted, at)
    role, name = _cell(cells, table, "role"), _cell(cells, table, "name")
    heard = Heard(
        voice=_cell(cells, table, "speaker") or name or _cell(cells, table, "voice") or role,
        text=_cell(cells, table, "text"),
        start_ms=start if isinstance(start, int) else None,
        end_ms=end if isinstance(end, int) else None,
        confidence=confidence_of(_number(_cell(cells, table, "confidence"), table), f"{at}, confidence"),
        at=at,
        start_at=start if isinstance(start, datetime) else None,
        end_at=end if isinstance(end, datetime) else None,
    )
    return Said(heard, role, name)


def _time(cells: list[str], table: Table, kind: str, at: str) -> Time:
    """A number is in seconds, where the column's name does not say otherwise."""
    written = _number(_cell(cells, table, kind), table)
    return time_of(written, f"{at}, {kind}", table.scales.get(kind, 1_000.0))


def _number(written: str, table: Table) -> str:
    """Where semicolons part the cells, a comma is a decimal one; elsewhere 1,500 could be either."""
    if table.delimiter == ";" and _DECIMAL_COMMA.fullmatch(written):
        return written.replace(",", ".")
    return written
