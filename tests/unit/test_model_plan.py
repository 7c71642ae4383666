"""What a base model needs of GPUs: parameters to the last one, bytes by precision and by GPU, and what would make it fit."""

from dataclasses import replace
from typing import Any

import pytest

from parley.domain.model_advice import explain_out_of_memory, serving_precision, ways_to_fit
from parley.domain.model_families import shape_of
from parley.domain.model_plan import BLOCK_TOKENS, GIB, GPUS, Serving, least_gpus, plan, possible_gpus
from parley.domain.precisions import PRECISIONS, Tensor, precision_of, weights_in, weights_on
from parley.errors import ConfigurationError


def config(
    family: str, vocabulary: int, hidden: int, inner: int, depth: int, heads: int, kv_heads: int, **more: Any
) -> dict[str, Any]:
    return {
        "model_type": family,
        "vocab_size": vocabulary,
        "hidden_size": hidden,
        "intermediate_size": inner,
        "num_hidden_layers": depth,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": 8192,
        **more,
    }


LLAMA_2_7B = config("llama", 32000, 4096, 11008, 32, 32, 32, max_position_embeddings=4096)
LLAMA_3_8B = config("llama", 128256, 4096, 14336, 32, 32, 8)
LLAMA_3_70B = config("llama", 128256, 8192, 28672, 80, 64, 8)
MIXTRAL = config("mixtral", 32000, 4096, 14336, 32, 32, 8, num_local_experts=8, num_experts_per_tok=2)
QWEN_MOE = {"decoder_sparse_step": 1, "norm_topk_prob": True}
LATENT = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128}

#: The published configs' numbers, and how many parameters the published files hold.
PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "Llama-2-7B": (LLAMA_2_7B, 6_738_415_616),
    "Llama-3-8B": (LLAMA_3_8B, 8_030_261_248),
    "Llama-3-70B": (LLAMA_3_70B, 70_553_706_496),
    "Llama-3.2-1B": (
        config("llama", 128256, 2048, 8192, 16, 32, 8, head_dim=64, tie_word_embeddings=True),
        1_235_814_400,
    ),
    "Mistral-7B": (config("mistral", 32000, 4096, 14336, 32, 32, 8), 7_241_732_096),
    "Phi-3-mini": (config("phi3", 32064, 3072, 8192, 32, 32, 32), 3_821_079_552),
    "Qwen2.5-7B": (config("qwen2", 152064, 3584, 18944, 28, 28, 4), 7_615_616_512),
    "Qwen2.5-0.5B": (
        config("qwen2", 151936, 896, 4864, 24, 14, 2, tie_word_embeddings=True),
        494_032_768,
    ),
    "Qwen3-8B": (config("qwen3", 151936, 4096, 12288, 36, 32, 8, head_dim=128), 8_190_735_360),
    "Gemma-7B": (config("gemma", 256000, 3072, 24576, 28, 16, 16, head_dim=256), 8_537_680_896),
    "Gemma-2-9B": (config("gemma2", 256000, 3584, 14336, 42, 16, 8, head_dim=256), 9_241_705_984),
    "Gemma-3-1B": (config("gemma3_text", 262144, 1152, 6912, 26, 4, 1, head_dim=256), 999_885_952),
    "Mixtral-8x7B": (MIXTRAL, 46_702_792_704),
    "Qwen1.5-MoE-A2.7B": (
        config("qwen2_moe", 151936, 2048, 5632, 24, 16, 16, **QWEN_MOE)
        | {"num_experts": 60, "num_experts_per_tok": 4, "moe_intermediate_size": 1408}
        | {"shared_expert_intermediate_size": 5632},
        14_315_784_192,
    ),
    "Qwen3-30B-A3B": (
        config("qwen3_moe", 151936, 2048, 6144, 48, 32, 4, head_dim=128, **QWEN_MOE)
        | {"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768},
        30_532_122_624,
    ),
    "DeepSeek-V2-Lite": (
        config("deepseek_v2", 102400, 2048, 10944, 27, 16, 16, **LATENT)
        | {"n_routed_experts": 64, "n_shared_experts": 2, "num_experts_per_tok": 6}
        | {"moe_intermediate_size": 1408, "first_k_dense_replace": 1, "q_lora_rank": None},
        15_706_484_224,
    ),
    "DeepSeek-V3": (
        config("deepseek_v3", 129280, 7168, 18432, 61, 128, 128, **LATENT)
        | {"n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8}
        | {"moe_intermediate_size": 2048, "first_k_dense_replace": 3, "q_lora_rank": 1536},
        # 671.03 B: the 61 layers, without the layer that predicts further tokens
        671_026_419_200,
    ),
}


def card(name: str, **how: Any) -> Serving:
    return Serving(memory=int(GPUS[name] * GIB), **how)


# --- parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_counted_to_the_last(name: str) -> None:
    fields, published = PUBLISHED[name]
    assert shape_of(fields).parameters == published


def test_a_token_goes_through_a_few_experts_only() -> None:
    assert shape_of(MIXTRAL).active_parameters == 12_879_925_248
    for name, told in (("Qwen3-30B-A3B", 3.3e9), ("DeepSeek-V3", 37e9), ("Qwen1.5-MoE-A2.7B", 2.7e9)):
        assert shape_of(PUBLISHED[name][0]).active_parameters == pytest.approx(told, rel=0.03), name
    dense = shape_of(LLAMA_3_8B)
    assert dense.active_parameters == dense.parameters


def test_a_model_that_sees_is_counted_by_its_text_part() -> None:
    text, published = PUBLISHED["Gemma-3-1B"]
    shape = shape_of({"model_type": "gemma3", "text_config": text, "vision_config": {"hidden_size": 1152}})
    assert shape.parameters == published and shape.notes


@pytest.mark.parametrize(
    ("change", "context"),
    [
        ({}, 8192),
        ({"max_position_embeddings": None}, 2048),
        ({"rope_scaling": {"type": "linear", "factor": 4}}, 32768),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}}, 16384),
        ({"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, 8192),
        ({"rope_parameters": {"rope_type": "default", "rope_theta": 1e4}}, 8192),
        ({"model_type": "gemma3_text", "head_dim": 128, "rope_scaling": {"rope_type": "linear", "factor": 8}}, 8192),
    ],
)  # fmt: skip
def test_the_context_is_as_long_as_vllm_derives_it(change: dict[str, Any], context: int) -> None:
    assert shape_of(LLAMA_3_8B | change).context == context


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"rope_scaling": {"rope_type": "linear"}},
            "config.json: rope_scaling: factor: must be a number of at least 1, not None",
        ),
        (
            {"model_type": "rwkv"},
            "config.json: model_type: 'rwkv' is not known to the planner; known: deepseek",
        ),
        ({"hidden_size": None}, "config.json: hidden_size: missing"),
        ({"num_hidden_layers": "32"}, "config.json: num_hidden_layers: must be a whole number of at least 1"),
        ({"vocab_size": 0}, "config.json: vocab_size: must be a whole number of at least 1, not 0"),
        ({"num_attention_heads": True}, "config.json: num_attention_heads: must be a whole number"),
    ],
)
def test_a_bad_config_is_named_by_its_field(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        shape_of(LLAMA_3_8B | change)


# --- bytes of weights ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("precision", "each"), [("bf16", 2), ("fp16", 2), ("fp32", 4)], ids=["bf16", "fp16", "fp32"]
)
def test_plain_weights_take_their_bytes(precision: str, each: int) -> None:
    shape = shape_of(LLAMA_3_8B)
    assert weights_on(shape, PRECISIONS[precision], 1) == each * shape.parameters


def test_quantised_weights_leave_embeddings_and_norms() -> None:
    shape = shape_of(LLAMA_3_8B)
    plain = shape.embeddings + 65 * 4096
    matrices = shape.parameters - plain
    rows = 32 * (2 * 4096 + 2 * 1024 + 2 * 14336 + 4096)
    assert weights_on(shape, PRECISIONS["fp8"], 1) == 2 * plain + matrices
    assert weights_on(shape, PRECISIONS["int8"], 1) == 2 * plain + matrices + 4 * rows
    assert weights_on(shape, PRECISIONS["int4"], 1) == 2 * plain + matrices // 2 + 2 * matrices // 128
    assert weights_on(shape, PRECISIONS["awq"], 1) == 2 * plain + matrices // 2 + 5 * matrices // 256


def test_routers_are_not_quantised() -> None:
    shape = shape_of(MIXTRAL)
    routers = 32 * 8 * 4096
    plain = shape.embeddings + 65 * 4096 + routers
    assert weights_on(shape, PRECISIONS["fp8"], 1) == 2 * plain + shape.parameters - plain


def test_gpus_share_matrices_and_repeat_norms() -> None:
    shape = shape_of(LLAMA_3_70B)
    norms = 161 * 8192
    assert weights_on(shape, PRECISIONS["bf16"], 4) == 2 * ((shape.parameters - norms) // 4 + norms)


def test_more_gpus_than_key_value_heads_repeat_them() -> None:
    shape = shape_of(PUBLISHED["Qwen2.5-0.5B"][0] | {"num_attention_heads": 16, "hidden_size": 1024})
    assert shape.cached(2) == shape.cached(8) == shape.cached(1) // 2
    assert shape.cannot_split(8) is None


def test_what_files_hold_is_counted_as_it_is_loaded() -> None:
    shape = shape_of(PUBLISHED["Llama-3.2-1B"][0])
    held = (
        Tensor("model.embed_tokens.weight", "F32", (128256, 2048)),
        Tensor("lm_head.weight", "F32", (128256, 2048)),  # the embeddings once more: not loaded
        Tensor("model.layers.0.self_attn.q_proj.weight_packed", "I32", (2048, 256)),
        Tensor("model.layers.0.self_attn.q_proj.weight_scale", "BF16", (2048, 16)),
        Tensor("model.layers.0.mlp.down_proj.weight", "BF16", (2048, 8192)),
        Tensor("model.layers.0.input_layernorm.weight", "BF16", (2048,)),
        Tensor("model.layers.16.mlp.down_proj.weight", "BF16", (2048, 8192)),  # beyond the model's layers
    )
    embeddings, packed, down, norm = 128256 * 2048 * 2, 2048 * (1024 + 32), 2048 * 8192 * 2, 4096
    bf16 = PRECISIONS["bf16"]
    assert weights_in(held, shape, bf16, 1) == embeddings + packed + down + norm
    assert weights_in(held, shape, bf16, 2) == (embeddings + packed + down) // 2 + norm


@pytest.mark.parametrize(
    ("quantisation", "name", "bits", "group"),
    [
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq", 4, 128),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "gptq", 8, None),
        ({"quant_method": "fp8"}, "fp8", 8, None),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 64}}},
            },
            "int4",
            4,
            64,
        ),
        (
            {
                "quant_method": "compressed-tensors",
                "config_groups": {"group_0": {"weights": {"num_bits": 8, "type": "float"}}},
            },
            "fp8",
            8,
            None,
        ),
    ],
    ids=["awq", "gptq", "fp8", "compressed 4", "compressed fp8"],
)
def test_a_checkpoint_says_its_precision(
    quantisation: dict[str, Any], name: str, bits: int, group: int | None
) -> None:
    found = precision_of({"quantization_config": quantisation})
    assert found is not None and (found.name, found.bits, found.group) == (name, bits, group)
    assert serving_precision({"quantization_config": quantisation}, PRECISIONS["fp32"]) == found


def test_an_unknown_quantisation_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="quant_method: 'bitsandbytes' is not known"):
        precision_of({"quantization_config": {"quant_method": "bitsandbytes"}})
    assert precision_of({}) is None


# --- cache and slots -------------------------------------------------------------------------------------------------


def test_a_token_takes_keys_and_values_of_each_layer() -> None:
    eight = shape_of(LLAMA_3_8B)
    assert plan(eight, card("h100")).cache_per_token == 32 * 2 * 8 * 128 * 2
    assert plan(eight, card("h100", cache_fp8=True)).cache_per_token == 32 * 2 * 8 * 128
    assert plan(eight, card("h100", gpus=4)).cache_per_token == 32 * 2 * 2 * 128 * 2
    latent = shape_of(PUBLISHED["DeepSeek-V3"][0])
    assert latent.cached(1) == latent.cached(8) == 61 * 576


def test_a_slot_is_as_large_as_vllm_makes_it() -> None:
    """By hand after vLLM's `create_lora_weights`: A (rank, inputs) and B (outputs, rank) of each matrix, embeddings and output as well."""
    rank, hidden, inner, kv = 16, 4096, 14336, 1024
    layer = 2 * (hidden + hidden) + 2 * (hidden + kv) + 3 * (hidden + inner)
    ends = 2 * (128256 + hidden)
    assert shape_of(LLAMA_3_8B).adapter(rank, 1) == rank * (32 * layer + ends)
    split = hidden + hidden // 4 + 2 * (hidden + kv // 4) + hidden // 4 + hidden + 3 * (hidden + inner // 4)
    assert shape_of(LLAMA_3_8B).adapter(rank, 4) == rank * (32 * split + ends)
    # vLLM's Mistral and Qwen2 have no slots for embeddings
    assert shape_of(LLAMA_3_8B | {"model_type": "mistral"}).adapter(rank, 1) == rank * 32 * layer


def test_slots_add_up_and_wait_on_the_host() -> None:
    shape = shape_of(LLAMA_3_8B)
    one, many = plan(shape, card("h100", slots=1)), plan(shape, card("h100", slots=17, held=64))
    assert many.slots == 17 * one.slots
    assert many.host == 64 * one.host
    assert plan(shape, card("h100")).slots == plan(shape, card("h100")).host == 0


# --- does it fit -----------------------------------------------------------------------------------------------------


def test_7_billion_in_16_bits_on_one_card_of_80_gb() -> None:
    found = plan(shape_of(LLAMA_2_7B), card("a100-80"))
    assert found.fits and found.requests > 20
    assert found.weights == pytest.approx(12.6 * GIB, rel=0.01)


def test_70_billion_on_four_cards_by_tensor_parallelism() -> None:
    shape = shape_of(LLAMA_3_70B)
    one, two, four = (plan(shape, card("a100-80", gpus=gpus)) for gpus in (1, 2, 4))
    assert not one.fits and four.fits
    assert four.weights == pytest.approx(32.9 * GIB, rel=0.01)
    assert four.requests > 40 > 10 * two.requests
    assert plan(shape, card("a100-80", gpus=2, precision=PRECISIONS["int4"])).fits


def test_quantising_saves_three_quarters_of_the_matrices() -> None:
    shape = shape_of(LLAMA_3_70B)
    full = weights_on(shape, PRECISIONS["bf16"], 1)
    assert 1 - weights_on(shape, PRECISIONS["int8"], 1) / full > 0.45
    assert 1 - weights_on(shape, PRECISIONS["int4"], 1) / full > 0.70


def test_the_account_adds_up() -> None:
    found = plan(shape_of(LLAMA_3_8B), card("h200", slots=17, context=4096))
    parts = found.weights + found.slots + found.step + found.graphs + found.workspace
    assert parts + found.cache == found.budget == int(0.9 * found.serving.memory)
    assert found.cached_tokens % BLOCK_TOKENS == 0
    left = found.cache - found.cached_tokens * found.cache_per_token
    assert 0 <= left < BLOCK_TOKENS * found.cache_per_token
    assert found.requests == found.cached_tokens / 4096


def test_what_is_missing_is_enough_when_added() -> None:
    shape, serving = shape_of(LLAMA_3_8B), Serving(memory=16 * GIB, utilisation=1.0)
    short = plan(shape, serving)
    assert not short.fits and short.missing > 0
    assert plan(shape, replace(serving, memory=serving.memory + short.missing)).fits
    assert not plan(shape, replace(serving, memory=serving.memory + short.missing - 1)).fits


def test_the_sampler_of_many_sequences_takes_more_than_the_layers() -> None:
    """vLLM's own measurement, on one GPU and on two: 1.26 GiB."""
    shape = shape_of(LLAMA_3_8B)
    for gpus in (1, 2):
        assert plan(shape, card("h100", gpus=gpus)).step == pytest.approx(1.26 * GIB, rel=0.01)
    assert plan(shape, card("h100", step_tokens=32768)).step > 2 * GIB


@pytest.mark.parametrize(
    ("fields", "gpus", "precision", "words"),
    [
        (LLAMA_3_8B, 3, "bf16", "32 attention heads cannot be shared by 3 GPUs"),
        (LLAMA_3_8B | {"num_key_value_heads": 6}, 4, "bf16", "6 key-value heads cannot be shared by 4 GPUs"),
        (LLAMA_2_7B, 16, "int4", "the 688 inputs of down_proj on each of 16 GPUs are no whole groups of 128"),
        (LLAMA_2_7B | {"intermediate_size": 11010}, 4, "bf16", "the 11010 outputs of gate_proj cannot be"),
    ],
)
def test_what_cannot_be_split_says_why(fields: dict[str, Any], gpus: int, precision: str, words: str) -> None:
    found = plan(shape_of(fields), card("h200", gpus=gpus, precision=PRECISIONS[precision]))
    assert not found.fits and words in (found.unsplittable or "")


# --- advice ----------------------------------------------------------------------------------------------------------


def test_ways_come_in_the_order_of_preference_and_each_fits() -> None:
    serving = card("l4", slots=8, rank=16, context=32768, sequences=64)
    ways = ways_to_fit(shape_of(LLAMA_3_8B), serving)
    assert [way.words for way in ways] == [
        "8-bit weights (fp8 or int8)",
        "4-bit weights",
        "2 such GPUs by tensor parallelism",
        "a context of 16,384 tokens instead of 32,768",
    ]
    assert all(way.plan.fits for way in ways)


def test_fewer_slots_are_advised_where_they_are_what_is_too_much() -> None:
    serving = card("l4", slots=40, rank=64, context=2048, sequences=64, precision=PRECISIONS["int4"])
    words = [way.words for way in ways_to_fit(shape_of(LLAMA_3_8B), serving)]
    assert any("adapter slots of rank 64 instead of 40" in each for each in words)


def test_both_together_where_neither_is_enough() -> None:
    ways = ways_to_fit(shape_of(LLAMA_3_70B), card("l4", context=32768))
    assert [way.words for way in ways] == [
        "8-bit weights on 8 such GPUs by tensor parallelism",
        "4-bit weights on 4 such GPUs by tensor parallelism",
    ]


def test_the_message_says_what_is_missing_and_what_would_fit() -> None:
    words = explain_out_of_memory(LLAMA_3_70B, card("h100"))
    assert "GiB are missing on each GPU for one request of 8,192 tokens (weights 131.4" in words
    assert "It would fit with 4-bit weights; or 2 such GPUs by tensor parallelism" in words


def test_the_message_is_honest_where_the_plan_fits() -> None:
    words = explain_out_of_memory(LLAMA_3_8B, card("h200"))
    assert words.startswith("by the plan it fits") and "close other processes" in words


def test_the_message_where_nothing_helps() -> None:
    words = explain_out_of_memory(PUBLISHED["DeepSeek-V3"][0], card("l4"))
    assert "No precision, context or number of slots makes it fit on 8 such GPUs" in words


def test_gpus_that_cannot_share_a_model_are_told_which_numbers_can() -> None:
    """Six heads, of which two for keys and values: more memory would not help, fewer GPUs do."""
    six = config("llama", 10240, 384, 1024, 7, 6, 2)
    assert possible_gpus(shape_of(six), card("h100"), 8) == [1, 2]
    words = explain_out_of_memory(six, card("h100", gpus=4))
    assert words == (
        "6 attention heads cannot be shared by 4 GPUs; of 1 to 8, possible: 1, 2. "
        "It would fit with 1 such GPU; or 2 such GPUs by tensor parallelism"
    )
    grouped = card("h100", gpus=2, precision=PRECISIONS["int4"])
    odd = config("llama", 10240, 384, 128 * 7, 7, 6, 2)
    assert possible_gpus(shape_of(odd), grouped, 8) == [1]


def test_of_the_numbers_that_can_share_a_model_those_are_advised_on_which_it_fits() -> None:
    ways = ways_to_fit(shape_of(LLAMA_3_70B), card("h100", gpus=3))
    assert [way.words for way in ways] == [
        f"{gpus} such GPUs by tensor parallelism" for gpus in (2, 4, 8)
    ] and all(way.plan.fits for way in ways)


def test_least_numbers_of_gpus() -> None:
    assert least_gpus(shape_of(LLAMA_2_7B), Serving(memory=0))["a100-80"] == 1
    seventy = least_gpus(shape_of(LLAMA_3_70B), Serving(memory=0))
    assert seventy["h200"] == 2 and seventy["t4"] is None
