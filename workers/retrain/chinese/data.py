"""What training draws from, as one file. Needs no package of the platform's: training runs where that is not installed."""

import gzip
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from parley.domain.words import CJK

SENTENCE_ENDS = re.compile(r"(?<=[。！？；\n])")


@dataclass(frozen=True, slots=True)
class Known:
    """A question with what was said before it, oldest first, what answers it, and what all its right answers share."""

    question: str
    history: list[str]
    passage: str
    key: str
    dev: bool


@dataclass(frozen=True, slots=True)
class ChineseData:
    #: Whole texts, of a few characters to some hundred.
    texts: list[str]
    #: What was said one after the other.
    dialogues: list[list[str]]
    #: By set.
    known: dict[str, list[Known]]


def save(data: ChineseData, out: Path) -> None:
    """As gzipped JSON."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(out, "wt", encoding="utf-8") as file:
        json.dump(asdict(data), file, ensure_ascii=False)


def load(file: Path) -> ChineseData:
    with gzip.open(file, "rt", encoding="utf-8") as held:
        found = json.load(held)
    known = {name: [Known(**each) for each in some] for name, some in found["known"].items()}
    return ChineseData(found["texts"], found["dialogues"], known)


def sentences(text: str) -> list[str]:
    return [each.strip() for each in SENTENCE_ENDS.split(text) if CJK.search(each)]
