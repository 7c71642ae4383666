"""Four layers of a large encoder taught to agree with all twelve, and what belongs together in Chinese.

- Agreeing: each text's vector towards the large encoder's, and the similarities among a batch's texts towards its own. All vectors of the large one
  lie in one narrow cone, so their mean is taken off first: what is left says more, and scores spread as other encoders' do. Sentences, pieces and
  neighbours of the texts are drawn, so few texts make many.
- Belonging together: InfoNCE over a batch's passages for questions with what was said before them, as in `workers.retrain.encoder.train`. Not
  intents: it would learn the few thousand examples by heart, and a head fitted on them would be too sure.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional

from workers.retrain.batches import SEPARATOR, TURNS
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
from workers.retrain.chinese.cut import ASKED
from workers.retrain.chinese.data import ChineseData, Known, sentences

LAYERS = (0, 4, 8, 11)
SHARPNESS = 20.0
"""Cosines are multiplied by it: 1 / the temperature."""
AGREED_TOKENS, PASSAGE_TOKENS = 160, 224
BACKWARDS = 0.3
NEAR, ALIKE = 8.0, 20.0
"""Weights of agreeing: on each text's vector, and on the similarities."""
WARM_UP = 0.05
LEAST_RATE = 0.02
AGREED_TEXTS = 200_000
SORTED_BATCHES = 16
"""So many batches are sorted by length together: less padding."""
IMPOSSIBLE = -1e4
#: How often a step also learns what belongs together, and of which set.
TOGETHER = 0.5
KINDS = {"zh_finfaq": 0.3, "zh_insurance": 0.3, "zh_kdconv_travel": 3.0, "articles": 1.0}


@dataclass(frozen=True, slots=True)
class Recipe:
    """The defaults are those of the file in `models/encoder_zh`."""

    steps: int = 2500
    learning_rate: float = 5e-4
    batch: int = 256
    #: Weight of what belongs together.
    together: float = 0.5
    seed: int = 1
    #: Also what is held back for development; scores on those parts then say nothing.
    everything: bool = True


class Draws:
    """Texts and batches; one seed, one series."""

    def __init__(self, data: ChineseData, recipe: Recipe) -> None:
        self.rng = random.Random(recipe.seed)
        self._texts = data.texts
        self._dialogues = [turns for turns in data.dialogues if len(turns) > 1]
        self._known = {
            name: [each for each in some if recipe.everything or not each.dev]
            for name, some in data.known.items()
        }

    def text(self) -> str:
        """A text, a piece of one, or what was said in a dialogue, newest first."""
        kind = self.rng.random()
        if kind < 0.2:
            turns = self.rng.choice(self._dialogues)
            at = self.rng.randrange(len(turns))
            return SEPARATOR.join(reversed(turns[max(0, at - self.rng.randrange(1, TURNS + 1)) : at + 1]))
        text = self.rng.choice(self._texts)
        if kind < 0.5 and len(text) > 12:
            start = self.rng.randrange(len(text) - 8)
            return text[start : start + self.rng.randrange(6, 220)]
        if kind < 0.75:
            parts = sentences(text)
            return self.rng.choice(parts) if parts else text
        return text

    def kind(self) -> str:
        """The set of which to learn what belongs together in this step; empty in the others."""
        if self.rng.random() >= TOGETHER:
            return ""
        return self.rng.choices(list(KINDS), list(KINDS.values()))[0]

    def pairs(self, kind: str, size: int) -> list[Known]:
        known = self._known[kind]
        return self.rng.sample(known, min(size, len(known)))


def asked(known: Known) -> str:
    """The question with the last of what was said before it, newest first, as the platform encodes it."""
    return SEPARATOR.join([known.question, *reversed(known.history[-TURNS:])])


def for_large(text: str) -> str:
    """As the large encoder wants it, which knows no separator."""
    return ASKED + text.replace(SEPARATOR, "。")


class Training:
    """One run; `run` gives the trained model's weights."""

    def __init__(
        self, base: Path, data: ChineseData, recipe: Recipe, device: str, agreed: int = AGREED_TEXTS
    ) -> None:
        torch.manual_seed(recipe.seed)
        self._recipe = recipe
        self._device = device
        self._draws = Draws(data, recipe)
        self._texts = Texts(base / "tokenizer.json", device)
        self._pool = [self._draws.text() for _ in range(agreed)]
        self._wanted = self._of_large(open_base(base))
        self._model = first_layers(open_base(base), LAYERS).to(device).train()
        self._optimizer = open_optimizer(self._model, recipe.learning_rate, device)

    def run(self) -> dict[str, Any]:
        progress = Progress(self._recipe.steps)
        batches = self._batches()
        for step in range(self._recipe.steps):
            agreed = self._agreed(next(batches))
            losses = {"agreed": agreed}
            if kind := self._draws.kind():
                losses[kind] = self._together(self._draws.pairs(kind, self._recipe.batch))
            loss = agreed + self._recipe.together * losses.get(kind, 0.0)
            share = step / self._recipe.steps
            rate = self._recipe.learning_rate * min(1, share / WARM_UP) * falling(share, LEAST_RATE)
            descend(self._model, self._optimizer, loss, rate)
            progress.note(step, **losses)
        weights: dict[str, Any] = self._model.state_dict()
        return weights

    def _of_large(self, large: Any) -> Any:
        """(texts of the pool, 384): the large encoder's vectors without their mean, of length 1."""
        asked = [for_large(text) for text in self._pool]
        found = encode(large.to(self._device).eval(), self._texts, asked, self._device)
        return functional.normalize(found - found.mean(0), dim=-1)

    def _batches(self) -> Iterator[list[int]]:
        """Places in the pool, of texts about as long as each other, without end."""
        size = min(self._recipe.batch, len(self._pool))
        rng = self._draws.rng
        while True:
            some = rng.sample(range(len(self._pool)), min(SORTED_BATCHES * size, len(self._pool)))
            some.sort(key=lambda place: len(self._pool[place]))
            batches = [some[start : start + size] for start in range(0, len(some), size)]
            rng.shuffle(batches)
            yield from batches

    def _agreed(self, places: list[int]) -> Any:
        found = self._vectors([self._pool[place] for place in places], AGREED_TOKENS)
        wanted = self._wanted[places]
        near = (1 - (found * wanted).sum(1)).mean()
        alike = ((found @ found.T - wanted @ wanted.T) ** 2).mean()
        return NEAR * near + ALIKE * alike

    def _vectors(self, texts: Sequence[str], longest: int) -> Any:
        return mean_vectors(self._model, self._texts, texts, longest, self._device)

    def _together(self, pairs: Sequence[Known]) -> Any:
        questions = self._vectors([asked(pair) for pair in pairs], PASSAGE_TOKENS)
        passages = self._vectors([pair.passage for pair in pairs], PASSAGE_TOKENS)
        own = torch.arange(len(pairs), device=self._device)
        same = equal([pair.key for pair in pairs], self._device)
        same.fill_diagonal_(False)
        # Two questions with one answer: neither's passage is wrong for the other.
        scores = (SHARPNESS * questions @ passages.T).masked_fill(same, IMPOSSIBLE)
        return functional.cross_entropy(scores, own) + BACKWARDS * functional.cross_entropy(scores.T, own)


def first_layers(model: Any, layers: Sequence[int]) -> Any:
    """The model with only these of its layers."""
    model.encoder.layer = torch.nn.ModuleList(model.encoder.layer[place] for place in layers)
    model.config.num_hidden_layers = len(layers)
    return model


def train(base: Path, data: ChineseData, out: Path, recipe: Recipe, device: str) -> None:
    """Write the trained weights, as float16."""
    tell(device=device, **asdict(recipe))
    save_weights(Training(base, data, recipe, device).run(), out)
