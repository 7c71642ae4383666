"""The RAG worker and the quoting generator with follow-ups: what was asked before is looked up, ranked and quoted too."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parley.backends.hybrid import HybridRetriever
from parley.backends.memory_store import MemoryStore
from parley.backends.sqlite_index import SqliteIndex
from parley.domain.extraction import extract
from parley.runtime.tenants import TenantConfigs
from parley.runtime.versions import VersionedContent
from schemas.base import Event, GenerationId, MessageId
from schemas.conversation_events import NothingFound
from schemas.parts import HistoryTurn, Language
from schemas.work import AnswerRequested, GenerationRequested
from tests.support.small_tenant import CONFIG, CONTENT
from tests.support.stories import event
from tests.support.vectors import NO_VECTORS
from workers.asking import FixedClock
from workers.inference.results import prompt_of
from workers.rag import RagEffector, query_of
from workers.rag.lookup import Lookup

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
VERSION = "1" * 16


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[RagEffector]:
    store = MemoryStore()
    store.put(VERSION, CONFIG, CONTENT, NOW)
    retriever = HybridRetriever(SqliteIndex(tmp_path))
    content = VersionedContent(store, TenantConfigs(store))
    yield RagEffector(Lookup(retriever, NO_VECTORS), content, FixedClock(NOW.date()))
    retriever.close()


def asked(
    question: str, *before: str, language: Language = "en", intent: str | None = None
) -> Event[AnswerRequested]:
    """As the dialogue worker asks: the question is the last line of the history."""
    body = AnswerRequested(
        generation_id=GenerationId("0" * 32),
        message_ids=(MessageId("m-1"),),
        question=question,
        history=tuple(HistoryTurn(speaker="customer", text=text) for text in (*before, question)),
        language=language,
        intent=intent,
        epoch=0,
        deadline=NOW + timedelta(minutes=1),
    )
    made = event(body, "asked", at=NOW)
    return Event(made.envelope.model_copy(update={"tenant_version": VERSION}), body)


def found(worker: RagEffector, wanted: Event[AnswerRequested]) -> Event[GenerationRequested]:
    [[result]] = worker.handle([wanted])
    assert isinstance(result.body, GenerationRequested)
    return Event(result.envelope, result.body)


def test_a_follow_up_is_looked_up_with_what_was_said_before() -> None:
    query = query_of(asked("and abroad?", "What does the account cost?"), CONFIG)
    assert (query.text, query.history) == ("and abroad?", ("What does the account cost?",))


def test_a_question_that_stands_alone_is_looked_up_alone() -> None:
    query = query_of(asked("Who can freeze a stolen card?", "What does the account cost?"), CONFIG)
    assert query.history == ()


@pytest.mark.parametrize(
    ("language", "before", "question", "article"),
    [
        ("en", "I lost my card", "and what about that?", "card-lost"),
        ("en", "What does the account cost?", "how much is that?", "fees"),
        ("zh", "银行卡丢失了", "那怎么办呢？", "card-lost"),
    ],
)
def test_what_alone_finds_nothing_is_found(
    worker: RagEffector, language: Language, before: str, question: str, article: str
) -> None:
    [[alone]] = worker.handle([asked(question, language=language)])
    assert isinstance(alone.body, NothingFound)
    result = found(worker, asked(question, before, language=language))
    assert result.body.passages[0].article_id == article
    assert result.body.question == question


def test_after_a_change_of_subject_the_question_counts_alone(worker: RagEffector) -> None:
    unrelated = "my grandmother, the neighbours' garden and yesterday's football championship in the rain"
    result = found(worker, asked("stolen card", unrelated))
    assert result.body.passages[0].article_id == "card-lost"


def test_the_quotation_fits_what_was_asked_before(worker: RagEffector) -> None:
    result = found(worker, asked("how much is that?", "What does the account cost?"))
    prompt = prompt_of(result, CONFIG)
    assert prompt.before == ("What does the account cost?",)
    written = extract(prompt.question, prompt.passages, prompt.before)
    assert written is not None and "€4.50" in written.text


def test_a_human_agent_who_is_helped_is_shown_what_is_nearest(worker: RagEffector) -> None:
    """Of the articles that examples of the intent ask for, also of one that is handed off."""
    told = "strangers in another country committed a fraud against my account with a stolen passport"
    wanted = asked(told)
    for purpose, shown in (("reply", []), ("draft", ["fees"])):
        body = wanted.body.model_copy(update={"purpose": purpose, "intent": "fraud"})
        [[result]] = worker.handle([Event(wanted.envelope, body)])
        assert isinstance(result.body, NothingFound)
        assert [each.article_id for each in result.body.nearest] == shown
