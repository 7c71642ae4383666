"""Small models with adapters for the engines' contract suite, and what transformers and PEFT answer with them.

Made by a process of its own (`python -m tests.support.tiny_models FOLDER`), once a session: PyTorch at work in the test's own
process would keep an engine from starting. There are two models.

- `llama`: an ordinary Llama of 5 million random weights with a tokenizer and a chat template, three adapters, and broken ones.
  `expected.json` holds the greedy completions.
- `probe`: a Llama in which every adapter drives the output to a token of its own at every step and in any precision, so that a
  single token shows whose weights wrote it.
"""

import json
import random
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ADAPTERS = ("a", "b", "c")
RANK = 8
PROMPTS = (
    "Where is my card?",
    "How long does a transfer to another bank take, and what does it cost?",
    "I want to close my account.",
    "Why was the payment of 19.99 declined?",
    "Can I have two cards?",
    "What are the opening hours on Saturday?",
)
TOKENS = 48
PROBE_ADAPTERS = 12
PROBE_RANK = 8
CONTEXT = 4096
"""Room for a completion that no engine has finished before a busy machine lets a test abort it."""
TEMPLATE = (
    "<|begin|>{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True)
class Expected:
    """`adapter` None is the base model."""

    adapter: str | None
    prompt: str
    prompt_token_ids: list[int]
    token_ids: list[int]
    text: str


@dataclass(frozen=True)
class TinyModels:
    """Where `build` put them."""

    root: Path

    @property
    def llama(self) -> Path:
        return self.root / "llama"

    @property
    def probe(self) -> Path:
        return self.root / "probe"

    def adapter(self, name: str) -> Path:
        """a, b, c; `garbage`, `truncated`, `wide` (a rank above the slots'), `foreign` (of a larger model), `empty`."""
        return self.root / "adapters" / name

    def probe_adapter(self, number: int) -> Path:
        return self.root / "probe-adapters" / str(number)

    def expected(self) -> list[Expected]:
        return [Expected(**each) for each in json.loads((self.root / "expected.json").read_text())]


def build(root: Path) -> None:
    import torch

    torch.set_num_threads(1)
    models = TinyModels(root)
    tokenizer = _tokenizer()
    _llama(models.llama, tokenizer)
    for number, name in enumerate(ADAPTERS):
        _adapter(models, name, seed=100 + number)
    _broken_adapters(models)
    _probe(models, tokenizer)
    expected = [each for adapter in (None, *ADAPTERS) for each in _answers(models, adapter)]
    (root / "expected.json").write_text(json.dumps([asdict(each) for each in expected]))


def _tokenizer() -> Any:
    """Byte-level BPE over a few made-up sentences: any text has tokens, and comes back from them."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    names = (
        "card",
        "account",
        "transfer",
        "payment",
        "bank",
        "fee",
        "limit",
        "branch",
        "loan",
        "order",
        "refund",
    )
    verbs = ("close", "open", "block", "order", "change", "find", "pay", "cancel", "send", "lose", "need")
    lines = [
        f"How do I {verb} my {name}? The {name} costs {len(name)}.{len(verb)}0 a month."
        for name in names
        for verb in verbs
    ]
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = decoders.ByteLevel()
    special = ["<|end|>", "<|begin|>", "<|system|>", "<|user|>", "<|assistant|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trained.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=512, special_tokens=special, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=trained, eos_token="<|end|>", bos_token="<|begin|>", chat_template=TEMPLATE
    )


def _llama(folder: Path, tokenizer: Any) -> None:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=256,
            num_hidden_layers=6,
            num_attention_heads=8,
            num_key_value_heads=4,
            intermediate_size=704,
            vocab_size=len(tokenizer),
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            initializer_range=0.06,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=tokenizer.bos_token_id,
        )
    )
    model.to(torch.float32).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _adapter(models: TinyModels, name: str, seed: int, rank: int = RANK) -> None:
    """Random, and strong enough to say something else than the base model does."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    base = AutoModelForCausalLM.from_pretrained(models.llama)
    tuned = get_peft_model(
        base, LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    with torch.no_grad():
        for parameter_name, parameter in tuned.named_parameters():
            if "lora_B" in parameter_name:
                parameter.normal_(std=0.05)
    tuned.save_pretrained(models.adapter(name))


def _broken_adapters(models: TinyModels) -> None:
    good = models.adapter("a")
    for name in ("garbage", "truncated", "empty"):
        shutil.copytree(good, models.adapter(name))
    weights = (good / "adapter_model.safetensors").read_bytes()
    (models.adapter("garbage") / "adapter_model.safetensors").write_bytes(random.Random(0).randbytes(4096))
    (models.adapter("truncated") / "adapter_model.safetensors").write_bytes(weights[: len(weights) // 2])
    (models.adapter("empty") / "adapter_model.safetensors").unlink()
    _adapter(models, "wide", seed=200, rank=4 * RANK)
    _foreign_adapter(models.adapter("foreign"))


def _foreign_adapter(folder: Path) -> None:
    """Of a model whose layers are twice as wide."""
    import torch
    from safetensors.torch import save_file

    name = "base_model.model.model.layers.0.self_attn.o_proj"
    folder.mkdir()
    save_file(
        {f"{name}.lora_A.weight": torch.ones(RANK, 512), f"{name}.lora_B.weight": torch.ones(512, RANK)},
        folder / "adapter_model.safetensors",
    )
    (folder / "adapter_config.json").write_text(_lora_config(RANK, "o_proj"))


def _lora_config(rank: int, *modules: str) -> str:
    chosen = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": rank,
        "lora_alpha": 2 * rank,
        "target_modules": modules,
        "bias": "none",
    }
    return json.dumps(
        {
            **chosen,
            "base_model_name_or_path": "tiny",
            "lora_dropout": 0.0,
            "fan_in_fan_out": False,
            "inference_mode": True,
        }
    )


def _answers(models: TinyModels, adapter: str | None) -> list[Expected]:
    """Greedy, one prompt after the other, as transformers and PEFT compute them in float32."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(models.llama)
    model: Any = AutoModelForCausalLM.from_pretrained(models.llama, dtype=torch.float32)
    if adapter is not None:
        model = PeftModel.from_pretrained(model, models.adapter(adapter))
    answers = []
    for prompt in PROMPTS:
        text = tokenizer.apply_chat_template(
            [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True
        )
        asked = tokenizer.encode(text, add_special_tokens=False)
        tokens = _greedy(model, asked)
        answers.append(
            Expected(adapter, prompt, asked, tokens, tokenizer.decode(tokens, skip_special_tokens=True))
        )
    return answers


def _greedy(model: Any, prompt: list[int]) -> list[int]:
    """The likeliest token each time, the end of the text among them."""
    import torch

    tokens: list[int] = []
    asked, past = prompt, None
    with torch.inference_mode():
        while len(tokens) < TOKENS:
            told = model(input_ids=torch.tensor([asked]), past_key_values=past, use_cache=True)
            past = told.past_key_values
            tokens.append(int(told.logits[0, -1].argmax()))
            asked = tokens[-1:]
    return tokens


def _probe(models: TinyModels, tokenizer: Any) -> None:
    """The first component of the residual stream is always 1 and nothing writes to it; adapters read it, and write a direction."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    width = 256
    model = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=width,
            num_hidden_layers=4,
            num_attention_heads=8,
            num_key_value_heads=8,
            intermediate_size=512,
            vocab_size=1024,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=False,
            eos_token_id=tokenizer.eos_token_id,
            bos_token_id=tokenizer.bos_token_id,
        )
    )
    with torch.no_grad():
        model.model.embed_tokens.weight.mul_(0.1)
        model.model.embed_tokens.weight[:, 0] = 1.0
        for layer in model.model.layers:
            torch.nn.init.orthogonal_(layer.self_attn.o_proj.weight)
            layer.self_attn.o_proj.weight[0].zero_()
            layer.mlp.down_proj.weight.mul_(0.05)
        torch.nn.init.normal_(model.lm_head.weight, std=1.0)
    model.to(torch.float32).save_pretrained(models.probe)
    tokenizer.save_pretrained(models.probe)
    for number in range(PROBE_ADAPTERS):
        _probe_adapter(models.probe_adapter(number), number, width, len(model.model.layers))


def _probe_adapter(folder: Path, number: int, width: int, layers: int) -> None:
    import torch
    from safetensors.torch import save_file

    random_numbers = torch.Generator().manual_seed(1000 + number)
    reads = torch.zeros(PROBE_RANK, width)
    reads[0, 0] = 1.0
    tensors = {}
    for layer in range(layers):
        writes = torch.zeros(width, PROBE_RANK)
        writes[:, 0] = torch.randn(width, generator=random_numbers) * 4
        module = f"base_model.model.model.layers.{layer}.self_attn.v_proj"
        tensors[f"{module}.lora_A.weight"], tensors[f"{module}.lora_B.weight"] = reads.clone(), writes
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(_lora_config(PROBE_RANK, "v_proj"))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
