"""The model: a Llama of 15 million parameters, its loss, and its files."""

import copy
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from transformers import (
    AttentionInterface,
    AutoModelForCausalLM,
    GenerationConfig,
    LlamaConfig,
)

from workers.retrain.starter import vocabulary
from workers.retrain.starter.prompts import END, END_OF_TEXT, SPECIAL

NAME = "starter"
HIDDEN, LAYERS, HEADS, KEY_HEADS, FEED_FORWARD = 384, 7, 6, 2, 1024
CAUSAL = "parley_causal"


def causal(
    module: Any, query: Any, key: Any, value: Any, attention_mask: Any, scaling: float, **unused: Any
) -> tuple[Any, None]:
    """(B, heads, T, 64): causal attention over whole rows. No mask is made, so that the fused kernel is taken."""
    found = functional.scaled_dot_product_attention(
        query, key, value, is_causal=True, scale=scaling, enable_gqa=True
    )
    return found.transpose(1, 2).contiguous(), None


AttentionInterface.register(CAUSAL, causal)


def fresh(size: int, layers: int = LAYERS) -> Any:
    end, pad = SPECIAL.index(END), SPECIAL.index(END_OF_TEXT)
    config = LlamaConfig(
        vocab_size=size,
        hidden_size=HIDDEN,
        num_hidden_layers=layers,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        intermediate_size=FEED_FORWARD,
        max_position_embeddings=vocabulary.CONTEXT,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
        use_cache=True,
    )
    made: Any = AutoModelForCausalLM
    model = made.from_config(config, attn_implementation=CAUSAL)
    model.generation_config = GenerationConfig.from_dict(
        {"eos_token_id": [end, pad], "pad_token_id": pad, "do_sample": False}
    )
    return model


def open_model(folder: Path, device: str, attention: str = "sdpa") -> Any:
    """In float32, whatever it is stored in."""
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation=attention
    )
    return model.to(device)


def save(model: Any, tokenizer_from: Path, out: Path) -> None:
    """As bfloat16, with the tokenizer; the model itself stays as it is."""
    out.mkdir(parents=True, exist_ok=True)
    copy.deepcopy(model).to(torch.bfloat16).save_pretrained(out)
    for name in (vocabulary.FILE, vocabulary.CONFIG_FILE):
        shutil.copyfile(tokenizer_from / name, out / name)


def loss_of(model: Any, ids: Any, weights: Any) -> Any:
    """Mean cross entropy of each next token, weighed. ids: (B, T + 1); weights: (B, T), one for each token that is foretold."""
    logits = model(input_ids=ids[:, :-1], use_cache=False).logits  # (B, T, vocabulary)
    each = functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
    flat = weights.flatten()
    return (each * flat).sum() / flat.sum().clamp(min=1e-6)


def weights_of(kinds: Any, by_kind: Sequence[float]) -> Any:
    """(B, T + 1) of what each token is to (B, T): the weight of each that is foretold."""
    return torch.tensor(by_kind, device=kinds.device)[kinds[:, 1:].long()]


def half(device: str) -> Any:
    """bfloat16 on a GPU; a processor without instructions for it would take many times as long as with float32."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda")
