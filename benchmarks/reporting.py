"""One JSON line a benchmark, and medians of several runs."""

import json
import os
import platform
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

RUNS = 5
DATA = Path(os.environ.get("PARLEY_DATA", "../shared/data"))
"""The folder of public sets, which are no part of the repository."""


def report(benchmark: str, **figures: object) -> None:
    """Print the line; figures carry their unit in the name."""
    print(json.dumps({"benchmark": benchmark, "python": platform.python_version(), **figures}), flush=True)


def median_of(run: Callable[[], float], runs: int = RUNS) -> float:
    return statistics.median(run() for _ in range(runs))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]
