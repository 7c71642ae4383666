"""Adapters and base models made by hand, small enough for any test: raw safetensors, no library, no training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parley.domain.adapters import CONFIG, WEIGHTS
from parley.domain.base_model import BaseModel, BaseShapes, shapes_of

BASE_CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
SHAPES: BaseShapes = shapes_of(BASE_CONFIG)
BASE = BaseModel("tiny", "r1", SHAPES)
TARGETS = ("q_proj", "v_proj", "down_proj")
RANK = 4

Tensors = dict[str, tuple[str, list[int], bytes]]
"""By name: dtype, shape, data."""
ITEM = {"F32": 4, "F16": 2, "BF16": 2, "F64": 8, "I8": 1}


def adapter_config(**changes: Any) -> dict[str, Any]:
    """As PEFT writes it; a change of None leaves the field out."""
    fields: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "models/tiny",
        "revision": None,
        "r": RANK,
        "lora_alpha": 8,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(TARGETS),
        "init_lora_weights": True,
        "use_rslora": False,
        "use_dora": False,
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
    }
    return {name: value for name, value in {**fields, **changes}.items() if value is not None}


def filled(dtype: str, shape: Sequence[int], fill: int = 1) -> tuple[str, list[int], bytes]:
    count = ITEM[dtype]
    for each in shape:
        count *= each
    return dtype, list(shape), bytes([fill % 256]) * count


def name_of(path: str, half: str) -> str:
    return f"base_model.model.{path}.lora_{half}.weight"


def lora_tensors(
    rank: int = RANK, targets: Sequence[str] = TARGETS, dtype: str = "F32", fill: int = 1
) -> Tensors:
    """A pair for each target in each layer of the small base."""
    found: Tensors = {}
    for path in SHAPES.paths():
        features = SHAPES.of(path)
        if features is not None and path.rsplit(".", 1)[-1] in targets:
            found[name_of(path, "A")] = filled(dtype, (rank, features[0]), fill)
            found[name_of(path, "B")] = filled(dtype, (features[1], rank), fill)
    return found


def safetensors(tensors: Tensors, metadata: Mapping[str, str] | None = None) -> bytes:
    """The file, with its tensors one after the other in the order given."""
    header: dict[str, Any] = {} if metadata is None else {"__metadata__": dict(metadata)}
    data = b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {
            "dtype": dtype,
            "shape": shape,
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    return with_header(json.dumps(header).encode(), data)


def with_header(header: bytes, data: bytes = b"") -> bytes:
    return len(header).to_bytes(8, "little") + header + data


def write_adapter(
    folder: Path,
    *,
    fill: int = 1,
    rank: int = RANK,
    weights: bytes | None = None,
    **changes: Any,
) -> Path:
    """A good adapter, but for what is given; another `fill` is another content."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG).write_text(json.dumps(adapter_config(**{"r": rank, **changes})))
    content = safetensors(lora_tensors(rank, fill=fill), {"format": "pt"}) if weights is None else weights
    (folder / WEIGHTS).write_bytes(content)
    return folder


def write_base(folder: Path, **changes: Any) -> Path:
    """A base model's folder, without the weights that nobody reads here."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**BASE_CONFIG, **changes}))
    (folder / "model.safetensors").write_bytes(safetensors({"lm_head.weight": filled("F32", (2, 2))}))
    return folder
