"""Files of JSON lines, plain or gzipped, with errors that name file, line and field."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parley.errors import ConfigurationError


def objects(file: Path, fields: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each line's place and object; empty lines are passed over. `fields` says in an error what a line should have.

    Raises `ConfigurationError`.
    """
    for number, line in _lines(file):
        if line.strip():
            where = f"{file}:{number}"
            yield where, _object(line, where, fields)


def text_of(row: dict[str, Any], where: str, field: str = "text") -> str:
    """Raises `ConfigurationError` where it is missing or no string."""
    text = row.get(field)
    if not isinstance(text, str):
        raise ConfigurationError(f"{where}: {field}: {'missing' if text is None else 'must be a string'}")
    return text


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


def _object(line: str, where: str, fields: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise ConfigurationError(f"{where}: not JSON ({error})") from error
    if not isinstance(row, dict):
        raise ConfigurationError(f"{where}: a line must be an object with {fields}")
    return row
