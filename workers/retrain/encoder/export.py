"""From trained weights to the files that the platform runs: `model.onnx` with INT8 weights, and its tokenizer."""

from pathlib import Path

from parley.backends.onnx_encoder import OnnxEncoder
from workers.retrain.bert_files import read_weights, write_model
from workers.retrain.bert_graph import build_encoder


def export(weights: Path, tokenizer: Path, out: Path, *, quantised: bool = True) -> None:
    """Write the two files into `out`; the same weights give the same bytes."""
    write_model(build_encoder(read_weights(weights), quantised=quantised), tokenizer, out)


def export_float(weights: Path, tokenizer: Path, out: Path, threads: int) -> OnnxEncoder:
    """The same encoder in float32, to compare with; about 90 MB in `out`."""
    export(weights, tokenizer, out, quantised=False)
    return OnnxEncoder(out, threads=threads)
