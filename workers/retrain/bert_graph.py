"""BERT as an ONNX graph for onnxruntime, weights as INT8: the sentence encoder, and the re-ranker that reads two texts together.

Written node by node instead of traced, so that the same weights give the same file whatever exporter is installed.

How it is rounded: each row of the token embeddings and of the matrices has a scale of its own. What is multiplied with a matrix is rounded to
8 bits *for each token by itself*, never for the whole tensor as dynamic quantisation does: a text's vector does not depend on the batch it
stands in. Sums of products are exact integers. Everything else (attention, LayerNorm, GELU) stays float32.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Floats = NDArray[np.float32]
Weights = dict[str, Floats]

HIDDEN = 384
HEADS = 12
POSITIONS = 256
"""The longest text in tokens; the weights of later positions are left out."""
EPSILON = 1e-12
OPSET = 18
MICROSOFT = "com.microsoft"
FLOAT = TensorProto.FLOAT

EMBEDDING_STEPS = 127
MATRIX_STEPS = 64
"""7 bits: processors without VNNI add two products of 8 bits in 16 bits, and 255 * 64 * 2 is the most that fits there."""
TOKEN_STEPS = 127
MIDDLE = 128
"""Rounded tokens are unsigned with this as their zero: the form that every processor's kernels know."""


class Graph:
    """Collects nodes and weights."""

    def __init__(self, *, quantised: bool) -> None:
        self.quantised = quantised
        self.nodes: list[Any] = []
        self.weights: dict[str, Any] = {}

    def weight(self, name: str, value: NDArray[Any]) -> str:
        """Its name; a name that is there already stands for the same value."""
        self.weights.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def constant(self, value: float) -> str:
        return self.weight(f"constant.{value:g}", np.array(value, dtype=np.float32))

    def axis(self, at: int) -> str:
        return self.weight(f"axis.{at}", np.array([at], dtype=np.int64))

    def node(self, kind: str, *inputs: str, domain: str = "", name: str = "", **more: Any) -> str:
        """The name of what the node gives."""
        name = name or f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **more))
        return name

    def thirds(self, x: str) -> list[str]:
        names = [f"{x}.{part}" for part in range(3)]
        self.nodes.append(helper.make_node("Split", [x], names, name=f"{x}.split", axis=-1, num_outputs=3))
        return names

    def matrix(self, x: str, name: str, weight: Floats) -> str:
        """`x` (texts, tokens, inputs) times the transpose of `weight` (outputs, inputs)."""
        if not self.quantised:
            return self.node("MatMul", x, self.weight(name, weight.T))
        rows, scales = by_row(weight, MATRIX_STEPS)
        largest = self.node("ReduceMax", self.node("Abs", x), self.axis(-1))
        scale = self.node("Mul", largest, self.constant(1 / TOKEN_STEPS))
        scale = self.node("Max", scale, self.constant(1e-9))
        # A cast cuts off what is behind the point: with the half added it rounds.
        rounded = self.node("Add", self.node("Div", x, scale), self.constant(MIDDLE + 0.5))
        rounded = self.node("Cast", rounded, to=TensorProto.UINT8)
        middle = self.weight("middle", np.array(MIDDLE, dtype=np.uint8))
        product = self.node("MatMulInteger", rounded, self.weight(name, rows.T), middle)
        product = self.node("Mul", self.node("Cast", product, to=FLOAT), scale)
        return self.node("Mul", product, self.weight(f"{name}.scale", scales))


def by_row(weight: Floats, steps: int) -> tuple[NDArray[np.int8], Floats]:
    """INT8 from -steps to steps, and a scale for each row."""
    scales = np.maximum(np.abs(weight).max(axis=1), 1e-12) / steps
    return np.rint(weight / scales[:, None]).astype(np.int8), scales.astype(np.float32)


def build_encoder(weights: Weights, *, quantised: bool = True) -> Any:
    """From `ids` and `mask` (texts, tokens) of int64 to `vectors` (texts, 384), each of length 1.

    `weights` are those of `transformers.BertModel` without its pooler.
    """
    graph = Graph(quantised=quantised)
    # The sum of the tokens points to where their mean would.
    summed = _summed(graph, _read(graph, weights))
    graph.node("LpNormalization", summed, name="vectors", axis=-1, p=2)
    return _model(
        graph, "encoder", ("ids", "mask"), helper.make_tensor_value_info("vectors", FLOAT, ["texts", HIDDEN])
    )


def build_reranker(weights: Weights, head: tuple[Floats, float], *, quantised: bool = True) -> Any:
    """From `ids`, `mask` and `types` (pairs, tokens) of int64 to `scores` (pairs): the mean of the tokens times `head`.

    `weights` as above; `head` is a row of 384 and an offset.
    """
    graph = Graph(quantised=quantised)
    summed = _summed(graph, _read(graph, weights, typed=True))
    kept = graph.node("Cast", "mask", to=FLOAT)
    mean = graph.node("Div", summed, graph.node("ReduceSum", kept, graph.axis(1)))
    product = graph.node("MatMul", mean, graph.weight("head", head[0]))
    graph.node(
        "Add", product, graph.weight("head.offset", np.array(head[1], dtype=np.float32)), name="scores"
    )
    return _model(
        graph, "reranker", ("ids", "mask", "types"), helper.make_tensor_value_info("scores", FLOAT, ["texts"])
    )


def _model(graph: Graph, name: str, inputs: Sequence[str], output: Any) -> Any:
    taken = [helper.make_tensor_value_info(each, TensorProto.INT64, ["texts", "tokens"]) for each in inputs]
    made = helper.make_graph(graph.nodes, name, taken, [output], list(graph.weights.values()))
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=9, producer_name="parley")
    onnx.checker.check_model(model)
    return model


def _read(graph: Graph, weights: Weights, *, typed: bool = False) -> str:
    """The last layer's tokens: (texts, tokens, 384)."""
    x = _embeddings(graph, weights, typed=typed)
    padding = graph.node("Cast", "mask", to=TensorProto.INT32)
    layers = {name.split(".")[2] for name in weights if name.startswith("encoder.layer.")}
    for layer in range(len(layers)):
        x = _layer(graph, weights, f"encoder.layer.{layer}", x, padding)
    return x


def _summed(graph: Graph, x: str) -> str:
    """The sum of the tokens that are not padding."""
    kept = graph.node("Unsqueeze", graph.node("Cast", "mask", to=FLOAT), graph.axis(2))
    return graph.node("ReduceSum", graph.node("Mul", x, kept), graph.axis(1), keepdims=0)


def _embeddings(graph: Graph, weights: Weights, *, typed: bool) -> str:
    words = weights["embeddings.word_embeddings.weight"]
    types = weights["embeddings.token_type_embeddings.weight"]
    # Where all tokens are of type 0, that type's vector is added to the positions once and for all.
    places = weights["embeddings.position_embeddings.weight"][:POSITIONS] + (0 if typed else types[0])
    if graph.quantised:
        rows, scales = by_row(words, EMBEDDING_STEPS)
        found = graph.node(
            "Cast", graph.node("Gather", graph.weight("words", rows), "ids"), to=TensorProto.FLOAT
        )
        scale = graph.node("Gather", graph.weight("words.scale", scales[:, None]), "ids")
        found = graph.node("Mul", found, scale)
    else:
        found = graph.node("Gather", graph.weight("words", words), "ids")
    length = graph.node("Shape", "ids", start=1, end=2)
    positions = graph.node("Slice", graph.weight("positions", places), graph.axis(0), length, graph.axis(0))
    found = graph.node("Add", found, positions)
    if typed:
        found = graph.node("Add", found, graph.node("Gather", graph.weight("types.rows", types), "types"))
    return _normalised(graph, weights, "embeddings.LayerNorm", found)


def _normalised(graph: Graph, weights: Weights, name: str, x: str) -> str:
    parts = [graph.weight(part, weights[part]) for part in (f"{name}.weight", f"{name}.bias")]
    return graph.node("LayerNormalization", x, *parts, epsilon=EPSILON)


def _layer(graph: Graph, weights: Weights, layer: str, x: str, padding: str) -> str:
    own = f"{layer}.attention.self"
    three = [f"{own}.{part}" for part in ("query", "key", "value")]
    # One product for the three: (3 * 384, 384).
    joined = np.concatenate([weights[f"{part}.weight"] for part in three])
    bias = graph.weight(f"{own}.bias", np.concatenate([weights[f"{part}.bias"] for part in three]))
    heads = graph.thirds(graph.matrix(x, own, joined))
    attended = graph.node("MultiHeadAttention", *heads, bias, padding, domain=MICROSOFT, num_heads=HEADS)
    x = _added(graph, weights, f"{layer}.attention.output", attended, x)
    dense = f"{layer}.intermediate.dense"
    wide = graph.matrix(x, f"{dense}.weight", weights[f"{dense}.weight"])
    bias = graph.weight(f"{dense}.bias", weights[f"{dense}.bias"])
    return _added(graph, weights, f"{layer}.output", graph.node("BiasGelu", wide, bias, domain=MICROSOFT), x)


def _added(graph: Graph, weights: Weights, name: str, x: str, skipped: str) -> str:
    """LayerNorm(skipped + x times the dense matrix + its bias)."""
    dense = f"{name}.dense"
    x = graph.matrix(x, f"{dense}.weight", weights[f"{dense}.weight"])
    x = graph.node("Add", x, graph.weight(f"{dense}.bias", weights[f"{dense}.bias"]))
    return _normalised(graph, weights, f"{name}.LayerNorm", graph.node("Add", x, skipped))
