"""Perplexity of a text by windows that overlap: each token is predicted once, with at least half a window before it.

The usual strided evaluation: transformers' guide "Perplexity of fixed-length models".
"""

import math
from typing import Any

import torch

from parley.errors import ConfigurationError


@torch.no_grad()
def perplexity(model: Any, ids: list[int], length: int, device: str) -> float:
    """exp of the mean negative log-probability of all tokens but the first. Windows of `length` tokens start every half of it.

    Raises `ConfigurationError` for a text of fewer than two tokens.
    """
    if len(ids) < 2:
        raise ConfigurationError(f"--text: has {len(ids)} tokens; perplexity needs at least 2")
    row = torch.tensor(ids, device=device)
    stride = max(1, length // 2)
    lost, counted, done = 0.0, 0, 1
    for start in range(0, len(ids), stride):
        end = min(start + length, len(ids))
        logits = model(input_ids=row[None, start:end], use_cache=False).logits[0]
        # the logits at one place say what comes next
        fresh = logits[done - 1 - start : end - 1 - start].float()
        lost += float(torch.nn.functional.cross_entropy(fresh, row[done:end], reduction="sum"))
        counted, done = counted + end - done, end
        if end == len(ids):
            break
    return math.exp(lost / counted)
