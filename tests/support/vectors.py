"""Vectors without the encoder: hashed words, so that texts with words in common lie near each other. Counts what was encoded."""

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from parley.domain.words import terms
from workers.rag.vectors import Vectors

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

WIDTH = 384


class HashedWords:
    """Implements `parley.ports.models.Encoder`."""

    def __init__(self, name: str = "hashed-words-1") -> None:
        self.name = name
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> "NDArray[float32]":
        self.encoded += texts
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for term in ("", *terms(text)):
                row += _direction(self.name, term)
            row /= np.linalg.norm(row)
        return vectors


@cache
def _direction(name: str, term: str) -> "NDArray[float32]":
    digest = hashlib.blake2b(f"{name} {term}".encode(), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest)).standard_normal(WIDTH).astype(np.float32)


def vectors_by(encoder: HashedWords) -> Vectors:
    """For English alone, as the platform's own."""
    return Vectors(encoder.name, {"en": lambda: encoder})


NO_VECTORS = Vectors("", {})
