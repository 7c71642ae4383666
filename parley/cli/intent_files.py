"""Labelled texts for `parley eval intents`: JSON lines with `text` and `intent`, or `intents` where several may be right."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parley.cli.json_lines import objects, text_of
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
    for where, row in objects(file, "`text` and `intent`"):
        several = "intents" in row
        kinds.add(several)
        if len(kinds) > 1:
            raise ConfigurationError(
                f"{where}: intents: the lines before have `intent`, this one has not; use one of the two"
            )
        rows.append(
            Labelled(
                text_of(row, where), _intents(row, where, several=several), int(where.rpartition(":")[2])
            )
        )
    if not rows:
        raise ConfigurationError(f"{file}: there is no line with a text")
    return LabelledTexts(tuple(rows), kinds.pop())


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
