"""What the inference worker itself costs a request, in processor time: decoding, scheduling, prompt, guard, deltas, results, log.

The engine is a script that answers at once, so that all that is measured is Parley's; requests wait in the log before it starts. Each
answer comes in 16 pieces of 8 tokens, as an engine with `stream_interval` 8 gives 128 tokens.
"""

from collections.abc import AsyncIterator
from threading import Event as Flag
from threading import Thread
from time import process_time, sleep
from typing import Any
from uuid import uuid4

from benchmarks.inference.load import WORDS, config_of, request_of
from benchmarks.reporting import median_of, report
from parley.backends.memory_bus import MemoryBus
from parley.ports.bus import Bus
from parley.ports.engine import CompletionRequest, Piece
from parley.runtime.publishing import publish
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
PIECE = " It is written in the conditions of your account."


class Instant(ScriptedEngine):
    """Answers at once."""

    async def generate(self, request: CompletionRequest) -> AsyncIterator[Piece]:
        for number in range(PIECES):
            last = number == PIECES - 1
            yield Piece(
                PIECE,
                tuple(range(TOKENS)),
                finish="length" if last else None,
                prompt_tokens=256,
                completion_tokens=PIECES * TOKENS if last else 0,
            )


def cpu_ms(bus: Bus) -> float:
    """Milliseconds of processor time a request, from the first poll to the last commit."""
    on = make_platform(bus)
    names = [f"t{number}" for number in range(TENANTS)]
    for name in names:
        on.store.put(VERSION, config_of(name, PIECES * TOKENS), CONTENT, on.clock.now())
    words = (WORDS * 8)[:200]
    events = [request_of(str(uuid4()), names[number % TENANTS], words) for number in range(REQUESTS)]
    producer = bus.producer()
    publish(producer, [on.codec.encode(event) for event in events])
    producer.close()
    metrics = InferenceMetrics(on.registry)
    worker = InferenceWorker(
        EngineWriter(Instant(running=256), cache_salt),
        bus,
        on.codec,
        on.content,
        on.clock,
        on.metrics,
        metrics,
        limits=lambda capacity: scheduler_limits(on.settings, capacity),
        read_ahead=on.settings.generations_read_ahead,
        new_attempt=lambda: str(uuid4()),
    )
    stop = Flag()
    thread = Thread(target=worker.run, args=(stop,))
    began = process_time()
    thread.start()
    while _handled(on.registry) < REQUESTS:
        sleep(0.02)
    spent = process_time() - began
    stop.set()
    thread.join()
    return 1000 * spent / REQUESTS


def _handled(registry: Any) -> float:
    labels = {"worker": "inference", "type": "GenerationRequested", "outcome": "handled"}
    return registry.get_sample_value("parley_records_handled_total", labels) or 0.0


def main() -> None:
    report(
        "inference_worker",
        requests=REQUESTS,
        tenants=TENANTS,
        cpu_ms_a_request=round(median_of(lambda: cpu_ms(MemoryBus()), 3), 3),
    )
