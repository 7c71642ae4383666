"""Train the encoder further: many kinds of batches, one contrastive loss each, and a pull towards where the base model put things.

- Questions and passages: InfoNCE over the batch's passages, with a wrong passage for each question where one is known (Karpukhin et al.,
  EMNLP 2020; the wrong ones mined by the model itself at 30 % and 65 % of the way), and the same from passage to question at 0.3.
- Intents: supervised contrastive loss (Khosla et al., NeurIPS 2020).
- Keeping: the squared difference of similarities to the base model's on questions without labels, so that what the sets do not
  tell about stays as it was.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

from workers.retrain.encoder.prepare import Data
from workers.retrain.encoder.tasks import Pair, Tasks

SHARPNESS = 20.0
"""Cosines are multiplied by it: 1 / the temperature."""
QUESTION_TOKENS, PASSAGE_TOKENS, EXAMPLE_TOKENS = 128, 224, 64
BACKWARDS = 0.3
KEPT_TEXTS = 128
KEEPING_SCALE = 10
WARM_UP = 0.06
LEAST_RATE = 0.02
MINED_AT = (0.3, 0.65)
MINED = slice(2, 16)
"""Of the nearest wrong passages: the very nearest are often right too, and nobody has said so."""
IMPOSSIBLE = -1e4
TELL_EVERY = 100


@dataclass(frozen=True, slots=True)
class Recipe:
    """The defaults are those of the file in `models/encoder`."""

    steps: int = 1400
    learning_rate: float = 5e-5
    batch: int = 256
    keep: float = 2.0
    seed: int = 1
    #: Also what is held back for development; scores on those parts then say nothing.
    everything: bool = True


class Texts:
    """Texts to tensors, each tokenised once."""

    def __init__(self, tokenizer: Path, device: str) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._known: dict[str, list[int]] = {}
        self._device = device

    def ids(self, text: str) -> list[int]:
        if text not in self._known:
            self._known[text] = self._tokenizer.encode(text).ids
        return self._known[text]

    def tensors(self, texts: Sequence[str], longest: int) -> tuple[Any, Any]:
        """Ids and mask (texts, tokens); the length is a multiple of 8."""
        rows = [self.ids(text) for text in texts]
        rows = [row if len(row) <= longest else [*row[: longest - 1], row[-1]] for row in rows]
        width = min(longest, math.ceil(max(map(len, rows)) / 8) * 8)
        ids = torch.zeros(len(rows), width, dtype=torch.long)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for at, row in enumerate(rows):
            ids[at, : len(row)] = torch.tensor(row)
            mask[at, : len(row)] = 1
        return ids.to(self._device), mask.to(self._device)


class Training:
    """One run; `run` gives the trained model's weights."""

    def __init__(self, base: Path, data: Data, recipe: Recipe, device: str) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._device = device
        self._tasks = Tasks(data, recipe.seed, everything=recipe.everything)
        self._texts = Texts(base / "tokenizer.json", device)
        self._model = open_base(base).to(device).train()
        self._base = open_base(base).to(device).eval()
        rate, fused = recipe.learning_rate, device == "cuda"
        self._optimizer = torch.optim.AdamW(self._model.parameters(), lr=rate, weight_decay=0.01, fused=fused)

    def run(self) -> dict[str, Any]:
        began = time.monotonic()
        recent: dict[str, list[float]] = {}
        mining = {int(share * self._recipe.steps) for share in MINED_AT}
        for step in range(self._recipe.steps):
            if step in mining:
                self._mine()
            kind = self._tasks.kind()
            loss = self._loss(kind) + self._recipe.keep * self._drift()
            self._step(step, loss)
            if step % 10 == 0:  # reading a number waits for the GPU
                recent.setdefault(kind, []).append(float(loss.item()))
            if (step + 1) % TELL_EVERY == 0:
                means = {name: round(sum(some) / len(some), 3) for name, some in sorted(recent.items())}
                print(
                    json.dumps({"step": step + 1, "s": round(time.monotonic() - began), **means}), flush=True
                )
                recent.clear()
        weights: dict[str, Any] = self._model.state_dict()
        return weights

    def _step(self, step: int, loss: Any) -> None:
        share = step / self._recipe.steps
        falling = max(LEAST_RATE, 0.5 * (1 + math.cos(math.pi * share)))
        for group in self._optimizer.param_groups:
            group["lr"] = self._recipe.learning_rate * min(1, share / WARM_UP) * falling
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._optimizer.step()

    def _vectors(self, model: Any, texts: Sequence[str], longest: int) -> Any:
        """(texts, 384), of length 1."""
        ids, mask = self._texts.tensors(texts, longest)
        with torch.autocast(self._device, dtype=torch.bfloat16):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).float()
        return functional.normalize((hidden.float() * kept).sum(1) / kept.sum(1), dim=-1)

    def _loss(self, kind: str) -> Any:
        if kind == "intents":
            return self._by_intent(*self._tasks.examples(self._recipe.batch))
        return self._by_passage(self._tasks.pairs(kind, self._recipe.batch))

    def _by_passage(self, pairs: Sequence[Pair]) -> Any:
        questions = self._vectors(self._model, [pair.question for pair in pairs], QUESTION_TOKENS)
        wrong = [pair.wrong for pair in pairs if pair.wrong]
        passages = self._vectors(self._model, [pair.passage for pair in pairs] + wrong, PASSAGE_TOKENS)
        scores = SHARPNESS * questions @ passages.T
        own = torch.arange(len(pairs), device=self._device)
        same = self._equal([pair.key for pair in pairs])
        same.fill_diagonal_(False)
        # Two questions with one answer: neither's passage is wrong for the other.
        among = scores[:, : len(pairs)].masked_fill(same, IMPOSSIBLE)
        scores = torch.cat([among, scores[:, len(pairs) :]], dim=1)
        return functional.cross_entropy(scores, own) + BACKWARDS * functional.cross_entropy(among.T, own)

    def _by_intent(self, texts: Sequence[str], labels: Sequence[str]) -> Any:
        vectors = self._vectors(self._model, texts, EXAMPLE_TOKENS)
        itself = torch.eye(len(texts), dtype=torch.bool, device=self._device)
        scores = (SHARPNESS * vectors @ vectors.T).masked_fill(itself, IMPOSSIBLE)
        same = self._equal(labels) & ~itself
        likely = scores - scores.logsumexp(1, keepdim=True)
        return -((likely * same).sum(1) / same.sum(1).clamp(min=1)).mean()

    def _drift(self) -> Any:
        texts = self._tasks.some_unlabelled(KEPT_TEXTS)
        with torch.no_grad():
            before = self._vectors(self._base, texts, EXAMPLE_TOKENS)
        now = self._vectors(self._model, texts, EXAMPLE_TOKENS)
        return ((now @ now.T - before @ before.T) ** 2).mean() * KEEPING_SCALE

    def _equal(self, names: Sequence[object]) -> Any:
        """(names, names): whether two are the same."""
        numbers: dict[object, int] = {}
        held = [numbers.setdefault(name, len(numbers)) for name in names]
        column = torch.tensor(held, device=self._device)
        return column[:, None] == column[None, :]

    def _mine(self) -> None:
        for passages, questions, right in self._tasks.mineable():
            found = (self._encode(questions) @ self._encode(passages).T).topk(20, dim=1).indices.tolist()
            for question, gold, nearest in zip(questions, right, found, strict=True):
                wrong = [passages[at] for at in nearest if passages[at] not in gold]
                self._tasks.learn_near(question, wrong[MINED])

    def _encode(self, texts: Sequence[str]) -> Any:
        self._model.eval()
        order = sorted(range(len(texts)), key=lambda at: len(self._texts.ids(texts[at])))
        vectors = torch.empty(len(texts), self._model.config.hidden_size, device=self._device)
        with torch.no_grad():
            for start in range(0, len(order), 512):
                places = order[start : start + 512]
                vectors[places] = self._vectors(self._model, [texts[at] for at in places], 256)
        self._model.train()
        return vectors


def open_base(folder: Path) -> Any:
    """all-MiniLM-L6-v2 as its authors left it, without the pooler that it does not use."""
    model = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
    weights = load_file(folder / "model.safetensors")
    known = {
        name: value.float()
        for name, value in weights.items()
        if value.is_floating_point() and not name.startswith("pooler.")
    }
    model.load_state_dict(known, strict=True)
    return model


def train(base: Path, data: Data, out: Path, recipe: Recipe, device: str) -> None:
    """Write the trained weights, as float16."""
    print(json.dumps({"device": device, **asdict(recipe)}), flush=True)
    weights = Training(base, data, recipe, device).run()
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous().cpu() for name, value in weights.items()}, out)
