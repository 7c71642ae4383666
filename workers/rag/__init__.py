"""The RAG worker, an effector: passages of the tenant's own articles for a question, by the retriever port."""

from collections.abc import Sequence
from datetime import datetime

from parley.domain.chunking import chunks_of
from parley.domain.events import follow
from parley.ports.clock import Clock
from parley.ports.models import Query, Retriever
from parley.runtime.effector import FailureReason, Results
from parley.runtime.versions import VersionedContent
from schemas.base import Event, TenantId
from schemas.conversation_events import NothingFound, RetrievalFailed
from schemas.parts import Passage
from schemas.tenant import TenantConfig
from schemas.topics import WORK_ANSWER
from schemas.work import AnswerRequested, GenerationRequested

PASSAGES = 5
"""How many passages an answer is written from."""


class RagEffector:
    """Implements `parley.runtime.effector.Effector`."""

    name = "rag"
    topic = WORK_ANSWER.name
    batch = 32
    calls = 1

    def __init__(self, retriever: Retriever, content: VersionedContent, clock: Clock) -> None:
        self._retriever = retriever
        self._content = content
        self._clock = clock

    def prepare(self) -> None:
        for tenant, version in self._content.current():
            self._index(tenant, version)

    def deadline(self, event: Event[AnswerRequested]) -> datetime:
        return event.body.deadline

    def handle(self, events: Sequence[Event[AnswerRequested]]) -> list[Results]:
        results: dict[str, Results] = {}
        for (tenant, version), group in self._content.by_version(events).items():
            self._index(tenant, version)
            config = self._content.config(tenant, version)
            threshold = config.thresholds.passage
            queries = [query_of(event, config) for event in group]
            for event, passages in zip(group, self._retriever.search(tenant, version, queries), strict=True):
                results[event.envelope.event_id] = [self._found(event, passages, threshold)]
        return [results[event.envelope.event_id] for event in events]

    def failed(self, event: Event[AnswerRequested], reason: FailureReason) -> Results:
        body = RetrievalFailed(generation_id=event.body.generation_id, epoch=event.body.epoch, reason=reason)
        return [follow(event.envelope, body, "failed", self._clock.now())]

    def _index(self, tenant: TenantId, version: str) -> None:
        if not self._retriever.ready(tenant, version):
            _, content = self._content.get(tenant, version)
            self._retriever.sync(tenant, version, chunks_of(content.articles))

    def _found(
        self, event: Event[AnswerRequested], passages: tuple[Passage, ...], threshold: float
    ) -> Event[GenerationRequested] | Event[NothingFound]:
        good = tuple(passage for passage in passages if passage.score >= threshold)
        at = self._clock.now()
        asked = event.body
        if not good:
            best = passages[0].score if passages else None
            nothing = NothingFound(generation_id=asked.generation_id, epoch=asked.epoch, best_score=best)
            return follow(event.envelope, nothing, 0, at)
        fields = {name: getattr(asked, name) for name in type(asked).model_fields}
        return follow(event.envelope, GenerationRequested(**fields, passages=good), 0, at)


def query_of(event: Event[AnswerRequested], config: TenantConfig) -> Query:
    """The question as it was asked, with its intent's title as the topic, on the day it was asked."""
    return Query(
        text=event.body.question,
        language=event.body.language,
        on=event.envelope.occurred_at.date().isoformat(),
        limit=PASSAGES,
        topic=config.topic(event.body.intent, event.body.language),
    )
