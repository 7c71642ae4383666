"""From a Hugging Face model folder to one that `parley.backends.onnx_engine` runs: an ONNX graph for the CPU in int8 or float32.

The graph is made by onnxruntime-genai's model builder (0.18), in a process of its own. It is then given places for LoRA adapters: beside each
projection two more inputs, which are empty for the base model, so that one graph serves every tenant's adapter.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from parley.backends.base_folder import CONFIG, EXPORT_FILE, revision_of
from parley.backends.json_files import read_object
from parley.backends.onnx_adapters import A, B
from parley.backends.onnx_runtime import SILENCE
from parley.domain.base_model import name_of
from parley.domain.precisions import precision_of
from parley.errors import ConfigurationError

Precision = Literal["int8", "fp32"]
MODEL_FILE = "model.onnx"
NEEDED = ("onnx", "onnx_ir", "onnxruntime_genai", "torch", "transformers")
TOLD = 2_000
"""So many characters of what the builder says last are quoted when it fails."""
PROJECTION = re.compile(r"/model/layers\.(\d+)/(attn|mlp)/(\w+)_proj/MatMul(?:_Q8)?")
"""The builder's name for a projection's node; quantisation adds to it."""
PARTS = {"attn": "self_attn", "mlp": "mlp"}
"""By the builder's name for a part of a layer, that of transformers."""


class Place(NamedTuple):
    """A projection beside which adapters have their place: its path in the model, and its features in and out."""

    path: str
    into: int
    out: int


def export_onnx(model_dir: Path, out: Path, precision: Precision = "int8", *, adapters: bool = True) -> None:
    """Raises `ConfigurationError` for a folder that is no model, for one that is quantised already or of a kind that the builder does not know, where `out` is there already, and
    where packages are missing.

    `adapters`: make places for them, at 10 to 20 % of the speed of a model of 5 million parameters, and less of a larger one.
    """
    _check(model_dir, out, precision)
    out.parent.mkdir(parents=True, exist_ok=True)
    # Beside it, so that a folder under its name is whole.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as making:
        made = Path(making) / "model"
        _build(model_dir, made, Path(making) / "cache", precision)
        places = _add_places(made / MODEL_FILE) if adapters else []
        told = {
            "model": name_of(str(model_dir.resolve())),
            "revision": revision_of(model_dir),
            "precision": precision,
            "adapters": _modules(places),
        }
        shutil.copyfile(model_dir / CONFIG, made / CONFIG)  # adapters are checked against it
        (made / EXPORT_FILE).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        shutil.move(made, out)


def _check(model_dir: Path, out: Path, precision: str) -> None:
    if precision not in get_args(Precision):
        raise ConfigurationError(f"--precision: {precision!r}; allowed: {', '.join(get_args(Precision))}")
    for name in ("config.json", "tokenizer.json"):
        if not (model_dir / name).is_file():
            raise ConfigurationError(
                f"{model_dir}: has no {name}; allowed: a model's folder as transformers saves it"
            )
    if (quantised := precision_of(read_object(model_dir / CONFIG))) is not None:
        raise ConfigurationError(
            f"{model_dir}: is quantised already ({quantised.name}); export the model that it was made from"
        )
    if out.exists():
        raise ConfigurationError(f"{out}: is there already; name a folder that is not")
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ConfigurationError(
            f"exporting needs the packages {', '.join(missing)}: install parley with the extra `onnx-export`"
        )


def _build(model_dir: Path, made: Path, cache: Path, precision: Precision) -> None:
    options = [
        "hf_token=false",
        "fuse_qkv=false",  # one projection would have no place for an adapter of the query alone
        "prune_lm_head=true",  # of a prompt only the last token's logits
    ]
    builder = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-e", "cpu", "-p", precision]
    where = ["-i", str(model_dir), "-o", str(made), "-c", str(cache)]
    done = subprocess.run(
        [*builder, *where, "--extra_options", *options],
        env={**os.environ, "HF_HUB_OFFLINE": "1", SILENCE: "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode or not (made / MODEL_FILE).is_file():
        raise ConfigurationError(f"{model_dir}: cannot be exported:\n{done.stdout[-TOLD:].strip()}")


def _add_places(file: Path) -> list[Place]:
    """y = x·W becomes y = x·W + (x·A)·B, with A and B as inputs of rank 0 unless they are given."""
    import onnx

    model = onnx.load(str(file), load_external_data=False)  # the weights stay where they are
    graph = model.graph
    sizes = {each.name: tuple(each.dims) for each in graph.initializer}
    nodes, places = [], []
    for node in graph.node:
        nodes.append(node)
        if (place := _place(node, sizes)) is not None:
            nodes += _beside(node, place)
            places.append(place)
            for name, shape in ((place.path + A, (place.into, 0)), (place.path + B, (0, place.out))):
                kind = onnx.TensorProto.FLOAT
                graph.initializer.append(onnx.helper.make_tensor(name, kind, shape, []))
                free = [size or "rank" for size in shape]
                graph.input.append(onnx.helper.make_tensor_value_info(name, kind, free))
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, str(file))
    return places


def _place(node: Any, sizes: Mapping[str, tuple[int, ...]]) -> Place | None:
    found = PROJECTION.fullmatch(node.name)
    if found is None:
        return None
    path = f"model.layers.{found[1]}.{PARTS[found[2]]}.{found[3]}_proj"
    if node.op_type == "MatMul":
        return Place(path, *sizes[node.input[1]])
    if node.op_type == "MatMulNBits":
        told = {each.name: each.i for each in node.attribute}
        return Place(path, told["K"], told["N"])
    return None


def _beside(node: Any, place: Place) -> Iterator[Any]:
    """The nodes of the adapter's way around the projection, whose output gets another name."""
    from onnx.helper import make_node

    result, own = node.output[0], f"{node.output[0]}/base"
    node.output[0] = own
    low, high = f"{node.name}/lora_A", f"{node.name}/lora_B"
    yield make_node("MatMul", [node.input[0], place.path + A], [low], name=low)
    yield make_node("MatMul", [low, place.path + B], [high], name=high)
    yield make_node("Add", [own, high], [result], name=f"{node.name}/lora_Add")


def _modules(places: list[Place]) -> dict[str, object] | None:
    """The projections below a layer; None for a graph without any. Raises `ConfigurationError` for layers that differ."""
    layers: dict[int, dict[str, tuple[int, int]]] = {}
    for place in places:
        _, _, layer, module = place.path.split(".", 3)
        layers.setdefault(int(layer), {})[module] = (place.into, place.out)
    if not layers:
        return None
    if any(modules != layers[0] for modules in layers.values()):
        raise ConfigurationError("the model's layers differ in their projections: export it without adapters")
    return {"layers": len(layers), "modules": layers[0]}
