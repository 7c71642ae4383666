"""From a model's `config.json` to its shape, family by family. Field names are those of Hugging Face transformers."""

from collections.abc import Callable, Mapping
from typing import Any

from parley.domain.model_shapes import Cache, Layers, Matrix, ModelShape
from parley.errors import ConfigurationError

LONGEST_UNKNOWN = 2048
"""Context where a config names none: transformers' own default for Llama."""

STRETCHING = ("linear", "dynamic")
"""Kinds of rotary embeddings whose factor vLLM multiplies the context by (`_get_and_verify_max_len`); with the others it is in it already."""


class Fields:
    """A config's values, checked as they are read. Raises `ConfigurationError` naming the field."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def number(self, name: str, default: int | None = None, least: int = 1) -> int:
        """A whole number; a null counts as missing."""
        value = self._config.get(name)
        if value is None:
            if default is None:
                raise ConfigurationError(f"config.json: {name}: missing")
            return default
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ConfigurationError(
                f"config.json: {name}: must be a whole number of at least {least}, not {value!r}"
            )
        return value

    def rope_factor(self) -> float:
        """What a rotary embedding stretches the context by, beyond what `max_position_embeddings` says already."""
        rope = self._config.get("rope_parameters") or self._config.get("rope_scaling")
        if not isinstance(rope, Mapping) or rope.get("rope_type", rope.get("type")) not in STRETCHING:
            return 1.0
        factor = rope.get("factor")
        if not isinstance(factor, int | float) or isinstance(factor, bool) or factor < 1:
            raise ConfigurationError(
                f"config.json: rope_scaling: factor: must be a number of at least 1, not {factor!r}"
            )
        return float(factor)

    def flag(self, name: str, default: bool) -> bool:
        value = self._config.get(name)
        return default if value is None else bool(value)

    def numbers(self, name: str) -> tuple[int, ...]:
        value = self._config.get(name) or ()
        if not isinstance(value, list | tuple) or not all(isinstance(each, int) for each in value):
            raise ConfigurationError(f"config.json: {name}: must be a list of whole numbers")
        return tuple(value)


def shape_of(config: Mapping[str, Any]) -> ModelShape:
    """Raises `ConfigurationError` for a field that is missing or no number, and for a family that is not known here."""
    inner = config.get("text_config")
    notes: tuple[str, ...] = ()
    if isinstance(inner, Mapping):
        notes = ("only the text model is counted, not what sees or hears",)
        config = {**inner, "tie_word_embeddings": inner.get("tie_word_embeddings", _tied(config))}
    family = str(config.get("model_type", ""))
    if family not in FAMILIES:
        raise ConfigurationError(
            f"config.json: model_type: {family!r} is not known to the planner; known: {', '.join(sorted(FAMILIES))}"
        )
    return FAMILIES[family](family, Fields(config), notes)


def _tied(config: Mapping[str, Any]) -> Any:
    return config.get("tie_word_embeddings")


# --- parts -----------------------------------------------------------------------------------------------------------


def _heads(fields: Fields) -> tuple[int, int, int]:
    """Attention heads, key-value heads, numbers in a head."""
    heads = fields.number("num_attention_heads")
    size = fields.number("head_dim", fields.number("hidden_size") // heads)
    return heads, fields.number("num_key_value_heads", heads), size


def _attention(fields: Fields, *, qkv_bias: bool, o_bias: bool) -> tuple[Matrix, ...]:
    hidden = fields.number("hidden_size")
    heads, kv_heads, size = _heads(fields)
    return (
        Matrix("q_proj", hidden, heads * size, "outputs", qkv_bias),
        Matrix("k_proj", hidden, kv_heads * size, "outputs", qkv_bias, heads=kv_heads),
        Matrix("v_proj", hidden, kv_heads * size, "outputs", qkv_bias, heads=kv_heads),
        Matrix("o_proj", heads * size, hidden, "inputs", o_bias),
    )


def _feed_forward(hidden: int, inner: int, *, bias: bool = False, copies: int = 1) -> tuple[Matrix, ...]:
    return (
        Matrix("gate_proj", hidden, inner, "outputs", bias, copies),
        Matrix("up_proj", hidden, inner, "outputs", bias, copies),
        Matrix("down_proj", inner, hidden, "inputs", bias, copies),
    )


def _router(hidden: int, experts: int) -> Matrix:
    return Matrix("gate", hidden, experts, "none", quantised=False)


def _context(family: str, fields: Fields) -> int:
    """As vLLM derives it; Gemma 3 states it with the factor in it."""
    longest = fields.number("max_position_embeddings", LONGEST_UNKNOWN)
    return longest if family.startswith("gemma3") else int(longest * fields.rope_factor())


def _shape(
    family: str,
    fields: Fields,
    layers: tuple[Layers, ...],
    notes: tuple[str, ...],
    *,
    tied: bool = False,
    ends: bool = False,
    cache: Cache | None = None,
    experts_per_token: int = 0,
) -> ModelShape:
    heads, kv_heads, size = _heads(fields)
    return ModelShape(
        family=family,
        vocabulary=fields.number("vocab_size"),
        hidden=fields.number("hidden_size"),
        layers=tuple(group for group in layers if group.count),
        attention_heads=heads,
        cache=cache or Cache(kv_heads, 2 * size),
        tied=fields.flag("tie_word_embeddings", tied),
        context=_context(family, fields),
        adaptable_embeddings=ends,
        experts_per_token=experts_per_token,
        notes=notes,
    )


# --- families --------------------------------------------------------------------------------------------------------


def _llama(family: str, fields: Fields, notes: tuple[str, ...]) -> ModelShape:
    """Llama, Mistral, Phi-3 (whose files hold q, k, v and gate, up as one)."""
    hidden = fields.number("hidden_size")
    bias = fields.flag("attention_bias", False)
    matrices = (
        *_attention(fields, qkv_bias=bias, o_bias=bias),
        *_feed_forward(hidden, fields.number("intermediate_size"), bias=fields.flag("mlp_bias", False)),
    )
    layers = Layers(fields.number("num_hidden_layers"), matrices, others=2 * hidden)
    return _shape(family, fields, (layers,), notes, ends=family != "mistral")


def _qwen(family: str, fields: Fields, notes: tuple[str, ...]) -> ModelShape:
    """Qwen2 has biases for q, k and v; Qwen3 has norms for queries and keys instead."""
    hidden = fields.number("hidden_size")
    third = family == "qwen3"
    bias = fields.flag("attention_bias", False) if third else True
    matrices = (
        *_attention(fields, qkv_bias=bias, o_bias=third and bias),
        *_feed_forward(hidden, fields.number("intermediate_size")),
    )
    norms = 2 * hidden + (2 * _heads(fields)[2] if third else 0)
    layers = Layers(fields.number("num_hidden_layers"), matrices, norms)
    return _shape(family, fields, (layers,), notes, ends=third)


def _gemma(family: str, fields: Fields, notes: tuple[str, ...]) -> ModelShape:
    """Gemma 2 and 3 norm before and after each block; Gemma 3 norms queries and keys as well."""
    hidden = fields.number("hidden_size")
    bias = fields.flag("attention_bias", False)
    matrices = (
        *_attention(fields, qkv_bias=bias, o_bias=bias),
        *_feed_forward(hidden, fields.number("intermediate_size")),
    )
    norms = (2 if family == "gemma" else 4) * hidden
    if family.startswith("gemma3"):
        norms += 2 * _heads(fields)[2]
    layers = Layers(fields.number("num_hidden_layers"), matrices, norms)
    return _shape(family, fields, (layers,), notes, tied=True)


def _mixtral(family: str, fields: Fields, notes: tuple[str, ...]) -> ModelShape:
    hidden, inner = fields.number("hidden_size"), fields.number("intermediate_size")
    experts = fields.number("num_local_experts")
    matrices = (
        *_attention(fields, qkv_bias=False, o_bias=False),
        _router(hidden, experts),
        Matrix("w1", hidden, inner, "outputs", copies=experts),
        Matrix("w3", hidden, inner, "outputs", copies=experts),
        Matrix("w2", inner, hidden, "inputs", copies=experts),
    )
    layers = Layers(fields.number("num_hidden_layers"), matrices, 2 * hidden)
    each = fields.number("num_experts_per_tok", 2)
    return _shape(family, fields, (layers,), notes, ends=True, experts_per_token=each)


def _qwen_moe(family: str, fields: Fields, notes: tuple[str, ...]) -> ModelShape:
    """Every `decoder_sparse_step`-th layer has experts, unless it stands in `mlp_only_layers`."""
    hidden, depth = fields.number("hidden_size"), fields.number("num_hidden_layers")
    second = family == "qwen2_moe"
    bias = True if second else fields.flag("attention_bias", False)
    attention = _attention(fields, qkv_bias=bias, o_bias=bias and not second)
    experts = fields.number("num_experts")
    sparse = (*attention, _router(hidden, experts))
    sparse += _feed_forward(hidden, fields.number("moe_intermediate_size"), copies=experts)
    if second:
        sparse += _feed_forward(hidden, fields.number("shared_expert_intermediate_size"))
        sparse += (Matrix("shared_expert_gate", hidden, 1, "none", quantised=False),)
    dense = (*attention, *_feed_forward(hidden, fields.number("intermediate_size")))
    step, only = fields.number("decoder_sparse_step", 1), set(fields.numbers("mlp_only_layers"))
    with_experts = sum((at + 1) % step == 0 and at not in only for at in range(depth))
    norms = 2 * hidden + (0 if second else 2 * _heads(fields)[2])
    layers = (Layers(with_experts, sparse, norms), Layers(depth - with_experts, dense, norms))
    each = fields.number("num_experts_per_tok")
    return _shape(family, fields, layers, notes, ends=not second, experts_per_token=each)


def _deepseek(family: str, fields: Fields, notes: tuple[str, ...]) -> ModelShape:
    """Multi-head latent attention; the first layers are dense. V3 keeps a bias for each expert beside the router."""
    hidden, depth = fields.number("hidden_size"), fields.number("num_hidden_layers")
    latent, rotary = fields.number("kv_lora_rank"), fields.number("qk_rope_head_dim")
    experts, inner = fields.number("n_routed_experts"), fields.number("moe_intermediate_size")
    attention, norms = _latent_attention(fields)
    sparse = (*attention, _router(hidden, experts), *_feed_forward(hidden, inner, copies=experts))
    if shared := fields.number("n_shared_experts", 0, least=0):
        sparse += _feed_forward(hidden, shared * inner)
    dense = (*attention, *_feed_forward(hidden, fields.number("intermediate_size")))
    first = min(fields.number("first_k_dense_replace", 0, least=0), depth)
    chosen = experts if family == "deepseek_v3" else 0
    layers = (Layers(first, dense, norms), Layers(depth - first, sparse, norms + chosen))
    cache = Cache(1, 0, latent=latent + rotary)
    each = fields.number("num_experts_per_tok")
    return _shape(family, fields, layers, notes, cache=cache, experts_per_token=each)


def _latent_attention(fields: Fields) -> tuple[tuple[Matrix, ...], int]:
    """Its matrices, and the parameters of the layer's norms."""
    hidden, heads = fields.number("hidden_size"), fields.number("num_attention_heads")
    latent, rotary = fields.number("kv_lora_rank"), fields.number("qk_rope_head_dim")
    plain, values = fields.number("qk_nope_head_dim"), fields.number("v_head_dim")
    compressed = fields.number("q_lora_rank", 0, least=0)
    queries: tuple[Matrix, ...] = (Matrix("q_proj", hidden, heads * (plain + rotary), "outputs"),)
    if compressed:
        queries = (
            Matrix("q_a_proj", hidden, compressed, "none"),
            Matrix("q_b_proj", compressed, heads * (plain + rotary), "outputs"),
        )
    rest = (
        Matrix("kv_a_proj_with_mqa", hidden, latent + rotary, "none"),
        Matrix("kv_b_proj", latent, heads * (plain + values), "outputs"),
        Matrix("o_proj", heads * values, hidden, "inputs"),
    )
    return (*queries, *rest), 2 * hidden + latent + compressed


FAMILIES: Mapping[str, Callable[[str, Fields, tuple[str, ...]], ModelShape]] = {
    "llama": _llama,
    "mistral": _llama,
    "phi3": _llama,
    "qwen2": _qwen,
    "qwen3": _qwen,
    "gemma": _gemma,
    "gemma2": _gemma,
    "gemma3_text": _gemma,
    "mixtral": _mixtral,
    "qwen2_moe": _qwen_moe,
    "qwen3_moe": _qwen_moe,
    "deepseek_v2": _deepseek,
    "deepseek_v3": _deepseek,
}
