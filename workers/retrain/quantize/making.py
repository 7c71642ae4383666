"""From a checkpoint to a quantised one, with what it costs: memory, perplexity and speed before and after."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from parley.backends.checkpoint_files import read_config, read_tensors
from parley.domain.precisions import Tensor
from parley.errors import ConfigurationError
from workers.retrain.quantize import files
from workers.retrain.quantize.calibration import Row, encoded, windows
from workers.retrain.quantize.gptq import Grid
from workers.retrain.quantize.layers import linear_layers, quantised_layers
from workers.retrain.quantize.perplexity import perplexity
from workers.retrain.quantize.speed import measured

Step = Callable[[str], AbstractContextManager[None]]
"""Says what is being done, while it is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`group`: inputs that share a scale; None: a whole row does. `activations`: round those that go into a matrix to 8 bits as well."""

    bits: int
    group: int | None
    activations: bool
    #: None: each weight is rounded to the nearest, without calibration.
    calibration: Sequence[Row] | None
    samples: int
    #: Tokens of a window, of calibration and of perplexity.
    length: int
    #: What perplexity is measured on.
    text: str | None
    #: Requests of the speed measurement at once, and tokens of each; 0: it is left out.
    requests: int
    tokens: int
    device: str

    @property
    def scheme(self) -> str:
        return f"W{self.bits}A{8 if self.activations else 16}"


def quantise_checkpoint(source: Path, out: Path, wanted: Wanted, step: Step) -> dict[str, Any]:
    """Write `out` whole or not at all, and say what came of it. Raises `ConfigurationError`."""
    _check_source(source, out)
    tokenizer = _tokenizer(source) if wanted.calibration or wanted.text else None
    with step("loading the model"):
        model = _load(source)
    names = list(linear_layers(model))
    _check_sizes(linear_layers(model), wanted)
    before = _quality(model, tokenizer, wanted, step)
    samples, seconds = _make(model, source, out, wanted, tokenizer, step)
    del model
    with step("loading the quantised model"):
        after_model = _load(out)
    after = _quality(after_model, tokenizer, wanted, step)
    del after_model
    if wanted.requests:
        for folder, found in ((source, before), (out, after)):
            with step(f"decoding with {folder.name}"):
                found["speed"] = measured(folder, wanted.device, wanted.requests, wanted.tokens)
    return {
        "scheme": wanted.scheme,
        "group_size": wanted.group,
        "matrices": len(names),
        "samples": samples,
        "seconds": round(seconds, 1),
        "before": {**memory(read_tensors(source), names), **before},
        "after": {**memory(read_tensors(out), names), **after},
    }


def memory(tensors: Sequence[Tensor], names: Sequence[str]) -> dict[str, int]:
    """Bytes of the matrices of these names with all that belongs to them, and of everything."""
    wanted = set(names)
    matrices = sum(
        tensor.bytes
        for tensor in tensors
        if tensor.name.rpartition(".")[0] in wanted and not tensor.name.endswith(".bias")
    )
    return {"matrix_bytes": matrices, "bytes": sum(tensor.bytes for tensor in tensors)}


def _make(
    model: Any, source: Path, out: Path, wanted: Wanted, tokenizer: Any, step: Step
) -> tuple[int, float]:
    """Samples of the calibration, and the seconds that quantising took."""
    grid = Grid(wanted.bits, wanted.group)
    scheme = files.scheme_of(grid, activations=wanted.activations)
    calibration = None
    if wanted.calibration is not None:
        vocabulary = model.get_input_embeddings().num_embeddings
        calibration = windows(wanted.calibration, tokenizer, wanted.samples, wanted.length, vocabulary)
    kind = next(iter(linear_layers(model).values())).weight.dtype
    ignored = _unquantised(model)
    began = time.perf_counter()
    with step(f"quantising to {wanted.scheme}"):
        found = quantised_layers(model, calibration, grid, wanted.device)
        entries = {name: files.packed(result, scheme, kind) for name, result in found}
    seconds = time.perf_counter() - began
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with step(f"writing {out}"):
            files.write(source, part, entries, scheme, ignored)
        part.replace(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return 0 if calibration is None else len(calibration), seconds


def _unquantised(model: Any) -> list[str]:
    """Linear layers outside of the decoder's layers: the output matrix."""
    inside = linear_layers(model)
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and name not in inside
    ]


def _quality(model: Any, tokenizer: Any, wanted: Wanted, step: Step) -> dict[str, Any]:
    if wanted.text is None:
        return {}
    ids = encoded(wanted.text, tokenizer)
    with step(f"perplexity of {len(ids):,} tokens"):
        model.to(wanted.device)
        found = perplexity(model, ids, wanted.length, wanted.device)
        model.to("cpu")
    return {"perplexity": round(found, 4)}


def _load(folder: Path) -> Any:
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder}: transformers cannot load it ({error})") from error
    return model.eval()


def _tokenizer(folder: Path) -> Any:
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{folder}: transformers cannot load its tokenizer ({error})") from error


def _check_source(source: Path, out: Path) -> None:
    config = read_config(source)
    if "quantization_config" in config:
        raise ConfigurationError(f"{source}: is quantised already; start from the original weights")
    if any(name in config for name in ("num_experts", "num_local_experts", "n_routed_experts")):
        raise ConfigurationError(
            f"{source}: models of experts are not quantised here; vLLM does it while loading (--quantization fp8)"
        )
    if not read_tensors(source):
        raise ConfigurationError(f"{source}: holds no safetensors files")
    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(f"OUT: {out} is there already and not empty")


def _check_sizes(matrices: dict[str, Any], wanted: Wanted) -> None:
    """Kernels want whole groups. Raises `ConfigurationError` naming the first matrix that has none."""
    for name, module in matrices.items():
        if wanted.group and module.in_features % wanted.group:
            fitting = [str(size) for size in (128, 64, 32) if module.in_features % size == 0]
            raise ConfigurationError(
                f"--group-size: the {module.in_features} inputs of {name} are no whole groups of {wanted.group}; "
                f"possible: {', '.join([*fitting, '-1 (one scale a row)'])}"
            )
