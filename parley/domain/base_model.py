"""What adapters must fit: a base model's name and revision, and the shapes of the layers that LoRA can change.

The shapes are those of Llama and of the models that took its layers over: projections q, k, v and o of the attention, gate, up and down
of the MLP, `model.layers.N.…`. In a mixture of experts only the attention can be adapted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from parley.domain.tensor_header import is_count, quoted
from parley.errors import ConfigurationError

DENSE = (
    *("llama", "mistral", "ministral", "qwen2", "qwen3", "gemma", "gemma2"),
    *("granite", "smollm3", "olmo", "olmo2", "olmo3", "cohere"),
)
EXPERTS = ("mixtral", "qwen2_moe", "qwen3_moe", "olmoe", "granitemoe")
"""`model_type` of transformers; checked against its classes (5.19)."""
HEAD_DIM: Mapping[str, int] = {"qwen3": 128, "qwen3_moe": 128, "gemma": 256, "gemma2": 256}
"""What transformers (5.19) takes for a head's size where `config.json` is silent; for all others hidden size by heads."""

MOST = 2**31
MAX_LAYERS = 1_024
CACHED = re.compile(r"models--(?P<owner>[^/]+?)--(?P<name>[^/]+)/snapshots/(?P<commit>[0-9a-f]{40})/?$")
"""Where Hugging Face's cache keeps a model: https://huggingface.co/docs/huggingface_hub/guides/manage-cache."""
COMMIT_DIGITS = 7
UNTOLD = ("", "main")
"""Revisions of Hugging Face that say nothing: what they stand for moves."""


@dataclass(frozen=True, slots=True)
class BaseShapes:
    """`modules`: by name below a layer, such as `self_attn.q_proj`, the features that go in and come out."""

    layers: int
    modules: Mapping[str, tuple[int, int]]

    def of(self, path: str) -> tuple[int, int] | None:
        """Features in and out of `model.layers.N.…`; None where the base has no such module."""
        found = re.fullmatch(r"model\.layers\.(0|[1-9][0-9]{0,5})\.(.+)", path)
        if found is None or int(found[1]) >= self.layers:
            return None
        return self.modules.get(found[2])

    def paths(self) -> list[str]:
        return [f"model.layers.{layer}.{name}" for layer in range(self.layers) for name in self.modules]

    @property
    def names(self) -> list[str]:
        """What `target_modules` calls them by."""
        return [name.rsplit(".", 1)[-1] for name in self.modules]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """The model that adapters are served on, as answers name it."""

    name: str
    revision: str
    shapes: BaseShapes

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}"


@dataclass(frozen=True, slots=True)
class TrainedOn:
    """The model that an adapter was trained on, where the served one is another copy of it, such as a quantised one.

    `revision`: empty where any is meant; `shapes`: None where its `config.json` is not here.
    """

    name: str
    revision: str = ""
    shapes: BaseShapes | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name


def shapes_of(config: Mapping[str, object]) -> BaseShapes:
    """From a model's `config.json`. Raises `ConfigurationError` for a model whose layers are not known here."""
    kind = config.get("model_type")
    if kind not in (*DENSE, *EXPERTS):
        raise ConfigurationError(
            f"config.json: model_type: adapters for {quoted(kind)} are not supported; allowed: {', '.join((*DENSE, *EXPERTS))}"
        )
    hidden = _number(config, "hidden_size")
    heads = _number(config, "num_attention_heads")
    kv_heads = _number(config, "num_key_value_heads", heads)
    head = _number(config, "head_dim", HEAD_DIM.get(str(kind), max(1, hidden // heads)))
    modules = {
        "self_attn.q_proj": (hidden, heads * head),
        "self_attn.k_proj": (hidden, kv_heads * head),
        "self_attn.v_proj": (hidden, kv_heads * head),
        "self_attn.o_proj": (heads * head, hidden),
    }
    if kind in DENSE:
        inner = _number(config, "intermediate_size")
        modules |= {
            "mlp.gate_proj": (hidden, inner),
            "mlp.up_proj": (hidden, inner),
            "mlp.down_proj": (inner, hidden),
        }
    return BaseShapes(_number(config, "num_hidden_layers", most=MAX_LAYERS), modules)


def name_of(folder: str) -> str:
    """What a model in this folder is called: the folder's name, or owner and name where the folder is of Hugging Face's cache."""
    cached = CACHED.search(folder)
    return f"{cached['owner']}/{cached['name']}" if cached else folder.rstrip("/").rsplit("/", 1)[-1]


def commit_of(folder: str) -> str | None:
    """The revision that a folder of Hugging Face's cache holds."""
    cached = CACHED.search(folder)
    return cached["commit"] if cached else None


def same_model(one: str, other: str) -> bool:
    """Whether two names (`owner/name`, a folder) may mean one model: their last parts are the same."""
    names = [name_of(each).rsplit("/", 1)[-1].casefold() for each in (one, other)]
    return bool(names[0]) and names[0] == names[1]


def same_revision(one: str, other: str) -> bool:
    """A commit may be given by its beginning."""
    short, long = sorted((one, other), key=len)
    return short == long or (len(short) >= COMMIT_DIGITS and long.startswith(short))


def _number(config: Mapping[str, object], field: str, default: int | None = None, *, most: int = MOST) -> int:
    value = config.get(field)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or not is_count(value, 1, most):
        raise ConfigurationError(
            f"config.json: {field}: is {quoted(value)}; allowed: a whole number from 1 to {most}"
        )
    return value
