"""`python -m benchmarks.inference [FIGURE…]`: Parley's worker beside the raw engine, each figure one JSON line.

On a machine with an NVIDIA GPU and vLLM installed. Models have a real one's shape and random weights; nothing is fetched. With `--cpu`
everything is small: to see that it runs, not how fast.
"""

import argparse
import json
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import perf_counter

from benchmarks.inference.load import Load
from benchmarks.inference.shapes import SHAPES, write_adapter, write_model
from parley.engine_settings import EngineSettings

FIGURES = {
    "base": "the worker beside the raw engine, without adapters",
    "batching": "continuous batching beside static batches",
    "paces": "what the engine's own moves cost: requests at once, loads of adapters, completions cut in two",
    "adapters": "the worker beside the raw engine, with as many adapters as slots can serve",
    "tenants": "many more tenants than slots, beside four tenants and beside the engine left to itself",
    "waits": "how long the rarest tenants wait for a slot, below saturation",
    "swaps": "new versions of adapters one after the other under load",
    "fairness": "a tenant with 1 % of an overload beside one with 90 %",
    "quantised": "weights of 16, 8 and 4 bits: memory, speed, energy",
    "leaks": "whether any token is another tenant's, while versions are swapped",
}
BASE = ("base", "batching")
"""Measured on an engine without adapters."""
WITH_ADAPTERS = ("paces", "adapters", "tenants", "waits", "swaps", "fairness")
CONTEXT = 1024
RANK = 16
WEIGHTS = 4
"""Sets of weights on the disk; versions beyond that share them."""


class Program:
    """What is measured, and how large."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self.gpu = not chosen.cpu
        self.shape = chosen.shape or ("8b" if self.gpu else "tiny")
        self.requests = chosen.requests or (1024 if self.gpu else 64)
        self.backlog = 4 * self.requests if self.gpu else 10 * self.requests
        self.prompt, self.output = (256, 128) if self.gpu else (256, 24)
        self.slots = 17 if self.gpu else 4
        self.tenants = [f"t{number}" for number in range(64 if self.gpu else 12)]
        self.seconds = chosen.seconds or (30.0 if self.gpu else 5.0)
        self.out = chosen.out
        self.root = Path(chosen.folder or tempfile.mkdtemp(prefix="parley-shapes-"))

    def report(self, name: str, **figures: object) -> None:
        import vllm

        line = json.dumps(
            {
                "benchmark": name,
                "shape": self.shape,
                "vllm": vllm.__version__,
                "python": platform.python_version(),
                "at": datetime.now(UTC).isoformat(timespec="seconds"),
                **figures,
            }
        )
        print(line, flush=True)
        if self.out is not None:
            with self.out.open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    def settings(
        self, slots: int, online: str = "", checkpoint: Mapping[str, object] | None = None
    ) -> EngineSettings:
        """`online`: how the engine is to quantise; `checkpoint`: what the model's configuration says of weights that are quantised already."""
        model = self.root / (f"{self.shape}-quantised" if checkpoint else self.shape)
        if not (model / "config.json").exists():
            write_model(model, SHAPES[self.shape], CONTEXT, checkpoint)
        return EngineSettings(
            model=str(model),
            revision="random",
            quantization=online,
            load_format="dummy",
            dtype="bfloat16" if self.gpu or checkpoint else "float32",
            max_model_len=CONTEXT,
            max_num_seqs=(256 if slots else 512) if self.gpu else 64,
            max_loras=slots,
            max_lora_rank=RANK,
            held_adapters=4 * len(self.tenants) if slots else None,
            kv_cache_bytes=None if self.gpu else 256 << 20,
            enforce_eager=not self.gpu,
            stream_interval=2,
            prefix_caching=slots > 0,
            metrics=False,
        )

    def weights(self) -> list[Path]:
        folders = [self.root / f"{self.shape}-adapter-{number}" for number in range(WEIGHTS)]
        for number, folder in enumerate(folders):
            if not (folder / "adapter_config.json").exists():
                write_adapter(folder, SHAPES[self.shape], RANK, number)
        return folders

    def base(self, figures: Sequence[str]) -> None:
        from benchmarks.inference import figures as measure
        from benchmarks.inference.sides import Bench

        with Bench(self.settings(0), ["t0"], lambda tenant: self.output) as bench:
            self.say(f"engine without adapters after {bench.started_s:.0f} s")
            load = self.load()
            if "base" in figures:
                measure.throughput(
                    bench, load, ["t0"], self.requests, self.output, self.report, "inference_base"
                )
            if "batching" in figures:
                measure.batching(bench, load, self.requests, self.output, self.report)

    def adapters(self, figures: Sequence[str]) -> None:
        from benchmarks.inference import figures as measure
        from benchmarks.inference.paces import SPARE, paces
        from benchmarks.inference.sides import Bench
        from benchmarks.inference.tenants import many_tenants

        weights = self.weights()
        with Bench(self.settings(self.slots), self.tenants, lambda tenant: self.output) as bench:
            self.say(f"engine with {self.slots} slots after {bench.started_s:.0f} s")
            load = self.load()
            for number, tenant in enumerate(self.tenants):
                bench.shelf.publish(tenant, weights[number % WEIGHTS], RANK)
            some = self.tenants[: self.slots - 1]
            rate = 40.0 if self.gpu else 4.0
            measured: dict[str, Callable[[], object]] = {
                "paces": lambda: paces(
                    bench, load, self.tenants[: self.slots - 1 + SPARE], self.output, self.report
                ),
                "adapters": lambda: measure.throughput(
                    bench, load, some, self.requests, self.output, self.report, "inference_adapters"
                ),
                "tenants": lambda: many_tenants(
                    bench, load, self.tenants, self.backlog, self.output, self.report
                ),
                "waits": lambda: measure.slot_waits(
                    bench, load, self.tenants, rate, self.seconds, self.report
                ),
                "swaps": lambda: measure.swaps(
                    bench,
                    load,
                    some[: len(some) // 2],
                    weights,
                    RANK,
                    rate / 2,
                    int(self.seconds),
                    self.report,
                ),
                "fairness": lambda: measure.fairness(
                    bench, load, some[:9], 1.5 * rate, self.seconds, self.report
                ),
            }
            for name in WITH_ADAPTERS:
                if name in figures:
                    self.timed(name, measured[name])

    def quantised(self) -> None:
        from benchmarks.inference.quantised import Quantised, kinds

        lines = Quantised(self.load, self.requests, self.output, self.report)
        for kind in kinds():
            settings = self.settings(0, kind.online, kind.checkpoint)
            self.timed(kind.precision, partial(lines.measure, kind, settings))

    def leaks(self) -> None:
        from benchmarks.inference.leaks import leaks

        leaks(self.root / "probe", 6 * self.seconds, self.report, gpu=self.gpu)

    def load(self) -> Load:
        from transformers import AutoTokenizer

        return Load(AutoTokenizer.from_pretrained(self.root / self.shape), self.prompt, self.output)

    def timed(self, name: str, measure: Callable[[], object]) -> None:
        """A figure that fails must not cost those after it."""
        began = perf_counter()
        try:
            measure()
        except Exception as error:
            print(f"{name} failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        self.say(f"{name}: {perf_counter() - began:.0f} s")

    @staticmethod
    def say(what: str) -> None:
        print(f"· {what}", file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    lines = "\n".join(f"  {name:9}  {what}" for name, what in FIGURES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.inference",
        description=f"{__doc__}\n{lines}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help="which of them; all without one")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--gpu", action="store_true", help="on this machine's first GPU (the default)")
    where.add_argument("--cpu", action="store_true", help="small, on the CPU build")
    parser.add_argument(
        "--shape", choices=sorted(SHAPES), help="the model's: by default 8b on a GPU, tiny on the CPU"
    )
    parser.add_argument(
        "--requests", type=int, help="requests of a throughput run: by default 1024 on a GPU, 64 on the CPU"
    )
    parser.add_argument(
        "--seconds", type=float, help="how long open loops last: by default 30 on a GPU, 5 on the CPU"
    )
    parser.add_argument("--folder", help="where models are made, and found again")
    parser.add_argument("--out", type=Path, help="a file to which the lines are added")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.figures if name not in FIGURES]:
        parser.error(f"unknown: {', '.join(unknown)}; allowed: {', '.join(FIGURES)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what was found until then is told
    program, figures = Program(chosen), chosen.figures or list(FIGURES)
    if any(name in figures for name in BASE):
        program.timed("engine without adapters", lambda: program.base(figures))
    if any(name in figures for name in WITH_ADAPTERS):
        program.timed("engine with adapters", lambda: program.adapters(figures))
    if "quantised" in figures:
        program.quantised()
    if "leaks" in figures:
        program.timed("leaks", program.leaks)
    return 0


if __name__ == "__main__":  # vLLM starts processes that import this module again
    sys.exit(main())
