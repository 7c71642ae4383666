"""Which candidates are read, and what reading does to their order."""

from hypothesis import given
from hypothesis import strategies as st

from parley.domain.ranking import Ranked
from parley.domain.reranking import CLOSE, READ_MOST, reordered, to_read
from schemas.parts import Passage


def ranked(*scores: float) -> list[Ranked]:
    """Each of an article of its own."""
    return [Ranked(score, _passage(f"c{at}", f"a{at}")) for at, score in enumerate(scores)]


def _passage(chunk_id: str, article_id: str) -> Passage:
    return Passage(
        chunk_id=chunk_id, article_id=article_id, title="t", url="/a", language="en", text="text", score=1.0
    )


def test_only_what_is_close_to_the_best_is_read() -> None:
    assert [each.score for each in to_read(ranked(1.0, 0.95, 1.0 - CLOSE, 0.2))] == [1.0, 0.95]


def test_a_best_one_that_stands_alone_is_not_read() -> None:
    assert not to_read(ranked(1.0, 0.5))
    assert not to_read(ranked(1.0))
    assert not to_read([])


def test_one_passage_of_an_article_is_read_and_all_of_it_move() -> None:
    first, second, other = (_passage("c0", "one"), _passage("c1", "one"), _passage("c2", "other"))
    before = [Ranked(1.0, first), Ranked(0.99, second), Ranked(0.95, other)]
    read = to_read(before)
    assert [each.passage.chunk_id for each in read] == ["c0", "c2"]
    after = reordered(before, read, [-5.0, 5.0])
    assert [each.passage.chunk_id for each in after] == ["c2", "c0", "c1"]
    assert after[1].score - after[2].score == before[0].score - before[1].score


def test_an_article_that_stands_alone_is_not_read() -> None:
    assert not to_read([Ranked(1.0, _passage("c0", "one")), Ranked(0.99, _passage("c1", "one"))])


def test_no_more_are_read_than_there_is_time_for() -> None:
    assert len(to_read(ranked(*[1.0] * 50))) == READ_MOST


def test_what_answers_better_comes_first_and_the_unread_stay() -> None:
    before = ranked(1.0, 0.95, 0.5)
    found = reordered(before, to_read(before), [-5.0, 5.0])
    assert [each.passage.chunk_id for each in found] == ["c1", "c0", "c2"]
    assert found[2].score == 0.5


@given(st.lists(st.tuples(st.floats(0, 2), st.floats(-12, 12)), min_size=2, max_size=8))
def test_nothing_is_lost_and_scores_fall(pairs: list[tuple[float, float]]) -> None:
    before = ranked(*sorted((score for score, _ in pairs), reverse=True))
    after = reordered(before, before, [read for _, read in pairs])
    assert sorted(each.passage.chunk_id for each in after) == sorted(each.passage.chunk_id for each in before)
    assert [each.score for each in after] == sorted((each.score for each in after), reverse=True)
