"""Texts for `parley eval masking`: JSON lines with `text`, and as lists of `[kind, words of the text]` what to `mask` and what to `keep`.

Words stand in the text in the order of their list; instead of words there may be `{"start", "end", "kind"}`, in characters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.cli.json_lines import objects, text_of
from parley.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text, and what it is."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A text with its personal data and with what only looks like some."""

    where: str
    text: str
    values: tuple[Stretch, ...]
    look_alikes: tuple[Stretch, ...]


def read(file: Path) -> list[Marked]:
    """Raises `ConfigurationError` with file, line and field."""
    rows = []
    for where, row in objects(file, "`text`, `mask` and `keep`"):
        text = text_of(row, where)
        values = tuple(_stretches(row, "mask", text, where))
        rows.append(Marked(where, text, values, tuple(_stretches(row, "keep", text, where, values))))
    if not any(row.values or row.look_alikes for row in rows):
        raise ConfigurationError(f"{file}: there is nothing to mask or to keep in any line")
    return rows


def _stretches(
    row: dict[str, Any], field: str, text: str, where: str, beside: tuple[Stretch, ...] = ()
) -> Iterator[Stretch]:
    """In order; none stands within one of those that it stands `beside`."""
    listed = row.get(field, [])
    if not isinstance(listed, list):
        raise ConfigurationError(f"{where}: {field}: must be a list")
    position = 0
    for each in listed:
        stretch = _stretch(each, text, position, beside)
        if stretch is None:
            raise ConfigurationError(
                f'{where}: {field}: {each!r} is none of the text; allowed: ["kind", "words"] in its order, or start, end and kind'
            )
        position = stretch.end
        yield stretch


def _stretch(each: Any, text: str, position: int, beside: tuple[Stretch, ...]) -> Stretch | None:
    if isinstance(each, dict):
        start, end, kind = each.get("start"), each.get("end"), each.get("kind")
        numbers = isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)
        return Stretch(start, end, kind) if numbers and isinstance(kind, str) else None  # type: ignore[arg-type]  # checked
    if not (
        isinstance(each, list) and len(each) == 2 and all(isinstance(part, str) and part for part in each)
    ):
        return None
    kind, words = each
    while (at := text.find(words, position)) >= 0:
        position = at + 1
        if not any(at < other.end and other.start < at + len(words) for other in beside):
            return Stretch(at, at + len(words), kind)
    return None
