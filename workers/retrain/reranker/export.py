"""From trained weights to the files that the platform runs: `model.onnx` with INT8 weights, and its tokenizer."""

from pathlib import Path

from parley.backends.onnx_files import TOKENIZER_FILE
from parley.errors import ConfigurationError
from workers.retrain.bert_files import read_weights, write_model
from workers.retrain.bert_graph import build_reranker

WEIGHTS_FILE = "weights.safetensors"
BERT = "bert."
HEAD = ("out.weight", "out.bias")


def export(trained: Path, out: Path) -> None:
    """Write the two files into `out` from those that `train` wrote; the same weights give the same bytes.

    Raises `ConfigurationError` where one is missing or the weights are another model's.
    """
    absent = [name for name in (WEIGHTS_FILE, TOKENIZER_FILE) if not (trained / name).is_file()]
    if absent:
        raise ConfigurationError(f"{trained / absent[0]}: the file is missing; `train` writes it")
    weights = read_weights(trained / WEIGHTS_FILE)
    missing = [name for name in HEAD if name not in weights]
    if missing:
        raise ConfigurationError(f"{trained / WEIGHTS_FILE}: no re-ranker, it has no {missing[0]}")
    row, offset = (weights[name] for name in HEAD)
    bert = {name.removeprefix(BERT): value for name, value in weights.items() if name.startswith(BERT)}
    write_model(build_reranker(bert, (row[0], float(offset[0]))), trained / TOKENIZER_FILE, out)
