"""Searching a version's chunks in memory finds what comparing each chunk by itself finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from parley.backends.chunk_index import ALWAYS, Search
from parley.backends.in_memory import Chunks, Indexed
from parley.domain.lexical import NO_STATISTICS, Fields, Statistics, bm25, counts_of
from tests.support.vectors import HashedWords

WORDS = ("fee", "card", "lost", "rate", "loan", "branch")
TODAY = 2026_11_24
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)


@st.composite
def indexed(draw: st.DrawFn) -> list[Indexed]:
    number = draw(st.integers(0, 12))
    return [
        Indexed(
            chunk_id=f"c{place:02}",
            language=draw(st.sampled_from(("en", "zh"))),
            valid_from=draw(st.sampled_from((0, TODAY, TODAY + 1))),
            valid_until=draw(st.sampled_from((TODAY - 1, TODAY, ALWAYS))),
            fields=Fields(draw(texts), draw(texts), text := draw(texts)),
            vector=HashedWords().encode([text])[0] if draw(st.booleans()) else None,
        )
        for place in range(number)
    ]


def statistics_of(chunks: list[Indexed]) -> dict[str, Statistics]:
    languages = {each.language for each in chunks}
    return {
        language: Statistics.of(each.fields for each in chunks if each.language == language)
        for language in languages
    }


def by_hand(chunks: list[Indexed], search: Search, statistics: dict[str, Statistics]) -> set[str]:
    """Without postings, a matrix or a partition: every chunk scored, sorted, cut."""
    valid = [
        c for c in chunks if c.language == search.language and c.valid_from <= search.on <= c.valid_until
    ]
    by_words, by_meaning = [], []
    for each in valid:
        known = statistics[each.language]
        if score := bm25(search.worth, counts_of(each.fields), known):
            by_words.append((-np.float32(score), each.chunk_id))
        if each.vector is not None and search.vector is not None:
            by_meaning.append((-float(each.vector @ search.vector), each.chunk_id))
    best = (*sorted(by_words)[: search.by_words], *sorted(by_meaning)[: search.by_meaning])
    return {chunk_id for _, chunk_id in best}


@given(indexed(), texts, st.booleans(), st.sampled_from(("en", "zh", "fr")))
def test_the_same_as_each_chunk_by_itself(
    chunks: list[Indexed], asked: str, meant: bool, language: str
) -> None:
    vector = HashedWords().encode([asked])[0] if meant else None
    statistics = statistics_of(chunks)
    terms = dict.fromkeys(asked.split(), 1.0)
    worth = statistics.get(language, NO_STATISTICS).worth(terms)
    search = Search(terms, worth, vector, language, TODAY, by_words=20, by_meaning=20)
    found = Chunks(chunks, statistics).best(search)
    assert len(found) == len({*found})
    assert {*found} == by_hand(chunks, search, statistics)


def of(name: str, text: str, vector: np.ndarray | None = None) -> Indexed:
    return Indexed(name, "en", 0, ALWAYS, Fields("", "", text), vector)


def test_so_many_of_each_the_best_first_and_what_ties_by_its_id() -> None:
    chunks = [of("d", "fee"), of("b", "fee fee"), of("c", "fee"), of("a", "card")]
    search = Search({"fee": 1.0}, {"fee": 1.0}, None, "en", TODAY, by_words=2, by_meaning=2)
    assert Chunks(chunks, statistics_of(chunks)).best(search) == ["b", "c"]


def test_the_nearest_follow_the_best_by_words_each_once() -> None:
    near, far = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
    chunks = [of("a", "fee", far), of("b", "card", near), of("c", "loan")]
    search = Search({"fee": 1.0}, {"fee": 1.0}, near, "en", TODAY, by_words=1, by_meaning=1)
    assert Chunks(chunks, statistics_of(chunks)).best(search) == ["a", "b"]
    assert Chunks(chunks, statistics_of(chunks)).best(search._replace(by_words=5, by_meaning=5)) == ["a", "b"]
