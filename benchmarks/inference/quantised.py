"""Weights of 16, 8 and 4 bits: memory, speed and energy on one GPU, beside what `parley models plan` says beforehand.

Each is an engine of its own, so that nothing of the one before is in the memory. Perplexity is no matter of a GPU, and random weights have
none: `parley models quantize` prints it for a real model.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.inference.gpu import memory_bytes
from benchmarks.inference.load import Load
from benchmarks.inference.sides import Bench
from parley.backends.vllm_engine import VllmEngine
from parley.domain.model_families import shape_of
from parley.domain.model_plan import Plan, Serving, plan
from parley.domain.model_shapes import ModelShape
from parley.domain.precisions import PRECISIONS
from parley.engine_settings import EngineSettings

Report = Callable[..., None]
EXTENSION = "benchmarks.inference.memory.Memory"

FOUR_BITS: Mapping[str, Any] = {
    "quant_method": "compressed-tensors",
    "format": "pack-quantized",
    "quantization_status": "compressed",
    "ignore": ["lm_head"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {
                "num_bits": 4,
                "type": "int",
                "symmetric": True,
                "strategy": "group",
                "group_size": 128,
                "dynamic": False,
            },
            "input_activations": None,
            "output_activations": None,
        }
    },
}
"""As `parley models quantize --bits 4` writes it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`online`: what the engine is told to make of 16-bit weights; `checkpoint`: what the files say they hold."""

    precision: str
    online: str = ""
    checkpoint: Mapping[str, Any] | None = None


KINDS = (Kind("bf16"), Kind("int4", checkpoint=FOUR_BITS), Kind("fp8", online="fp8"))


@dataclass(frozen=True, slots=True)
class Measured:
    weights: int
    cached_tokens: int
    tokens_per_s: float
    joules_per_1000_tokens: float | None


class Quantised:
    """One line for each kind; shares are of the first one that was measured."""

    def __init__(
        self, make_load: Callable[[], Load], requests: int, output_tokens: int, report: Report
    ) -> None:
        self._make_load = make_load
        self._requests = requests
        self._output_tokens = output_tokens
        self._report = report
        self._first: Measured | None = None

    def measure(self, kind: Kind, settings: EngineSettings) -> None:
        found = _measure(settings, self._make_load, self._requests, self._output_tokens)
        first = self._first = self._first or found
        shape = _shape(settings)
        plain = PRECISIONS[kind.precision].plain * (shape.embeddings_on(1) + shape.others_on())
        planned = _planned(settings, shape, kind)
        self._report(
            "inference_quantised",
            precision=kind.precision,
            requests=self._requests,
            weights_gib=_gib(found.weights),
            planned_weights_gib=_gib(planned.weights) if planned else None,
            weights_less_percent=_less(found.weights, first.weights),
            matrices_less_percent=_less(found.weights - plain, first.weights - plain),
            cached_tokens=found.cached_tokens,
            planned_cached_tokens=planned.cached_tokens if planned else None,
            tokens_per_s=found.tokens_per_s,
            tokens_of_first=round(found.tokens_per_s / first.tokens_per_s, 3),
            joules_per_1000_tokens=found.joules_per_1000_tokens,
        )


def kinds() -> tuple[Kind, ...]:
    """vLLM quantises while loading on GPUs alone."""
    return tuple(kind for kind in KINDS if not kind.online or memory_bytes() is not None)


def _measure(
    settings: EngineSettings, make_load: Callable[[], Load], requests: int, output_tokens: int
) -> Measured:
    engine = VllmEngine(settings, extension=EXTENSION)
    with Bench(settings, ["t0"], lambda tenant: output_tokens, engine=engine) as bench:
        held: list[tuple[int, int]] = []

        async def ask() -> int:
            held.extend(await engine.ask_workers("parley_memory"))
            return 0

        load = make_load()
        bench.raw_by([], ask)
        bench.raw(load.calls(["t0"] * 64), output_tokens)
        run = bench.raw(load.calls(["t0"] * requests), output_tokens)
    joules = round(1000 * run.energy_j / run.tokens, 1) if run.energy_j is not None else None
    weights, cached = held[0]
    return Measured(weights, cached, run.tokens_per_s, joules)


def _shape(settings: EngineSettings) -> ModelShape:
    return shape_of(json.loads((Path(settings.model) / "config.json").read_text(encoding="utf-8")))


def _planned(settings: EngineSettings, shape: ModelShape, kind: Kind) -> Plan | None:
    """None where there is no GPU to plan for."""
    memory = memory_bytes()
    if memory is None or settings.max_model_len is None:
        return None
    serving = Serving(
        memory,
        precision=PRECISIONS[kind.precision],
        context=settings.max_model_len,
        sequences=settings.max_num_seqs,
        utilisation=settings.gpu_memory_utilization,
    )
    return plan(shape, serving)


def _less(found: int, first: int) -> float:
    """Per cent."""
    return round(100 * (1 - found / first), 1)


def _gib(size: int) -> float:
    return round(size / (1 << 30), 3)
