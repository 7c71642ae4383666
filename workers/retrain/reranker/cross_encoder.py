"""The model: BERT over a question and a passage, the mean of its last layer, one number. And how well it ranks what is held back."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from workers.retrain.bert_training import half, mean
from workers.retrain.reranker.lists import Candidates
from workers.retrain.reranker.pairs import Inputs, Pieces


def cross_encoder(bert: Any) -> Any:
    """A module of `bert` and `out`, which are the names of its weights too."""
    return torch.nn.ModuleDict({"bert": bert, "out": torch.nn.Linear(bert.config.hidden_size, 1)})


def read(model: Any, inputs: Inputs, device: str) -> tuple[Any, Any]:
    """All layers' tokens, (pairs, tokens, 384) each, and the scores (pairs)."""
    ids, mask, types = (torch.from_numpy(each).to(device, non_blocking=True) for each in inputs)
    with half(device):
        found = model["bert"](
            input_ids=ids, attention_mask=mask, token_type_ids=types, output_hidden_states=True
        )
    return found.hidden_states, model["out"](mean(found.last_hidden_state, mask)).squeeze(-1)


def hits(
    model: Any, pieces: Pieces, held_back: Mapping[str, Sequence[Candidates]], device: str
) -> dict[str, tuple[float, float]]:
    """By set the shares of questions with a right passage first, and among the first five, when the model alone ranks."""
    return {
        name: _shares([_ranked(model, pieces, each, device) for each in asked])
        for name, asked in held_back.items()
        if asked
    }


def _shares(ranked: Sequence[Sequence[bool]]) -> tuple[float, float]:
    first, five = (sum(any(each[:most]) for each in ranked) / len(ranked) for most in (1, 5))
    return round(first, 3), round(five, 3)


def _ranked(model: Any, pieces: Pieces, asked: Candidates, device: str) -> list[bool]:
    """For each candidate, best first, whether it is right."""
    inputs = pieces.inputs([(asked.question, passage) for passage in asked.near])
    trained = model.training
    model.eval()
    with torch.no_grad():
        scores = read(model, inputs, device)[1]
    model.train(trained)
    return [
        asked.near[place] in asked.right for place in scores.argsort(descending=True, stable=True).tolist()
    ]
