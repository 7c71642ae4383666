"""Which passages answer, and how well."""

from datetime import date

from parley.domain.chunking import chunks_of
from parley.domain.ranking import Ranking
from schemas.tenant import Article
from tests.support.passages import found, passages_of

THRESHOLD = 0.45


def article(name: str, title: str, text: str, *asked_as: str) -> Article:
    return Article(
        id=name,
        title=title,
        url=f"/{name}",
        language="en",
        valid_from=date(2026, 1, 1),
        text=text,
        asked_as=asked_as,
    )


ARTICLES = [
    article("lost", "Lost card", "Freeze the card.\n\n## Price\n\nA new one costs €8.", "my purse is gone"),
    article("fees", "Account fees", "The account costs €4 a month."),
    article("hours", "Opening hours", "Branches open at nine."),
    article("loans", "Loans", "Borrow up to €40,000."),
]
EXAMPLES = {
    "fees": ("what does the account cost", "fees please"),
    "hours": ("when do you open", "opening hours"),
}
TITLES = {"fees": "Fees", "hours": "Opening hours", "stolen": "Stolen card"}
RANKING = Ranking(
    chunks_of(ARTICLES), EXAMPLES, TITLES, {"stolen": ("a thief has my card", "somebody took my card")}
)
PASSAGES = passages_of(ARTICLES, score=0.0)


def best(question: str, intent: str | None = None) -> tuple[str, float]:
    first = RANKING.rank(question, intent, found(PASSAGES))[0]
    return first.passage.article_id, first.score


def test_the_article_that_covers_the_question_comes_first() -> None:
    name, score = best("account fee")
    assert name == "fees" and score > THRESHOLD


def test_what_an_article_is_asked_as_finds_it() -> None:
    name, score = best("somebody took my purse, it's gone")
    assert name == "lost" and score > THRESHOLD


def test_the_intent_speaks_for_the_articles_that_its_examples_ask_for() -> None:
    _, without = best("at what hour")
    name, score = best("at what hour", "hours")
    assert name == "hours" and score > without


def test_a_question_about_something_else_scores_low() -> None:
    assert best("which football team opened the season")[1] < THRESHOLD
    assert best("the of and")[1] == 0.0
    assert best("12345")[1] == 0.0


def test_a_passage_of_another_version_is_worth_nothing() -> None:
    strange = PASSAGES[0].model_copy(update={"chunk_id": "en/gone/1", "article_id": "gone"})
    [ranked] = RANKING.rank("lost card", None, found([strange]))
    assert ranked.score == 0.0


def test_without_articles_nothing_is_ranked() -> None:
    assert Ranking((), {}, {}).rank("anything", None, ()) == []


def near(question: str, intent: str | None) -> list[str]:
    ranked = RANKING.rank(question, intent, found(PASSAGES))
    return [passage.article_id for passage in RANKING.nearest(ranked, intent)]


def test_near_is_what_the_examples_of_a_hand_off_ask_for_though_it_does_not_answer() -> None:
    question = "a thief with a knife ran off with my purse and card on a train yesterday evening"
    assert best(question, "stolen")[1] < THRESHOLD
    assert near(question, "stolen") == ["lost"]


def test_near_is_nothing_without_an_intent_or_a_word_of_the_question() -> None:
    assert near("a thief with a knife ran off with my purse and card on a train", None) == []
    assert near("a knife on a train", "stolen") == []
    assert near("a thief with a knife ran off with my purse and card", "hours") == []


def test_examples_of_hand_offs_change_no_score() -> None:
    alone = Ranking(chunks_of(ARTICLES), EXAMPLES, TITLES)
    for question in ("somebody took my card", "account fee", "a thief"):
        assert alone.rank(question, "stolen", found(PASSAGES)) == RANKING.rank(
            question, "stolen", found(PASSAGES)
        )
