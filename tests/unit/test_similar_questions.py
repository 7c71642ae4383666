"""`parley tenants similar`: what is near is listed once, nearest first, and only what leads elsewhere is a conflict."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from parley.backends import similar_questions
from parley.backends.similar_questions import Question, nearest, pairs, questions_of
from parley.cli.main import app
from parley.cli.run import TENANTS
from tests.support.small_tenant import CONFIG, CONTENT
from tests.support.vectors import HashedWords

LOST = Question("en", "I lost my card", "intent", "card_lost")
MISSING = Question("en", "lost card", "intent", "card_lost")
REPLACE = Question("en", "my card is lost", "intent", "replace")
ARTICLE = Question("en", "lost card", "article", "card-lost")
FEES = Question("en", "fees of the account", "intent", "fees")
ALL = [LOST, MISSING, REPLACE, ARTICLE, FEES]


def vectors_of(questions: list[Question]) -> np.ndarray:
    return HashedWords().encode([each.text for each in questions])


def test_a_version_knows_its_examples_and_what_articles_are_asked_as_each_once() -> None:
    found = questions_of(CONFIG, CONTENT)
    assert len(found) == len({*found})
    assert LOST in found
    assert Question("zh", "我的卡丢了", "intent", "card_lost") in found
    assert Question("en", "Account fees", "article", "fees") in found
    assert Question("en", "card_lost", "intent", "card_lost") in found


def test_the_nearest_come_first_and_no_more_than_asked_for() -> None:
    [wanted] = HashedWords().encode(["lost card"])
    found = nearest(wanted, ALL, vectors_of(ALL), 4)
    assert {each.question for each in found} == {*ALL} - {FEES}
    assert found[0].cosine == pytest.approx(1.0)
    assert nearest(wanted, ALL, vectors_of(ALL), 5)[-1].question == FEES


def test_where_nothing_is_known_nothing_is_near() -> None:
    [wanted] = HashedWords().encode(["lost card"])
    assert nearest(wanted, [], np.zeros((0, 0), np.float32), 5) == []


def test_only_what_leads_elsewhere_is_a_pair() -> None:
    found = pairs(ALL, vectors_of(ALL), 0.9)
    assert {frozenset((pair.first, pair.second)) for pair in found} == {
        frozenset((LOST, REPLACE)),
        frozenset((MISSING, REPLACE)),
    }
    assert pairs(ALL, vectors_of(ALL), 1.1) == []


@given(st.lists(st.tuples(st.sampled_from(("a", "b", "c")), st.sampled_from(("one", "two"))), max_size=9))
def test_in_blocks_the_same_as_each_with_each(made: list[tuple[str, str]]) -> None:
    questions = [Question("en", text, "intent", leads) for text, leads in made]
    vectors = np.array([[text == "a", text == "b", text == "c"] for text, _ in made], np.float32)
    expected = sum(
        one[0] == other[0] and one[1] != other[1] for at, one in enumerate(made) for other in made[at + 1 :]
    )
    blocks, similar_questions.ROWS_AT_ONCE = similar_questions.ROWS_AT_ONCE, 2
    try:
        assert len(pairs(questions, vectors.reshape(len(made), 3), 0.5)) == expected
    finally:
        similar_questions.ROWS_AT_ONCE = blocks


def test_the_reference_tenants_have_no_question_that_leads_to_two_intents() -> None:
    for folder in sorted(TENANTS.iterdir()):
        run = CliRunner().invoke(
            app, ["tenants", "similar", str(folder), "--least", "0.95", "--most", "1000", "--json"]
        )
        assert run.exit_code == 0, run.output
        intents = [pair for pair in json.loads(run.stdout) if pair["first"]["kind"] == "intent"]
        assert intents == [], folder.name


def test_what_a_text_is_near_to_is_told_with_where_it_leads() -> None:
    run = CliRunner().invoke(
        app, ["tenants", "similar", str(TENANTS / "bank"), "卡丢了怎么办", "--most", "3", "--json"]
    )
    found = json.loads(run.stdout)
    assert len(found) == 3
    assert {each["language"] for each in found} == {"zh"}
    assert found[0]["leads_to"] == "card_lost"
    assert [each["cosine"] for each in found] == sorted((each["cosine"] for each in found), reverse=True)


def test_a_folder_that_is_no_tenant_is_told(tmp_path: Path) -> None:
    run = CliRunner().invoke(app, ["tenants", "similar", str(tmp_path)])
    assert run.exit_code != 0
