"""What every ONNX model on the CPU needs: its files opened with errors that say which one is wrong, and texts in batches of one length."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from parley.backends.onnx_runtime import onnxruntime
from parley.errors import ConfigurationError

MODEL_FILE = "model.onnx"
TOKENIZER_FILE = "tokenizer.json"
BATCH = 16
"""Texts at once; more are no faster on one core."""
BATCH_TOKENS = 512
"""Nor more tokens, padding counted: what is computed of them must fit the processor's cache (16 texts of 128 tokens at once take half as
long again as 4 by 4)."""


def open_session(folder: Path, threads: int, model: str) -> Any:
    """`model` is its name in `models/`. Raises `ConfigurationError` where the model's file is missing or damaged."""
    return _opened(folder / MODEL_FILE, lambda file: _session(file, threads), model)


def open_tokenizer(folder: Path, model: str) -> Any:
    """`model` as above. Raises `ConfigurationError` where the tokenizer's file is missing or damaged."""
    return _opened(folder / TOKENIZER_FILE, _tokenizer, model)


def readable(text: str, most: int) -> str:
    """At most `most` characters. Lone surrogates can stand in a Python text and in no UTF-8; the tokenizer would raise."""
    return text[:most].encode("utf-8", "replace").decode("utf-8")


def batches(lengths: Sequence[int]) -> list[list[int]]:
    """The places of texts of about one length together: padding costs as much as text."""
    found: list[list[int]] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        last = found[-1] if found else []
        if last and len(last) < BATCH and lengths[place] * (len(last) + 1) <= BATCH_TOKENS:
            last.append(place)
        else:
            found.append([place])
    return found


def _opened(file: Path, load: Callable[[Path], Any], model: str) -> Any:
    how = (
        f"it belongs to the repository: `git checkout -- models/{model}`, "
        f"or make it again as models/{model}/README.md says"
    )
    if not file.is_file():
        raise ConfigurationError(f"{file}: the model's file is missing; {how}")
    try:
        return load(file)
    except ImportError:
        raise
    except Exception as error:  # both libraries raise bare Exceptions of their own making
        raise ConfigurationError(
            f"{file}: the model's file is damaged ({type(error).__name__}); {how}"
        ) from error


def _tokenizer(file: Path) -> Any:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(file))


def _session(file: Path, threads: int) -> Any:
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Above this level LayerNorm is fused into an operator that is several times slower on one core.
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    # Memory for the longest batch so far would be kept for good.
    options.enable_cpu_mem_arena = False
    return runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
