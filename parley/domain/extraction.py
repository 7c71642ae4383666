"""An answer without a model: the best sentences, list or table rows of the passages, quoted as they stand.

Quoting cannot invent anything, which is why it is the default until a tenant connects a model. It chooses a passage by how
much of the question it covers, then within it the block that covers most, then of a long block the best part.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from parley.domain.chunking import is_table
from parley.domain.words import terms
from schemas.parts import Passage

ENOUGH = 0.3
"""Share of the question's weight that the best passage must cover, title and headings included; else nothing is said."""

RANK_WEIGHT = 2.0
"""What a passage's score, as a share of the best one's, counts beside the share of the question that it covers: the score knows
how rare a word is among all articles, the share only among the passages that were found.
"""

SECOND_BLOCK = 0.7
"""A second block is quoted too when it covers at least this share of what the first one does, or leads into it."""

LEAD_BONUS = 0.25
"""An article begins with its answer in one sentence: its beginning is preferred to a chunk that covers about as much."""

TABLE_ABOVE = 0.4
"""A table right above the best block is what that block speaks of when it covers at least this share of it."""

MOST_CHARS = 700
MOST_SENTENCES = 3
MOST_ROWS = 8

SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(€$£\u3400-\u9fff])|(?<=[。！？；])")
LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


@dataclass(frozen=True, slots=True)
class Extract:
    """What is quoted, and from which chunks."""

    text: str
    cited: tuple[str, ...]


class Weights:
    """How telling each term of the question is, judged by how few of the passages hold it."""

    def __init__(self, question: str, passages: Sequence[Passage]) -> None:
        holding = Counter(term for passage in passages for term in set(terms(_all(passage))))
        self._weights = {
            term: math.log(1 + (len(passages) + 1) / (holding[term] + 0.5))
            for term in dict.fromkeys(terms(question))
        }
        self._sum = sum(self._weights.values())

    def covered(self, text: str) -> float:
        """Share of the question's weight that the text's terms cover, 0 to 1."""
        if not self._sum:
            return 0.0
        held = set(terms(text))
        return sum(weight for term, weight in self._weights.items() if term in held) / self._sum


def extract(question: str, passages: Sequence[Passage], topic: str = "") -> Extract | None:
    """The quotation that answers best, or None where no passage covers enough of the question and its topic's title."""
    if not passages:
        return None
    weights = Weights(question, passages)
    top = max(passage.score for passage in passages) or 1.0
    chosen = max(
        passages,
        key=lambda p: (
            weights.covered(_all(p)) + RANK_WEIGHT * p.score / top + (0.0 if p.path else LEAD_BONUS)
        ),
    )
    if Weights(f"{question}\n{topic}", passages).covered(_all(chosen)) < ENOUGH:
        return None
    return Extract(quote(chosen.text, weights), (chosen.chunk_id,))


def quote(text: str, weights: Weights) -> str:
    """The best block of a passage, with the one before it where that leads into it, or with the next best."""
    blocks = blocks_of(text)
    scores = [weights.covered(block) for block in blocks]
    best = max(range(len(blocks)), key=lambda at: (scores[at], -at))
    taken = {best}
    if best > 0 and (_leads(blocks[best - 1]) or is_structured(blocks[best])):
        taken.add(best - 1)
    if best > 0 and is_table(blocks[best - 1].split("\n")) and scores[best - 1] >= TABLE_ABOVE * scores[best]:
        taken.add(best - 1)
    if best + 1 < len(blocks) and _leads(blocks[best]):
        taken.add(best + 1)
    size = sum(len(blocks[at]) for at in taken)
    for at in sorted(range(len(blocks)), key=lambda at: -scores[at]):
        near_enough = scores[at] >= SECOND_BLOCK * scores[best] > 0
        if at not in taken and near_enough and size + len(blocks[at]) <= MOST_CHARS:
            taken.add(at)
            size += len(blocks[at])
    return "\n\n".join(shorten(blocks[at], weights) for at in sorted(taken))


def blocks_of(text: str) -> list[str]:
    """Paragraphs, lists and tables, in order."""
    return [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]


def is_structured(block: str) -> bool:
    lines = block.split("\n")
    return is_table(lines) or LIST_ITEM.match(block) is not None


def shorten(block: str, weights: Weights) -> str:
    """A block as it is quoted: a long table by its best rows, a long paragraph by its best run of sentences."""
    lines = block.split("\n")
    if is_table(lines):
        return "\n".join([*lines[:2], *_best(lines[2:], MOST_ROWS, weights)])
    if LIST_ITEM.match(block):
        return block
    sentences = [sentence for sentence in SENTENCE.split(" ".join(lines)) if sentence.strip()]
    if len(sentences) <= MOST_SENTENCES:
        return " ".join(lines)
    starts = range(len(sentences) - MOST_SENTENCES + 1)
    joined = [_join(sentences[at : at + MOST_SENTENCES]) for at in starts]
    return max(joined, key=weights.covered)


def _best(rows: Sequence[str], most: int, weights: Weights) -> list[str]:
    """All rows of a short table; of a long one those that cover most, in their order."""
    if len(rows) <= most:
        return list(rows)
    ranked = sorted(range(len(rows)), key=lambda at: (-weights.covered(rows[at]), at))[:most]
    return [rows[at] for at in sorted(ranked)]


def _join(sentences: Sequence[str]) -> str:
    text = ""
    for sentence in sentences:
        text += sentence if not text or text[-1] in "。！？；" else f" {sentence}"
    return text


def _leads(block: str) -> bool:
    return block.rstrip().endswith((":", "："))


def _all(passage: Passage) -> str:
    return " ".join((passage.title, *passage.path, passage.text))
