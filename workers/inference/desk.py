"""Everything that happens in the inference worker's event loop: who is next, who is writing, and how each one ends.

The rules of who is next are the scheduler's (`parley.domain.scheduling`), which is pure; here its decisions are carried out.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from functools import partial
from typing import Any

from parley.domain.scheduling import Admit, Load, Refuse, Scheduler, Suspend, Unload
from parley.errors import (
    AdapterRefused,
    ConfigurationError,
    EngineDied,
    GeneratorUnavailable,
    PromptTooLong,
    RequestRefused,
    TransientError,
)
from parley.ports.bus import Record, TopicPartition
from parley.ports.clock import Clock
from parley.ports.models import Completion
from parley.runtime.faults import describe
from parley.runtime.handling import Ended, Results
from workers.inference import results
from workers.inference.borrowing import Borrowers
from workers.inference.engine_life import EngineLife
from workers.inference.jobs import Attempt, Job, Stopped
from workers.inference.metrics import InferenceMetrics
from workers.inference.results import FailureReason, TooLong
from workers.inference.sender import Sender
from workers.inference.streaming import Collected, StreamFactory
from workers.inference.writing import BASE, Unfinished, Writer

log = logging.getLogger(__name__)

RETRY_FIRST_S = 0.2
RETRY_MOST_S = 5.0
LOAD_AGAIN_S = 1.0
DEATHS = 2
"""An engine's death may be a request's fault: what was under way is asked again once, and then given up."""


class Desk:
    """All methods are called in the event loop. `fault` is what must end the worker."""

    def __init__(
        self,
        writer: Writer,
        scheduler: Scheduler,
        sender: Sender,
        streams: StreamFactory,
        clock: Clock,
        metrics: InferenceMetrics,
        new_attempt: Callable[[], str],
        is_cancelled: Callable[[str], bool],
        leave: Callable[[Sequence[Record]], None],
    ) -> None:
        self._writer = writer
        self._scheduler = scheduler
        self._sender = sender
        self._streams = streams
        self._clock = clock
        self._metrics = metrics
        self._new_attempt = new_attempt
        self._is_cancelled = is_cancelled
        self._leave = leave
        self._loop = asyncio.get_running_loop()
        self._jobs: dict[str, Job] = {}
        self._by_generation: dict[str, Job] = {}
        self._borrowers = Borrowers(scheduler, new_attempt, self._plan_pump)
        #: While inside, an adapter has a slot and may decode.
        self.slot = self._borrowers.slot
        self._tasks: set[asyncio.Task[None]] = set()
        self._companions: set[asyncio.Task[None]] = set()
        self._pump_planned = False
        self._wake: asyncio.TimerHandle | None = None
        self._engine = EngineLife(writer, scheduler, metrics, self._spawn, self._plan_pump, self._not_loaded)
        self._closing = False
        self.fault: BaseException | None = None

    # -- from other threads, by call_soon_threadsafe ------------------------------------------------------------------

    def take(self, jobs: Sequence[Job]) -> None:
        """Jobs that wait from now on. One that is here already was delivered again: what becomes of it counts for both."""
        for job in jobs:
            if self._closing:
                self._leave([job.item.record])
            elif (known := self._jobs.get(job.id)) is not None:
                known.repeats.append(job.item)
            else:
                self._jobs[job.id] = job
                self._by_generation[job.event.body.generation_id] = job
                if self._is_cancelled(job.event.body.generation_id):
                    self._fail(job, "cancelled")
                else:
                    self._queue(job)

    def cancel(self, generation_id: str) -> None:
        job = self._by_generation.get(generation_id)
        if job is None:
            return
        if job.running:
            self._stop(job, "cancelled")
        else:
            self._scheduler.cancel(job.id)
            self._fail(job, "cancelled")

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """What waits of these partitions is another worker's now; what is being written is written all the same."""
        for job in [job for job in self._jobs.values() if job.item.record.topic_partition in partitions]:
            job.given_up = True
            if not job.running:
                self._scheduler.cancel(job.id)
                self._forget(job)

    def hand_back(self) -> None:
        """Nothing more is begun: what waits is left to the next owner."""
        self._closing = True
        self._engine.close()
        for job in list(self._jobs.values()):
            if not job.running:
                self._scheduler.cancel(job.id)
                self._hand_back(job)

    async def close(self) -> None:
        """End what is still being written, and leave it to the next owner."""
        self.hand_back()
        if self._wake is not None:
            self._wake.cancel()
        for companion in self._companions:
            companion.cancel()
        for job in list(self._jobs.values()):
            self._stop(job, "closing")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)

    # -- for the adapters' keeper -----------------------------------------------------------------------------------------

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Let it run until it ends or the desk closes."""
        if self._closing:
            work.close()
        else:
            self._companions.add(task := self._loop.create_task(work))
            task.add_done_callback(self._companions.discard)
            task.add_done_callback(self._ended_task)

    def residents(self) -> Collection[str]:
        """The adapters that have a slot."""
        return self._scheduler.residents.keys()

    def retire(self, name: str) -> None:
        """Not wanted any more: what is being written with it is finished, what waits for it goes to what stands in."""
        for job_id in self._scheduler.withdraw(name, self._loop.time()):
            if not self._borrowers.answer(job_id, granted=False):
                self._queue(self._jobs[job_id])
        self._plan_pump()

    # -- who is next --------------------------------------------------------------------------------------------------

    def _plan_pump(self) -> None:
        """Once for all that happens in this round of the loop."""
        if not self._pump_planned:
            self._pump_planned = True
            self._loop.call_soon(self._pump)

    def _pump(self) -> None:
        self._pump_planned = False
        for action in self._scheduler.step(self._loop.time()):
            match action:
                case Admit(id=job_id):
                    self._begin(job_id)
                case Load(adapter=name):
                    self._spawn(self._engine.load(name))
                case Unload(adapter=name):
                    self._spawn(self._engine.unload(name))
                case Suspend(id=job_id):
                    self._suspend(job_id)
                case Refuse(id=job_id, reason=reason):
                    self._refuse(job_id, reason)
        self._metrics.look(self._scheduler, self._loop.time())
        self._plan_wake()

    def _plan_wake(self) -> None:
        """The scheduler may have something to do although nothing happens: a hold ends, a deadline passes."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        at = self._scheduler.wake_at()
        if at is not None and not self._closing:
            self._wake = self._loop.call_at(at, self._plan_pump)

    def _queue(self, job: Job) -> None:
        """To the scheduler, under the adapter that writes it as things are now."""
        try:
            job.adapter = self._who_writes(job)
        except RequestRefused as error:
            log.warning("inference: event %s: %s", job.id, error)
            return self._fail(job, "refused")
        self._scheduler.add(job.waiting(), self._loop.time())
        self._plan_pump()

    def _who_writes(self, job: Job) -> str | None:
        """What was begun is gone on with by the same, as long as that may serve; by another, a text begins anew."""
        if job.attempt is not None:
            begun_by = job.attempt.adapter
            if self._writer.adapter_of(job.tenant, begun_by or BASE, job.config) == begun_by:
                return begun_by
            job.attempt = None
        return self._writer.adapter_of(job.tenant, job.event.body.adapter, job.config)

    def _begin(self, job_id: str) -> None:
        if self._borrowers.answer(job_id, granted=True):
            return
        job = self._jobs[job_id]
        if job.attempt is None:
            job.began = self._loop.time()
            self._metrics.waited(job)
        else:
            self._metrics.resumed(job.attempt, self._loop.time())
        attempt = job.attempt or self._open(job)
        job.visit(attempt)
        self._spawn(self._write(job, attempt))

    def _refuse(self, job_id: str, reason: FailureReason) -> None:
        if not self._borrowers.answer(job_id, granted=False):
            self._fail(self._jobs[job_id], reason)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended_task)
        return task

    def _ended_task(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("inference: %s", describe(error))
            self.fault = self.fault or error

    # -- writing ------------------------------------------------------------------------------------------------------

    def _open(self, job: Job) -> Attempt:
        number = self._new_attempt()
        stream = self._streams.open(job.event, number, job.guard)
        collected = Collected(
            lambda text: self._sender.post(lambda: stream.write(text)),
            self._loop.time,
        )
        return Attempt(number, job.adapter, stream, collected)

    async def _write(self, job: Job, attempt: Attempt) -> None:
        life = self._engine.number
        deadline = self._loop.call_at(job.deadline, self._stop, job, "deadline")
        try:
            completion = await self._writer.write(
                job.assignment(), attempt.collected.write, lambda tokens: self._produced(job, attempt, tokens)
            )
        except Exception as error:
            self._broke(job, error, life)
        else:
            attempt.collected.flush()
            self._metrics.visited(job)
            self._written(job, completion, attempt)
        finally:
            deadline.cancel()
            self._plan_pump()

    def _produced(self, job: Job, attempt: Attempt, tokens: int) -> None:
        job.new_tokens += tokens
        attempt.tokens += tokens
        self._scheduler.produced(job.id, job.new_tokens)

    def _written(self, job: Job, completion: Completion | Unfinished | None, attempt: Attempt) -> None:
        """A text that was finished before it could be suspended is finished."""
        if job.stopped == "closing":
            return self._hand_back(job)
        suspended = job.stopped == "suspended"
        if job.stopped is not None and job.stopped != "suspended":
            return self._fail(job, job.stopped)
        job.stopped = None
        if isinstance(completion, Unfinished):
            if not suspended:
                ended_unasked = GeneratorUnavailable("a completion was aborted that nobody here has aborted")
                return self._broke(job, ended_unasked, self._engine.number)
            attempt.suspensions += 1
            attempt.paused = self._loop.time()
            return self._again(job)
        self._metrics.written(job, attempt, self._loop.time())
        self._end(job, lambda: self._metrics.judged(job.ended(attempt, completion, self._clock.now())))

    def _broke(self, job: Job, error: Exception, life: int) -> None:
        """What becomes of a job whose writing raised; the loop goes on in any case."""
        if job.stopped == "closing":
            return self._hand_back(job)
        job.attempt = None  # what there is of it is lost, or of no use to whoever is asked next
        job.tries += 1
        match error:
            case EngineDied():
                self._engine.died(life)
                job.deaths += 1
                if job.deaths < DEATHS:
                    self._again(job)
                else:
                    self._fail(job, "unavailable")
            case GeneratorUnavailable():
                log.warning("inference: tries again: %s", type(error).__name__)
                wait_s = min(RETRY_MOST_S, RETRY_FIRST_S * 2 ** (job.tries - 1))
                left_s = max(0.0, job.deadline - self._loop.time())
                self._loop.call_later(min(wait_s, left_s), self._again, job)
            case PromptTooLong():
                too_long = TooLong(error.prompt_tokens, error.context_tokens)
                self._fail(job, "too_long", too_long)
            case RequestRefused():
                log.warning("inference: event %s was refused: %s", job.id, type(error).__name__)
                self._fail(job, "refused")
            case ConfigurationError():
                self.fault = self.fault or error
                self._hand_back(job)
            case _:
                log.error("inference: event %s failed: %s", job.id, describe(error))
                self._fail(job, "error")

    def _again(self, job: Job) -> None:
        """To the scheduler anew, as one that has waited since it came. Until then it keeps its place: what is away is not asked by everybody."""
        if self._jobs.get(job.id) is not job:
            return
        if job.running:
            self._scheduler.finished(job.id, self._loop.time())
        job.running = False
        if job.given_up and not job.repeats:  # another worker writes it by now
            return self._forget(job)
        if self._closing or job.stopped == "closing":
            return self._hand_back(job)
        if job.stopped is not None and job.stopped != "suspended":
            return self._fail(job, job.stopped)
        job.stopped = None
        self._queue(job)

    def _suspend(self, job_id: str) -> None:
        """Another adapter needs its slot: the text goes on when it is this one's turn again."""
        job = self._jobs.get(job_id)
        if job is not None and job.running:
            self._stop(job, "suspended")

    def _stop(self, job: Job, why: Stopped) -> None:
        """Tell whoever writes to end; the writing itself then comes to its end and says so."""
        if job.stopped not in (None, "suspended"):
            return
        told, job.stopped = job.stopped is not None, why
        self._metrics.aborts.labels(why).inc()
        if not told:
            self._spawn(self._abort(job.request_id))

    async def _abort(self, request_id: str) -> None:
        try:
            await self._writer.abort(request_id)
        except Exception as error:  # it ends by its own, or with the engine
            log.warning("inference: %s was not aborted: %s", request_id, describe(error))

    # -- how a job ends -----------------------------------------------------------------------------------------------

    def _fail(self, job: Job, reason: FailureReason, too_long: TooLong | None = None) -> None:
        self._metrics.failures.labels(reason).inc()

        def ended() -> Ended:
            made: Results = results.failed(job.event, reason, self._clock.now(), too_long)
            return Ended(job.item, made, "late" if reason in ("deadline", "busy") else "failed")

        self._end(job, ended)

    def _end(self, job: Job, ended: Callable[[], Ended]) -> None:
        self._forget(job)
        self._sender.end(job.item, ended)
        for item in job.repeats:
            self._sender.end(item, partial(Ended, item, (), "repeated"))

    def _hand_back(self, job: Job) -> None:
        self._forget(job)
        self._leave([job.item.record, *(item.record for item in job.repeats)])

    def _forget(self, job: Job) -> None:
        if self._jobs.pop(job.id, None) is not None:
            self._by_generation.pop(job.event.body.generation_id, None)
            if job.running:
                self._scheduler.finished(job.id, self._loop.time())

    def _not_loaded(self, job_ids: Sequence[str], error: Exception) -> None:
        """Those who waited for it go to what stands in for it by now; where its files are only away, they try again later."""
        for job_id in job_ids:
            if self._borrowers.answer(job_id, granted=False):
                continue
            if isinstance(error, TransientError):
                self._loop.call_later(LOAD_AGAIN_S, self._again, self._jobs[job_id])
            elif isinstance(error, AdapterRefused):
                self._queue(self._jobs[job_id])
            else:
                self._fail(self._jobs[job_id], "error")
