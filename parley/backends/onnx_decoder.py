"""One exported language model in ONNX Runtime on the CPU: a key-value cache in rows, and one forward pass for many rows at once.

The graph is one of onnxruntime-genai's model builder (`parley.backends.onnx_export`), whose GroupQueryAttention writes each row's new keys and
values in place, behind what the row's attention mask says is there. So rows of different lengths are decoded in one pass, and a row can begin
or end between any two.

ONNX Runtime is used directly and not through onnxruntime-genai (0.18): that holds Python's lock for the whole of a pass (24 ms for 250 tokens
of a model of 5 million parameters, in which no event loop runs), and cannot batch completions on the CPU.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parley.backends.base_folder import EXPORT_FILE
from parley.backends.json_files import read_object
from parley.backends.onnx_runtime import onnxruntime
from parley.domain.base_model import BaseShapes
from parley.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy import float32, int64
    from numpy.typing import NDArray

CONFIG_FILE = "genai_config.json"
FLOAT = "tensor(float)"
NAMED = {"context_length", "eos_token_id", "vocab_size"}
NAMED_OF_DECODER = {"filename", "head_size", "num_hidden_layers", "num_key_value_heads"}
"""What the configuration has to say, of the model and of its decoder."""
MAKES_ONE = "allowed: a folder that `parley models export-onnx` wrote"


def check_folder(folder: Path) -> dict[str, Any]:
    """What its configuration says of the model, without loading it. Raises `ConfigurationError` naming the file that is missing or wrong."""
    file = folder / CONFIG_FILE
    model = _json(file).get("model")
    decoder = model.get("decoder") if isinstance(model, dict) else None
    if not isinstance(model, dict) or not isinstance(decoder, dict):
        raise ConfigurationError(f"{file}: model.decoder: missing; {MAKES_ONE}")
    if lacks := sorted((NAMED - model.keys()) | (NAMED_OF_DECODER - decoder.keys())):
        raise ConfigurationError(f"{file}: {', '.join(lacks)}: missing; {MAKES_ONE}")
    if not (graph := folder / str(decoder["filename"])).is_file():
        raise ConfigurationError(f"{graph}: is missing; {MAKES_ONE}")
    return model


class OnnxDecoder:
    """Not thread-safe: one pass at a time. Raises whatever ONNX Runtime raises."""

    def __init__(
        self, folder: Path, *, rows: int, context_tokens: int | None = None, threads: int = 0
    ) -> None:
        """`context_tokens`: None is the model's own. `threads` 0 is one for each core. Raises `ConfigurationError` for a folder that is no
        such model.
        """
        import numpy as np

        config = check_folder(folder)
        self.exported = _json(folder / EXPORT_FILE) if (folder / EXPORT_FILE).is_file() else {}
        self.context_tokens = min(context_tokens or config["context_length"], config["context_length"])
        self.end_tokens = frozenset(np.atleast_1d(config["eos_token_id"]).tolist())
        self.vocabulary: int = config["vocab_size"]
        self._session = _session(folder / config["decoder"]["filename"], threads)
        self._positions = _check_inputs(folder, self._session)
        shape = (
            rows,
            config["decoder"]["num_key_value_heads"],
            self.context_tokens,
            config["decoder"]["head_size"],
        )
        #: Name of the past and of the present, and the rows' keys or values. The system gives memory for what is written to, not before.
        self._cache = [
            (f"past_key_values.{layer}.{kind}", f"present.{layer}.{kind}", np.zeros(shape, np.float32))
            for layer in range(config["decoder"]["num_hidden_layers"])
            for kind in ("key", "value")
        ]
        #: Tokens whose keys and values stand in each row.
        self._lengths = np.zeros(rows, np.int64)
        self._adapters: dict[str, Mapping[str, NDArray[float32]]] = {}
        self._bindings: dict[str | None, Any] = {None: self._session.io_binding()}

    @property
    def shapes(self) -> BaseShapes | None:
        """The projections that have places for adapters; None where the export made none."""
        places = self.exported.get("adapters")
        if not places:
            return None
        return BaseShapes(
            places["layers"], {name: (size[0], size[1]) for name, size in places["modules"].items()}
        )

    def add_adapter(self, name: str, inputs: "Mapping[str, NDArray[float32]]") -> None:
        binding = self._session.io_binding()
        for each, weights in inputs.items():
            _bind(binding, each, weights)
        self._adapters[name] = inputs  # the binding holds their addresses alone
        self._bindings[name] = binding

    def remove_adapter(self, name: str) -> None:
        self._bindings.pop(name, None)
        self._adapters.pop(name, None)

    def clear(self, row: int) -> None:
        self._lengths[row] = 0

    def read(self, row: int, tokens: Sequence[int], adapter: str | None) -> "NDArray[float32]":
        """Add a part of a prompt to a row; the logits (vocabulary,) of what follows it."""
        import numpy as np

        begin = self._lengths[row]
        ids = np.array([tokens], np.int64)
        mask = np.ones((1, begin + len(tokens)), np.int64)
        logits = self._run(adapter, slice(row, row + 1), ids, mask, np.arange(begin, mask.shape[1])[None])
        self._lengths[row] += len(tokens)
        last: NDArray[float32] = logits[0]
        return last

    def write(self, tokens: Mapping[int, int], adapter: str | None) -> "NDArray[float32]":
        """Add a token to each of these rows; the logits (rows, vocabulary) in the order of the mapping.

        Rows between them, which others are using, are computed as well and keep their content: what a pass writes to them lands behind what
        is there.
        """
        import numpy as np

        first, last = min(tokens), max(tokens)
        # A row that is full has ended; its last place may be overwritten.
        positions = np.minimum(self._lengths[first : last + 1], self.context_tokens - 1)
        ids = np.array([[tokens.get(row, 0)] for row in range(first, last + 1)], np.int64)
        mask = (np.arange(positions.max() + 1)[None] <= positions[:, None]).astype(np.int64)
        logits = self._run(adapter, slice(first, last + 1), ids, mask, positions[:, None])
        rows = np.fromiter(tokens, np.int64)
        self._lengths[rows] += 1
        chosen: NDArray[float32] = logits[rows - first]
        return chosen

    def _run(
        self,
        adapter: str | None,
        rows: slice,
        ids: "NDArray[int64]",
        mask: "NDArray[int64]",
        positions: "NDArray[int64]",
    ) -> "NDArray[float32]":
        """(rows, tokens) in, the logits (rows, vocabulary) of each row's last token out."""
        binding = self._bindings[adapter]
        _bind(binding, "input_ids", ids)
        _bind(binding, "attention_mask", mask)
        if self._positions:
            _bind(binding, "position_ids", positions)
        for past, present, cache in self._cache:
            _bind(binding, past, cache[rows])
            _bind(binding, present, cache[rows], output=True)
        binding.bind_output("logits", "cpu")
        self._session.run_with_iobinding(binding)
        (logits,) = (each for each in binding.get_outputs() if len(each.shape()) == 3)
        found: NDArray[float32] = logits.numpy()[:, -1]
        return found


def _bind(binding: Any, name: str, array: "NDArray[Any]", *, output: bool = False) -> None:
    """By its address: nothing is copied, and the array has to outlive the pass."""
    bind = binding.bind_output if output else binding.bind_input
    bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)


def _check_inputs(folder: Path, session: Any) -> bool:
    """Whether it wants positions. Raises `ConfigurationError` for a graph that wants what is not known here."""
    found = {each.name: each.type for each in session.get_inputs()}
    odd = sorted(
        name
        for name in found
        if name not in ("input_ids", "attention_mask", "position_ids")
        and not name.startswith("past_key_values.")
    )
    if odd or any(kind != FLOAT for name, kind in found.items() if name.startswith("past_key_values.")):
        raise ConfigurationError(
            f"{folder}: the graph's inputs {', '.join(odd) or 'of the cache are no float32'}: no model that this engine knows; "
            "allowed: int8 and fp32 exports for the CPU of models with attention alone"
        )
    return "position_ids" in found


def _session(file: Path, threads: int) -> Any:
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Idle threads would otherwise burn the cores that the rest of the platform runs on; beside other work a pass took twice as long with it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        return runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library raises exceptions of its own making
        raise ConfigurationError(f"{file}: ONNX Runtime refuses it: {error}") from error


def _json(file: Path) -> dict[str, Any]:
    try:
        return read_object(file)
    except ConfigurationError as error:
        raise ConfigurationError(f"{error}; {MAKES_ONE}") from error
