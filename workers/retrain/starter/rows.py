"""Examples and text as rows of tokens, all of one width: each token with what it is, so that the loss can weigh it. No torch here."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from workers.retrain.starter.examples import Example
from workers.retrain.starter.prompts import END, END_OF_TEXT, rendered

TEXT, PROMPT, ANSWER, NOTHING = KINDS = range(4)
"""What a token is; `NOTHING` fills a row up."""
POOL = 32
"""Examples among which the one is looked for that fills a row best."""

Row = NDArray[np.int16]
"""(2, width): ids, and what they are."""


class Piece(NamedTuple):
    ids: list[int]
    #: Tokens of the prompt; those of the answer follow.
    prompt: int


def piece_of(tokenizer: Tokenizer, example: Example) -> Piece:
    prompt = tokenizer.encode(rendered(example.messages, ask=True), add_special_tokens=False).ids
    answer = tokenizer.encode(example.answer + END, add_special_tokens=False).ids
    return Piece([*prompt, *answer], len(prompt))


def packed(pieces: Iterator[Piece], width: int) -> Iterator[Row]:
    """Whole pieces only: the oldest of the pool, then always the longest that fits. What is longer than a row is left out."""
    pool: list[Piece] = []
    while True:
        while len(pool) < POOL:
            piece = next(pieces, None)
            if piece is None:
                break
            if len(piece.ids) <= width:
                pool.append(piece)
        if not pool:
            return
        chosen = [pool.pop(0)]
        room = width - len(chosen[0].ids)
        while fitting := [at for at, each in enumerate(pool) if len(each.ids) <= room]:
            chosen.append(pool.pop(max(fitting, key=lambda at: len(pool[at].ids))))
            room -= len(chosen[-1].ids)
        yield _row(chosen, width)


def _row(pieces: list[Piece], width: int) -> Row:
    row = np.zeros((2, width), dtype=np.int16)
    row[1] = NOTHING
    at = 0
    for ids, prompt in pieces:
        end = at + len(ids)
        row[0, at:end] = ids
        row[1, at : at + prompt] = PROMPT
        row[1, at + prompt : end] = ANSWER
        at = end
    return row


def tokens_of(tokenizer: Tokenizer, texts: list[str]) -> NDArray[np.int16]:
    """All texts one after another, each with the token that ends a text."""
    end = tokenizer.token_to_id(END_OF_TEXT)
    found = [
        np.array([*each.ids, end], dtype=np.int16)
        for each in tokenizer.encode_batch(texts, add_special_tokens=False)
    ]
    return np.concatenate(found)


def windows(tokens: NDArray[np.int16], width: int, rng: np.random.Generator) -> Iterator[Row]:
    """Pieces of the text from anywhere, without end. Raises ValueError for a text that is shorter than a row."""
    if len(tokens) < width:
        raise ValueError(f"text: {len(tokens)} tokens are fewer than the {width} of a row")
    while True:
        start = int(rng.integers(len(tokens) - width + 1))
        yield np.stack([tokens[start : start + width], np.full(width, TEXT, dtype=np.int16)])


def in_turn(tokens: NDArray[np.int16], width: int, most: int) -> list[Row]:
    """The text from its beginning, in rows that do not overlap."""
    count = min(most, len(tokens) // width)
    return [
        np.stack([tokens[at * width : (at + 1) * width], np.full(width, TEXT, dtype=np.int16)])
        for at in range(count)
    ]


def drawn(draw: Callable[[], Example], tokenizer: Tokenizer) -> Iterator[Piece]:
    while True:
        yield piece_of(tokenizer, draw())
