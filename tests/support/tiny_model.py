"""A language model that is trained in seconds: a Llama of bytes that has read the bank's articles. It needs torch and transformers."""

import importlib
from pathlib import Path
from typing import Any

from infra.contracts import ROOT

ARTICLES = ROOT / "tenants" / "bank" / "articles" / "en"
HELD_BACK = 6
"""Articles that it has not read: for calibration and perplexity."""

STEPS = 150

WINDOW = 96


def texts() -> list[str]:
    return [file.read_text("utf-8") for file in sorted(ARTICLES.glob("*.md"))]


def read() -> str:
    return "\n".join(texts()[HELD_BACK:])


def unread() -> str:
    return "\n".join(texts()[:HELD_BACK])


def tokenizer() -> Any:
    """A token a byte."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    transformers: Any = importlib.import_module("transformers")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: at for at, letter in enumerate([*alphabet, "<|end|>"])}
    made = Tokenizer(models.BPE(vocabulary, []))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token="<|end|>", pad_token="<|end|>"
    )


def config(**changes: Any) -> dict[str, Any]:
    return {
        "vocab_size": 288,
        "hidden_size": 128,
        "intermediate_size": 384,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "max_position_embeddings": 512,
        "tie_word_embeddings": True,
        **changes,
    }


def llama(**fields: Any) -> Any:
    """With random weights."""
    transformers: Any = importlib.import_module("transformers")
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**fields))


def load(folder: Path, dtype: Any = "auto") -> Any:
    transformers: Any = importlib.import_module("transformers")
    return transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval()


def train(folder: Path, steps: int = STEPS) -> Path:
    """Some ten seconds of one core: perplexity of unread articles below 15, where chance has 257. Saved as bfloat16."""
    torch: Any = importlib.import_module("torch")
    torch.manual_seed(0)
    letters = tokenizer()
    ids = torch.tensor(letters(read(), verbose=False)["input_ids"])
    model = llama(**config())
    optimizer = torch.optim.AdamW(model.parameters(), lr=6e-3, weight_decay=0.1)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 6e-3 * min(1, (step + 1) / 10) * (1 - step / steps)
        starts = torch.randint(len(ids) - WINDOW, (8,)).tolist()
        batch = torch.stack([ids[start : start + WINDOW] for start in starts])
        model(input_ids=batch, labels=batch).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    model.to(torch.bfloat16).save_pretrained(folder)
    letters.save_pretrained(folder)
    return folder
