"""The inference worker: reads ahead of what it has in flight, lets the scheduler say who is next, and keeps whoever writes busy.

Four threads that never wait for each other: one polls, one decodes and prepares, one is the event loop in which generations are under way,
one sends. At least once: a result's id follows from its request, so what a crash repeats loses.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from threading import Event as Flag
from threading import Thread
from time import monotonic
from typing import Any, TypeVar, cast

from parley.codec import Codec
from parley.domain.scheduling import Limits, Scheduler
from parley.errors import ParleyError, TransientError
from parley.metrics import WorkerMetrics
from parley.ports.bus import Bus, TopicPartition
from parley.ports.clock import Clock
from parley.runtime.deadletters import FloodGuard
from parley.runtime.faults import describe
from parley.runtime.forgetting import FORGET_EVERY_S
from parley.runtime.handling import Ended, Handling, Item
from parley.runtime.intake import Intake
from parley.runtime.versions import VersionedContent
from schemas.base import Event
from schemas.topics import INFERENCE_REQUESTS
from schemas.work import GenerationRequested
from workers.inference import results
from workers.inference.cancelling import Cancellations
from workers.inference.desk import Desk
from workers.inference.jobs import Job
from workers.inference.metrics import InferenceMetrics
from workers.inference.reading import ReadAhead, Reading
from workers.inference.sender import Sender
from workers.inference.streaming import StreamFactory
from workers.inference.writing import Capacity, Writer, started

log = logging.getLogger(__name__)

T = TypeVar("T")

POLLED_AT_ONCE = 500
UNDONE_WITHIN_S = 120.0
PREPARED_AT_ONCE = 32
"""Few enough that the first of a flood does not wait for the decoding of the last."""


class InferenceWorker:
    """One `Writer` over the partitions that the group gives this worker.

    `limits` makes the scheduler's limits of what the writer can hold; `read_ahead` is how many requests wait here at most.
    """

    name = "inference"

    def __init__(
        self,
        writer: Writer,
        bus: Bus,
        codec: Codec,
        content: VersionedContent,
        clock: Clock,
        metrics: WorkerMetrics,
        inference_metrics: InferenceMetrics,
        *,
        limits: Callable[[Capacity], Limits],
        read_ahead: int,
        new_attempt: Callable[[], str],
        cancellations: Cancellations | None = None,
        drain_s: float = 10.0,
        forget_every_s: float = FORGET_EVERY_S,
        flood: FloodGuard | None = None,
    ) -> None:
        self._writer = writer
        self._bus = bus
        self._codec = codec
        self._content = content
        self._clock = clock
        self._metrics = metrics
        self._inference_metrics = inference_metrics
        self._limits = limits
        self._new_attempt = new_attempt
        self._cancellations = cancellations or Cancellations()
        self._cancellations.tell(self._cancel)
        self._drain_s = drain_s
        self._forget_every_s = forget_every_s
        self._flood = flood or FloodGuard()
        self._ahead = ReadAhead()
        self._loop = asyncio.new_event_loop()
        self._desk: Desk | None = None
        #: Set once requests can be served.
        self.ready = Flag()
        #: What is to run in the event loop beside everything else, as long as requests are served.
        self.companions: list[Callable[[Desk], Coroutine[Any, Any, None]]] = [lambda desk: self._forget()]
        self._fault: BaseException | None = None
        self.intake = Intake(
            self.name,
            INFERENCE_REQUESTS.name,
            clock,
            metrics,
            take=self._ahead.put,
            drop=self._drop,
            at_once=POLLED_AT_ONCE,
            high=read_ahead,
        )

    def submit(self, work: Callable[[Desk], Coroutine[Any, Any, None]]) -> bool:
        """Let this run beside everything else in the event loop, from any thread; False while nothing is served yet, or no more."""
        desk = self._desk
        if desk is None or self._loop.is_closed():
            return False
        self._loop.call_soon_threadsafe(lambda: desk.beside(work(desk)))
        return True

    def run(self, stop: Flag) -> None:
        """Until `stop`; then finishes what it has begun. Raises `NewerVersion`, `TooManyInvalid`, `UnknownTopic`,
        `ConfigurationError`: somebody has to act.
        """
        loop = Thread(target=self._loop.run_forever, name="inference-loop", daemon=True)
        loop.start()
        try:
            capacity = self._started(stop)
            if capacity is not None:
                self._serve(capacity, stop)
        finally:
            self._await(self._end_all())
            self._loop.call_soon_threadsafe(self._loop.stop)
            loop.join(self._drain_s)
            if not loop.is_alive():
                self._loop.close()
        if self._fault is not None:
            raise self._fault

    def _started(self, stop: Flag) -> Capacity | None:
        """What the writer can hold; None when the worker was told to stop before it was ready."""
        starting = asyncio.run_coroutine_threadsafe(started(self._writer), self._loop)
        while not starting.done():
            if stop.wait(0.05):
                starting.cancel()
                return None
        return starting.result()

    def _serve(self, capacity: Capacity, stop: Flag) -> None:
        producer = self._bus.producer()
        handling = Handling(self.intake, self._codec, producer, self._flood, stop)
        sender = Sender(handling, lambda item: results.failed(_asked(item), "error", self._clock.now()))
        streams = StreamFactory(producer, self._codec, self._clock)
        desk = self._desk = self._await(self._make_desk(capacity, sender, streams))
        for companion in self.companions:
            self.submit(companion)
        self.ready.set()
        preparing = Thread(
            target=self._prepare, args=(handling, sender), name="inference-prepare", daemon=True
        )
        self.intake.open(self._bus)
        sender.start()
        preparing.start()
        try:
            while not stop.is_set() and (self._fault or desk.fault or sender.fault) is None:
                self.intake.step()
            self._loop.call_soon_threadsafe(desk.hand_back)
            self.intake.drain(self._drain_s)
        finally:
            handling.closing.set()
            self._ahead.end()
            self._await(desk.close())
            preparing.join(self._drain_s)
            sender.close(self._drain_s)
            self.intake.close()
            producer.close()
            self._fault = self._fault or desk.fault or sender.fault

    async def _make_desk(self, capacity: Capacity, sender: Sender, streams: StreamFactory) -> Desk:
        return Desk(
            self._writer,
            Scheduler(self._limits(capacity)),
            sender,
            streams,
            self._clock,
            self._inference_metrics,
            self._new_attempt,
            self._cancellations.known,
            self.intake.leave,
        )

    async def _end_all(self) -> None:
        """A start that is given up is undone by whoever began it; that is waited for, or the engine would stay."""
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=UNDONE_WITHIN_S)
        await self._writer.close()

    async def _forget(self) -> None:
        """What an engine keeps of prompts goes as often as every process lets go of texts."""
        while True:
            await asyncio.sleep(self._forget_every_s)
            try:
                await self._writer.forget()
            except ParleyError as error:
                log.warning("inference: prompts were not forgotten: %s", error)

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _cancel(self, generation_id: str) -> None:
        if self._desk is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._desk.cancel, generation_id)

    def _drop(self, partitions: Collection[TopicPartition]) -> None:
        """In the polling thread. What is on its way to the desk hears of it from `_ahead`, before or after the desk does."""
        self._ahead.drop(partitions)
        if self._desk is not None:
            self._loop.call_soon_threadsafe(self._desk.drop, frozenset(partitions))

    # -- the preparing thread -----------------------------------------------------------------------------------------

    def _prepare(self, handling: Handling, sender: Sender) -> None:
        """Until an empty reading says that it is over."""
        while (reading := self._ahead.take()).records:
            for part in reading.parts(PREPARED_AT_ONCE):
                self._prepare_some(part, handling, sender)

    def _prepare_some(self, reading: Reading, handling: Handling, sender: Sender) -> None:
        records = self._ahead.ours(reading)
        if handling.ends() or self._fault is not None:
            return self.intake.leave(records)
        try:
            jobs = [job for item in handling.read(records) if (job := self._job(item, handling, sender))]
        except BaseException as error:
            self.intake.leave(records)
            if not (isinstance(error, TransientError) and handling.ends()):
                self._fault = error
                log.error("inference: the preparing thread failed: %s", describe(error))
        else:
            self._loop.call_soon_threadsafe(self._hand_over, reading, jobs)

    def _hand_over(self, reading: Reading, jobs: Sequence[Job]) -> None:
        """In the event loop, where a drop cannot come between the look and the taking."""
        assert self._desk is not None  # made before anything was read
        self._desk.take([job for job in jobs if self._ahead.is_ours(job.item.record, reading)])

    def _job(self, item: Item, handling: Handling, sender: Sender) -> Job | None:
        """None for a request that cannot even be prepared: it has failed then."""
        event = _asked(item)
        envelope = event.envelope
        configuration = partial(self._content.config, envelope.tenant, envelope.tenant_version)
        try:
            config = handling.insist("configuration", configuration)
            left_s = (event.body.deadline - self._clock.now()).total_seconds()
            now = monotonic()
            return Job(
                item=item,
                event=event,
                config=config,
                prompt=results.prompt_of(event, config),
                guard=results.guard_of(event, config),
                arrived=now,
                deadline=now + left_s,
            )
        except TransientError:
            raise
        except Exception as error:
            log.error("inference: event %s failed: %s", envelope.event_id, describe(error))
            sender.end(item, lambda: Ended(item, results.failed(event, "error", self._clock.now()), "failed"))
            return None


def _asked(item: Item) -> Event[GenerationRequested]:
    """The codec lets no other event of this topic through."""
    return cast("Event[GenerationRequested]", item.event)
