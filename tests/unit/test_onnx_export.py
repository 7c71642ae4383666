"""What an export is refused for before anything is made, and the graph's places for adapters."""

import json
from pathlib import Path

import pytest

from parley.backends.onnx_decoder import OnnxDecoder
from parley.backends.onnx_export import Place, _modules, _place, export_onnx
from parley.errors import ConfigurationError


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}")
    return folder


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_folder_that_is_no_model_is_refused(model: Path, name: str) -> None:
    (model / name).unlink()
    with pytest.raises(ConfigurationError, match=f"model: has no {name}"):
        export_onnx(model, model.parent / "out")


def test_a_checkpoint_that_is_quantised_already_is_refused(model: Path) -> None:
    awq = {"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128}}
    (model / "config.json").write_text(json.dumps(awq))
    with pytest.raises(
        ConfigurationError, match=r"is quantised already \(awq\); export the model that it was made from"
    ):
        export_onnx(model, model.parent / "out")


def test_nothing_is_overwritten(model: Path) -> None:
    with pytest.raises(ConfigurationError, match="is there already"):
        export_onnx(model, model)


def test_an_unknown_precision_is_refused(model: Path) -> None:
    with pytest.raises(ConfigurationError, match="'int3'; allowed: int8, fp32"):
        export_onnx(model, model.parent / "out", "int3")  # type: ignore[arg-type]  # what a command line may say


class Node:
    """As onnx has them, for what is read of one."""

    def __init__(self, name: str, kind: str, *inputs: str, **attributes: int) -> None:
        self.name, self.op_type, self.input = name, kind, inputs
        self.attribute = [Attribute(*each) for each in attributes.items()]


class Attribute:
    def __init__(self, name: str, i: int) -> None:
        self.name, self.i = name, i


@pytest.mark.parametrize(
    ("node", "place"),
    [
        (Node("/model/layers.0/attn/q_proj/MatMul", "MatMul", "x", "w"), ("model.layers.0.self_attn.q_proj", 8, 4)),
        (Node("/model/layers.12/mlp/up_proj/MatMul_Q8", "MatMulNBits", "x", K=8, N=6), ("model.layers.12.mlp.up_proj", 8, 6)),
        (Node("/model/layers.0/attn/q_proj/Add", "Add", "x", "w"), None),
        (Node("/lm_head/MatMul", "MatMul", "x", "w"), None),
        (Node("/model/layers.0/attn/q_proj/MatMul", "Gemm", "x", "w"), None),
    ],
)  # fmt: skip
def test_projections_are_places_for_adapters(node: Node, place: tuple[str, int, int] | None) -> None:
    assert _place(node, {"w": (8, 4)}) == place


def test_layers_share_their_places() -> None:
    q, up = ("self_attn.q_proj", 8, 4), ("mlp.up_proj", 8, 6)
    both = [
        Place(f"model.layers.{layer}.{name}", into, out) for layer in (0, 1) for name, into, out in (q, up)
    ]
    assert _modules(both) == {"layers": 2, "modules": {"self_attn.q_proj": (8, 4), "mlp.up_proj": (8, 6)}}
    assert _modules([]) is None
    with pytest.raises(ConfigurationError, match="layers differ"):
        _modules(both[:-1])


def test_a_folder_that_is_no_export_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"genai_config\.json: No such file"):
        OnnxDecoder(tmp_path, rows=1)
    decoder = {"filename": "model.onnx", "num_key_value_heads": 1, "head_size": 8, "num_hidden_layers": 1}
    config = {"model": {"context_length": 8, "eos_token_id": 1, "vocab_size": 9, "decoder": decoder}}
    (tmp_path / "genai_config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigurationError, match=r"model\.onnx: is missing"):
        OnnxDecoder(tmp_path, rows=1)
    (tmp_path / "model.onnx").write_bytes(b"\x08garbage")
    with pytest.raises(ConfigurationError, match="ONNX Runtime refuses it"):
        OnnxDecoder(tmp_path, rows=1)
