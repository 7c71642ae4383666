"""An answer without a model: the best sentences, list or table rows of the passages, quoted as they stand.

Quoting cannot invent anything, which is why it is the default until a tenant connects a model. The passages come ranked, and the
best one's article answers: with the sentence with which it begins, and the one or two of its blocks that say most of what was asked.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import islice

from parley.domain import following
from parley.domain.asking import kinds_of
from parley.domain.chunking import is_table
from parley.domain.remembering import remembering
from parley.domain.words import terms
from schemas.parts import Passage

KIND_BONUS = 0.25
"""What a block gets for each kind of thing that was asked for and that it holds: an amount, a time."""

ANNOUNCED = 0.25
"""What a block gets whose heading announces such a kind: "How long it takes"."""

RANK = 0.5
"""What a block gets for the rank of its passage: the passage's score as a share of the best one's."""

SECOND = 0.75
"""A second block is quoted too when it gets at least this share of what the best one gets, and all together has room."""

ROOM = 500
"""Characters, for what is quoted with a second block."""

ROWS_ALIKE = 0.6
"""Of a table those rows are quoted that cover at least this share of what the best row does."""

ROWS_TOLD = 0.2
"""And the first `MOST_ROWS` of them where none covers this share of the question: a word like `month` chooses none."""

PHRASE_TERMS = 4
MOST_SENTENCES = 3
MOST_ROWS = 6

BLOCKS_KEPT = 1_024
"""Of how many texts the terms are kept: reading them is most of an answer's work, and the same articles are asked for again and again."""

FULL_STOP = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(€$£])|(?<=[。！？])")
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'(€$£\u3400-\u9fff])|(?<=[。！？])")
LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")


@dataclass(frozen=True, slots=True)
class Extract:
    """What is quoted, and from which chunks."""

    text: str
    cited: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list or table of a passage, and the paragraph above it where that leads into it."""

    passage: Passage
    text: str
    intro: str = ""


class Weights:
    """How telling each term of the question is, judged by how few of these texts hold it.

    Blocks of the passages that were found all speak of the question's subject: here it weighs least, and rightly so, because it
    tells none of them apart.
    """

    def __init__(self, question: str, texts: Iterable[str], before: Sequence[str] = ()) -> None:
        held = [_held(text) for text in texts]
        holding = Counter(term for found in held for term in found)
        counts = following.weights(before) | dict.fromkeys(terms(question), 1.0)
        self._weights = {
            term: count * math.log(1 + (len(held) + 1) / (holding[term] + 0.5))
            for term, count in counts.items()
        }
        self._sum = sum(self._weights.values())
        self.kinds = kinds_of(question) or kinds_of("\n".join(before))

    def without(self, text: str) -> "Weights":
        """The same where what the text says counts nothing: a table's head tells none of its rows from another."""
        rest, said = copy(self), _held(text)
        rest._weights = {term: 0.0 if term in said else each for term, each in self._weights.items()}
        return rest

    def worth(self, text: str) -> float:
        """What is covered, and a bonus for each kind of thing that was asked for and is there."""
        return self.covered(text) + KIND_BONUS * sum(kind.search(text) is not None for kind in self.kinds)

    def covered(self, text: str) -> float:
        """Share of the question's weight that the text's terms cover, 0 to 1."""
        if not self._sum:
            return 0.0
        held = _held(text)
        return sum(weight for term, weight in self._weights.items() if term in held) / self._sum


@remembering(BLOCKS_KEPT)
def _held(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def extract(question: str, passages: Sequence[Passage], before: Sequence[str] = ()) -> Extract | None:
    """The quotation that answers best, or None where there is no passage. `before` is what a follow-up follows (`parley.domain.following`)."""
    if not passages:
        return None
    best = max(passages, key=lambda passage: passage.score)
    same = [passage for passage in passages if passage.article_id == best.article_id]
    weights = Weights(question, [block for passage in passages for block in blocks_of(passage.text)], before)
    blocks = [block for passage in same for block in _blocks(passage)]
    lead = next((block for block in blocks if not block.passage.path), None)
    first = first_sentence(lead.text) if lead is not None else ""
    scored = [(_score(block, weights, best.score), block) for block in blocks if block is not lead]
    if lead is not None and all(
        weights.worth(_judged(block, weights)) < weights.worth(first) for _, block in scored
    ):
        return Extract(shorten(lead.text, weights), (lead.passage.chunk_id,))
    taken = _taken(scored, len(first), weights)
    quoted = [quote(block, weights) for block in blocks if block in taken]
    cited = dict.fromkeys(block.passage.chunk_id for block in blocks if block is lead or block in taken)
    return Extract("\n\n".join([first, *quoted] if first else quoted), tuple(cited))


def _taken(scored: Sequence[tuple[float, Block]], used: int, weights: Weights) -> list[Block]:
    """The best block, and the next best if it is about as good and there is room for it."""
    ranked = sorted(scored, key=lambda each: -each[0])
    (best, chosen), *others = ranked
    room = ROOM - used - len(quote(chosen, weights))
    second = (
        block for score, block in others if score >= SECOND * best and len(quote(block, weights)) <= room
    )
    return [chosen, *islice(second, 1)]


def _judged(block: Block, weights: Weights) -> str:
    """What a block is chosen by: all of a table, though few of its rows are quoted."""
    return block.text if is_table(block.text.split("\n")) else quote(block, weights)


def quote(block: Block, weights: Weights) -> str:
    shortened = shorten(block.text, weights, block.passage.title)
    return f"{block.intro}\n\n{shortened}" if block.intro else shortened


def first_sentence(text: str) -> str:
    """The sentence with which a text begins; with the next one where it is only a phrase."""
    sentences = FULL_STOP.split(blocks_of(text)[0])
    enough = 1 + (len(sentences) > 1 and len(terms(sentences[0])) < PHRASE_TERMS)
    return _join([sentence.strip() for sentence in sentences[:enough]])


def blocks_of(text: str) -> list[str]:
    """Paragraphs, lists and tables, in order."""
    return [block.strip("\n") for block in re.split(r"\n\s*\n", text) if block.strip()]


def _blocks(passage: Passage) -> Iterator[Block]:
    intro = ""
    for text in blocks_of(passage.text):
        if _leads(text):
            intro = text
            continue
        yield Block(passage, text, intro)
        intro = ""
    if intro:
        yield Block(passage, intro)


def _score(block: Block, weights: Weights, best: float) -> float:
    rank = block.passage.score / best if best else 1.0
    announced = weights.kinds & kinds_of(" ".join(block.passage.path))
    return weights.worth(quote(block, weights)) + RANK * rank + ANNOUNCED * bool(announced)


def shorten(block: str, weights: Weights, title: str = "") -> str:
    """A block as it is quoted: a table by the rows that are asked for, a long paragraph by its best run of sentences."""
    lines = block.split("\n")
    if is_table(lines):
        return "\n".join([*lines[:2], *_rows(lines[2:], weights.without(f"{title} {lines[0]}"))])
    if LIST_ITEM.match(block):
        return block
    sentences = [sentence for sentence in SENTENCE.split(" ".join(lines)) if sentence.strip()]
    if len(sentences) <= MOST_SENTENCES:
        return " ".join(lines)
    starts = range(len(sentences) - MOST_SENTENCES + 1)
    joined = [_join(sentences[at : at + MOST_SENTENCES]) for at in starts]
    return max(joined, key=weights.worth)


def _rows(rows: Sequence[str], weights: Weights) -> list[str]:
    """The rows that cover most, in their order; all of a short table where none covers more than the others."""
    covered = [weights.covered(_first_cell(row)) for row in rows]
    if max(covered) < ROWS_TOLD and len(rows) > MOST_ROWS:
        covered = [weights.covered(row) for row in rows]
    best = max(covered)
    enough = ROWS_ALIKE * best if best >= ROWS_TOLD else 0.0
    ranked = sorted(range(len(rows)), key=lambda at: (-covered[at], at))[:MOST_ROWS]
    return [rows[at] for at in sorted(ranked) if covered[at] >= enough]


def _first_cell(row: str) -> str:
    """What a row is about; the others say what of it."""
    return row.strip().strip("|").partition("|")[0]


def _join(sentences: Sequence[str]) -> str:
    text = ""
    for sentence in sentences:
        text += sentence if not text or text[-1] in "。！？；" else f" {sentence}"
    return text


def _leads(block: str) -> bool:
    return block.rstrip().endswith((":", "："))
