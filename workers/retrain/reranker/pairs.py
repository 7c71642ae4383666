"""What a step reads: pairs of a question and a passage as arrays of ids, chosen and, for the small one, altered. No tensors here."""

import random
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from parley.backends.onnx_reranker import LONGEST, QUESTION_TOKENS
from parley.errors import ConfigurationError
from workers.retrain.reranker.lists import Candidates, Lists

Ids = NDArray[np.int64]

#: How often a list of the large one is of each kind.
SHARES = {"asked": 0.6, "titles": 0.22, "spoken": 0.18}
HARDEST = 20
"""Wrong passages are drawn from so many of the nearest."""
LABELLED_WEIGHT = 3.0
"""How often the small one reads a list of which somebody said what answers, beside one of which nobody did."""
FOREIGN = 0.06
"""So often a passage in a list of the small one is from another list."""
SPAN, LOSSY = 0.25, 0.25
"""So often its question is a span of one of the passages, or loses words."""
SPAN_TOKENS = (4, 24)
LOST = 0.15
WINDOW = 0.35
"""So often a passage is a part of itself, at least `SMALLEST` of it."""
SMALLEST = 0.4
SHORT = 20
"""Tokens; shorter passages are read whole."""


class Inputs(NamedTuple):
    """(pairs, tokens) each, as `transformers.BertModel` takes them."""

    ids: Ids
    mask: Ids
    types: Ids


class Pieces:
    """Texts to ids without `[CLS]` and `[SEP]`, each tokenised once."""

    def __init__(self, tokenizer: str) -> None:
        self._tokenizer = Tokenizer.from_str(tokenizer)
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._begin, self._between = (self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
        self._known: dict[str, Ids] = {}

    def ids(self, text: str) -> Ids:
        if text not in self._known:
            found = self._tokenizer.encode(text, add_special_tokens=False).ids[:LONGEST]
            self._known[text] = np.array(found, dtype=np.int64)
        return self._known[text]

    def inputs(self, pairs: Sequence[tuple[str, str]]) -> Inputs:
        return self.joined([(self.ids(question), self.ids(passage)) for question, passage in pairs])

    def joined(self, pairs: Sequence[tuple[Ids, Ids]]) -> Inputs:
        """`[CLS] question [SEP] passage [SEP]`, the passage cut at its end; the length is a multiple of 8."""
        cut = [(question[:QUESTION_TOKENS], passage) for question, passage in pairs]
        longest = max(len(question) + len(passage) + 3 for question, passage in cut)
        shape = len(cut), min(LONGEST, -(-longest // 8) * 8)
        made = Inputs(*(np.zeros(shape, dtype=np.int64) for _ in range(3)))
        for row, (question, passage) in enumerate(cut):
            room = shape[1] - len(question) - 3
            tokens = [self._begin, *question, self._between, *passage[:room], self._between]
            made.ids[row, : len(tokens)] = tokens
            made.mask[row, : len(tokens)] = 1
            made.types[row, len(question) + 2 : len(tokens)] = 1
        return made


class LabelledDraws:
    """For the large one: lists of a right passage, which comes first, and wrong ones; one seed, one series."""

    def __init__(self, lists: Lists, seed: int, passages: int) -> None:
        self._rng = random.Random(seed)
        self._kinds = {"asked": lists.asked, "titles": lists.titles, "spoken": lists.spoken}
        self._foreign = [passage for each in lists.asked for passage in each.wrong]
        self._passages = passages

    def draw(self, count: int) -> list[tuple[str, str]]:
        """The pairs of `count` lists, one list after the other."""
        return [pair for _ in range(count) for pair in self._list()]

    def _list(self) -> list[tuple[str, str]]:
        rng = self._rng
        kind = rng.choices(list(SHARES), list(SHARES.values()))[0]
        chosen = rng.choice(self._kinds[kind])
        hardest = chosen.wrong[:HARDEST]
        wrong = rng.sample(hardest, min(self._passages - 2, len(hardest)))
        # At least one of another question: not all that is wrong looks right.
        wrong += [rng.choice(self._foreign) for _ in range(self._passages - 1 - len(wrong))]
        return [(chosen.question, passage) for passage in (rng.choice(chosen.right), *wrong)]


class AlteredDraws:
    """For the small one: lists as nobody has asked them, of which the large one then says what it thinks; one seed, one series."""

    def __init__(self, lists: Lists, pieces: Pieces, seed: int, passages: int) -> None:
        """Raises `ConfigurationError` where no list has so many passages."""
        self._rng = np.random.default_rng(seed)
        rng = random.Random(seed)
        self._pieces = pieces
        self._passages = passages
        groups = [(each.question, (*each.right[:1], *each.wrong), True) for each in lists.labelled]
        groups += [(each.question, each.near, False) for each in lists.unlabelled]
        groups += [
            (each.question, _all_right(each, rng), True) for each in lists.asked if len(each.right) > 1
        ]
        self._groups = [group for group in groups if len(group[1]) >= passages]
        if not self._groups:
            raise ConfigurationError(f"no list has {passages} passages: take fewer of each, or more data")
        weights = [LABELLED_WEIGHT if labelled else 1.0 for _, _, labelled in self._groups]
        self._until = np.cumsum(weights)
        self._foreign = [passage for _, near, _ in self._groups for passage in near[:2]]

    def __len__(self) -> int:
        return len(self._groups)

    def draw(self, count: int) -> Inputs:
        """The pairs of `count` lists, one list after the other."""
        drawn = np.searchsorted(self._until, self._rng.random(count) * self._until[-1], side="right")
        return self._pieces.joined([pair for at in drawn for pair in self._list(int(at))])

    def _list(self, at: int) -> list[tuple[Ids, Ids]]:
        question, near, labelled = self._groups[at]
        chosen = self._rng.choice(len(near), self._passages, replace=False)
        if labelled and 0 not in chosen:
            chosen[0] = 0
        passages = [self._passage(near[place]) for place in chosen]
        asked = self._question(self._pieces.ids(question)[:QUESTION_TOKENS], passages)
        return [(asked, self._window(passage)) for passage in passages]

    def _passage(self, text: str) -> Ids:
        if self._rng.random() < FOREIGN:
            text = self._foreign[int(self._rng.integers(len(self._foreign)))]
        return self._pieces.ids(text)

    def _question(self, question: Ids, passages: Sequence[Ids]) -> Ids:
        drawn = self._rng.random()
        if drawn < SPAN:
            source = passages[int(self._rng.integers(len(passages)))]
            return self._part(source, int(self._rng.integers(*SPAN_TOKENS)))
        if drawn < SPAN + LOSSY and len(question) > SPAN_TOKENS[0]:
            return question[self._rng.random(len(question)) > LOST]
        return question

    def _window(self, passage: Ids) -> Ids:
        if len(passage) <= SHORT or self._rng.random() >= WINDOW:
            return passage
        return self._part(passage, int(len(passage) * self._rng.uniform(SMALLEST, 1)))

    def _part(self, tokens: Ids, length: int) -> Ids:
        start = int(self._rng.integers(max(1, len(tokens) - length + 1)))
        return tokens[start : start + length]


def _all_right(each: Candidates, rng: random.Random) -> tuple[str, ...]:
    """Several that are right, and the hardest of the wrong ones."""
    return (*rng.sample(each.right, min(3, len(each.right))), *each.wrong[:10])
