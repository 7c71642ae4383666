"""What operators see of the inference worker. No label holds a text, a conversation or an adapter's content; tenants are labels."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from parley.domain.scheduling import Scheduler
from parley.runtime.handling import Ended
from schemas.conversation_events import ReplyGenerated
from workers.inference.jobs import Attempt, Job

WAIT = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0)
TOKEN = (0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1.0)


class InferenceMetrics:
    """One set a process, in the worker's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        #: Seconds between taking a request in and handing it to the engine.
        self.queue = Histogram(
            "parley_inference_wait_seconds",
            "Seconds a request waited",
            ["tenant"],
            buckets=WAIT,
            registry=registry,
        )
        #: Seconds from handing over to the first text.
        self.first = Histogram(
            "parley_inference_first_text_seconds",
            "Seconds to the first text",
            ["tenant"],
            buckets=WAIT,
            registry=registry,
        )
        #: Seconds a token after the first, mean of each completion.
        self.token = Histogram(
            "parley_inference_token_seconds", "Seconds per token", buckets=TOKEN, registry=registry
        )
        self.tokens = Counter("parley_inference_tokens", "Tokens written", ["tenant"], registry=registry)
        #: By reason: busy, deadline, cancelled, unavailable, refused, too_long, error.
        self.failures = Counter(
            "parley_inference_failures", "Generations without a text", ["reason"], registry=registry
        )
        #: By the guard's reason (`parley.domain.guard`); a text with two of them counts for both.
        self.stopped = Counter(
            "parley_inference_stopped", "Texts that the guard stopped", ["reason"], registry=registry
        )
        #: By reason: cancelled, deadline, closing, suspended.
        self.aborts = Counter(
            "parley_inference_aborts", "Generations the engine was told to end", ["reason"], registry=registry
        )
        #: Seconds for which texts that were begun waited for their slot again.
        self.paused = Histogram(
            "parley_inference_paused_seconds",
            "Seconds a text that was begun waited to go on",
            buckets=WAIT,
            registry=registry,
        )
        self.waiting = Gauge("parley_inference_waiting", "Requests that wait", registry=registry)
        self.oldest = Gauge(
            "parley_inference_oldest_wait_seconds", "Age of the oldest waiting request", registry=registry
        )
        self.in_flight = Gauge("parley_inference_in_flight", "Requests at the engine", registry=registry)
        #: 1 for each adapter that has a slot; its series goes with the slot.
        self.resident = Gauge(
            "parley_inference_adapter_resident_seconds",
            "Seconds an adapter has had its slot",
            ["adapter"],
            registry=registry,
        )
        self.swaps = Histogram(
            "parley_inference_swap_seconds",
            "Seconds to give an adapter a slot",
            buckets=WAIT,
            registry=registry,
        )
        #: By what was found: passed, mismatch, unprobed.
        self.canaries = Counter(
            "parley_inference_canaries", "Probes of adapters", ["outcome"], registry=registry
        )
        self.quarantined = Gauge(
            "parley_inference_adapters_quarantined", "Adapters not served any more", registry=registry
        )
        self.engine_starts = Counter(
            "parley_inference_engine_starts", "Times that the engine was started", registry=registry
        )
        self._residents: set[str] = set()

    def waited(self, job: Job) -> None:
        self.queue.labels(job.tenant).observe(job.began - job.arrived)

    def visited(self, job: Job) -> None:
        """Whoever writes is done with it, for now or for good."""
        self.tokens.labels(job.tenant).inc(job.new_tokens)

    def resumed(self, attempt: Attempt, now: float) -> None:
        if attempt.paused is not None:
            self.paused.observe(now - attempt.paused)
            if attempt.collected.began is not None:
                attempt.paused_s += now - attempt.paused

    def written(self, job: Job, attempt: Attempt, now: float) -> None:
        first = attempt.collected.began
        if first is None:
            return
        self.first.labels(job.tenant).observe(first - job.began)
        if attempt.tokens > 1:
            self.token.observe((now - first - attempt.paused_s) / (attempt.tokens - 1))

    def judged(self, ended: Ended) -> Ended:
        """A text is done, and so is what the guard has to say of it."""
        for event in ended.results:
            if isinstance(event.body, ReplyGenerated):
                for reason in event.body.guard.violations:
                    self.stopped.labels(reason).inc()
        return ended

    def swapped(self, seconds: float) -> None:
        self.swaps.observe(seconds)

    def look(self, scheduler: Scheduler, now: float) -> None:
        """The scheduler's state as it is now."""
        self.waiting.set(scheduler.waiting)
        self.in_flight.set(scheduler.in_flight)
        oldest = scheduler.oldest_arrival
        self.oldest.set(now - oldest if oldest is not None else 0.0)
        residents = scheduler.residents
        for gone in self._residents - residents.keys():
            self.resident.remove(gone)
        for name, since in residents.items():
            self.resident.labels(name).set(now - since)
        self._residents = set(residents)
