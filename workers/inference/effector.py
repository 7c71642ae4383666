"""`GenerationRequested` to `ReplyGenerated`: prompt, call, guard; the deltas leave on the way."""

from collections.abc import Callable, Sequence
from datetime import datetime

from parley.domain import following, guard
from parley.domain.events import follow
from parley.domain.masking.placeholders import quotable_in
from parley.errors import GeneratorUnavailable
from parley.ports.clock import Clock
from parley.ports.models import Completion, Generator, Prompt
from parley.runtime.effector import Results
from parley.runtime.versions import VersionedContent
from schemas.base import Event
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated
from schemas.parts import GuardReport
from schemas.tenant import TenantConfig
from schemas.topics import INFERENCE_REQUESTS
from schemas.work import GenerationRequested
from workers.inference.cancelling import Cancellations
from workers.inference.streaming import StreamFactory

SEED_BYTES = 4


class InferenceEffector:
    """Implements `parley.runtime.effector.Effector`; one call a generation, many calls at once."""

    name = "inference"
    topic = INFERENCE_REQUESTS.name
    batch = 1

    def __init__(
        self,
        generator: Generator,
        content: VersionedContent,
        streams: StreamFactory,
        cancellations: Cancellations,
        clock: Clock,
        *,
        calls: int,
        new_attempt: Callable[[], str],
    ) -> None:
        self.calls = calls
        self._generator = generator
        self._content = content
        self._streams = streams
        self._cancellations = cancellations
        self._clock = clock
        self._new_attempt = new_attempt

    def prepare(self) -> None:
        """The generator was made ready by whoever made it."""

    def deadline(self, event: Event[GenerationRequested]) -> datetime:
        return event.body.deadline

    def handle(self, events: Sequence[Event[GenerationRequested]]) -> list[Results]:
        return [self._generate(event) for event in events]

    def failed(self, event: Event[GenerationRequested], reason: str) -> Results:
        asked = event.body
        body = GenerationFailed.model_validate(
            {
                "generation_id": asked.generation_id,
                "purpose": asked.purpose,
                "epoch": asked.epoch,
                "reason": reason,
            }
        )
        return [follow(event.envelope, body, "failed", self._clock.now())]

    def _generate(self, event: Event[GenerationRequested]) -> Results:
        asked = event.body
        cancelled = self._cancellations.of(asked.generation_id)
        if cancelled():
            return self.failed(event, "cancelled")
        attempt = self._new_attempt()
        config = self._content.config(event.envelope.tenant, event.envelope.tenant_version)
        quotable = quotable_of(asked, config)
        stream = self._streams.open(event, attempt, quotable)
        left_s = (asked.deadline - self._clock.now()).total_seconds()
        try:
            completion = self._generator.generate(
                prompt_of(event, config),
                on_text=stream.write,
                cancelled=cancelled,
                timeout_s=max(0.1, left_s),
            )
        except TimeoutError as error:
            raise GeneratorUnavailable("the generator ran past its time") from error
        if cancelled():
            return self.failed(event, "cancelled")
        if completion is None:
            nothing = NothingFound(generation_id=asked.generation_id, epoch=asked.epoch)
            return [follow(event.envelope, nothing, 0, self._clock.now())]
        stream.finish()
        report = guard.check(completion.text, asked.passages, quotable)
        return [self._generated(event, completion, attempt, report)]

    def _generated(
        self, event: Event[GenerationRequested], completion: Completion, attempt: str, report: GuardReport
    ) -> Event[ReplyGenerated]:
        asked = event.body
        body = ReplyGenerated(
            generation_id=asked.generation_id,
            purpose=asked.purpose,
            attempt=attempt,
            epoch=asked.epoch,
            text=completion.text,
            cited=completion.cited,
            passages=asked.passages,
            guard=report,
            model=completion.model,
            adapter=completion.adapter,
            prompt_hash=completion.prompt_hash,
            seed=seed_of(event),
            usage=completion.usage,
            finish_reason=completion.finish_reason,
        )
        return follow(event.envelope, body, 0, self._clock.now())


def quotable_of(asked: GenerationRequested, config: TenantConfig) -> frozenset[str]:
    """The customer's own placeholders, where the way out puts their originals back; elsewhere an answer with one reads strangely."""
    if not config.privacy.vault:
        return frozenset()
    said = (turn.text for turn in asked.history if turn.speaker == "customer")
    return quotable_in((asked.question, *said))


def seed_of(event: Event[GenerationRequested]) -> int:
    """A sampling seed hashed from the generation's id: the same request is sampled the same way again."""
    return int(event.body.generation_id.replace("-", "")[: 2 * SEED_BYTES], 16)


def prompt_of(event: Event[GenerationRequested], config: TenantConfig) -> Prompt:
    """What the generator gets, in the language of the conversation; history is given without the question itself."""
    asked = event.body
    system = config.prompts.system
    return Prompt(
        tenant=event.envelope.tenant,
        language=asked.language,
        system=system.get(asked.language)
        or system.get(config.default_language)
        or next(iter(system.values())),
        examples=tuple(
            (shot.question, shot.answer) for shot in config.few_shot if shot.language == asked.language
        ),
        history=asked.history[:-1]
        if asked.history and asked.history[-1].speaker == "customer"
        else asked.history,
        question=asked.question,
        passages=asked.passages,
        max_tokens=config.prompts.max_tokens,
        model=config.model.base,
        adapter=asked.adapter,
        seed=seed_of(event),
        before=following.before(asked.question, asked.history, intent=asked.intent).asked,
    )
