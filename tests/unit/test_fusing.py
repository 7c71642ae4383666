"""Two rankings made into one."""

import pytest

from parley.domain.fusing import LEXICAL_SHARE, Scored, fuse


def order(*candidates: Scored, nearest: int = 40, limit: int = 10) -> list[str]:
    return [each.scored.chunk_id for each in fuse(candidates, nearest, limit)]


def test_what_both_rank_high_comes_first() -> None:
    words, both, meaning = Scored("words", 9.0, 0.1), Scored("both", 8.0, 0.8), Scored("meaning", 0.0, 0.9)
    assert order(words, both, meaning) == ["both", "meaning", "words"]


def test_the_best_by_both_scores_1() -> None:
    [first, second] = fuse([Scored("a", 4.0, 0.5), Scored("b", 2.0, 0.25)], 40, 10)
    assert (first.score, second.score) == (1.0, 0.5)


def test_without_vectors_words_decide() -> None:
    [first, second] = fuse([Scored("a", 1.0, None), Scored("b", 3.0, None)], 40, 10)
    assert first.scored.chunk_id == "b" and first.score == LEXICAL_SHARE
    assert second.score == pytest.approx(LEXICAL_SHARE / 3, abs=1e-6)


def test_what_nothing_speaks_for_is_left_out() -> None:
    assert order(Scored("a", 0.0, None), Scored("b", 0.0, -0.3), Scored("c", 0.0, 0.0)) == []


def test_only_the_nearest_by_either_count() -> None:
    candidates = [Scored(f"w{n}", 10.0 - n, 0.1) for n in range(5)] + [
        Scored(f"m{n}", 0.1, 0.9) for n in range(5)
    ]
    assert set(order(*candidates, nearest=2)) == {"w0", "w1", "m0", "m1"}


def test_equals_go_by_id_whatever_their_order() -> None:
    candidates = [Scored(name, 1.0, 0.5) for name in "cab"]
    assert order(*candidates) == order(*reversed(candidates)) == ["a", "b", "c"]


def test_no_more_than_the_limit() -> None:
    assert order(*(Scored(str(n), 1.0 + n, None) for n in range(9)), limit=3) == ["8", "7", "6"]
