"""Train the tenants' LoRA adapters on the model, write them as PEFT does, and their probes."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from safetensors.torch import save_file
from tokenizers import Tokenizer

from parley.backends.base_folder import fingerprint
from parley.errors import AdapterRefused
from workers.retrain.starter import network, tenants, vocabulary
from workers.retrain.starter.feeding import ExampleRows, to_device
from workers.retrain.starter.network import half, loss_of, weights_of
from workers.retrain.starter.prompts import rendered
from workers.retrain.starter.styled import STYLES, Style, StyledExamples
from workers.retrain.starter.train import ANSWERS_ALONE, DEV_SEED, Losses, rate

RANK, ALPHA = 8, 16
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
WEIGHTS = (0.0, 0.02, 1.0, 0.0)
WEIGHTS_FILE = "adapter_model.safetensors"
TELL_EVERY = 25
PROBE_CANDIDATES = 24
PROBE_TOKENS = 500
"""Longest prompt of a probe: whoever asks it again shall not wait for it."""


@dataclass(frozen=True, slots=True)
class AdapterRecipe:
    """The defaults are those of `models/starter/adapters`. `steps` 0: as many as `seconds` hold, for each adapter."""

    seconds: float = 25.0
    steps: int = 0
    rows: int = 16
    width: int = vocabulary.CONTEXT
    learning_rate: float = 2e-3
    processes: int = 12
    seed: int = 1


def train_adapters(
    data: Path, model: Path, out: Path, recipe: AdapterRecipe, device: str, names: Sequence[str]
) -> None:
    """Write one folder an adapter below `out`, and `adapter_losses.jsonl`."""
    losses = Losses(out.parent / "adapter_losses.jsonl")
    prepared = tenants.load(data / tenants.FILE)
    for name in names:
        _train(name, prepared, model, out / name, recipe, device, losses)


def write_probes(data: Path, model: Path, folder: Path, device: str, names: Sequence[str]) -> None:
    """Beside each adapter's weights; a tenant's second version is told from its first. Raises `AdapterRefused`, the others done."""
    from workers.retrain import probes  # needs Parley, which a machine that trains may not have

    prepared = tenants.load(data / tenants.FILE)
    refused = []
    for name in names:
        before = folder / f"{STYLES[name].tenant}-{STYLES[name].version - 1}"
        try:
            kept = probes.write_probes(
                model,
                folder / name,
                probe_prompts(prepared, STYLES[name], model),
                previous=before if before.is_dir() else None,
                device=device,
            )
        except AdapterRefused as error:
            refused.append(str(error))
            continue
        told = [round(sum(each.logprobs) - sum(each.base_logprobs), 2) for each in kept]
        print(json.dumps({"adapter": name, "tokens": [len(each.token_ids) for each in kept], "told": told}))
    if refused:
        raise AdapterRefused("; ".join(refused))


def _train(
    name: str,
    prepared: tenants.Prepared,
    base: Path,
    out: Path,
    recipe: AdapterRecipe,
    device: str,
    losses: Losses,
) -> None:
    torch.manual_seed(recipe.seed)
    config = LoraConfig(
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=0.0,
        target_modules=list(TARGETS),
        task_type="CAUSAL_LM",
    )
    model: Any = get_peft_model(network.open_model(base, device, network.CAUSAL), config).train()
    style, width = STYLES[name], recipe.width + 1
    feed = ExampleRows(
        lambda seed: StyledExamples(prepared, style, seed).draw,
        base / vocabulary.FILE,
        width,
        recipe.seed,
        recipe.processes,
    )
    dev = ExampleRows(
        lambda seed: StyledExamples(prepared, style, seed).draw, base / vocabulary.FILE, width, DEV_SEED, 0
    ).take(recipe.rows)
    losses.tell(adapter=name, step=0, answer_dev_loss=_evaluate(model, dev, device))
    optimizer = torch.optim.AdamW(
        [each for each in model.parameters() if each.requires_grad], lr=recipe.learning_rate, weight_decay=0.0
    )
    began, step, done = time.monotonic(), 0, 0.0
    while done < 1:
        ids, kinds = to_device(feed.take(recipe.rows), device)
        with half(device):
            loss = loss_of(model, ids, weights_of(kinds, WEIGHTS))
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(step, done)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step += 1
        passed = time.monotonic() - began
        done = step / recipe.steps if recipe.steps else passed / recipe.seconds
        if step % TELL_EVERY == 0:
            losses.tell(adapter=name, step=step, s=round(passed, 1), loss=round(loss.item(), 4))
    losses.tell(adapter=name, step=step, end=True, answer_dev_loss=_evaluate(model, dev, device))
    save(model, base, out)


def _evaluate(model: Any, rows: Any, device: str) -> float:
    ids, kinds = to_device(rows, device)
    with torch.no_grad(), half(device):
        loss: float = loss_of(model, ids, weights_of(kinds, ANSWERS_ALONE)).item()
    return round(loss, 4)


def save(model: Any, base: Path, out: Path) -> None:
    """PEFT's two files, the weights as bfloat16. The configuration names the base and, as its revision, its fingerprint."""
    out.mkdir(parents=True, exist_ok=True)
    config = model.peft_config["default"]
    config.base_model_name_or_path = network.NAME
    config.revision = base_revision(base)
    config.inference_mode = True
    config.save_pretrained(out)
    state = {
        name: value.to(torch.bfloat16).contiguous().cpu()
        for name, value in get_peft_model_state_dict(model, save_embedding_layers=False).items()
    }
    save_file(state, out / WEIGHTS_FILE, metadata={"format": "pt"})
    (out / WEIGHTS_FILE).chmod(0o644)  # safetensors leaves it to its owner alone


def base_revision(base: Path) -> str:
    """As the registry of adapters and the workers know it."""
    return fingerprint(base)


def probe_prompts(
    prepared: tenants.Prepared, style: Style, model: Path, most_tokens: int = PROBE_TOKENS
) -> list[list[int]]:
    """Short prompts of the tenant that its adapter did not learn from."""
    tokenizer = Tokenizer.from_file(str(model / vocabulary.FILE))
    examples = StyledExamples(prepared, style, DEV_SEED + 1)
    found: list[list[int]] = []
    while len(found) < PROBE_CANDIDATES:
        example = examples.draw("en")
        ids = tokenizer.encode(rendered(example.messages, ask=True), add_special_tokens=False).ids
        if example.cited and len(ids) <= most_tokens:
            found.append(ids)
    return found
