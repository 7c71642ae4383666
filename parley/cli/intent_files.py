"""Labelled texts for `parley eval intents`: JSON lines with `text` and `intent`, or `intents` where several may be right."""

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text with its intents; `line` is where it stands."""

    text: str
    intents: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """One file. `several`: it has `intents`, any number of them a text."""

    rows: tuple[Labelled, ...]
    several: bool


def read(file: Path) -> LabelledTexts:
    """Raises `ConfigurationError` with file, line and field."""
    rows, kinds = [], set()
    for number, line in _lines(file):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        row = _object(line, where)
        several = "intents" in row
        kinds.add(several)
        if len(kinds) > 1:
            raise ConfigurationError(
                f"{where}: intents: the lines before have `intent`, this one has not; use one of the two"
            )
        rows.append(Labelled(_text(row, where), _intents(row, where, several=several), number))
    if not rows:
        raise ConfigurationError(f"{file}: there is no line with a text")
    return LabelledTexts(tuple(rows), kinds.pop())


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb") as held:
            for number, line in enumerate(held, start=1):
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file}:{number}: not UTF-8 (byte {error.start})") from error
    except (OSError, EOFError) as error:
        raise ConfigurationError(f"{file}: {getattr(error, 'strerror', None) or error}") from error


def _object(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigurationError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ConfigurationError(f"{where}: a line must be an object with `text` and `intent`")
    return row


def _text(row: dict[str, Any], where: str) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise ConfigurationError(f"{where}: text: {'missing' if text is None else 'must be a string'}")
    return text


def _intents(row: dict[str, Any], where: str, *, several: bool) -> tuple[str, ...]:
    if not several:
        intent = row.get("intent")
        if not isinstance(intent, str) or not intent:
            raise ConfigurationError(f"{where}: intent: {'missing' if intent is None else 'must be a name'}")
        return (intent,)
    intents = row["intents"]
    if not isinstance(intents, list) or not all(isinstance(each, str) and each for each in intents):
        raise ConfigurationError(f"{where}: intents: must be a list of names")
    return tuple(dict.fromkeys(intents))
