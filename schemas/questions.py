"""`questions/<language>.yaml` of a tenant's folder: customers' questions and what is right to do with each, to measure answers by.

No part of a version: importing a tenant leaves them out, and changing them changes nothing that customers see.
"""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.base import Contract
from schemas.parts import Language

Expected = Literal["answer", "unanswered", "handoff", "smalltalk"]
"""`unanswered` is to be declined, `smalltalk` to be met with a fixed text."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_compiles)]


class Question(Contract):
    """A question in a customer's own words.

    `articles` are the ids of all articles that answer it, and `says` regular expressions that must all be found in a right
    answer; both for an answer only, which needs an article.
    """

    text: Annotated[str, Field(min_length=1, max_length=500)]
    expect: Expected = "answer"
    articles: tuple[str, ...] = ()
    says: tuple[Pattern, ...] = ()

    @model_validator(mode="after")
    def _answers_have_articles(self) -> Self:
        if self.expect == "answer" and not self.articles:
            raise ValueError("articles: the ids of those that answer it, or another `expect`, are needed")
        if self.expect != "answer" and (self.articles or self.says):
            raise ValueError(f"articles and says are for answers, and `expect` is {self.expect}")
        return self


class QuestionFile(Contract):
    """The questions of one language, asked on a day on which the articles that answer them are valid.

    `declined_says` is a regular expression that is found in every refusal: that it offers a human.
    """

    language: Language
    asked_on: date
    declined_says: Pattern
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
