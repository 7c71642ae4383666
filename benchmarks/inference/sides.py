"""One engine and the two ways to it: vLLM's own `generate`, and Parley's worker fed by a log in SQLite. Both in one event loop.

The engine is started once for both, so that they differ in nothing else; while one is measured the other does nothing.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from time import monotonic, perf_counter, process_time, sleep
from typing import Any
from uuid import uuid4

from prometheus_client import CollectorRegistry

from benchmarks.inference.gpu import Watch
from benchmarks.inference.load import Call, config_of
from benchmarks.inference.shelf import Shelf
from benchmarks.reporting import percentile
from parley.backends.sqlite_bus import SqliteBus
from parley.backends.vllm_engine import VllmEngine
from parley.domain.scheduling import Limits
from parley.engine_settings import EngineSettings
from parley.runtime.publishing import send
from schemas.base import Event, TenantId
from schemas.conversation_events import GenerationFailed, ReplyGenerated
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import CONTENT, VERSION
from workers.inference.adapters import Adapters
from workers.inference.desk import Desk
from workers.inference.jobs import Attempt, Job
from workers.inference.metrics import InferenceMetrics
from workers.inference.serving import AdapterWriter
from workers.inference.swapping import Swaps
from workers.inference.worker import InferenceWorker
from workers.inference.writing import Capacity
from workers.wiring import Platform
from workers.writers import cache_salt

LOOK_EVERY_S = 0.02
IDLE_WITHIN_S = 600.0


@dataclass(slots=True)
class Run:
    """What came of a number of calls."""

    requests: int
    seconds: float
    tokens: int
    failed: int = 0
    #: Of this process alone, without the engine's own.
    cpu_s: float = 0.0
    gpu_busy: float | None = None
    energy_j: float | None = None

    @property
    def requests_per_s(self) -> float:
        return round(self.requests / self.seconds, 2)

    @property
    def tokens_per_s(self) -> float:
        return round(self.tokens / self.seconds, 1)


@dataclass(frozen=True, slots=True)
class Served:
    """One completion, in seconds of the monotonic clock."""

    tenant: str
    adapter: str | None
    arrived: float
    began: float
    first: float | None
    ended: float
    tokens: int
    suspensions: int


class Recorded(InferenceMetrics):
    """Keeps every completion besides."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__(registry)
        self.served: list[Served] = []
        self.swap_seconds: list[float] = []

    def swapped(self, seconds: float) -> None:
        super().swapped(seconds)
        self.swap_seconds.append(seconds)

    def written(self, job: Job, attempt: Attempt, now: float) -> None:
        super().written(job, attempt, now)
        first = attempt.collected.began
        self.served.append(
            Served(
                job.tenant,
                job.adapter,
                job.arrived,
                job.began,
                first,
                now,
                attempt.tokens,
                attempt.suspensions,
            )
        )


class StartedOnce(AdapterWriter):
    """Its engine runs already, or is started at the first start."""

    def __init__(self, engine: VllmEngine, adapters: Adapters, metrics: InferenceMetrics) -> None:
        ids = count()
        super().__init__(engine, cache_salt, adapters, metrics, lambda: f"b{next(ids)}", _passes)


async def _passes() -> None:
    """The leak probe is a test of its own here."""


class Bench:
    """`output_tokens` says how many a tenant's answers have; `slots` and `in_flight` limit the scheduler below what the engine can; the rest is the engine's."""

    def __init__(
        self,
        settings: EngineSettings,
        tenants: Sequence[str],
        output_tokens: Callable[[str], int],
        *,
        slots: int | None = None,
        in_flight: int | None = None,
        limits: Mapping[str, Any] | None = None,
        engine: VllmEngine | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="parley-bench-")
        root = Path(self._folder.name)
        self.engine = engine or VllmEngine(settings)
        self._slots, self._in_flight, self._more = slots, in_flight, limits or {}
        self.platform: Platform = make_platform(SqliteBus(root / "log.db"))
        for tenant in tenants:
            self.platform.store.put(
                VERSION, config_of(tenant, output_tokens(tenant)), CONTENT, datetime.now(UTC)
            )
        self.shelf = Shelf(root / "adapters")
        self.adapters = Adapters(self.shelf, self.shelf, self._live, lambda version, folder: None)  # type: ignore[arg-type]  # as much of both as is asked for
        self.metrics = Recorded(self.platform.registry)
        self.writer = StartedOnce(self.engine, self.adapters, self.metrics)
        self.worker = self._make_worker()
        self._stop = Flag()
        self._thread = Thread(target=self.worker.run, args=(self._stop,), daemon=True)
        self._producer = self.platform.bus.producer()
        self.limits = Limits(slots=0, held=0, in_flight=1, per_tenant=1)
        self._raw_names: dict[str, Any] = {}
        self._raw_numbers = count(1_000_000)
        self.started_s = 0.0

    def _live(self, tenant: TenantId) -> str | None:
        return self.shelf.live.get(tenant)

    def _make_worker(self) -> InferenceWorker:
        on = self.platform
        return InferenceWorker(
            self.writer,
            on.bus,
            on.codec,
            on.content,
            on.clock,
            on.metrics,
            self.metrics,
            limits=self._limits,
            read_ahead=20_000,
            new_attempt=lambda: str(uuid4()),
        )

    def _limits(self, capacity: Capacity) -> Limits:
        slots = capacity.slots if self._slots is None else self._slots
        in_flight = min(self._in_flight or capacity.running, capacity.running)
        self.limits = Limits(
            slots=slots,
            held=max(capacity.held // 2 - 1, slots),  # the other half is the raw side's
            in_flight=in_flight,
            per_tenant=in_flight,
            suspends=capacity.resumes,
            **self._more,
        )
        return self.limits

    @property
    def slots(self) -> int:
        return self.limits.slots

    def swaps(self) -> int:
        return len(self.metrics.swap_seconds)

    def suspensions(self) -> int:
        labels = {"reason": "suspended"}
        return int(self.platform.registry.get_sample_value("parley_inference_aborts_total", labels) or 0)

    def in_flight(self) -> int:
        return int(self.metrics.in_flight._value.get())

    def swap_s(self, share: float) -> float:
        return percentile(self.metrics.swap_seconds or [0.0], share)

    def __enter__(self) -> "Bench":
        began = perf_counter()
        self._thread.start()
        while not self.worker.ready.wait(0.1):
            if not self._thread.is_alive():
                raise RuntimeError("the worker ended before it was ready")
        self.started_s = perf_counter() - began
        return self

    def __exit__(self, *raised: object) -> None:
        self._stop.set()
        self._thread.join(60)
        self._producer.close()
        self._folder.cleanup()

    # -- Parley's worker ----------------------------------------------------------------------------------------------

    def parley(self, calls: Sequence[Call]) -> Run:
        """All calls at once, through the log, until each has its result there."""
        encoded = [self.platform.codec.encode(call.event) for call in calls]
        lost = self._handled("failed") + self._handled("late")
        before = self.ended()
        with Watch() as watch:
            began, cpu = perf_counter(), process_time()
            for outgoing in encoded:
                send(self._producer, outgoing)
            while self.ended() - before < len(calls):
                sleep(LOOK_EVERY_S)
            seconds, cpu = perf_counter() - began, process_time() - cpu
        failed = int(self._handled("failed") + self._handled("late") - lost)
        return self._run(calls, seconds, cpu, watch, failed)

    def _run(self, calls: Sequence[Call], seconds: float, cpu: float, watch: Watch, failed: int) -> Run:
        ids = {call.event.body.generation_id for call in calls}
        tokens = sum(
            each.body.usage.completion_tokens
            for each in events_on(self.platform, "conversation.events")
            if isinstance(each.body, ReplyGenerated) and each.body.generation_id in ids
        )
        return Run(len(calls), seconds, tokens, failed, cpu, watch.busy(), watch.energy_j)

    def _handled(self, outcome: str) -> float:
        """Not through the registry, which reads all its metrics for one: that takes from what is measured."""
        counter = self.platform.metrics.handled.labels("inference", "GenerationRequested", outcome)
        return float(counter._value.get())

    def replies(self) -> list[Event[ReplyGenerated]]:
        return [
            each  # type: ignore[misc]  # narrowed by its body
            for each in events_on(self.platform, "conversation.events")
            if isinstance(each.body, ReplyGenerated)
        ]

    def failures(self) -> list[str]:
        return [
            each.body.reason
            for each in events_on(self.platform, "conversation.events")
            if isinstance(each.body, GenerationFailed)
        ]

    def send(self, call: Call) -> None:
        send(self._producer, self.platform.codec.encode(call.event))

    def ended(self) -> int:
        """Requests that have an end by now, of all there were. Raises `RuntimeError` where there will be no more."""
        if not self._thread.is_alive():
            raise RuntimeError("the worker ended")
        return int(self._handled("handled") + self._handled("failed") + self._handled("late"))

    def idle(self) -> None:
        """Wait until nothing is waiting or under way."""
        until = monotonic() + IDLE_WITHIN_S
        while self.worker.intake.under_way() and monotonic() < until:
            sleep(LOOK_EVERY_S)

    def switch(self, tenant: str, old: str, new: str) -> None:
        """As the listener of the live pointers does it; returns when the worker has taken the new version up."""
        move = self.adapters.hold_back(TenantId(tenant), old.partition("@")[2])
        self.run(
            lambda desk: Swaps(desk, self.writer, self.adapters).switch(TenantId(tenant), old, new, move)
        )

    def run(self, work: Callable[[Desk], Coroutine[Any, Any, None]]) -> None:
        """In the worker's event loop, to its end."""
        ended, failures = Flag(), []

        async def wrapped(desk: Desk) -> None:
            try:
                await work(desk)
            except BaseException as error:
                failures.append(error)
            finally:
                ended.set()

        assert self.worker.submit(wrapped)
        if not ended.wait(IDLE_WITHIN_S):
            raise RuntimeError("it did not end")
        if failures:
            raise failures[0]

    # -- the raw engine -----------------------------------------------------------------------------------------------

    def raw(self, calls: Sequence[Call], output_tokens: int) -> Run:
        """All calls at once."""
        return self.raw_of(calls, [output_tokens] * len(calls), at_once=len(calls))

    def raw_of(self, calls: Sequence[Call], output_tokens: Sequence[int], *, at_once: int) -> Run:
        """In static batches of `at_once`, each waiting for the last of the one before."""

        async def write() -> int:
            tokens = 0
            for at in range(0, len(calls), at_once):
                some = zip(calls[at : at + at_once], output_tokens[at : at + at_once], strict=True)
                tokens += sum(await asyncio.gather(*(self.generate(*each) for each in some)))
            return tokens

        return self.raw_by(calls, write)

    def raw_by(self, calls: Sequence[Call], write: Callable[[], Coroutine[Any, Any, int]]) -> Run:
        """As `write` asks the engine, which returns the tokens written; the calls' adapters are loaded before."""
        made: list[Run] = []

        async def work(desk: Desk) -> None:
            await self._load_raw({call.tenant for call in calls})
            with Watch() as watch:
                began, cpu = perf_counter(), process_time()
                tokens = await write()
                seconds, cpu = perf_counter() - began, process_time() - cpu
            made.append(Run(len(calls), seconds, tokens, 0, cpu, watch.busy(), watch.energy_j))

        self.run(work)
        return made[0]

    async def _load_raw(self, tenants: set[str]) -> None:
        from vllm.lora.request import LoRARequest

        for tenant in sorted(tenants & self.shelf.live.keys() - self._raw_names.keys()):
            files = self.shelf.files(f"{tenant}@{self.shelf.live[tenant]}")
            request = LoRARequest(f"raw-{tenant}", next(self._raw_numbers), str(files.folder))
            await self.vllm.add_lora(request)
            self._raw_names[tenant] = request

    def forget_raw(self) -> None:
        """Take the raw side's adapters out of the engine."""

        async def work(desk: Desk) -> None:
            for request in self._raw_names.values():
                await self.vllm.remove_lora(request.lora_int_id)
            self._raw_names.clear()

        self.run(work)

    async def add_raw(self, tenant: str) -> None:
        """Give an adapter that the raw side has loaded before a slot."""
        await self.vllm.add_lora(self._raw_names[tenant])

    async def generate(self, call: Call, output_tokens: int) -> int:
        """As vLLM's documentation shows it, with deltas."""
        return len(await self.tokens(call, call.prompt_token_ids, output_tokens))

    async def tokens(self, call: Call, prompt: Sequence[int], output_tokens: int) -> list[int]:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        parameters = SamplingParams(
            max_tokens=output_tokens, temperature=0.0, output_kind=RequestOutputKind.DELTA
        )
        tokens: list[int] = []
        async for output in self.vllm.generate(
            {"prompt_token_ids": list(prompt)},
            parameters,
            request_id=f"raw-{uuid4()}",
            lora_request=self._raw_names.get(call.tenant),
        ):
            tokens.extend(output.outputs[0].token_ids)
        return tokens

    @property
    def vllm(self) -> Any:
        return self.engine._life()._vllm
