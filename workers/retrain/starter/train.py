"""Train the model from nothing: at first mostly text, then mostly examples (the recipe of the model card).

Muon (Jordan et al. 2024, as PyTorch has it, its updates as large as AdamW's: Liu et al. 2025, "Muon is scalable for LLM training") for
the layers' matrices, AdamW for embeddings and norms. The learning rate rises, stays, and falls along a cosine.
"""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from parley.errors import ConfigurationError
from workers.retrain.starter import network, tenants, texts, vocabulary
from workers.retrain.starter.examples import Examples
from workers.retrain.starter.feeding import ExampleRows, to_device
from workers.retrain.starter.network import half, loss_of, weights_of
from workers.retrain.starter.rows import Row, in_turn, tokens_of, windows

#: Of tokens of text, prompts, answers and filling, in the first part and then.
FIRST_WEIGHTS, THEN_WEIGHTS = (1.0, 1.0, 1.0, 0.0), (0.3, 0.05, 1.0, 0.0)
ANSWERS_ALONE = (0.0, 0.0, 1.0, 0.0)
FIRST_EXAMPLES, THEN_EXAMPLES = 0.3, 0.85
"""Shares of a step's rows."""
CHINESE_TIMES = 3
"""Chinese documents stand in the text so often, since there are few."""
FIRST_SHARE = 0.4
"""Of the training: how long text comes first and the learning rate stays."""
LEAST_RATE = 0.01
WARM_UP_STEPS = 60
TELL_EVERY, EVALUATE_EVERY = 50, 300
DEV_ROWS = 48
DEV_SEED = 900_000


@dataclass(frozen=True, slots=True)
class Recipe:
    """The defaults are those of `models/starter`. `steps` 0: as many as `minutes` hold."""

    minutes: float = 5.0
    steps: int = 0
    rows: int = 64
    width: int = vocabulary.CONTEXT
    layers: int = network.LAYERS
    muon_rate: float = 2e-3
    adam_rate: float = 1.5e-3
    processes: int = 12
    seed: int = 1
    compiled: bool = True


class Losses:
    """A line of JSON for each report, printed and kept."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._file = file
        self._file.write_text("")

    def tell(self, **what: Any) -> None:
        line = json.dumps(what)
        print(line, flush=True)
        with self._file.open("a") as file:
            file.write(line + "\n")


class Clock:
    """How much of the training is done, by steps where those are given, by time elsewhere; time begins with the second step,
    since the first one waits for the compiler.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._began = time.monotonic()

    def done(self, step: int) -> float:
        if self._recipe.steps:
            return step / self._recipe.steps
        if step <= 1:
            self._began = time.monotonic()
        return self.seconds() / (60 * self._recipe.minutes)

    def seconds(self) -> float:
        return time.monotonic() - self._began


def train(data: Path, out: Path, recipe: Recipe, device: str) -> None:
    """Write the model's folder, and `losses.jsonl` beside it. Raises `ConfigurationError` when the loss is no number any more."""
    torch.manual_seed(recipe.seed)
    torch.set_float32_matmul_precision("high")
    losses = Losses(out / "losses.jsonl")
    feed = Feed(data, recipe)
    model = network.fresh(feed.vocabulary, recipe.layers).to(device).train()
    losses.tell(
        device=device,
        parameters=sum(each.numel() for each in model.parameters()),
        text_tokens=len(feed.tokens),
        **asdict(recipe),
    )
    optimizers = open_optimizers(model, recipe, device)
    compute = torch.compile(loss_of, dynamic=False) if recipe.compiled else loss_of
    losses.tell(step=0, **feed.evaluate(model, compute, device))
    clock, step = Clock(recipe), 0
    while (done := clock.done(step)) < 1:
        rows, weights = feed.step(done)
        ids, kinds = to_device(rows, device)
        with half(device):
            loss = compute(model, ids, weights_of(kinds, weights))
        descend(model, optimizers, loss, rate(step, done))
        step += 1
        if step % TELL_EVERY == 0 or step == 1:
            if not math.isfinite(loss.item()):
                raise ConfigurationError(f"step {step}: the loss is {loss.item()}; lower the learning rates")
            losses.tell(
                step=step,
                s=round(clock.seconds(), 1),
                done=round(done, 3),
                loss=round(loss.item(), 4),
                tokens=step * recipe.rows * recipe.width,
            )
        if step % EVALUATE_EVERY == 0:
            losses.tell(step=step, **feed.evaluate(model, compute, device))
            network.save(model, data, out / "model")  # so that what breaks off is not lost
    losses.tell(step=step, s=round(clock.seconds(), 1), end=True, **feed.evaluate(model, compute, device))
    network.save(model, data, out / "model")


class Feed:
    """What the steps read, and what is held back. Documents that are held back are quoted in no example that is learnt."""

    def __init__(self, data: Path, recipe: Recipe) -> None:
        tokenizer = Tokenizer.from_file(str(data / vocabulary.FILE))
        learnt, held_back = (texts.load(data / texts.FILE, dev=dev) for dev in (False, True))
        rules = tenants.load(data / tenants.FILE).rules
        self.vocabulary = tokenizer.get_vocab_size()
        self.tokens = tokens_of(
            tokenizer,
            [
                row["text"]
                for row in learnt
                for _ in range(CHINESE_TIMES if row["source"][:3] == "zh_" else 1)
            ],
        )
        self._recipe = recipe
        width = recipe.width + 1
        known, unseen = texts.documents(learnt), texts.documents(held_back)
        self._examples = ExampleRows(
            lambda seed: Examples(known, rules, seed).draw,
            data / vocabulary.FILE,
            width,
            recipe.seed,
            recipe.processes,
        )
        self._texts = windows(self.tokens, width, np.random.default_rng(recipe.seed))
        dev = ExampleRows(
            lambda seed: Examples(unseen or known, rules, seed).draw,
            data / vocabulary.FILE,
            width,
            DEV_SEED,
            0,
        )
        count = min(DEV_ROWS, recipe.rows)
        dev_tokens = tokens_of(tokenizer, [row["text"] for row in held_back]) if held_back else self.tokens
        if len(dev_tokens) < width:  # a trial with little text
            dev_tokens = self.tokens
        self._dev: dict[str, tuple[list[Row], Sequence[float]]] = {
            "text_dev_loss": (in_turn(dev_tokens, width, count), (1.0, 0.0, 0.0, 0.0)),
            "answer_dev_loss": (dev.take(count), ANSWERS_ALONE),
        }

    def step(self, done: float) -> tuple[list[Row], Sequence[float]]:
        """A step's rows and the weight of each kind of token."""
        first = done < FIRST_SHARE
        count = round(self._recipe.rows * (FIRST_EXAMPLES if first else THEN_EXAMPLES))
        rows = self._examples.take(count)
        rows += [next(self._texts) for _ in range(self._recipe.rows - count)]
        return rows, FIRST_WEIGHTS if first else THEN_WEIGHTS

    def evaluate(self, model: Any, compute: Callable[..., Any], device: str) -> dict[str, float]:
        """Mean loss of a token of text, and of one of an answer."""
        found = {}
        with torch.no_grad(), half(device):
            for name, (rows, weights) in self._dev.items():
                ids, kinds = to_device(rows, device)
                found[name] = round(compute(model, ids, weights_of(kinds, weights)).item(), 4)
        return found


def open_optimizers(model: Any, recipe: Recipe, device: str) -> list[Any]:
    """AdamW alone on a processor: Muon computes in bfloat16, for which many processors would take seconds a matrix."""
    named = dict(model.named_parameters())
    matrices = {
        name for name, each in named.items() if device == "cuda" and each.ndim == 2 and ".layers." in name
    }
    rest = [each for name, each in named.items() if name not in matrices]
    found: list[Any] = [torch.optim.AdamW(rest, lr=recipe.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)]
    if matrices:
        chosen = [named[name] for name in sorted(matrices)]
        muon = torch.optim.Muon(chosen, lr=recipe.muon_rate, weight_decay=0.1, adjust_lr_fn="match_rms_adamw")
        found.append(muon)
    for optimizer in found:
        for group in optimizer.param_groups:
            group["highest"] = group["lr"]
    return found


def descend(model: Any, optimizers: Sequence[Any], loss: Any, share: float) -> None:
    """One step at this share of the highest learning rates."""
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["highest"] * share
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


def rate(step: int, done: float) -> float:
    """The share of the highest rate: rising, flat to `FIRST_SHARE`, then a cosine down to `LEAST_RATE`."""
    falling = max(0.0, (done - FIRST_SHARE) / (1 - FIRST_SHARE))
    cosine = LEAST_RATE + (1 - LEAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, falling)))
    return min(1.0, (step + 1) / WARM_UP_STEPS) * cosine
