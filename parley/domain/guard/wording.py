"""What is the machine's own and belongs in no answer: broken characters, control tokens, and the words of a model's instructions.

A model that fails writes such things. None of them is a fact, so none is compared with the passages; but what the passages say may be said.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from parley.domain.guard.signs import SIGN
from parley.domain.prompting import NO_ANSWER
from parley.domain.remembering import remembering

GARBLED = "\ufffd"
"""Stands for bytes that are no character, such as half of a Chinese one."""

_CONTROL = re.compile(
    r"<[ ]?[|｜][^|｜<>\n]{1,40}[|｜][ ]?>|<[|｜]|(?<=\w)[|｜]>|</?(?:sources|think)>|<(?:start|end)_of_turn>|\[/?INST\]|<</?SYS>>"
)
"""Of chat templates, whole, taken apart (`parley.domain.prompting.without_control`), or one end of them; and what stands around sources."""
CONTROL_SIGNS = frozenset("<>[｜")
"""Every match of `_CONTROL` has one of these."""

ROW = 6
"""So many words, or Chinese characters, in the order of the instructions are theirs; fewer stand in any text."""
SHORTEST = 5
"""A whole sentence of the instructions may be as short as this."""

_DICTATED = re.compile(r"\"[^\"\n]{1,400}\"|“[^”\n]{1,400}”|「[^」\n]{1,400}」|『[^』\n]{1,400}』")
"""What instructions put in quotation marks is to be said as it stands there."""


_PART_END = re.compile(r"[.!?;:\n。！？；：]+")


@dataclass(frozen=True, slots=True)
class Instructions:
    """Rows of words that are the instructions' own, and words of which every row has one."""

    rows: frozenset[tuple[str, ...]] = frozenset()
    signs: frozenset[str] = frozenset()

    def repeated(self, found: Sequence[str]) -> set[tuple[str, ...]]:
        """The rows that stand in a text of these signs."""
        if self.signs.isdisjoint(found):
            return set()
        words = words_of(found)
        return {row for length in (SHORTEST, ROW) for row in _rows(words, length)} & self.rows


@remembering(256)
def instructions_of(texts: tuple[str, ...], names: tuple[str, ...] = ()) -> Instructions:
    """Of what a model is told. Left out is what it shall say: `names`, such as the assistant's, and what stands in quotation marks."""
    said = re.compile("|".join([_DICTATED.pattern, *(re.escape(name) for name in names if name.strip())]))
    parts = [
        words_of(SIGN.findall(part.lower()))
        for text in texts
        for part in _PART_END.split(said.sub("\n", text))
    ]
    rows = [
        row for part in parts for row in (_rows(part, min(ROW, len(part))) if len(part) >= SHORTEST else ())
    ]
    return Instructions(frozenset(rows), _covering(rows))


def wrong_wording(
    text: str, found: Sequence[str], instructions: Instructions, sources: Iterable[str]
) -> list[str]:
    """Which of these rules a text breaks; `found` are its signs in order (`SIGN`). `sources` are read where it repeats instructions."""
    violations = ["garbled"] if GARBLED in text else []
    if not CONTROL_SIGNS.isdisjoint(found) and _CONTROL.search(text) is not None:
        violations.append("control")
    repeated = instructions.repeated(found)
    if NO_ANSWER in text or (repeated and not _all_in(repeated, sources)):
        violations.append("instructions")
    return violations


def words_of(found: Iterable[str]) -> list[str]:
    """Of a text's signs those that are words, and Chinese characters, each by itself."""
    return [sign for sign in found if sign[0].isalpha()]


def _rows(words: Sequence[str], length: int) -> Iterable[tuple[str, ...]]:
    return zip(*(words[at:] for at in range(length)), strict=False)


def _covering(rows: Iterable[tuple[str, ...]]) -> frozenset[str]:
    """Few words, and long ones, since those are rare in answers; each row has one of them."""
    chosen: set[str] = set()
    for row in rows:
        if chosen.isdisjoint(row):
            chosen.add(max(reversed(row), key=len))
    return frozenset(chosen)


def _all_in(rows: set[tuple[str, ...]], sources: Iterable[str]) -> bool:
    """Whether each of these rows stands in a source, too."""
    left = set(rows)
    for source in sources:
        words = words_of(SIGN.findall(source.lower()))
        left -= {row for length in (SHORTEST, ROW) for row in _rows(words, length)}
    return not left
