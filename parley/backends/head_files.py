"""Heads in files: what a head is made of, as arrays."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parley.backends import model_files
from parley.backends.kernel_head import Grams, Head, fit
from parley.ports.models import Encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

ARRAYS = ("examples", "weights", "gram_weights", "shares")


Pairs = Sequence[tuple[str, str]]
"""Texts with their intents."""


def fit_into(encoder: Encoder, examples: Pairs, names: Pairs, file: Path) -> None:
    """Raises OSError; ValueError when there are fewer than two intents."""
    save(fitted(encoder, examples, names), file)


def fitted(encoder: Encoder, examples: Pairs, names: Pairs) -> Head:
    pairs = [*examples, *names]
    texts = [text for text, _ in pairs]
    return fit(texts, encoder.encode(texts), [(intent,) for _, intent in pairs], names=len(names)).head


def save(head: Head, file: Path) -> None:
    """Write it whole or not at all. Raises OSError."""
    import numpy as np

    rest = {
        "intents": head.intents,
        "several": head.several,
        "names": list(head.grams.places),
        "numbers": [head.sharpness, head.level, head.reach],
    }
    arrays = {name: getattr(head, name) for name in ARRAYS}
    text = np.frombuffer(json.dumps(rest).encode(), dtype=np.uint8)
    model_files.save(file, {**arrays, "idf": head.grams.idf, "rest": text})


def load(file: Path) -> Head | None:
    """None where there is no such file, or where it is damaged."""
    return model_files.load(file, _made_of)


def _made_of(held: "Mapping[str, NDArray[Any]]") -> Head:
    rest = json.loads(held["rest"].tobytes())
    examples, weights, gram_weights, shares = (held[name] for name in ARRAYS)
    grams = Grams({name: at for at, name in enumerate(rest["names"])}, held["idf"])
    intents, (sharpness, level, reach) = rest["intents"], rest["numbers"]
    landmarks = len(weights)
    shapes = (weights.shape, gram_weights.shape)
    if landmarks > len(examples) or shapes != ((landmarks, len(intents)), (len(grams.idf), len(intents))):
        raise ValueError("the arrays do not fit together")
    return Head(
        intents, rest["several"], examples, weights, grams, gram_weights, shares, sharpness, level, reach
    )
