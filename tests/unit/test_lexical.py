"""BM25 over a chunk's fields."""

import math

import pytest

from parley.domain.lexical import (
    K1,
    NO_STATISTICS,
    TOPIC_WEIGHT,
    B,
    Counts,
    Fields,
    Statistics,
    asked,
    bm25,
    counts_of,
    fields_of,
)
from tests.support.retrievers import chunk

CHUNKS = [
    Fields("lost card", "", "freeze card"),
    Fields("fee", "", "card fee month"),
    Fields("hour", "", "branch"),
]
STATISTICS = Statistics.of(CHUNKS)


def score(term: str, fields: Fields, statistics: Statistics = STATISTICS) -> float:
    return bm25(statistics.worth({term: 1.0}), counts_of(fields), statistics)


def test_the_score_is_the_textbooks() -> None:
    rarity = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))  # two of three chunks have it
    count, length, mean = 3.0 + 1.0, 4, (4 + 4 + 2) / 3  # once in the title, once in the text
    expected = rarity * count * (K1 + 1) / (count + K1 * (1 - B + B * length / mean))
    assert score("card", CHUNKS[0]) == pytest.approx(expected)


def test_titles_count_more_than_texts_and_rare_terms_more_than_common_ones() -> None:
    scores = [score("card", fields) for fields in CHUNKS]
    assert scores[0] > scores[1] > scores[2] == 0.0
    assert score("freeze", CHUNKS[0]) > score("card", CHUNKS[1])


def test_terms_that_nobody_has_count_nothing() -> None:
    assert score("mortgage", CHUNKS[0]) == 0.0
    assert bm25({}, counts_of(CHUNKS[0]), STATISTICS) == 0.0
    assert score("card", CHUNKS[0], NO_STATISTICS) == 0.0


def test_the_topic_adds_to_the_question() -> None:
    assert asked("card card", "bank card").weights == {"card": 1.0 + TOPIC_WEIGHT, "bank": TOPIC_WEIGHT}


def test_the_fields_are_terms_with_what_it_is_asked_as_in_the_title() -> None:
    fields = fields_of(chunk("a", "2 cards for every branch.", title="Plus", asked_as=("two cards",)))
    assert fields.title.split() == ["plus", "2", "card"] and fields.path == ""
    assert fields.text.split()[:2] == ["2", "card"]


def test_terms_are_counted_by_the_weights_of_their_fields() -> None:
    assert counts_of(CHUNKS[0]) == Counts({"lost": 3, "card": 4, "freeze": 1}, 4)
