"""Quantised checkpoints in the compressed-tensors format, which vLLM and transformers load: the source's files, tensor by tensor, with the
quantised matrices packed by the format's own compressor.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationConfig, QuantizationScheme
from safetensors import safe_open
from safetensors.torch import save_file

from parley.errors import ConfigurationError
from workers.retrain.quantize.gptq import Grid, Quantised

LARGEST_FILE = 5 << 30
"""Bytes of tensors in one file, as transformers writes them."""

KEPT = ("*.json", "*.txt", "*.model", "*.jinja")
"""What is copied beside the weights: tokenizer, template, generation settings."""


def scheme_of(grid: Grid, *, activations: bool) -> QuantizationScheme:
    """`activations`: those going into a matrix are rounded to 8 bits too, each token with a scale of its own."""
    strategy = "group" if grid.group else "channel"
    return QuantizationScheme(
        targets=["Linear"],
        weights=QuantizationArgs(num_bits=grid.bits, strategy=strategy, group_size=grid.group),
        input_activations=QuantizationArgs(num_bits=8, strategy="token", dynamic=True)
        if activations
        else None,
        format="int-quantized" if activations else "pack-quantized",
    )


def packed(found: Quantised, scheme: QuantizationScheme, kind: Any) -> dict[str, Any]:
    """A matrix's entries in the file, without its name before them. `kind`: the type that the model's other weights have."""
    compressor = BaseCompressor.get_value_from_registry(str(scheme.format))
    held = compressor.compress({"weight": found.weights, "weight_scale": found.scales}, scheme)
    held["weight_scale"] = held["weight_scale"].to(kind)
    return {name: value.contiguous() for name, value in held.items()}


def write(
    source: Path,
    out: Path,
    entries: Mapping[str, dict[str, Any]],
    scheme: QuantizationScheme,
    ignored: list[str],
) -> None:
    """`entries`: by the matrices' names, what stands for their weight. `ignored`: linear layers that stay as they are.

    Raises `ConfigurationError` for a matrix that the source's files hold under another name.
    """
    out.mkdir(parents=True, exist_ok=True)
    for pattern in KEPT:
        for file in source.glob(pattern):
            if file.name != "model.safetensors.index.json":
                shutil.copyfile(file, out / file.name)
    _write_tensors(out, _replaced(source, entries))
    _write_config(source, out, scheme, ignored)


def _replaced(source: Path, entries: Mapping[str, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    missing = dict.fromkeys(entries)
    for file in sorted(source.glob("*.safetensors")):
        with safe_open(file, framework="pt") as opened:
            for name in opened.keys():  # noqa: SIM118 - it is no mapping
                matrix = name.removesuffix(".weight")
                if matrix in entries and matrix != name:
                    missing.pop(matrix, None)
                    yield from ((f"{matrix}.{part}", value) for part, value in entries[matrix].items())
                else:
                    yield name, opened.get_tensor(name)
    if missing:
        raise ConfigurationError(
            f"{source}: its files hold no {next(iter(missing))}.weight (and {len(missing) - 1} more are missing)"
        )


def _write_tensors(out: Path, tensors: Iterator[tuple[str, Any]]) -> None:
    """One file, or several of at most `LARGEST_FILE` with an index."""
    parts: list[list[str]] = []
    held: dict[str, Any] = {}
    total = size = 0
    for name, value in tensors:
        if held and size + value.nbytes > LARGEST_FILE:
            parts.append(_write_part(out, len(parts), held))
            held, size = {}, 0
        held[name] = value
        size, total = size + value.nbytes, total + value.nbytes
    parts.append(_write_part(out, len(parts), held))
    names = [f"model-{at + 1:05}-of-{len(parts):05}.safetensors" for at in range(len(parts))]
    if len(parts) == 1:
        names = ["model.safetensors"]
    for at, name in enumerate(names):
        (out / _part(at)).replace(out / name)
    if len(parts) > 1:
        places = {key: name for keys, name in zip(parts, names, strict=True) for key in keys}
        _write_json(
            out / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places}
        )


def _part(at: int) -> str:
    return f"{at}.safetensors.part"


def _write_part(out: Path, at: int, held: dict[str, Any]) -> list[str]:
    save_file(held, out / _part(at), metadata={"format": "pt"})
    return list(held)


def _write_config(source: Path, out: Path, scheme: QuantizationScheme, ignored: list[str]) -> None:
    config = json.loads((source / "config.json").read_text("utf-8"))
    quantisation = QuantizationConfig(
        config_groups={"group_0": scheme},
        format=str(scheme.format),
        quantization_status="compressed",
        ignore=ignored,
    )
    config["quantization_config"] = quantisation.model_dump(mode="json")
    _write_json(out / "config.json", config)


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, indent=2) + "\n", "utf-8")


def unpacked(entries: Mapping[str, Any], scheme: QuantizationScheme) -> Any:
    """The weights that a reader of the format makes of a matrix's entries: float32 (outputs, inputs)."""
    compressor = BaseCompressor.get_value_from_registry(str(scheme.format))
    held = {
        name: value.float() if value.dtype == torch.bfloat16 else value for name, value in entries.items()
    }
    return compressor.decompress(held, scheme)["weight"].float()
