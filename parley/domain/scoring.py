"""How good answers are: what became of each question against what was expected, and the sums over many.

Questions fall by the hash of their text into `tune`, on which rules and weights may be chosen, and `test`, on which they are only
measured.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from schemas.questions import Question

Split = Literal["tune", "test"]
Outcome = Literal["answered", "declined", "said", "handed_over"]
"""`said` is a fixed text that the message's intent has; `declined` also an answer that the guard stopped."""

Verdict = Literal[
    "right",
    "answered",
    "wrong_article",
    "says_missing",
    "declined",
    "said",
    "handed_over",
    "no_offer",
]
"""`right`, or what is wrong: an article not among the sources, a text not in the answer, no human offered in a refusal, or else
the outcome where another was expected.
"""


@dataclass(frozen=True, slots=True)
class Given:
    """What became of a question: the articles cited and the text that the customer would read."""

    outcome: Outcome
    text: str = ""
    articles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Counts. `sourced` have a right article among their sources, `answered` are right answers too.

    `refusals` of `declinable` questions are right, and `others` of `other` questions, which are to be handed over or met with a
    fixed text.
    """

    questions: int
    answerable: int
    sourced: int
    answered: int
    declinable: int
    refusals: int
    other: int
    others: int


def split_of(text: str) -> Split:
    return "tune" if hashlib.sha256(text.encode()).digest()[0] % 2 == 0 else "test"


def judge(question: Question, given: Given, declined_says: str) -> Verdict:
    """A refusal may be the tenant's fixed text for what it does not do: what counts is that it offers a human."""
    match question.expect:
        case "answer":
            return _answer(question, given)
        case "unanswered":
            if given.outcome in ("answered", "handed_over"):
                return given.outcome
            return "right" if re.search(declined_says, given.text) else "no_offer"
        case "handoff":
            return "right" if given.outcome == "handed_over" else given.outcome
        case "smalltalk":
            return "right" if given.outcome == "said" else given.outcome


def _answer(question: Question, given: Given) -> Verdict:
    if given.outcome != "answered":
        return given.outcome
    if not set(question.articles) & set(given.articles):
        return "wrong_article"
    return "right" if all(re.search(each, given.text) for each in question.says) else "says_missing"


def report(judged: Sequence[tuple[Question, Verdict]]) -> Report:
    answerable = [verdict for question, verdict in judged if question.expect == "answer"]
    declinable = [verdict for question, verdict in judged if question.expect == "unanswered"]
    other = [verdict for question, verdict in judged if question.expect in ("handoff", "smalltalk")]
    return Report(
        questions=len(judged),
        answerable=len(answerable),
        sourced=sum(verdict in ("right", "says_missing") for verdict in answerable),
        answered=answerable.count("right"),
        declinable=len(declinable),
        refusals=declinable.count("right"),
        other=len(other),
        others=other.count("right"),
    )
