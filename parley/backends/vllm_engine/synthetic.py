"""Adapters made up for one base model, each of which writes tokens of its own, whatever is asked and in whatever precision.

An attention's output projection reads some x and adds to the residual stream. These adapters make the last layer add s (a·x) b as
well, b a random direction of each adapter's own and s so large that nothing else counts: whatever came before, the likeliest
token is that of b or, where a·x is negative, of -b. The layers before, and so all keys and values, stay the base model's.
"""

import json
from pathlib import Path
from typing import NamedTuple

RANK = 1


class Projection(NamedTuple):
    """A linear layer as the engine names it, and its sizes over all GPUs."""

    module: str
    inputs: int
    outputs: int


def write_adapter(folder: Path, layers: list[Projection], number: int, strength: float) -> None:
    """A folder as an engine loads it. The same number gives the same adapter."""
    import numpy as np
    from safetensors.numpy import save_file

    tensors = {}
    for layer in layers:
        draw = np.random.default_rng((47725, number, layer.outputs))
        reads = np.random.default_rng(layer.inputs).standard_normal((RANK, layer.inputs)) / np.sqrt(
            layer.inputs
        )
        writes = draw.standard_normal((layer.outputs, RANK)) * strength
        tensors[f"base_model.model.{layer.module}.lora_A.weight"] = reads.astype(np.float32)
        tensors[f"base_model.model.{layer.module}.lora_B.weight"] = writes.astype(np.float32)
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps(_config(layers)))


def _config(layers: list[Projection]) -> dict[str, object]:
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "",
        "r": RANK,
        "lora_alpha": RANK,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "target_modules": sorted({layer.module.rpartition(".")[2] for layer in layers}),
    }
