"""What is right, and what it sums up to."""

import pytest
from pydantic import ValidationError

from parley.domain.scoring import Given, Verdict, judge, report, split_of
from schemas.questions import Question

FEES = Question(text="what is the fee", articles=("fees", "prices"), says=(r"€4\.50", "month"))
WEATHER = Question(text="will it rain", expect="unanswered")
HUMAN = Question(text="a human please", expect="handoff")
THANKS = Question(text="thanks", expect="smalltalk")
RIGHT = Given("answered", "It costs €4.50 a month.", ("other", "prices"))


@pytest.mark.parametrize(
    ("question", "given", "verdict"),
    [
        (FEES, RIGHT, "right"),
        (FEES, Given("answered", "It costs €4.50 a month.", ("other",)), "wrong_article"),
        (FEES, Given("answered", "It costs €4.50.", ("fees",)), "says_missing"),
        (FEES, Given("declined", "Nothing found."), "declined"),
        (FEES, Given("handed_over"), "handed_over"),
        (WEATHER, Given("declined", "Ask a colleague."), "right"),
        (WEATHER, Given("said", "Not that. A colleague can help."), "right"),
        (WEATHER, Given("said", "Hello!"), "no_offer"),
        (WEATHER, RIGHT, "answered"),
        (HUMAN, Given("handed_over"), "right"),
        (HUMAN, RIGHT, "answered"),
        (THANKS, Given("said", "You are welcome."), "right"),
        (THANKS, Given("declined"), "declined"),
    ],
)
def test_an_outcome_is_judged_by_what_was_expected(
    question: Question, given: Given, verdict: Verdict
) -> None:
    assert judge(question, given, "colleague") == verdict


def test_a_report_counts_each_kind_apart() -> None:
    found = report(
        [(FEES, "right"), (FEES, "says_missing"), (FEES, "declined"), (WEATHER, "right"), (HUMAN, "answered")]
    )
    assert (found.questions, found.answerable, found.sourced, found.answered) == (5, 3, 2, 1)
    assert (found.declinable, found.refusals, found.other, found.others) == (1, 1, 1, 0)


def test_a_question_falls_on_one_side_for_ever() -> None:
    assert {split_of(f"question {number}") for number in range(20)} == {"tune", "test"}
    assert split_of("what is the fee") == split_of("what is the fee")


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x"},
        {"text": "x", "articles": ["a"], "says": ["("]},
        {"text": "x", "expect": "handoff", "articles": ["a"]},
        {"text": "x", "expect": "unanswered", "says": ["a"]},
        {"text": "x", "expect": "nothing"},
    ],
)
def test_a_question_that_nothing_could_answer_right_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Question.model_validate(fields)
