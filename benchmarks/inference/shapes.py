"""Models of a real one's shape with random weights (the engine makes them up itself), their tokenizer, and adapters that fit.

Nothing is fetched: the tokenizer is trained on the repository's own articles, and what its vocabulary lacks of the real size is filled
with made-up words, so that what a random model writes is text with sentences.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from safetensors.numpy import save_file

ROOT = Path(__file__).resolve().parents[2]
TRAINED_VOCABULARY = 6_000
SENTENCE_WORDS = 12
"""Every twelfth made-up word ends a sentence."""
SPECIAL = ("<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Shape:
    """A Llama's sizes; `tied` when it reads and writes words with one matrix."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    tied: bool = False

    @property
    def head(self) -> int:
        return self.hidden // self.heads


SHAPES = {
    "tiny": Shape(128, 2, 4, 2, 256, 8_000, True),
    "1b": Shape(2048, 16, 32, 8, 8192, 128_256, True),
    "3b": Shape(3072, 28, 24, 8, 8192, 128_256, True),
    "8b": Shape(4096, 32, 32, 8, 14336, 128_256),
}


def write_model(
    folder: Path, shape: Shape, context: int, quantization: Mapping[str, object] | None = None
) -> None:
    """`config.json` and tokenizer; weights are made up at loading (`load_format="dummy"`)."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": shape.hidden,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head,
        "intermediate_size": shape.intermediate,
        "vocab_size": shape.vocabulary,
        "max_position_embeddings": context,
        "tie_word_embeddings": shape.tied,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 500_000.0,
        "torch_dtype": "bfloat16",
        "bos_token_id": None,
        "eos_token_id": None,
    }
    if quantization is not None:
        config["quantization_config"] = dict(quantization)
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    write_tokenizer(folder, shape.vocabulary)


def write_tokenizer(folder: Path, size: int) -> None:
    """Byte-level BPE (Sennrich et al., arXiv 1508.07909) of the tenants' articles, and made-up words up to `size`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=min(TRAINED_VOCABULARY, size - len(SPECIAL)),
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    articles = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("tenants/*/articles/**/*.md"))]
    tokenizer.train_from_iterator(articles, trainer)
    written = json.loads(tokenizer.to_str())
    vocabulary = written["model"]["vocab"]
    for word in _made_up():
        if len(vocabulary) >= size:
            break
        vocabulary.setdefault(word, len(vocabulary))
    (folder / "tokenizer.json").write_text(json.dumps(written, ensure_ascii=False))
    (folder / "tokenizer_config.json").write_text(
        json.dumps(
            {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "eos_token": SPECIAL[0],
                "chat_template": TEMPLATE,
                "clean_up_tokenization_spaces": False,
            }
        )
    )


def _made_up() -> Iterator[str]:
    """`Ġ` is how a byte-level tokenizer spells a space."""
    numbers = count(1)
    for letters in product(ascii_lowercase, repeat=4):
        yield "Ġ" + "".join(letters) + ("." if next(numbers) % SENTENCE_WORDS == 0 else "")


def write_adapter(folder: Path, shape: Shape, rank: int, seed: int, modules: str = "qkvo") -> None:
    """A LoRA adapter of random weights on the attention's matrices, in float16."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    wide, narrow = shape.hidden, shape.kv_heads * shape.head
    sizes = {"q": (wide, wide), "k": (wide, narrow), "v": (wide, narrow), "o": (wide, wide)}
    tensors = {}
    for layer in range(shape.layers):
        for module in modules:
            given, made = sizes[module]
            name = f"base_model.model.model.layers.{layer}.self_attn.{module}_proj"
            tensors[f"{name}.lora_A.weight"] = _random(random, rank, given)
            tensors[f"{name}.lora_B.weight"] = _random(random, made, rank)
    save_file(tensors, folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": rank,
        "target_modules": [f"{module}_proj" for module in modules],
        "bias": "none",
        "base_model_name_or_path": "random",
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))


def _random(random: np.random.Generator, rows: int, columns: int) -> "np.typing.NDArray[np.float16]":
    return (random.standard_normal((rows, columns), dtype=np.float32) * 0.01).astype(np.float16)
