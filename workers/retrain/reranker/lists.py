"""Lists to learn ranking from: questions, the passages nearest to each, and which of them answer. No tensors here.

What lies near is found by an encoder that the caller brings (`Near`), on the retrieval sets together with BM25.
"""

import random
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from parley.errors import ConfigurationError
from workers.retrain.batches import SEPARATOR, Batches, passage_text, question_with_history
from workers.retrain.prepare import Data, Passages

MOST = 12_000
"""Lists of one kind."""
SPOKEN_SHARE = 0.5
"""So many of them are made-up dialogues, which cost nothing and are less like what people ask."""
FOUND, KEPT = 40, 30
"""Passages that each way of searching finds for a question, and those that are kept of both."""
WORDS_WEIGHT = 0.5
RANK_OFFSET = 20
"""A passage counts 1 / (offset + its place): reciprocal rank fusion (Cormack et al., SIGIR 2009)."""
NEAR_TITLES, NEAR_SPOKEN, NEAR_UNLABELLED = 24, 24, 16
FEWEST = 10
"""Passages in a list; titles with fewer wrong ones near them are left out."""
LEARNT = ("ask_cfpb", "doc2dial")
"""Of the other retrieval sets all questions are held back."""

#: By question, the places of the passages nearest to it, best first: `near(questions, passages, how many)`.
Near = Callable[[Sequence[str], Sequence[str], int], list[list[int]]]


@dataclass(frozen=True, slots=True)
class Candidates:
    """A question, what answers it (nothing: nobody has said), and passages near it, best first."""

    question: str
    right: tuple[str, ...]
    near: tuple[str, ...]

    @property
    def wrong(self) -> tuple[str, ...]:
        return tuple(passage for passage in self.near if passage not in self.right)


@dataclass(slots=True)
class Lists:
    """By where they come from. `passages` are all that could be found, `held_back` by set what is never trained on."""

    asked: list[Candidates] = field(default_factory=list)
    titles: list[Candidates] = field(default_factory=list)
    spoken: list[Candidates] = field(default_factory=list)
    unlabelled: list[Candidates] = field(default_factory=list)
    held_back: dict[str, list[Candidates]] = field(default_factory=dict)
    passages: list[str] = field(default_factory=list)

    @property
    def labelled(self) -> list[Candidates]:
        return [*self.asked, *self.titles, *self.spoken]

    def counts(self) -> dict[str, int]:
        return {kind: len(getattr(self, kind)) for kind in ("asked", "titles", "spoken", "unlabelled")}

    def texts(self) -> Iterator[str]:
        """Each text that training may read, once."""
        found = dict.fromkeys(self.passages)
        for each in (*self.labelled, *self.unlabelled):
            found |= dict.fromkeys((each.question, *each.right, *each.near))
        return iter(found)


def gather(data: Data, near: Near, seed: int, most: int = MOST) -> Lists:
    """Raises `ConfigurationError` where a kind has no list."""
    made = Lists()
    for name, found in data.retrieval.items():
        passages = {id_: passage_text(title, text) for id_, title, text in found.corpus}
        made.passages += passages.values()
        held_back = made.held_back.setdefault(name, [])
        for query, candidates in _retrieval(found, passages, near, most):
            learnt = name in LEARNT and not query["dev"]
            (made.asked if learnt else held_back).append(candidates)
    made.titles = list(_titles(data, near, most))
    made.spoken = list(_spoken(data, near, seed, int(most * SPOKEN_SHARE)))
    made.unlabelled = list(_unlabelled(data, near, seed, most))
    empty = [kind for kind, count in made.counts().items() if not count]
    if empty:
        raise ConfigurationError(
            f"the training data give no lists of {', '.join(empty)}: they are less than `prepare` writes"
        )
    return made


def _retrieval(
    found: Passages, passages: dict[str, str], near: Near, most: int
) -> Iterator[tuple[dict[str, object], Candidates]]:
    texts = list(passages.values())
    queries = found.queries[:most]
    questions = [question_with_history(query) for query in queries]
    nearest = near(questions, texts, FOUND)
    with closing(Words(texts)) as words:
        by_words = [words.nearest(question, FOUND) for question in questions]
    best = [_fused(*each) for each in zip(nearest, by_words, strict=True)]
    for query, question, places in zip(queries, questions, best, strict=True):
        right = tuple(passages[id_] for id_ in query["gold"])
        yield query, Candidates(question, right, tuple(texts[place] for place in places))


def _fused(nearest: Sequence[int], by_words: Sequence[int]) -> list[int]:
    worth: dict[int, float] = defaultdict(float)
    for weight, ranked in ((1.0, nearest), (WORDS_WEIGHT, by_words)):
        for rank, place in enumerate(ranked):
            worth[place] += weight / (RANK_OFFSET + rank)
    return sorted(worth, key=lambda place: (-worth[place], place))[:KEPT]


def _titles(data: Data, near: Near, most: int) -> Iterator[Candidates]:
    """A page's title and one of its paragraphs, among those of other pages."""
    rows = data.titles[:most]
    texts = [text for _, _, text in rows]
    found = near([title for _, title, _ in rows], texts, NEAR_TITLES)
    for (source, title, text), places in zip(rows, found, strict=True):
        others = [rows[place][2] for place in places if rows[place][:2] != (source, title)]
        # The very nearest often answers as well, and nobody has said so.
        others = others[1:20]
        if len(others) >= FEWEST:
            yield Candidates(title, (text,), tuple(others))


def _spoken(data: Data, near: Near, seed: int, most: int) -> Iterator[Candidates]:
    pairs = Batches(data, seed, everything=False).pairs("spoken", most)
    texts = [passage_text(title, text) for _, title, text in data.retrieval["dstc10_spoken"].corpus]
    found = near([pair.question for pair in pairs], texts, NEAR_SPOKEN)
    for pair, places in zip(pairs, found, strict=True):
        others = [texts[place] for place in places if texts[place] != pair.passage]
        yield Candidates(pair.question, (pair.passage,), tuple(others[:20]))


def _unlabelled(data: Data, near: Near, seed: int, most: int) -> Iterator[Candidates]:
    """What customers ask, and help passages of whatever kind: the large one says what answers how well."""
    questions = list(data.unlabelled)
    for name in ("bitext", "bank", "mobile"):
        questions += [text for text, _ in data.intents[name]]
    random.Random(seed).shuffle(questions)
    questions = questions[:most]
    texts = [passage_text(heading, text) for _, heading, text in data.articles]
    for name in LEARNT:
        texts += [passage_text(title, text) for _, title, text in data.retrieval[name].corpus]
    for question, places in zip(questions, near(questions, texts, NEAR_UNLABELLED), strict=True):
        yield Candidates(question, (), tuple(texts[place] for place in places))


class Words:
    """BM25 as SQLite computes it, over passages in memory."""

    def __init__(self, passages: Sequence[str]) -> None:
        self._database = sqlite3.connect(":memory:")
        self._database.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        self._database.executemany("INSERT INTO words (rowid, text) VALUES (?, ?)", enumerate(passages))

    def nearest(self, question: str, most: int) -> list[int]:
        words = dict.fromkeys(re.findall(r"[a-z0-9]+", question.replace(SEPARATOR, " ").lower()))
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        found = self._database.execute(
            "SELECT rowid FROM words WHERE words MATCH ? ORDER BY bm25(words), rowid LIMIT ?", (match, most)
        )
        return [row for (row,) in found]

    def close(self) -> None:
        self._database.close()
