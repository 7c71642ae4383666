"""One generation on its way through the worker: what it was asked with, and what has become of it so far."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from parley.domain.guard import Guard
from parley.domain.scheduling import Waiting
from parley.ports.models import Completion, Prompt
from parley.runtime.handling import Ended, Item
from schemas.base import Event, TenantId
from schemas.tenant import TenantConfig
from schemas.work import GenerationRequested
from workers.inference import results
from workers.inference.streaming import Collected, Stream
from workers.inference.writing import Assignment, Draft

PRIORITY = {"reply": 0, "draft": 1, "shadow": 2}
"""A customer waits, then a human agent does, then nobody."""

CHARS_PER_TOKEN = 3.0
"""For estimates before anything is tokenised; English has about four, Chinese below two."""

Stopped = Literal["cancelled", "deadline", "closing", "suspended"]


@dataclass(slots=True)
class Attempt:
    """One text for one request, from its first token to its last, however often it is suspended in between."""

    id: str
    #: Who writes it: a text is not gone on with by another.
    adapter: str | None
    stream: Stream
    collected: Collected
    draft: Draft = field(default_factory=Draft)
    #: How often it was suspended, since when it is, and for how long it was in all since its first text.
    suspensions: int = 0
    paused: float | None = None
    paused_s: float = 0.0
    #: Told of, by whoever writes; a server need not tell which.
    tokens: int = 0


@dataclass(slots=True)
class Job:
    """Belongs to the event loop once it was handed over; the fields above `tries` never change."""

    item: Item
    event: Event[GenerationRequested]
    config: TenantConfig
    prompt: Prompt
    guard: Guard
    #: When it was handed over, by the monotonic clock.
    arrived: float
    #: When it has to be over, by the monotonic clock.
    deadline: float
    #: The adapter that writes it, by its name `tenant@digest`; None is the base model.
    adapter: str | None = None
    #: How often writing it failed, and how often because the engine died.
    tries: int = 0
    deaths: int = 0
    running: bool = False
    attempt: Attempt | None = None
    #: Its partition is another worker's since it was begun.
    given_up: bool = False
    #: Why the engine was told to end it.
    stopped: Stopped | None = None
    began: float = 0.0
    #: Of this visit to whoever writes.
    request_id: str = ""
    new_tokens: int = 0
    #: The same request at other offsets: it was published twice, and what becomes of this one counts for them too.
    repeats: list[Item] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.event.envelope.event_id

    @property
    def tenant(self) -> TenantId:
        return self.event.envelope.tenant

    @property
    def written(self) -> int:
        """Tokens that there are of its text."""
        return len(self.attempt.draft.token_ids) if self.attempt is not None else 0

    def visit(self, attempt: Attempt) -> None:
        """It is handed to whoever writes. An engine must not see a `request_id` twice, though the same request may come back as another job."""
        self.attempt = attempt
        self.running = True
        self.request_id = f"{attempt.id}:{attempt.suspensions}"
        self.new_tokens = 0

    def ended(self, attempt: Attempt, completion: Completion | None, now: datetime) -> Ended:
        """With all that follows from its text; None: the passages do not answer."""
        if completion is None:
            return Ended(self.item, results.nothing_found(self.event, now))
        attempt.stream.finish()
        return Ended(self.item, results.generated(self.event, completion, attempt.id, self.guard, now))

    def assignment(self) -> Assignment:
        """As whoever writes sees it."""
        assert self.attempt is not None  # who writes is told what there is
        return Assignment(
            self.request_id,
            self.tenant,
            self.prompt,
            self.adapter,
            PRIORITY[self.event.body.purpose],
            self.attempt.draft,
        )

    def waiting(self) -> Waiting:
        """As the scheduler sees it: what is left of it."""
        prompt = self.prompt
        chars = len(prompt.system) + len(prompt.question)
        chars += sum(len(turn.text) for turn in prompt.history)
        chars += sum(len(passage.text) for passage in prompt.passages)
        return Waiting(
            id=self.id,
            tenant=self.tenant,
            adapter=self.adapter,
            priority=PRIORITY[self.event.body.purpose],
            arrived=self.arrived,
            deadline=self.deadline,
            prompt_tokens=0 if self.written else int(chars / CHARS_PER_TOKEN),
            max_tokens=prompt.max_tokens - self.written,
            suspensions=self.attempt.suspensions if self.attempt is not None else 0,
        )
