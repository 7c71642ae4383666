"""Sentence encoders on the CPU: an INT8 ONNX model by onnxruntime, and its tokenizer; one for English and one for Chinese.

`models/encoder/README.md` and `models/encoder_zh/README.md` are the models' cards; `workers/retrain/encoder` and `workers/retrain/chinese` make the
files. Loading takes about a tenth of a second and some 60 MB of memory (Chinese 25), so a process opens one of each (`shared`), when it is first
asked for.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from parley.backends.onnx_files import batches, open_session, open_tokenizer, readable

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

MODELS = Path(__file__).resolve().parents[2] / "models"
FOLDER = MODELS / "encoder"
FOLDERS: Mapping[str, Path] = {"en": FOLDER, "zh": MODELS / "encoder_zh"}
"""By language. One whose folder is not there is left to words and n-grams."""
NAME = "parley-encoder-1"
NAMES: Mapping[str, str] = {"encoder": NAME, "encoder_zh": "parley-encoder-zh-1"}
"""By folder. It stands beside kept vectors; raised whenever the model file changes."""
WIDTH = 384
LONGEST = 256
"""Tokens; what comes after them is not read."""
LONGEST_CHARACTERS = 40 * LONGEST
"""No text that is read to its end in 256 tokens is longer, short of words of a hundred characters; the tokenizer need not see more."""

REMEMBERED = 1_000
"""Rows of the last texts, by their digests: a message's intent and its passages are looked for with the same text. 1.5 MB."""
REMEMBERED_AT_ONCE = 32
"""More texts than a worker's batch are an index or a fit, and would only push out what is asked."""


class OnnxEncoder:
    """Implements `parley.ports.models.Encoder`. Threads may share it; each call computes on `threads` cores."""

    def __init__(self, folder: Path = FOLDER, *, threads: int = 1) -> None:
        """A folder of another name than the models' own stands for the English one's. Raises `ConfigurationError` where a file is missing or
        damaged.
        """
        model = folder.name if folder.name in NAMES else FOLDER.name
        self.name = NAMES[model]
        self._opened = folder, threads
        self._known: OrderedDict[bytes, NDArray[float32]] = OrderedDict()
        self._lock = Lock()
        self._tokenizer = open_tokenizer(folder, model)
        self._session = open_session(folder, threads, model)

    def encode(self, texts: Sequence[str]) -> "NDArray[float32]":
        import numpy as np

        if len(texts) > REMEMBERED_AT_ONCE:
            return self._encode(texts)
        digests = [blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts]
        with self._lock:
            known = {each: self._known[each] for each in digests if each in self._known}
        fresh = {each: text for each, text in zip(digests, texts, strict=True) if each not in known}
        if fresh:
            known |= dict(zip(fresh, self._encode(list(fresh.values())), strict=True))
            self._remember({each: known[each] for each in fresh})
        return np.array([known[each] for each in digests], dtype=np.float32).reshape(len(texts), WIDTH)

    def forget(self) -> None:
        """What was remembered of texts."""
        with self._lock:
            self._known.clear()

    def _remember(self, rows: "Mapping[bytes, NDArray[float32]]") -> None:
        with self._lock:
            self._known.update(rows)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)

    def _encode(self, texts: Sequence[str]) -> "NDArray[float32]":
        import numpy as np

        tokens = [self._ids(text) for text in texts]
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for places in batches([len(ids) for ids in tokens]):
            longest = max(len(tokens[place]) for place in places)
            ids = np.zeros((len(places), longest), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, place in enumerate(places):
                ids[row, : len(tokens[place])] = tokens[place]
                mask[row, : len(tokens[place])] = 1
            vectors[places] = self._session.run(["vectors"], {"ids": ids, "mask": mask})[0]
        return vectors

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process: the encoder of that process."""
        return _opened, self._opened

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(readable(text, LONGEST_CHARACTERS)).ids
        return ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]]


@cache
def _opened(folder: Path, threads: int) -> OnnxEncoder:
    encoder = OnnxEncoder(folder, threads=threads)
    _OPENED.append(encoder)
    return encoder


_OPENING = Lock()
_OPENED: list[OnnxEncoder] = []


def folders() -> dict[str, Path]:
    """By language, those that are there."""
    return {language: folder for language, folder in FOLDERS.items() if folder.is_dir()}


def shared(folder: Path = FOLDER, *, threads: int = 1) -> OnnxEncoder:
    """This process's encoder of that folder, opened by whoever asks first."""
    with _OPENING:
        return _opened(folder, threads)


def all_shared() -> dict[str, OnnxEncoder]:
    """This process's encoder of each language that has one."""
    return {language: shared(folder) for language, folder in folders().items()}


def forget() -> None:
    """What this process's encoders remember of texts; opens none."""
    with _OPENING:
        opened = list(_OPENED)
    for encoder in opened:
        encoder.forget()
