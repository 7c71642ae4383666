"""Pure translations: what a generator is asked of a `GenerationRequested`, and the events that follow from what it wrote."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from parley.domain import following
from parley.domain.events import follow
from parley.domain.guard import Guard, instructions_of
from parley.domain.masking.placeholders import quotable_in
from parley.domain.prompting import RULES
from parley.ports.models import Completion, Prompt
from parley.runtime.handling import Results
from schemas.base import Event
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated
from schemas.tenant import TenantConfig
from schemas.work import GenerationRequested

SEED_BYTES = 4

FailureReason = Literal["busy", "deadline", "cancelled", "unavailable", "refused", "too_long", "error"]
Asked = Event[GenerationRequested]


@dataclass(frozen=True, slots=True)
class TooLong:
    """A prompt that does not fit, with both numbers in tokens."""

    prompt_tokens: int
    context_tokens: int


def failed(event: Asked, reason: FailureReason, at: datetime, too_long: TooLong | None = None) -> Results:
    asked = event.body
    body = GenerationFailed(
        generation_id=asked.generation_id,
        purpose=asked.purpose,
        epoch=asked.epoch,
        reason=reason,
        prompt_tokens=too_long.prompt_tokens if too_long is not None else None,
        context_tokens=too_long.context_tokens if too_long is not None else None,
    )
    return [follow(event.envelope, body, "failed", at)]


def nothing_found(event: Asked, at: datetime) -> Results:
    asked = event.body
    nearest = asked.passages if asked.purpose == "draft" else ()
    body = NothingFound(generation_id=asked.generation_id, epoch=asked.epoch, nearest=nearest)
    return [follow(event.envelope, body, 0, at)]


def generated(event: Asked, completion: Completion, attempt: str, guard: Guard, at: datetime) -> Results:
    asked = event.body
    body = ReplyGenerated(
        generation_id=asked.generation_id,
        purpose=asked.purpose,
        attempt=attempt,
        epoch=asked.epoch,
        text=completion.text,
        cited=completion.cited,
        passages=asked.passages,
        guard=guard.check(completion.text),
        model=completion.model,
        adapter=completion.adapter,
        prompt_hash=completion.prompt_hash,
        seed=seed_of(event),
        usage=completion.usage,
        finish_reason=completion.finish_reason,
    )
    return [follow(event.envelope, body, 0, at)]


def guard_of(event: Asked, config: TenantConfig) -> Guard:
    """For all that is written for this request. A model may have learnt the instructions in any language."""
    names = (*config.name.values(), *config.assistant.name.values())
    told = (*config.prompts.system.values(), *RULES.values())
    return Guard(event.body.passages, quotable_of(event.body, config), instructions_of(told, names))


def quotable_of(asked: GenerationRequested, config: TenantConfig) -> frozenset[str]:
    """The customer's own placeholders, where the way out puts their originals back; elsewhere an answer with one reads strangely."""
    if not config.privacy.vault:
        return frozenset()
    said = (turn.text for turn in asked.history if turn.speaker == "customer")
    return quotable_in((asked.question, *said))


def seed_of(event: Asked) -> int:
    """A sampling seed hashed from the generation's id: the same request is sampled the same way again."""
    return int(event.body.generation_id.replace("-", "")[: 2 * SEED_BYTES], 16)


def prompt_of(event: Asked, config: TenantConfig) -> Prompt:
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
