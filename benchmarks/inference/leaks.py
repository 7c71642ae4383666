"""Does any token of any request come from another tenant's adapter, while versions are swapped as fast as they can be loaded?

In the probe's model (`tests/support/tiny_models.py`) every adapter drives the output to tokens of its own at every step and in any
precision, so that each single token shows whose weights wrote it. Every token passes by here.
"""

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from random import Random
from threading import Event as Flag
from threading import Thread
from time import monotonic, sleep

from benchmarks.inference.load import Load
from benchmarks.inference.sides import Bench
from parley.backends.vllm_engine import VllmEngine
from parley.engine_settings import EngineSettings
from parley.ports.engine import CompletionRequest, Piece
from tests.support.tiny_models import PROBE_ADAPTERS, PROBE_RANK, TinyModels

OUTSTANDING = 48
SLOTS = 4
TELL_EVERY_S = 10.0
SHORTEST, LONGEST = 8, 64


class Witness(VllmEngine):
    """Compares each token with those that the adapter writes when it is alone."""

    def __init__(self, settings: EngineSettings) -> None:
        super().__init__(settings)
        self.own: dict[str, set[int]] = {}
        self.learning = True
        self.requests = self.tokens = self.wrong_requests = self.wrong_tokens = 0

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        tenant = (request.adapter or "").partition("@")[0]
        wrong, ended = 0, False
        async for piece in super().generate(request):
            if self.learning:
                self.own.setdefault(tenant, set()).update(piece.token_ids)
            elif request.prompt_token_ids is None:
                self.tokens += len(piece.token_ids)
                wrong += sum(token not in self.own[tenant] for token in piece.token_ids)
            ended = piece.finish in ("stop", "length")
            yield piece
        if not self.learning and request.prompt_token_ids is None:
            self.requests += ended  # a completion that was suspended comes again
            self.wrong_tokens += wrong
            self.wrong_requests += wrong > 0


def build(root: Path) -> TinyModels:
    """In a process of its own: PyTorch at work in this one would keep the engine from starting."""
    if not (root / "probe").exists():
        subprocess.run([sys.executable, "-m", "tests.support.tiny_models", str(root)], check=True)
    return TinyModels(root)


def leaks(
    root: Path, seconds: float, report: Callable[..., None], *, gpu: bool, enough: int = 10_000
) -> None:
    """Until there were `enough` requests and swaps, at most `seconds`."""
    from transformers import AutoTokenizer

    models = build(root)
    settings = EngineSettings(
        model=str(models.probe),
        dtype="bfloat16" if gpu else "float32",
        max_model_len=1024,
        max_num_seqs=64,
        max_loras=SLOTS,
        max_lora_rank=PROBE_RANK,
        held_adapters=64,
        kv_cache_bytes=(2048 if gpu else 256) << 20,
        gpu_memory_utilization=0.3,
        enforce_eager=not gpu,
        metrics=False,
    )
    tenants = [f"t{number}" for number in range(PROBE_ADAPTERS)]
    witness = Witness(settings)
    load = Load(AutoTokenizer.from_pretrained(models.probe), 200, LONGEST)
    random = Random(0)
    with Bench(
        settings,
        tenants,
        lambda tenant: random.randint(SHORTEST, LONGEST),
        limits={"hold_s": 0.02, "urgent_s": 0.05, "worth_s": 0.02},
        engine=witness,
    ) as bench:
        weights = [models.probe_adapter(number) for number in range(PROBE_ADAPTERS)]
        live = {t: bench.shelf.publish(t, w, PROBE_RANK) for t, w in zip(tenants, weights, strict=True)}
        for tenant in tenants:
            bench.parley(load.calls([tenant] * 3))
        ambiguous = sum(
            bool(witness.own[a] & witness.own[b]) for n, a in enumerate(tenants) for b in tenants[:n]
        )
        witness.learning = False
        swapped, suspended = bench.swaps(), bench.suspensions()
        stop = Flag()
        asking = Thread(target=_ask, args=(bench, load, tenants, stop), daemon=True)
        asking.start()
        told_at = began = monotonic()

        def told() -> dict[str, object]:
            return {
                "seconds": round(monotonic() - began, 1),
                "requests": witness.requests,
                "tokens": witness.tokens,
                "swaps": bench.swaps() - swapped,
                "suspensions": bench.suspensions() - suspended,
                "wrong_requests": witness.wrong_requests,
                "wrong_tokens": witness.wrong_tokens,
            }

        try:
            while monotonic() < began + seconds and not (
                witness.requests >= enough and bench.swaps() - swapped >= enough
            ):
                number = random.randrange(PROBE_ADAPTERS)
                new = bench.shelf.publish(tenants[number], weights[number], PROBE_RANK)
                bench.switch(tenants[number], live[tenants[number]], new)
                live[tenants[number]] = new
                if monotonic() - told_at >= TELL_EVERY_S:
                    told_at = monotonic()
                    print(f"· leaks: {told()}", file=sys.stderr, flush=True)
            stop.set()
            asking.join()
            bench.idle()
        finally:  # also where it is interrupted
            report(
                "inference_leaks",
                adapters=PROBE_ADAPTERS,
                slots=SLOTS,
                ambiguous_pairs=ambiguous,
                **told(),
                failed=len(bench.failures()),
            )


def _ask(bench: Bench, load: Load, tenants: Sequence[str], stop: Flag) -> None:
    """Always so many outstanding, of tenants at random; the prompts are made ahead."""
    random = Random(1)
    calls = load.calls([random.choice(tenants) for _ in range(256)])
    sent, before = 0, bench.ended()
    while not stop.is_set():
        while sent - (bench.ended() - before) < OUTSTANDING:
            bench.send(load.again(calls[sent % len(calls)]))
            sent += 1
        sleep(0.002)
