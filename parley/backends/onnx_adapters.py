"""LoRA adapters as an exported model takes them: the weights of both halves as inputs of the graph, beside each projection.

`parley.backends.onnx_export` makes the places for them; an adapter of any rank fits, since the rank is no part of the graph's shape.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from parley.backends.adapter_folder import read_folder
from parley.domain.adapters import CONFIG, PREFIX, WEIGHTS
from parley.domain.base_model import BaseShapes
from parley.domain.tensor_header import PREFIX_BYTES, Tensor, header_length, tensors_of
from parley.errors import AdapterRefused
from parley.ports.engine import AdapterFiles

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

A, B = ".lora_A", ".lora_B"
"""What follows a projection's path in the name of an input: half A is (in, rank), half B (rank, out), the scaling within B."""


def inputs_of(adapter: AdapterFiles, shapes: BaseShapes, max_rank: int) -> "dict[str, NDArray[float32]]":
    """An input for each half of each projection; those that the adapter leaves alone have rank 0. Raises `AdapterRefused`."""
    import numpy as np

    try:
        rank = read_folder(adapter.folder, shapes, max_rank=max_rank).rank
    except AdapterRefused as error:
        raise AdapterRefused(f"{adapter.folder}: {error}") from error
    if rank != adapter.rank:
        raise AdapterRefused(f"{adapter.folder}: has rank {rank}; it was announced with rank {adapter.rank}")
    halves = _halves(adapter.folder / WEIGHTS)
    scaling = _scaling(adapter.folder / CONFIG)
    found: dict[str, NDArray[float32]] = {}
    for path in shapes.paths():
        into, out = shapes.of(path) or (0, 0)
        a, b = halves.get(f"{PREFIX}{path}{A}.weight"), halves.get(f"{PREFIX}{path}{B}.weight")
        # PEFT's linear layers hold them the other way round.
        found[path + A] = np.zeros((into, 0), np.float32) if a is None else np.ascontiguousarray(a.T)
        found[path + B] = np.zeros((0, out), np.float32) if b is None else np.ascontiguousarray(b.T * scaling)
    return found


def _scaling(file: Path) -> "float32":
    """PEFT's: alpha / r, and alpha / sqrt(r) for rank-stabilised LoRA (arXiv 2312.03732)."""
    import numpy as np

    config = json.loads(file.read_bytes())
    rank = config["r"]
    return np.float32(config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank))


def _halves(file: Path) -> "dict[str, NDArray[float32]]":
    content = file.read_bytes()
    length = header_length(WEIGHTS, content[:PREFIX_BYTES], len(content))
    data = memoryview(content)[PREFIX_BYTES + length :]
    header = content[PREFIX_BYTES : PREFIX_BYTES + length]
    return {name: _array(data, tensor) for name, tensor in tensors_of(WEIGHTS, header, len(data)).items()}


def _array(data: memoryview, tensor: Tensor) -> "NDArray[float32]":
    import numpy as np

    raw = data[tensor.begin : tensor.end]
    if tensor.dtype == "BF16":  # the upper half of a float32, which numpy does not know
        wide = np.frombuffer(raw, "<u2").astype(np.uint32) << 16
        return wide.view(np.float32).reshape(tensor.shape)
    kind = "<f2" if tensor.dtype == "F16" else "<f4"
    return np.frombuffer(raw, kind).astype(np.float32).reshape(tensor.shape)
