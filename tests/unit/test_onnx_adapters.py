"""An adapter's weights as inputs of an exported model."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from parley.backends.onnx_adapters import inputs_of
from parley.domain.adapters import CONFIG, WEIGHTS
from parley.domain.base_model import BaseShapes
from parley.errors import AdapterRefused
from parley.ports.engine import AdapterFiles
from tests.support.lora import adapter_config

SHAPES = BaseShapes(1, {"self_attn.q_proj": (4, 6), "self_attn.o_proj": (6, 4)})
Q = "model.layers.0.self_attn.q_proj"
A: NDArray[np.float32] = np.arange(8, dtype=np.float32).reshape(2, 4)
B: NDArray[np.float32] = (np.arange(12, dtype=np.float32) / 2).astype(np.float32).reshape(6, 2)


def bfloat16(array: NDArray[np.float32]) -> bytes:
    """The numbers here are short enough to need no rounding."""
    return (array.view(np.uint32) >> 16).astype("<u2").tobytes()


def adapter(folder: Path, dtype: str = "F32", **config: object) -> AdapterFiles:
    halves: dict[str, NDArray[np.float32]] = {
        f"base_model.model.{Q}.lora_A.weight": A,
        f"base_model.model.{Q}.lora_B.weight": B,
    }
    header, data = {}, b""
    for name, array in halves.items():
        raw = {"F32": array.tobytes(), "F16": array.astype("<f2").tobytes(), "BF16": bfloat16(array)}[dtype]
        header[name] = {
            "dtype": dtype,
            "shape": array.shape,
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    head = json.dumps(header).encode()
    (folder / WEIGHTS).write_bytes(len(head).to_bytes(8, "little") + head + data)
    told = adapter_config(r=2, lora_alpha=8, target_modules=["q_proj"], **config)
    (folder / CONFIG).write_text(json.dumps(told))
    return AdapterFiles("bank@1", folder, 2)


@pytest.mark.parametrize("dtype", ["F32", "F16", "BF16"])
def test_halves_are_turned_and_scaled_and_what_is_left_alone_has_rank_0(tmp_path: Path, dtype: str) -> None:
    found = inputs_of(adapter(tmp_path, dtype), SHAPES, 8)
    np.testing.assert_array_equal(found[f"{Q}.lora_A"], A.T)
    np.testing.assert_array_equal(found[f"{Q}.lora_B"], B.T * 4)  # alpha / r
    o = Q.replace("q_proj", "o_proj")
    assert (found[f"{o}.lora_A"].shape, found[f"{o}.lora_B"].shape) == ((6, 0), (0, 4))
    assert len(found) == 4
    for each in found.values():
        assert each.dtype == np.float32 and each.flags.c_contiguous


def test_rank_stabilised_adapters_are_scaled_by_the_root_of_the_rank(tmp_path: Path) -> None:
    found = inputs_of(adapter(tmp_path, use_rslora=True), SHAPES, 8)
    np.testing.assert_allclose(found[f"{Q}.lora_B"], B.T * (8 / 2**0.5), rtol=1e-6)


def test_a_rank_above_what_is_allowed_or_announced_is_refused(tmp_path: Path) -> None:
    made = adapter(tmp_path)
    with pytest.raises(AdapterRefused, match=f"{tmp_path}.*a rank from 1 to 1"):
        inputs_of(made, SHAPES, 1)
    with pytest.raises(AdapterRefused, match="has rank 2; it was announced with rank 4"):
        inputs_of(AdapterFiles("bank@1", tmp_path, 4), SHAPES, 8)


def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdapterRefused, match="shape"):
        inputs_of(adapter(tmp_path), BaseShapes(1, {"self_attn.q_proj": (8, 6)}), 8)
