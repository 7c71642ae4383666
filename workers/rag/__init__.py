"""The RAG worker, an effector: passages of the tenant's own articles for a question, found by the retriever port and then ranked.

The retriever finds what may answer, by words and by the vectors made here; which of that does answer, and whether anything does,
`parley.domain.ranking` says, so that scores and the tenant's threshold mean the same whatever the retriever is.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

from parley.domain import following
from parley.domain.chunking import chunks_of
from parley.domain.events import follow
from parley.domain.fusing import Found
from parley.domain.ranking import Ranked, Ranking
from parley.ports.clock import Clock
from parley.ports.models import Query
from parley.runtime.effector import FailureReason
from parley.runtime.handling import Results
from parley.runtime.versions import VersionedContent
from schemas.base import Event, TenantId
from schemas.conversation_events import NothingFound, RetrievalFailed
from schemas.parts import Passage
from schemas.tenant import TenantConfig, TenantContent
from schemas.topics import WORK_ANSWER
from schemas.work import AnswerRequested, GenerationRequested
from workers.rag.lookup import Lookup

PASSAGES = 5
"""How many passages an answer is written from."""

OF_ONE_ARTICLE = 4
"""How many of these are the best of the best article."""

CANDIDATES = 40
"""How many are ranked for that."""

RANKINGS_KEPT = 16
"""Of so many tenant versions, each in all its languages."""


class RagEffector:
    """Implements `parley.runtime.effector.Effector`."""

    name = "rag"
    topic = WORK_ANSWER.name
    batch = 32
    calls = 1

    def __init__(self, lookup: Lookup, content: VersionedContent, clock: Clock) -> None:
        self._lookup = lookup
        self._content = content
        self._clock = clock
        self._rankings: OrderedDict[tuple[str, str], dict[str, Ranking]] = OrderedDict()

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
            queries = [query_of(event, config) for event in group]
            candidates = self._lookup.find(tenant, version, queries)
            for event, query, found in zip(group, queries, candidates, strict=True):
                ranking = self._ranking(tenant, version, event.body.language)
                threshold = config.thresholds.passage
                ranked = self._lookup.read(query, ranked_for(event.body, ranking, found, threshold))
                nearest = ranking.nearest(ranked, event.body.intent) if event.body.purpose == "draft" else ()
                results[event.envelope.event_id] = [self._found(event, ranked, threshold, nearest)]
        return [results[event.envelope.event_id] for event in events]

    def failed(self, event: Event[AnswerRequested], reason: FailureReason) -> Results:
        body = RetrievalFailed(generation_id=event.body.generation_id, epoch=event.body.epoch, reason=reason)
        return [follow(event.envelope, body, "failed", self._clock.now())]

    def _index(self, tenant: TenantId, version: str) -> None:
        ready = self._lookup.ready(tenant, version)
        if ready and (tenant, version) in self._rankings:
            return
        config, content = self._content.get(tenant, version)
        if not ready:
            self._lookup.sync(tenant, version, chunks_of(content.articles))
        self._rankings[tenant, version] = {
            language: ranking_of(config, content, language) for language in config.languages
        }
        while len(self._rankings) > RANKINGS_KEPT:
            self._rankings.popitem(last=False)

    def _ranking(self, tenant: TenantId, version: str, language: str) -> Ranking:
        """A language that the tenant does not speak has no article, and so nothing to rank."""
        found = self._rankings[tenant, version].get(language)
        return found if found is not None else Ranking((), {}, {})

    def _found(
        self,
        event: Event[AnswerRequested],
        ranked: Sequence[Ranked],
        threshold: float,
        nearest: tuple[Passage, ...],
    ) -> Event[GenerationRequested] | Event[NothingFound]:
        good = chosen([each for each in ranked if each.score >= threshold])
        at = self._clock.now()
        asked = event.body
        if not good:
            best = ranked[0].score if ranked else None
            nothing = NothingFound(
                generation_id=asked.generation_id, epoch=asked.epoch, best_score=best, nearest=nearest
            )
            return follow(event.envelope, nothing, 0, at)
        fields = {name: getattr(asked, name) for name in type(asked).model_fields}
        return follow(event.envelope, GenerationRequested(**fields, passages=good), 0, at)


def query_of(event: Event[AnswerRequested], config: TenantConfig) -> Query:
    """The question as it was asked, with what was said before where it is a follow-up, and its intent's title as the topic, on that day."""
    return Query(
        text=event.body.question,
        language=event.body.language,
        on=event.envelope.occurred_at.date().isoformat(),
        limit=CANDIDATES,
        topic=config.topic(event.body.intent, event.body.language),
        history=_before(event.body).said,
    )


def ranked_for(
    asked: AnswerRequested, ranking: Ranking, found: Sequence[Found], threshold: float
) -> list[Ranked]:
    """With what was said before, where the question is a follow-up; alone where that finds nothing, since it may have changed the subject."""
    ranked = ranking.rank(asked.question, asked.intent, found, _before(asked).asked)
    if ranked and ranked[0].score >= threshold:
        return ranked
    return ranking.rank(asked.question, asked.intent, found)


def _before(asked: AnswerRequested) -> following.Before:
    return following.before(asked.question, asked.history, intent=asked.intent)


def chosen(ranked: Sequence[Ranked]) -> tuple[Passage, ...]:
    """Of the best article the best passages and its beginning, which has the answer in short; then the best of the others."""
    first = [each for each in ranked if each.passage.article_id == ranked[0].passage.article_id]
    others = [each for each in ranked if each.passage.article_id != ranked[0].passage.article_id]
    lead = [each for each in first if not each.passage.path][:1]
    best = [*lead, *(each for each in first[:OF_ONE_ARTICLE] if each not in lead)]
    kept = sorted([*best, *others][:PASSAGES], key=lambda each: (-each.score, each.passage.chunk_id))
    return tuple(each.rescored() for each in kept)


def ranking_of(config: TenantConfig, content: TenantContent, language: str) -> Ranking:
    """By this language's articles and by its examples of all intents that articles answer; and those of hand-offs, for what is nearest to them."""

    def examples(route: str) -> dict[str, tuple[str, ...]]:
        routed = (intent for intent, rule in config.intents.items() if rule.route == route)
        return {intent: content.examples.get(intent, {}).get(language, ()) for intent in routed}

    return Ranking(
        chunks_of(article for article in content.articles if article.language == language),
        examples("answer"),
        {intent: rule.title.get(language, "") for intent, rule in config.intents.items()},
        examples("handoff"),
    )
