"""The re-ranker on the CPU: reads a question and a passage together and says how well the one answers the other.

An INT8 ONNX model by onnxruntime; `models/reranker/README.md` is its card, `workers/retrain/reranker` makes its files. It costs some
milliseconds a passage, so only the best few are read.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from parley.backends.onnx_files import batches, open_session, open_tokenizer, readable

if TYPE_CHECKING:
    from numpy import float32, int64
    from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[2] / "models" / "reranker"
QUESTION_TOKENS = 64
LONGEST = 176
"""Tokens of question and passage together, as in its training; what of the passage comes after them is not read."""
LONGEST_CHARACTERS = 40 * LONGEST


class OnnxReranker:
    """Implements `parley.ports.models.Reranker`. Threads may share it; each call computes on `threads` cores."""

    def __init__(self, folder: Path = FOLDER, *, threads: int = 1) -> None:
        """Raises `ConfigurationError` where a file is missing or damaged."""
        self._tokenizer = open_tokenizer(folder, FOLDER.name)
        self._session = open_session(folder, threads, FOLDER.name)
        self._begin, self._between = (self._tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))

    def score(self, question: str, passages: Sequence[str]) -> "NDArray[float32]":
        import numpy as np

        asked = self._ids(question)[:QUESTION_TOKENS]
        room = LONGEST - len(asked) - 3
        pairs = [self._ids(passage)[:room] for passage in passages]
        scores = np.zeros(len(passages), dtype=np.float32)
        for places in batches([len(pair) for pair in pairs]):
            inputs = self._inputs(asked, [pairs[place] for place in places])
            scores[places] = self._session.run(["scores"], inputs)[0]
        return scores

    def _inputs(self, asked: Sequence[int], passages: Sequence[Sequence[int]]) -> "dict[str, NDArray[int64]]":
        import numpy as np

        shape = len(passages), max(map(len, passages)) + len(asked) + 3
        ids, mask, types = (np.zeros(shape, dtype=np.int64) for _ in range(3))
        for row, passage in enumerate(passages):
            tokens = [self._begin, *asked, self._between, *passage, self._between]
            ids[row, : len(tokens)] = tokens
            mask[row, : len(tokens)] = 1
            types[row, len(asked) + 2 : len(tokens)] = 1
        return {"ids": ids, "mask": mask, "types": types}

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(
            readable(text, LONGEST_CHARACTERS), add_special_tokens=False
        ).ids
        return ids


_OPENING = Lock()


@cache
def _opened(folder: Path, threads: int) -> OnnxReranker:
    return OnnxReranker(folder, threads=threads)


def shared(folder: Path = FOLDER, *, threads: int = 1) -> OnnxReranker:
    """This process's re-ranker, opened by whoever asks first."""
    with _OPENING:
        return _opened(folder, threads)
