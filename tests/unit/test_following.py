"""What belongs to a question of what was said before it."""

import pytest

from parley.domain.following import EARLIER, NOTHING, Before, before, follows, weights
from schemas.parts import HistoryTurn


def said(*lines: str) -> list[HistoryTurn]:
    """Lines of the customer's; those of the bot begin with `>`."""
    return [
        HistoryTurn(speaker="bot" if line.startswith(">") else "customer", text=line.removeprefix(">"))
        for line in lines
    ]


@pytest.mark.parametrize(
    "question",
    [
        "and for students?",
        "What about my son?",
        "Okay, and in London?",
        "on Saturdays too?",
        "how much is it?",
        "How do I undo that?",
        "how much?",
        "why",
        "那学生呢？",
        "好的，那国外呢",
        "它要多少钱",
        "学生呢？",
        "多久？",
    ],
)
def test_what_goes_on_refers_or_says_nothing_follows(question: str) -> None:
    assert follows(question, understood=True)


@pytest.mark.parametrize(
    "question",
    [
        "I lost my card, how do I block it?",
        "opening hours",
        "How much is your account a month?",
        "Android app",
        "银行卡丢了怎么办",
        "网点营业时间",
        "为什么这个账户每个月都要收管理费",
        "在国外刷卡手续费是怎么回事呢是什么呢，什么呢",
    ],
)
def test_what_says_what_it_is_about_stands_alone(question: str) -> None:
    assert not follows(question, understood=True)


@pytest.mark.parametrize(
    ("question", "short"), [("new card", True), ("交税吗", True), ("opening hours on Sunday", False)]
)
def test_what_is_short_and_not_understood_follows(question: str, short: bool) -> None:
    assert follows(question, understood=False) is short


def test_the_question_itself_was_not_said_before() -> None:
    history = said("What does the account cost?", ">€4.50 a month.", "and for students?")
    assert before("and for students?", history, intent="fees") == Before(
        ("What does the account cost?", "€4.50 a month."), ("What does the account cost?",)
    )


def test_all_texts_of_one_question_are_left_out() -> None:
    history = said("What does the account cost?", ">€4.50 a month.", "thanks", "and abroad?")
    assert before("thanks\nand abroad?", history).asked == ("What does the account cost?",)


def test_it_goes_back_to_the_last_message_that_stands_alone() -> None:
    history = said(
        "Where is the branch?", ">Main Street", "What does the account cost?", ">€4.50", "and it abroad?"
    )
    found = before("and for students?", [*history, *said(">2%", "and for students?")])
    assert found.asked == ("What does the account cost?", "and it abroad?")
    assert found.said == ("What does the account cost?", "€4.50", "and it abroad?", "2%")


def test_it_goes_back_four_messages_at_most() -> None:
    history = said("What does the account cost?", *("and that?" for _ in range(6)))
    assert before("and it?", history).asked == ("and that?",) * 4


def test_a_question_that_stands_alone_has_nothing_before_it() -> None:
    assert (
        before("Where can I see my account statements?", said("hello", ">hi"), intent="statements") == NOTHING
    )


def test_the_first_question_has_nothing_before_it() -> None:
    assert before("and for students?", said("and for students?")) == NOTHING
    assert before("and for students?", ()) == NOTHING


def test_terms_count_less_the_longer_ago_they_were_asked() -> None:
    assert weights(("account fee", "fee abroad")) == {
        "fee": EARLIER,
        "abroad": EARLIER,
        "account": EARLIER**2,
    }
