"""What a lexicon is: for each risk the phrases that say it, and those that only look like it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from parley.domain.risks.phrases import Reader
from schemas.parts import RiskKind


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`unless` takes back what begins within it: `no complaint` takes back that `complaint`, but no other one in the message."""

    reader: Reader
    said: Mapping[RiskKind, tuple[str, ...]]
    unless: Mapping[RiskKind, tuple[str, ...]] = field(default_factory=dict)


def listed(text: str) -> tuple[str, ...]:
    """A list of phrases, one a line."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())
