"""What the inference worker itself costs a request, in processor time: decoding, scheduling, prompt, guard, deltas, results, log.

The engine is a script that answers at once, so that all that is measured is Parley's; requests wait in the log before it starts. Each
answer comes in 16 pieces of 8 tokens, as an engine with `stream_interval` 8 gives 128 tokens. Three kinds of answers: one that states
nothing to compare; one that states amounts and a date in every fourth sentence, from a passage that the guard has read already; and that
from a passage of its own.
"""

from collections.abc import AsyncIterator, Sequence
from statistics import median
from threading import Event as Flag
from threading import Thread, enumerate
from time import clock_gettime, process_time, pthread_getcpuclockid, sleep, thread_time
from typing import Any
from uuid import uuid4

from benchmarks.inference.load import WORDS, config_of, request_of
from benchmarks.reporting import report
from parley.backends.memory_bus import MemoryBus
from parley.ports.bus import Bus
from parley.ports.engine import CompletionRequest, Piece
from parley.runtime import heap
from parley.runtime.publishing import publish
from schemas.base import Event
from schemas.work import GenerationRequested
from tests.support.platform import make_platform
from tests.support.scripted_engine import ScriptedEngine
from tests.support.small_tenant import CONTENT, VERSION
from workers.inference.metrics import InferenceMetrics
from workers.inference.worker import InferenceWorker
from workers.inference.writing import EngineWriter
from workers.writers import cache_salt, scheduler_limits

REQUESTS = 2_000
TENANTS = 16
PIECES = 16
TOKENS = 8
RUNS = 3
PLAIN = " It is written in the conditions of your account."
FIGURES = " It costs €4.50 a month from 1 May 2026, or 2% a year."
NAME = "inference"


class Instant(ScriptedEngine):
    """Answers at once; every fourth sentence is `stated`."""

    def __init__(self, stated: str) -> None:
        super().__init__(running=256)
        *before, last = ([PLAIN] * 3 + [stated]) * (PIECES // 4)
        tokens = tuple(range(TOKENS))
        end = Piece(last, tokens, finish="length", prompt_tokens=256, completion_tokens=PIECES * TOKENS)
        self._pieces = [*(Piece(each, tokens) for each in before), end]

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        for piece in self._pieces:
            yield piece


def cpu_ms(bus: Bus, stated: str = PLAIN, *, fresh: bool = False) -> dict[str, float]:
    """Milliseconds of processor time a request, from the first poll to the last commit: by thread, and `all` of them together.

    `fresh`: each request has a passage of its own.
    """
    on = make_platform(bus)
    for number in range(TENANTS):
        on.store.put(VERSION, config_of(f"t{number}", PIECES * TOKENS), CONTENT, on.clock.now())
    producer = bus.producer()
    publish(producer, [on.codec.encode(event) for event in _requests(stated, fresh)])
    producer.close()
    worker = InferenceWorker(
        EngineWriter(Instant(stated), cache_salt),
        bus,
        on.codec,
        on.content,
        on.clock,
        on.metrics,
        InferenceMetrics(on.registry),
        limits=lambda capacity: scheduler_limits(on.settings, capacity),
        read_ahead=on.settings.generations_read_ahead,
        new_attempt=lambda: str(uuid4()),
    )
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,), name=f"{NAME}-poll")
    heap.settle()  # as `parley worker` does
    began, own = process_time(), thread_time()
    thread.start()
    while _handled(on.registry) < REQUESTS:
        sleep(0.02)
    spent = (process_time() - began) - (thread_time() - own)  # looking whether it is over is not the worker's
    by_thread = {each.name.removeprefix(f"{NAME}-"): _spent(each) for each in enumerate() if _is_worker(each)}
    stop.set()
    thread.join()
    return {name: 1000 * each / REQUESTS for name, each in {"all": spent, **by_thread}.items()}


def _requests(stated: str, fresh: bool) -> Sequence[Event[GenerationRequested]]:
    words = (WORDS * 8)[:200] + stated.split()
    return [
        request_of(str(uuid4()), f"t{number % TENANTS}", [*words, f"({number})"] if fresh else words)
        for number in range(REQUESTS)
    ]


def _is_worker(thread: Thread) -> bool:
    return thread.name.startswith(f"{NAME}-")


def _spent(thread: Thread) -> float:
    """Seconds of processor time."""
    return clock_gettime(pthread_getcpuclockid(thread.ident or 0))


def _handled(registry: Any) -> float:
    labels = {"worker": NAME, "type": "GenerationRequested", "outcome": "handled"}
    return registry.get_sample_value("parley_records_handled_total", labels) or 0.0


def _median(stated: str, *, fresh: bool = False) -> dict[str, float]:
    runs = [cpu_ms(MemoryBus(), stated, fresh=fresh) for _ in range(RUNS)]
    return {name: round(median(run[name] for run in runs), 3) for name in runs[0]}


def main() -> None:
    plain = _median(PLAIN)
    report(
        "inference_worker",
        requests=REQUESTS,
        tenants=TENANTS,
        cpu_ms_a_request=plain.pop("all"),
        cpu_ms_by_thread=plain,
        cpu_ms_with_figures=_median(FIGURES)["all"],
        cpu_ms_with_figures_of_fresh_passages=_median(FIGURES, fresh=True)["all"],
    )
