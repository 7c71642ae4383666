"""What rounding to INT8 costs: the same weights in float32 beside it, on texts of the public sets."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from parley.backends.kernel_head import fit
from parley.backends.onnx_encoder import OnnxEncoder
from workers.retrain.encoder.export import export_float
from workers.retrain.prepare import rows

TEXTS = 2000
ALONE = 200
HELD_BACK = 0.3

Pairs = list[tuple[str, str]]


def compare(weights: Path, tokenizer: Path, int8: Path, data: Path, threads: int) -> Iterator[dict[str, Any]]:
    """One line about the vectors, one for each set with the accuracy of both."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        full = export_float(weights, tokenizer, Path(folder), threads)
        small = OnnxEncoder(int8, threads=threads)
        banking = list(_labelled(data / "banking77" / "train.jsonl"))
        random.Random(5).shuffle(banking)
        yield _vectors(full, small, [text for text, _ in banking[:TEXTS]])
        held_back = int(len(banking) * HELD_BACK)
        yield _accuracies("banking77", full, small, banking[held_back:], banking[:held_back])
        clinc = [list(_labelled(data / "clinc150" / f"{part}.jsonl")) for part in ("train", "val")]
        yield _accuracies("clinc150", full, small, *clinc)


def _labelled(file: Path) -> Iterator[tuple[str, str]]:
    for row in rows(file):
        if row["intent"] != "oos":
            yield row["text"], row["intent"]


def _vectors(full: OnnxEncoder, small: OnnxEncoder, texts: Sequence[str]) -> dict[str, Any]:
    together = small.encode(texts)
    alone = np.concatenate([small.encode([text]) for text in texts[:ALONE]])
    cosines = (full.encode(texts) * together).sum(axis=1)
    return {
        "texts": len(texts),
        "cosine_mean": round(float(cosines.mean()), 5),
        "cosine_least": round(float(cosines.min()), 5),
        "alone_or_in_a_batch": float(np.abs(alone - together[:ALONE]).max()),
    }


def _accuracies(
    name: str, full: OnnxEncoder, small: OnnxEncoder, train: Pairs, test: Pairs
) -> dict[str, Any]:
    found = {kind: _right(encoder, train, test) for kind, encoder in (("float32", full), ("int8", small))}
    same = float((found["float32"][0] == found["int8"][0]).mean())
    return {
        "set": name,
        "test": len(test),
        **{kind: round(float(right.mean()), 4) for kind, (_, right) in found.items()},
        "same_answer": round(same, 4),
    }


def _right(encoder: OnnxEncoder, train: Pairs, test: Pairs) -> tuple[Any, Any]:
    """The intents found, and whether each is right."""
    texts, asked = [text for text, _ in train], [text for text, _ in test]
    head = fit(texts, encoder.encode(texts), [(intent,) for _, intent in train]).head
    best = np.array(head.intents)[head.scores(asked, head.cosines(encoder.encode(asked))).argmax(axis=1)]
    return best, best == np.array([intent for _, intent in test])
