"""Rows for the GPU while it computes: processes that draw, tokenise and pack examples; windows of text beside them."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from workers.retrain.starter.examples import Example
from workers.retrain.starter.rows import Row, drawn, packed

Draw = Callable[[], Example]
AT_ONCE = 8
AHEAD = 8
"""Batches of `AT_ONCE` rows that each process keeps ready."""
SEEDS_APART = 1_000


class _Packed(IterableDataset[Row]):
    def __init__(self, make: Callable[[int], Draw], tokenizer: Path, width: int, seed: int) -> None:
        self._make, self._tokenizer, self._width, self._seed = make, tokenizer, width, seed

    def __iter__(self) -> Iterator[Row]:
        info = get_worker_info()
        draw = self._make(self._seed * SEEDS_APART + (info.id if info is not None else 0))
        return packed(drawn(draw, Tokenizer.from_file(str(self._tokenizer))), self._width)


class ExampleRows:
    """`make` gives, for a seed, what draws examples; the rows come from so many processes, 0: from this one."""

    def __init__(
        self, make: Callable[[int], Draw], tokenizer: Path, width: int, seed: int, processes: int
    ) -> None:
        loader: Any = DataLoader(
            _Packed(make, tokenizer, width, seed),
            batch_size=AT_ONCE,
            num_workers=processes,
            prefetch_factor=AHEAD if processes else None,
            collate_fn=np.stack,
            # The documents are there already in a process that is forked, and nothing in it touches the GPU.
            multiprocessing_context="fork" if processes else None,
        )
        self._rows = (row for batch in loader for row in batch)

    def take(self, count: int) -> list[Row]:
        return list(islice(self._rows, count))


def to_device(rows: list[Row], device: str) -> tuple[Any, Any]:
    """Ids (int64) and kinds, each (rows, width)."""
    found = torch.from_numpy(np.stack(rows))
    if device == "cuda":
        found = found.pin_memory()
    found = found.to(device, non_blocking=True)
    return found[:, 0].long(), found[:, 1]
