"""The Chinese text that the model learns from: small public sets of help, finance and travel, as documents with a title.

What is written like a help page is quoted by examples; dialogues, questions and answers are read as text alone.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from workers.retrain.prepare import rows

QUOTED = frozenset({"zh_places", "zh_clauses", "zh_finance"})
"""What is written like a help page."""

DIALOGUES = {
    "zh_crosswoz": "crosswoz_zh/val.jsonl.gz",
    "zh_kdconv": "retrieval_zh_kdconv_travel/dialogues.jsonl.gz",
}
FIN_EVA = ("fin_eva_zh/labelled.jsonl", "fin_eva_zh/unlabelled.jsonl.gz")
TOGETHER = 12
"""So many questions and choices of one task make a document."""
LONGEST_TITLE = 14

_NEAR = re.compile(r"(?m)^周边(?:景点|餐馆|酒店)：.*$\n?")
"""Lists of names, line after line."""
_HEADING = re.compile(r"#+ ?")
_BROKEN_LINE = re.compile(r"(?<=[^。！？；：\s]) ?\n(?=[^\s\d(（])")
"""Pages of contracts break lines within sentences."""
_TITLE_END = re.compile(r"[，。：；！？（(\n]")
_NUMBERING = re.compile(r"^[\s\d.、()（）一二三四五六七八九十第条-]+")


def gather(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Source, title and text of each document; paragraphs are a blank line apart."""
    for row in rows(folder / "retrieval_zh_kdconv_travel" / "corpus.jsonl.gz"):
        text = _NEAR.sub("", row["text"]).replace("Information：", "")
        yield "zh_places", row["title"], _HEADING.sub("\n\n", text).replace("\n", "\n\n")
    for row in rows(folder / "retrieval_zh_insurance" / "corpus.jsonl.gz"):
        yield from _clause("zh_clauses", row["text"])
    for row in rows(folder / "retrieval_zh_finfaq" / "corpus.jsonl.gz"):
        yield "zh_finance", row["title"] or _title(row["text"]), row["text"]
    for source, name in DIALOGUES.items():
        for row in rows(folder / name):
            yield source, "", "\n".join(turn["content"] for turn in row["messages"])
    yield from _fin_eva(folder)


def _fin_eva(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Its contexts, and what is asked and may be answered, as lines of one task."""
    contexts: dict[str, None] = {}
    lines: dict[str, dict[str, None]] = {}
    for name in FIN_EVA:
        for row in rows(folder / name):
            if row.get("context"):
                contexts[row["context"]] = None
            said = (row["question"], *(row.get("options") or {}).values())
            lines.setdefault(row["task"], {}).update(dict.fromkeys(each for each in said if len(each) > 1))
    for context in contexts:
        yield from _clause("zh_clauses", context)
    for found in lines.values():
        every = list(found)
        for at in range(0, len(every), TOGETHER):
            yield "zh_asked", "", "\n".join(every[at : at + TOGETHER])


def _clause(source: str, text: str) -> Iterator[tuple[str, str, str]]:
    whole = _BROKEN_LINE.sub("", text.strip())
    if title := _title(whole):
        yield source, title, whole.replace("\n", "\n\n")


def _title(text: str) -> str:
    """What a text begins with, without its number."""
    return _TITLE_END.split(_NUMBERING.sub("", text), maxsplit=1)[0].strip()[:LONGEST_TITLE]
