"""Questions that say the same: a tenant's own ones that are near to a text, and those that are near to each other though they lead elsewhere.

Nearness is the cosine of the encoder's vectors, by which intents and passages are found too: what is near here is confused there.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from schemas.tenant import TenantConfig, TenantContent

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

    from parley.ports.models import Vector

Kind = Literal["intent", "article"]
ROUNDING = 1e-5
"""Two texts that are the same may have a cosine of a little less than 1."""
ROWS_AT_ONCE = 512
"""Of the matrix of cosines: with 15,000 questions 30 MB."""


class Question(NamedTuple):
    """A text that customers ask: an intent's title or example, an article's title or a phrase that it is asked as; `leads_to` is that one's id."""

    language: str
    text: str
    kind: Kind
    leads_to: str


class Near(NamedTuple):
    cosine: float
    question: Question


class Pair(NamedTuple):
    """Two questions of one kind and language that lead to different ids."""

    cosine: float
    first: Question
    second: Question


def questions_of(config: TenantConfig, content: TenantContent) -> list[Question]:
    """All that a version knows, each text once for what it leads to."""
    titles = (
        Question(language, text, "intent", intent)
        for intent in content.examples
        for language, text in config.intents[intent].title.items()
    )
    examples = (
        Question(language, text, "intent", intent)
        for intent, by_language in content.examples.items()
        for language, texts in by_language.items()
        for text in texts
    )
    phrases = (
        Question(article.language, text, "article", article.id)
        for article in content.articles
        for text in (article.title, *article.asked_as)
    )
    return list(dict.fromkeys((*titles, *examples, *phrases)))


def nearest(
    wanted: "Vector", questions: Sequence[Question], vectors: "NDArray[float32]", most: int
) -> list[Near]:
    """The nearest first. `vectors` has a row of length 1 for each question."""
    if not questions:
        return []
    cosines = (vectors @ wanted).tolist()
    found = [Near(round(cosine, 4), each) for cosine, each in zip(cosines, questions, strict=True)]
    return sorted(found, key=lambda each: (-each.cosine, each.question))[:most]


def pairs(questions: Sequence[Question], vectors: "NDArray[float32]", least: float) -> list[Pair]:
    """Those with a cosine of at least `least`, the nearest first."""
    found = (
        Pair(round(cosine, 4), *sorted((questions[one], questions[other])))
        for one, other, cosine in _near(vectors, least)
        if _conflict(questions[one], questions[other])
    )
    return sorted(found, key=lambda pair: (-pair.cosine, pair.first, pair.second))


def _near(vectors: "NDArray[float32]", least: float) -> Iterator[tuple[int, int, float]]:
    """Places of rows, the first before the second, with their cosine."""
    import numpy as np

    for start in range(0, len(vectors), ROWS_AT_ONCE):
        cosines = vectors[start : start + ROWS_AT_ONCE] @ vectors[start:].T
        rows, columns = np.nonzero(np.triu(cosines >= least - ROUNDING, k=1))
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            yield start + row, start + column, float(cosines[row, column])


def _conflict(one: Question, other: Question) -> bool:
    alike = (one.kind, one.language) == (other.kind, other.language)
    return alike and one.leads_to != other.leads_to
