"""The rankings that the RAG worker holds: of few versions at a time, and of each one in all its languages."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parley.backends.hybrid import HybridRetriever
from parley.backends.memory_store import MemoryStore
from parley.backends.sqlite_index import SqliteIndex
from parley.runtime.tenants import TenantConfigs
from parley.runtime.versions import VersionedContent
from schemas.base import Event, GenerationId, MessageId
from schemas.parts import Language
from schemas.work import AnswerRequested, GenerationRequested
from tests.support.small_tenant import CONFIG, CONTENT
from tests.support.stories import event
from tests.support.vectors import NO_VECTORS, HashedWords, vectors_by
from workers import rag
from workers.asking import FixedClock
from workers.rag.lookup import Lookup

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
VERSIONS = ("1" * 16, "2" * 16)


def asked(version: str, language: Language, question: str) -> Event[AnswerRequested]:
    body = AnswerRequested(
        generation_id=GenerationId("0" * 32),
        message_ids=(MessageId("m-1"),),
        question=question,
        language=language,
        intent=None,
        epoch=0,
        deadline=NOW + timedelta(minutes=1),
    )
    made = event(body, version, language, at=NOW)
    return Event(made.envelope.model_copy(update={"tenant_version": version}), body)


def test_a_version_that_made_room_for_another_answers_again_in_every_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rag, "RANKINGS_KEPT", 1)
    store = MemoryStore()
    for version in VERSIONS:
        store.put(version, CONFIG, CONTENT, NOW)
    retriever = HybridRetriever(SqliteIndex(tmp_path))
    content = VersionedContent(store, TenantConfigs(store))
    worker = rag.RagEffector(Lookup(retriever, NO_VECTORS), content, FixedClock(NOW.date()))
    questions: tuple[tuple[Language, str], ...] = (("en", "Lost or stolen card"), ("zh", "银行卡丢失或被盗"))
    for version in (*VERSIONS, *VERSIONS):
        for language, question in questions:
            [[result]] = worker.handle([asked(version, language, question)])
            assert isinstance(result.body, GenerationRequested), (version, language)
    retriever.close()


def test_questions_are_looked_up_by_their_vectors_where_their_language_has_some(tmp_path: Path) -> None:
    store = MemoryStore()
    store.put(VERSIONS[0], CONFIG, CONTENT, NOW)
    encoder = HashedWords()
    retriever = HybridRetriever(SqliteIndex(tmp_path))
    content = VersionedContent(store, TenantConfigs(store))
    worker = rag.RagEffector(Lookup(retriever, vectors_by(encoder)), content, FixedClock(NOW.date()))
    worker.prepare()
    assert retriever.ready(CONFIG.id, VERSIONS[0], encoder.name)
    encoder.encoded.clear()

    worker.handle([asked(VERSIONS[0], "en", "Lost or stolen card"), asked(VERSIONS[0], "zh", "银行卡丢失")])
    assert encoder.encoded == ["Lost or stolen card"]
    retriever.close()
