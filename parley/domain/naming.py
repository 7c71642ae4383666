"""What a chunk is called, and how far a question calls it that: a title that is named says more than the same characters here and there.

A chunk's names are its article's title, whole and without what stands in brackets, what customers call that, the heading above it, and what its
text says first that it is about. This is also how a question meets an article's own question. Only Chinese chunks have names: single characters and
pairs say less than words do, and in English names found fewer first answers by words alone (Ask CFPB .494 to .475, DSTC10 .367 to .347).
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from parley.domain.chunking import Chunk
from parley.domain.words import CJK, grams

NAMED = 2.0
"""What a whole name counts, beside BM25, for each of its terms and their rarity; a part of a name counts as the square of its share."""
DOUBT = 0.1
"""So much of its BM25 a chunk loses whose names the question does not say."""
TURN_WEIGHT = 0.8
"""What a name that was said the turn before counts; each turn further back this share of the one after it."""
# All three, with the length of a subject, were chosen together on zh_finfaq, zh_insurance, zh_kdconv_travel and the bank's Chinese questions:
# of 180 settings those that are good on all, and left in the middle of where that hardly changes (`docs/benchmarks.md`).

NAMES_IN = "zh"
SUBJECT_CHARS = 14
"""What is longer is no subject but a sentence."""
_BRACKETS = re.compile(r"[()（）【】\[\]]")
_NUMBERING = re.compile(
    r"^[\s\d.、,，:：()（）〇零一二三四五六七八九十百第条章节款*①-⑳\-—．【】\[\]]+"  # as they stand before clauses
)
_SUBJECT_ENDS = re.compile(
    r"(?:通常|一般|常|主要|就|也|即)?(?:指|是|为|包括|简称|又称|又叫|也称|[:：\n,，。(])"  # Chinese punctuation
)

Names = tuple[tuple[str, ...], ...]
"""The terms of each name."""


def names_of(chunk: Chunk) -> list[list[str]]:
    """The telling terms of each name that has some."""
    if chunk.language != NAMES_IN:
        return []
    names = (
        chunk.title,
        *_bracketed(chunk.title),
        *chunk.asked_as,
        *chunk.path[-1:],
        subject(chunk.text),
    )
    return [found for name in dict.fromkeys(names) if (found := _telling(name))]


def _bracketed(title: str) -> list[str]:
    """Customers say what stands before the brackets, or what stands in them."""
    return _BRACKETS.split(title) if _BRACKETS.search(title) else []


def subject(text: str) -> str:
    """What Chinese text begins with, as a heading or as what it defines: `6.1 宽限期\\n…`, `现金价值是指…`; empty where that is a sentence."""
    begins = _NUMBERING.sub("", text)
    end = _SUBJECT_ENDS.search(begins, 0, SUBJECT_CHARS + 4)
    return begins[: end.start()] if end is not None and 2 <= end.start() <= SUBJECT_CHARS else ""


def _telling(name: str) -> list[str]:
    """The terms of a name that tell something, each once: words and numbers, of Chinese the pairs."""
    return [
        term for term in dict.fromkeys(grams(name, drop_common=True)) if len(term) > 1 or not CJK.match(term)
    ]


def named(
    said: Mapping[str, Sequence[int]], names: Names, rarity: Callable[[str], float]
) -> tuple[float, float]:
    """What the best name is worth that was said, and the share of a name that the question itself says; `said` has by term the turns, 0 the question's."""
    most = share = 0.0
    for name in names:
        met = _met(said, name, rarity)
        if not met:
            continue
        whole = sum(map(rarity, name)) or 1.0
        share = max(share, met.get(0, 0.0) / whole)
        most = max(most, *(TURN_WEIGHT**turn * value * (value / whole) ** 2 for turn, value in met.items()))
    return NAMED * most, share


def _met(
    said: Mapping[str, Sequence[int]], name: Sequence[str], rarity: Callable[[str], float]
) -> dict[int, float]:
    """By turn, the rarity of the name's terms that it has."""
    found: dict[int, float] = defaultdict(float)
    for term in name:
        for turn in said.get(term, ()):
            found[turn] += rarity(term)
    return found


def split(names: str) -> Iterator[tuple[str, ...]]:
    """Names as they are kept, one a line."""
    return (tuple(line.split()) for line in names.splitlines())
