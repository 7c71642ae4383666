"""From trained weights to the files that the platform runs: `model.onnx` with INT8 weights, and its tokenizer."""

import json
from pathlib import Path

import numpy as np
import onnx
from safetensors.numpy import load_file

from parley.backends.onnx_encoder import MODEL_FILE, TOKENIZER_FILE, OnnxEncoder
from workers.retrain.encoder.graph import Weights, build


def read_weights(file: Path) -> Weights:
    """Named as in `transformers.BertModel`, as float32 whatever they were kept as."""
    return {
        name: value.astype(np.float32) for name, value in load_file(file).items() if value.dtype.kind == "f"
    }


def export(weights: Path, tokenizer: Path, out: Path, *, quantised: bool = True) -> None:
    """Write the two files into `out`; the same weights give the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(build(read_weights(weights), quantised=quantised), out / MODEL_FILE)
    (out / TOKENIZER_FILE).write_text(plain_tokenizer(tokenizer.read_text("utf-8")), "utf-8")


def export_float(weights: Path, tokenizer: Path, out: Path, threads: int) -> OnnxEncoder:
    """The same encoder in float32, to compare with; about 90 MB in `out`."""
    export(weights, tokenizer, out, quantised=False)
    return OnnxEncoder(out, threads=threads)


def plain_tokenizer(text: str) -> str:
    """The tokenizer without its padding and truncation, which the backend sees to, in one line."""
    held = json.loads(text)
    return json.dumps(
        {**held, "padding": None, "truncation": None}, ensure_ascii=False, separators=(",", ":")
    )
