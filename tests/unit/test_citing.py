"""Completions as customers get them: without source marks, without what says that there is no answer, however they were cut."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from parley.domain.citing import Answer
from parley.domain.prompting import NO_ANSWER
from parley.domain.stopping import Stopping

WRITTEN = st.lists(
    st.sampled_from(
        [
            "[",
            "]",
            "1",
            "2",
            "12",
            "345",
            " ",
            "\n",
            "a",
            "Fee.",
            "NO",
            "_ANSWER",
            NO_ANSWER,
            "€4.50",
            "[1]",
            " [2]",
            "。",
        ]
    ),
    max_size=14,
).map("".join)
CUTS = st.lists(st.integers(0, 40), max_size=12)


def read(*pieces: str) -> tuple[Answer, list[str]]:
    answer = Answer()
    passed = [text for piece in pieces if (text := answer.take(piece))]
    if rest := answer.finish():
        passed.append(rest)
    return answer, passed


def cut(text: str, at: list[int]) -> list[str]:
    ends = sorted({min(each, len(text)) for each in at} | {0, len(text)})
    return [text[begin:end] for begin, end in pairwise(ends)]


def test_the_text_comes_without_its_source_marks_which_become_citations() -> None:
    answer, passed = read("It costs", " €4.50 ", "[", "1", "]", ". Bye.")
    assert passed == ["It costs", " €4.50", ". Bye."]
    assert (answer.text, answer.marks) == ("It costs €4.50. Bye.", [1])


def test_marks_are_told_in_the_order_of_their_first_use() -> None:
    answer, _ = read("A [3]. B [1][3]. C [12].")
    assert (answer.text, answer.marks) == ("A. B. C.", [3, 1, 12])


@pytest.mark.parametrize("text", ["See [123].", "See [a].", "See [", "See [1"])
def test_what_is_no_mark_stays(text: str) -> None:
    answer, _ = read(*text)
    assert (answer.text, answer.marks) == (text, [])


@pytest.mark.parametrize(
    "pieces", [(NO_ANSWER,), ("NO", "_ANS", "WER"), ("",), (), (" \n",), (f" {NO_ANSWER}. ",)]
)
def test_saying_that_there_is_no_answer_passes_nothing_on(pieces: tuple[str, ...]) -> None:
    answer, passed = read(*pieces)
    assert (answer.text, passed) == ("", [])


@pytest.mark.parametrize("text", ["NORHAVEN is open.", "NO", "NO_ANSWE", f"There is {NO_ANSWER}."])
def test_a_text_that_only_begins_alike_is_an_answer(text: str) -> None:
    answer, passed = read(*text)
    assert answer.text == text == "".join(passed)


def test_spaces_around_an_answer_belong_to_none() -> None:
    answer, passed = read("\n ", "  Yes", ", it  is. ", " [1] ", "\n")
    assert answer.text == "Yes, it  is." == "".join(passed)


@given(WRITTEN, CUTS)
@example("a  [1]", [2, 3])
@example("[[1]1]", [1, 4])
@example(" [2]NO_ANSWER", [4])
def test_pieces_cut_anywhere_give_the_same_text_and_marks(text: str, at: list[int]) -> None:
    whole, _ = read(text)
    answer, passed = read(*cut(text, at))
    assert (answer.text, answer.marks) == (whole.text, whole.marks)
    assert "".join(passed) == answer.text == answer.text.strip()


def stopped(stop: tuple[str, ...], *pieces: str) -> tuple[str, bool]:
    stopping = Stopping(stop)
    text = "".join(map(stopping.take, pieces))
    return text + stopping.finish(), stopping.stopped


@pytest.mark.parametrize(
    ("stop", "text", "left"),
    [
        (("END",), "one END two", "one "),
        (("END",), "one EN", "one EN"),
        (("aab",), "aaab", "a"),
        (("two", "one"), "0 one two", "0 "),
        (("abcd", "c"), "abcd", "ab"),
        ((), "one", "one"),
        (("",), "one", "one"),
    ],
)
def test_a_text_ends_before_its_first_stop_string(stop: tuple[str, ...], text: str, left: str) -> None:
    over = left != text
    assert stopped(stop, text) == (left, over)
    assert stopped(stop, *text) == (left, over)


def test_nothing_is_held_back_where_no_stop_string_can_begin() -> None:
    stopping = Stopping(("\n\n",))
    assert (stopping.take("a "), stopping.take("b\n"), stopping.take("c")) == ("a ", "b", "\nc")


@given(
    st.text("ab", max_size=20), st.lists(st.text("ab", min_size=1, max_size=4), max_size=3).map(tuple), CUTS
)
def test_pieces_cut_anywhere_stop_at_the_same_place(text: str, stop: tuple[str, ...], at: list[int]) -> None:
    left, over = stopped(stop, *cut(text, at))
    assert (left, over) == stopped(stop, *text)
    assert over == any(each in text for each in stop)
    assert text.startswith(left) and not any(each in left for each in stop)
    assert over or left == text
