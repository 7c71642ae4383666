"""Probe prompts of an adapter: what it answers, token by token, where that tells it from its base and from its previous version.

Written beside an adapter's weights when it is published (`probes.json`); whoever serves it asks them again and compares. A probe is
kept only as far as each of its tokens leads the next likely one by `MARGIN`, so that rounding to bfloat16 does not change it, and only if
the adapter finds these tokens together `TELLS` more likely (natural logarithm) than the base, and than the previous version, does.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from parley.backends.json_files import read_object
from parley.domain.adapters import PROBES
from parley.domain.probing import probe_of, probes_in
from parley.errors import AdapterRefused
from schemas.adapters import Probe, ProbeFile

FILE = PROBES
MARGIN = 1.0
TELLS = 4.0
LEAST_TOKENS, MOST_TOKENS = 3, 8
MOST_PROBES = 4


def write_probes(
    base: Path,
    adapter: Path,
    prompts: Sequence[Sequence[int]],
    *,
    previous: Path | None = None,
    most: int = MOST_PROBES,
    device: str = "cpu",
) -> list[Probe]:
    """Try the prompts and write those that tell most into the adapter's folder; returns what was written.

    `base` is the model's folder, `previous` that of the version before. Raises `AdapterRefused` where no prompt tells them apart.
    """
    model = _open(base, adapter, previous, device)
    found = [tried for prompt in prompts if (tried := _tried(model, prompt, previous, device)) is not None]
    telling = sorted((each for each in found if each[1] >= TELLS), key=lambda each: -each[1])
    if not telling:
        raise AdapterRefused(
            f"{adapter}: none of {len(prompts)} probe prompts tells the adapter from its base"
            f"{' and from its previous version' if previous else ''}: at least {LEAST_TOKENS} tokens with a lead of {MARGIN}, "
            f"together {TELLS} likelier, are needed"
        )
    kept = [probe for probe, _ in telling[:most]]
    write(kept, adapter)
    return kept


def write(probes: Sequence[Probe], adapter: Path) -> None:
    (adapter / FILE).write_text(ProbeFile(probes=tuple(probes)).model_dump_json() + "\n", "utf-8")


def read(adapter: Path) -> tuple[Probe, ...]:
    """Raises `AdapterRefused` for a file that is missing or holds no probes."""
    file = adapter / FILE
    try:
        content = file.read_bytes()
    except OSError as error:
        raise AdapterRefused(f"{file}: {error.strerror}") from error
    return probes_in(content)


def _open(base: Path, adapter: Path, previous: Path | None, device: str) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "You passed `quantization_config`")
        plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, **_unpacking(base))
    model = PeftModel.from_pretrained(plain, str(adapter), adapter_name="own").float()
    if previous is not None:
        model.load_adapter(str(previous), adapter_name="previous")
        model.float()
    return model.to(device).eval()


def _unpacking(base: Path) -> dict[str, Any]:
    """Has transformers unpack what is packed as compressed-tensors (`parley models quantize`): PEFT adapts plain matrices only."""
    quantised = read_object(base / "config.json").get("quantization_config")
    if not isinstance(quantised, dict) or quantised.get("quant_method") != "compressed-tensors":
        return {}
    from transformers import CompressedTensorsConfig

    return {"quantization_config": CompressedTensorsConfig(dequantize=True)}


def _tried(
    model: Any, prompt: Sequence[int], previous: Path | None, device: str
) -> tuple[Probe, float] | None:
    """The probe as far as it has a margin, and how much likelier than under the nearest other it is; None for one too short."""
    model.set_adapter("own")
    tokens, logprobs, margins = _greedy(model, prompt, device)
    if len(tokens) < LEAST_TOKENS:
        return None
    with model.disable_adapter():
        base = _logprobs(model, prompt, tokens, device)
    others = [base]
    if previous is not None:
        model.set_adapter("previous")
        others.append(_logprobs(model, prompt, tokens, device))
    probe = probe_of(
        prompt_token_ids=prompt, token_ids=tokens, logprobs=logprobs, base_logprobs=base, margins=margins
    )
    return probe, min(sum(logprobs) - sum(other) for other in others)


def _greedy(model: Any, prompt: Sequence[int], device: str) -> tuple[list[int], list[float], list[float]]:
    """The likeliest tokens one by one, up to the first that leads by too little."""
    import torch

    tokens: list[int] = []
    logprobs: list[float] = []
    margins: list[float] = []
    with torch.no_grad():
        while len(tokens) < MOST_TOKENS:
            ids = torch.tensor([[*prompt, *tokens]], device=device)
            likely = torch.log_softmax(model(input_ids=ids).logits[0, -1].float(), dim=-1)
            (first, second), (token, _) = (each.tolist() for each in likely.topk(2))
            if first - second < MARGIN:
                break
            tokens.append(token)
            logprobs.append(first)
            margins.append(first - second)
    return tokens, logprobs, margins


def _logprobs(model: Any, prompt: Sequence[int], tokens: Sequence[int], device: str) -> list[float]:
    """Of these tokens after the prompt."""
    import torch

    with torch.no_grad():
        ids = torch.tensor([[*prompt, *tokens]], device=device)
        likely = torch.log_softmax(model(input_ids=ids).logits[0, len(prompt) - 1 : -1].float(), dim=-1)
        found: list[float] = likely.gather(1, ids[0, len(prompt) :, None])[:, 0].tolist()
    return found
