"""One question through the pieces that answer it, in this process: mask, classifier, routing, retriever, generator, guard.

No bus, no state, no server. For measuring answers (`parley eval`) and for tests; what is decided is what the workers decide,
because their own translations are used.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

from parley.domain import routing
from parley.domain.conversation import Reading, Turn, TurnMessage, question_of
from parley.domain.masking import masker_of
from parley.domain.scoring import Given, Outcome
from parley.errors import EngineDied
from parley.ids import named_id, new_traceparent
from parley.ports.models import Classifier, Completion
from parley.runtime.versions import VersionedContent
from schemas.base import (
    AnyEvent,
    ConversationId,
    CustomerId,
    Envelope,
    Event,
    GenerationId,
    MessageId,
    TenantId,
)
from schemas.conversation_events import MessageUnderstood, NothingFound
from schemas.parts import HistoryTurn, ScoredIntent
from schemas.tenant import TenantConfig
from schemas.work import AnswerRequested, GenerationRequested, UnderstandingRequested
from workers.inference.results import guard_of, prompt_of
from workers.inference.writing import Assignment, Unfinished, Writer, started
from workers.intent import IntentEffector
from workers.rag import RagEffector
from workers.rag.lookup import Lookup

WITHIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question, and why: the intents that were recognised, the best passage's score if one was looked up."""

    given: Given
    intents: tuple[ScoredIntent, ...]
    score: float | None = None


class FixedClock:
    """Implements `parley.ports.clock.Clock`: the day on which the questions are asked, at noon."""

    def __init__(self, on: date) -> None:
        self._now = datetime.combine(on, time(12), UTC)

    def now(self) -> datetime:
        return self._now


class Writes:
    """A writer for those who ask one question after the other. Not thread-safe."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._loop = asyncio.Runner()
        self._loop.run(started(writer))

    def write(self, event: Event[GenerationRequested], config: TenantConfig) -> Completion | None:
        """Raises what the engine raises. None where the passages do not answer."""
        tenant = event.envelope.tenant
        work = Assignment(
            request_id=str(uuid4()),
            tenant=tenant,
            prompt=prompt_of(event, config),
            adapter=self._writer.adapter_of(tenant, event.body.adapter, config),
        )
        written = self._loop.run(self._writer.write(work, lambda text: None, lambda tokens: None))
        if isinstance(written, Unfinished):
            raise EngineDied("the answer was ended before it was complete")
        return written

    def close(self) -> None:
        self._loop.run(self._writer.close())
        self._loop.close()


class Pieces:
    """Answers one tenant version's questions, each as the first of a conversation on the day `on`."""

    def __init__(
        self,
        classifier: Classifier,
        lookup: Lookup,
        writes: "Writes",
        content: VersionedContent,
        tenant: TenantId,
        version: str,
        on: date,
    ) -> None:
        self._clock = FixedClock(on)
        self._intent = IntentEffector(classifier, content, self._clock)
        self._rag = RagEffector(lookup, content, self._clock)
        self._writes = writes
        self._config = content.config(tenant, version)
        self._masker = masker_of(self._config.privacy.patterns)
        self._tenant = tenant
        self._version = version

    def prepare(self) -> None:
        """Fit and index, so that the first question takes no longer than the others."""
        self._intent.prepare()
        self._rag.prepare()

    def ask(self, text: str, before: Sequence[str] = ()) -> Asked:
        """`before` are the customer's own questions before this one, oldest first."""
        question = self._masker.mask(text).text
        history = tuple(HistoryTurn(speaker="customer", text=each) for each in (*before, question))
        understood = self._understand(question)
        plan = routing.plan(self._turn(question, understood), self._config)
        if isinstance(plan, routing.LookUp):
            given, score = self._look_up(plan, understood, history)
            return Asked(given, understood.intents, score)
        outcome: Outcome = "handed_over" if isinstance(plan, routing.HandOff) else "said"
        said = self._said(plan.reply, understood.language) if plan.reply is not None else ""
        return Asked(Given(outcome, said), understood.intents)

    def _turn(self, question: str, understood: MessageUnderstood) -> Turn:
        reading = Reading(
            understood.language, understood.intents, tuple(risk.kind for risk in understood.risks)
        )
        now = self._clock.now()
        message = TurnMessage(understood.message_id, question, reading)
        return Turn((message,), now, now + WITHIN, named_id("eval", "timer"))

    def _said(self, canned_id: str, language: str) -> str:
        return self._config.text(canned_id, language)

    def _understand(self, text: str) -> MessageUnderstood:
        body = UnderstandingRequested(
            message_id=MessageId("m-1"), text=text, epoch=0, deadline=self._clock.now() + WITHIN
        )
        [[result]] = self._intent.handle([Event(self._envelope(body.event_type()), body)])
        assert isinstance(result.body, MessageUnderstood)  # a classifier never refuses
        return result.body

    def _look_up(
        self, plan: routing.LookUp, understood: MessageUnderstood, history: tuple[HistoryTurn, ...]
    ) -> tuple[Given, float | None]:
        declined = Given("declined", self._said("nothing_found", understood.language))
        result = self._retrieve(plan, understood, history)
        if isinstance(result.body, NothingFound):
            return declined, result.body.best_score
        assert isinstance(result.body, GenerationRequested)  # the only other result
        passages = result.body.passages
        asked = Event(result.envelope, result.body)
        completion = self._generate(asked)
        if completion is None or not guard_of(asked, self._config).check(completion.text).passed:
            return declined, passages[0].score
        by_chunk = {passage.chunk_id: passage.article_id for passage in passages}
        cited = tuple(dict.fromkeys(by_chunk[chunk] for chunk in completion.cited if chunk in by_chunk))
        return Given("answered", completion.text, cited), passages[0].score

    def _retrieve(
        self, plan: routing.LookUp, understood: MessageUnderstood, history: tuple[HistoryTurn, ...]
    ) -> AnyEvent:
        body = AnswerRequested(
            generation_id=GenerationId("0" * 32),
            message_ids=(understood.message_id,),
            question=question_of(plan.texts),
            history=history,
            language=understood.language,
            intent=plan.intent,
            epoch=0,
            deadline=self._clock.now() + WITHIN,
        )
        [[result]] = self._rag.handle([Event(self._envelope(body.event_type()), body)])
        return result

    def _generate(self, event: Event[GenerationRequested]) -> Completion | None:
        return self._writes.write(event, self._config)

    def _envelope(self, kind: str) -> Envelope:
        event_id = named_id("eval", kind)
        return Envelope(
            event_id=event_id,
            type=kind,
            tenant=self._tenant,
            tenant_version=self._version,
            customer_id=CustomerId("eval"),
            conversation_id=ConversationId("eval"),
            occurred_at=self._clock.now(),
            traceparent=new_traceparent(event_id),
        )
