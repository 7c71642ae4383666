"""Train the encoder further: many kinds of batches, one contrastive loss each, and a pull towards where the base model put things.

- Questions and passages: InfoNCE over the batch's passages, with a wrong passage for each question where one is known (Karpukhin et al.,
  EMNLP 2020; the wrong ones mined by the model itself at 30 % and 65 % of the way), and the same from passage to question at 0.3.
- Intents: supervised contrastive loss (Khosla et al., NeurIPS 2020).
- Keeping: the squared difference of similarities to the base model's on questions without labels, so that what the sets do not
  tell about stays as it was.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional

from workers.retrain.batches import Batches, Pair
from workers.retrain.bert_training import (
    Progress,
    Texts,
    descend,
    encode,
    equal,
    falling,
    mean_vectors,
    open_base,
    open_optimizer,
    save_weights,
    tell,
)
from workers.retrain.prepare import Data

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


class Training:
    """One run; `run` gives the trained model's weights."""

    def __init__(self, base: Path, data: Data, recipe: Recipe, device: str) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._device = device
        self._batches = Batches(data, recipe.seed, everything=recipe.everything)
        self._texts = Texts(base / "tokenizer.json", device)
        self._model = open_base(base).to(device).train()
        self._base = open_base(base).to(device).eval()
        self._optimizer = open_optimizer(self._model, recipe.learning_rate, device)

    def run(self) -> dict[str, Any]:
        progress = Progress(self._recipe.steps)
        mining = {int(share * self._recipe.steps) for share in MINED_AT}
        for step in range(self._recipe.steps):
            if step in mining:
                self._mine()
            kind = self._batches.kind()
            loss = self._loss(kind) + self._recipe.keep * self._drift()
            share = step / self._recipe.steps
            rate = self._recipe.learning_rate * min(1, share / WARM_UP) * falling(share, LEAST_RATE)
            descend(self._model, self._optimizer, loss, rate)
            progress.note(step, **{kind: loss})
        weights: dict[str, Any] = self._model.state_dict()
        return weights

    def _vectors(self, model: Any, texts: Sequence[str], longest: int) -> Any:
        return mean_vectors(model, self._texts, texts, longest, self._device)

    def _loss(self, kind: str) -> Any:
        if kind == "intents":
            return self._by_intent(*self._batches.examples(self._recipe.batch))
        return self._by_passage(self._batches.pairs(kind, self._recipe.batch))

    def _by_passage(self, pairs: Sequence[Pair]) -> Any:
        questions = self._vectors(self._model, [pair.question for pair in pairs], QUESTION_TOKENS)
        wrong = [pair.wrong for pair in pairs if pair.wrong]
        passages = self._vectors(self._model, [pair.passage for pair in pairs] + wrong, PASSAGE_TOKENS)
        scores = SHARPNESS * questions @ passages.T
        own = torch.arange(len(pairs), device=self._device)
        same = equal([pair.key for pair in pairs], self._device)
        same.fill_diagonal_(False)
        # Two questions with one answer: neither's passage is wrong for the other.
        among = scores[:, : len(pairs)].masked_fill(same, IMPOSSIBLE)
        scores = torch.cat([among, scores[:, len(pairs) :]], dim=1)
        return functional.cross_entropy(scores, own) + BACKWARDS * functional.cross_entropy(among.T, own)

    def _by_intent(self, texts: Sequence[str], labels: Sequence[str]) -> Any:
        vectors = self._vectors(self._model, texts, EXAMPLE_TOKENS)
        itself = torch.eye(len(texts), dtype=torch.bool, device=self._device)
        scores = (SHARPNESS * vectors @ vectors.T).masked_fill(itself, IMPOSSIBLE)
        same = equal(labels, self._device) & ~itself
        likely = scores - scores.logsumexp(1, keepdim=True)
        return -((likely * same).sum(1) / same.sum(1).clamp(min=1)).mean()

    def _drift(self) -> Any:
        texts = self._batches.some_unlabelled(KEPT_TEXTS)
        with torch.no_grad():
            before = self._vectors(self._base, texts, EXAMPLE_TOKENS)
        now = self._vectors(self._model, texts, EXAMPLE_TOKENS)
        return ((now @ now.T - before @ before.T) ** 2).mean() * KEEPING_SCALE

    def _mine(self) -> None:
        for passages, questions, right in self._batches.mineable():
            found = (self._encode(questions) @ self._encode(passages).T).topk(20, dim=1).indices.tolist()
            for question, gold, nearest in zip(questions, right, found, strict=True):
                wrong = [passages[at] for at in nearest if passages[at] not in gold]
                self._batches.learn_near(question, wrong[MINED])

    def _encode(self, texts: Sequence[str]) -> Any:
        return encode(self._model, self._texts, texts, self._device)


def train(base: Path, data: Data, out: Path, recipe: Recipe, device: str) -> None:
    """Write the trained weights, as float16."""
    tell(device=device, **asdict(recipe))
    save_weights(Training(base, data, recipe, device).run(), out)
