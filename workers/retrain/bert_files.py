"""The files of a BERT: trained weights read, the graph and its tokenizer written as the platform opens them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from safetensors.numpy import load_file

from parley.backends.onnx_files import MODEL_FILE, TOKENIZER_FILE
from workers.retrain.bert_graph import Weights


def read_weights(file: Path) -> Weights:
    """As float32 whatever they were kept as."""
    return {
        name: value.astype(np.float32) for name, value in load_file(file).items() if value.dtype.kind == "f"
    }


def write_model(model: Any, tokenizer: Path, out: Path) -> None:
    """The two files into `out`; the same model gives the same bytes."""
    out.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out / MODEL_FILE)
    (out / TOKENIZER_FILE).write_text(plain_tokenizer(tokenizer.read_text("utf-8")), "utf-8")


def plain_tokenizer(text: str) -> str:
    """The tokenizer without its padding and truncation, which the backend sees to, in one line."""
    held = json.loads(text)
    return json.dumps(
        {**held, "padding": None, "truncation": None}, ensure_ascii=False, separators=(",", ":")
    )
