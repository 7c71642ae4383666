"""From a question to passages: what is encoded, and what is read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy import float32
from numpy.typing import NDArray

from parley.backends.hybrid import HybridRetriever
from parley.backends.sqlite_index import SqliteIndex
from parley.domain.ranking import Ranked
from parley.ports.models import Query
from schemas.parts import Passage
from tests.support.vectors import HashedWords, vectors_by
from workers.rag.lookup import Lookup, in_one


class LongestFirst:
    """Finds that the longest passage answers; remembers what it was asked."""

    def __init__(self) -> None:
        self.read: list[tuple[str, tuple[str, ...]]] = []

    def score(self, question: str, passages: Sequence[str]) -> NDArray[float32]:
        self.read.append((question, tuple(passages)))
        return np.array([len(each) for each in passages], dtype=float32)


def query(language: str = "en", history: tuple[str, ...] = ()) -> Query:
    return Query("and for students?", language, "2026-11-24", history=history)


def ranked(*texts: str) -> list[Ranked]:
    return [
        Ranked(
            1.0,
            Passage(chunk_id=text, article_id=text, title="t", url="/a", language="en", text=text, score=1.0),
        )
        for text in texts
    ]


@pytest.fixture
def reader() -> LongestFirst:
    return LongestFirst()


@pytest.fixture
def retriever(tmp_path: Path) -> HybridRetriever:
    """Empty; nothing here searches."""
    return HybridRetriever(SqliteIndex(tmp_path))


def test_what_is_close_is_read_with_the_history_newest_first(
    retriever: HybridRetriever, reader: LongestFirst
) -> None:
    found = Lookup(retriever, vectors_by(HashedWords()), lambda: reader).read(
        query(history=("first", "second")), ranked("short", "a longer one")
    )
    assert [each.passage.chunk_id for each in found] == ["a longer one", "short"]
    assert reader.read == [("and for students? [SEP] second [SEP] first", ("t. short", "t. a longer one"))]


def test_what_the_reranker_was_not_trained_for_is_not_read(
    retriever: HybridRetriever, reader: LongestFirst
) -> None:
    before = ranked("short", "a longer one")
    assert Lookup(retriever, vectors_by(HashedWords()), lambda: reader).read(query("zh"), before) == before
    assert not reader.read


def test_without_a_reranker_the_order_stays(retriever: HybridRetriever) -> None:
    before = ranked("short", "a longer one")
    plain = Lookup(retriever, vectors_by(HashedWords()))
    assert plain.read(query(), before) == before


def test_only_the_last_turns_are_encoded() -> None:
    turns = tuple(f"turn {at}" for at in range(9))
    assert (
        in_one(query(history=turns))
        == "and for students? [SEP] turn 8 [SEP] turn 7 [SEP] turn 6 [SEP] turn 5"
    )
