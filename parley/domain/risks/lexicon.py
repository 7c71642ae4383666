"""What a lexicon is: for each risk the phrases that say it, and those that only look like it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from parley.domain.risks.phrases import Reader
from schemas.parts import RiskKind


class Phrases(Protocol):
    """A module of phrases for one risk. What begins within one of `UNLESS` is taken back: `no complaint` takes back that `complaint`, but no
    other one in the message.
    """

    SAID: tuple[str, ...]
    UNLESS: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A language's phrases for every risk."""

    reader: Reader
    risks: Mapping[RiskKind, Phrases]


def listed(text: str) -> tuple[str, ...]:
    """A list of phrases, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
