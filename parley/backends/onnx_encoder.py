"""The sentence encoder on the CPU: an INT8 ONNX model by onnxruntime, and its tokenizer.

`models/encoder/README.md` is the model's card; `workers/retrain/encoder` makes the files. Loading takes about a tenth of a second and some
60 MB of memory, so a process opens one (`shared`), when it is first asked for.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from parley.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

FOLDER = Path(__file__).resolve().parents[2] / "models" / "encoder"
MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
NAME = "parley-encoder-1"
"""Stands beside kept vectors; raised whenever the model file changes."""
WIDTH = 384
LONGEST = 256
"""Tokens; what comes after them is not read."""
LONGEST_CHARACTERS = 40 * LONGEST
"""No text that is read to its end in 256 tokens is longer, short of words of a hundred characters; the tokenizer need not see more."""
BATCH = 16
"""Texts at once; more are no faster on one core."""
BATCH_TOKENS = 512
"""Nor more tokens, padding counted: what is computed of them must fit the processor's cache (16 texts of 128 tokens at once take half as
long again as 4 by 4)."""
HOW_TO_GET_IT = (
    "it belongs to the repository: `git checkout -- models/encoder`, "
    "or make it again as models/encoder/README.md says"
)


class OnnxEncoder:
    """Implements `parley.ports.models.Encoder`. Threads may share it; each call computes on `threads` cores."""

    name = NAME

    def __init__(self, folder: Path = FOLDER, *, threads: int = 1) -> None:
        """Raises `ConfigurationError` where a file is missing or damaged."""
        self._opened = folder, threads
        self._tokenizer = _open(folder / TOKENIZER_FILE, _tokenizer)
        self._session = _open(folder / MODEL_FILE, lambda file: _session(file, threads))

    def encode(self, texts: Sequence[str]) -> "NDArray[float32]":
        import numpy as np

        tokens = [self._ids(text) for text in texts]
        vectors = np.zeros((len(texts), WIDTH), dtype=np.float32)
        for places in _batches([len(ids) for ids in tokens]):
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
        # Lone surrogates can stand in a Python text and in no UTF-8; the tokenizer would raise.
        readable = text[:LONGEST_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
        ids: list[int] = self._tokenizer.encode(readable).ids
        return ids if len(ids) <= LONGEST else [*ids[: LONGEST - 1], ids[-1]]


@cache
def _opened(folder: Path, threads: int) -> OnnxEncoder:
    return OnnxEncoder(folder, threads=threads)


_OPENING = Lock()


def shared(folder: Path = FOLDER, *, threads: int = 1) -> OnnxEncoder:
    """This process's encoder, opened by whoever asks first."""
    with _OPENING:
        return _opened(folder, threads)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """The places of texts of about one length together: padding costs as much as text."""
    batches: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        last = batches[-1] if batches else []
        if last and len(last) < BATCH and lengths[place] * (len(last) + 1) <= BATCH_TOKENS:
            last.append(place)
        else:
            batches.append([place])
    return batches


def _open(file: Path, load: Any) -> Any:
    if not file.is_file():
        raise ConfigurationError(f"{file}: the encoder's file is missing; {HOW_TO_GET_IT}")
    try:
        return load(file)
    except ImportError:
        raise
    except Exception as error:  # both libraries raise bare Exceptions of their own making
        raise ConfigurationError(
            f"{file}: the encoder's file is damaged ({type(error).__name__}); {HOW_TO_GET_IT}"
        ) from error


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file))


def _session(file: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Above this level LayerNorm is fused into an operator that is several times slower on one core.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # Memory for the longest batch so far would be kept for good.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
