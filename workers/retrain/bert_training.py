"""What both trainings do alike: the base model, texts as vectors, a step of the optimizer, and lines that tell how far it is."""

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as functional
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

READ_EVERY = 10
TELL_EVERY = 100
ENCODED_AT_ONCE = 512
LONGEST = 256
KEPT = 300_000


class Texts:
    """Texts to tensors; the first `KEPT` are tokenised once."""

    def __init__(self, tokenizer: Path, device: str) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._known: dict[str, list[int]] = {}
        self._device = device

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh = {
            text: encoded.ids
            for text, encoded in zip(missing, self._tokenizer.encode_batch(missing), strict=True)
        }
        found = [self._known.get(text) or fresh[text] for text in texts]
        if len(self._known) < KEPT:
            self._known |= fresh
        return found

    def tensors(self, texts: Sequence[str], longest: int) -> tuple[Any, Any]:
        """Ids and mask (texts, tokens); the length is a multiple of 8."""
        rows = [row if len(row) <= longest else [*row[: longest - 1], row[-1]] for row in self.ids(texts)]
        width = min(longest, math.ceil(max(map(len, rows)) / 8) * 8)
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(width) < lengths[:, None]).long()
        return ids.to(self._device), mask.to(self._device)


class Progress:
    """A line of JSON every hundredth step and after the last: the means of what was noted since the line before."""

    def __init__(self, steps: int, **always: str) -> None:
        self._began = time.monotonic()
        self._steps = steps
        self._always = always
        self._recent: dict[str, list[float]] = {}

    def note(self, step: int, **losses: Any) -> None:
        """To be called once a step, with tensors of one number."""
        if step % READ_EVERY == 0:  # reading a number waits for the GPU
            for name, loss in losses.items():
                self._recent.setdefault(name, []).append(float(loss.item()))
        if (step + 1) % TELL_EVERY == 0 or step + 1 == self._steps:
            means = {name: round(sum(some) / len(some), 3) for name, some in sorted(self._recent.items())}
            tell(**self._always, step=step + 1, s=round(time.monotonic() - self._began), **means)
            self._recent.clear()


def tell(**what: Any) -> None:
    print(json.dumps(what), flush=True)


def open_base(folder: Path, weights: Path | None = None) -> Any:
    """all-MiniLM-L6-v2 as its authors left it, or trained further, without the pooler that it does not use."""
    model = BertModel(BertConfig.from_json_file(folder / "config.json"), add_pooling_layer=False)
    known = {
        name: value.float()
        for name, value in load_file(weights or folder / "model.safetensors").items()
        if value.is_floating_point() and not name.startswith("pooler.")
    }
    model.load_state_dict(known, strict=True)
    return model


def save_weights(weights: dict[str, Any], out: Path) -> None:
    """As float16."""
    out.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous().cpu() for name, value in weights.items()}, out)


def open_optimizer(model: Any, rate: float, device: str) -> Any:
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01, fused=device == "cuda")


def descend(model: Any, optimizer: Any, loss: Any, rate: float) -> None:
    """One step at this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def falling(share: float, least: float) -> float:
    """From 1 to `least` along a cosine, as the share that is done goes from 0 to 1."""
    return max(least, 0.5 * (1 + math.cos(math.pi * share)))


def equal(names: Sequence[object], device: str) -> Any:
    """(names, names): whether two are the same."""
    numbers: dict[object, int] = {}
    held = [numbers.setdefault(name, len(numbers)) for name in names]
    column = torch.tensor(held, device=device)
    return column[:, None] == column[None, :]


def mean_vectors(model: Any, texts: Texts, some: Sequence[str], longest: int, device: str) -> Any:
    """(texts, 384), of length 1."""
    ids, mask = texts.tensors(some, longest)
    with half(device):
        hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    return functional.normalize(mean(hidden, mask), dim=-1)


def half(device: str) -> Any:
    """bfloat16 on a GPU; a processor without instructions for it would take many times as long as with float32."""
    return torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda")


def mean(hidden: Any, mask: Any) -> Any:
    """(texts, tokens, 384) to (texts, 384), padding left out."""
    kept = mask.unsqueeze(-1).float()
    return (hidden.float() * kept).sum(1) / kept.sum(1)


def encode(model: Any, texts: Texts, some: Sequence[str], device: str) -> Any:
    """The vectors of any number of texts; the model is in training again afterwards if it was before."""
    trained = model.training
    model.eval()
    lengths = [len(row) for row in texts.ids(some)]
    order = sorted(range(len(some)), key=lengths.__getitem__)
    found = torch.empty(len(some), model.config.hidden_size, device=device)
    with torch.no_grad():
        for start in range(0, len(order), ENCODED_AT_ONCE):
            places = order[start : start + ENCODED_AT_ONCE]
            found[places] = mean_vectors(model, texts, [some[at] for at in places], LONGEST, device)
    model.train(trained)
    return found
