"""`parley eval answers`: the questions' files, and what is printed."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parley.backends import question_files
from parley.backends.tenant_folder import load
from parley.cli.main import app
from parley.cli.run import TENANTS
from parley.errors import ConfigurationError, TenantInvalid

MOBILE = TENANTS / "mobile"
HEAD = "language: en\nasked_on: 2026-12-01\ndeclined_says: colleague\nquestions:\n"


def problems(tmp_path: Path, text: str, name: str = "en.yaml") -> str:
    (tmp_path / "questions").mkdir()
    (tmp_path / "questions" / name).write_text(text)
    with pytest.raises(TenantInvalid) as refused:
        question_files.load(tmp_path, load(MOBILE).content.articles, ("en",))
    return str(refused.value)


@pytest.mark.parametrize(
    ("questions", "problem"),
    [
        (
            "- text: x\n  articles: [nowhere]\n",
            "questions/en.yaml:6: questions.0.articles: nowhere: no article",
        ),
        ("- text: x\n", "en.yaml:5: questions.0: articles"),
        ("- text: x\n  articles: [plans]\n  says: ['(']\n", "en.yaml:7: questions.0.says.0: not a regular"),
        ("- text: x\n  expect: help\n", "en.yaml:6: questions.0.expect: Input should be"),
        (2 * "- text: x\n  articles: [plans]\n", "en.yaml:7: questions.1.text: asked above already"),
        ("- text: [\n", "en.yaml:6:"),
    ],
)
def test_a_wrong_question_is_told_with_file_line_and_field(
    tmp_path: Path, questions: str, problem: str
) -> None:
    assert problem in problems(tmp_path, HEAD + questions)


def test_a_file_is_called_after_its_language(tmp_path: Path) -> None:
    text = HEAD + "- text: x\n  articles: [plans]\n"
    assert "zh.yaml:1: language: the file is called zh.yaml" in problems(tmp_path, text, "zh.yaml")


def test_a_folder_without_questions_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"no file with questions in fr\.yaml"):
        question_files.load(MOBILE, load(MOBILE).content.articles, ("fr",))


@pytest.mark.parametrize(
    "folder", sorted(TENANTS.glob("*/questions")), ids=lambda path: str(path.parent.name)
)
def test_what_an_answer_must_say_stands_in_an_article_that_answers(folder: Path) -> None:
    found = load(folder.parent)
    texts = {(article.id, article.language): article.text for article in found.content.articles}
    for file in question_files.load(folder.parent, found.content.articles, found.config.languages):
        for question in file.questions:
            whole = "\n".join(texts[name, file.language] for name in question.articles)
            assert all(re.search(each, whole) for each in question.says), question.text


def test_the_questions_of_a_tenant_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path))
    ran = CliRunner().invoke(app, ["eval", "answers", "-t", "mobile", "--language", "zh", "--json"])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout.splitlines()[-1])
    assert {each["split"] for each in found["reports"]} == {"tune", "test"}
    assert sum(each["questions"] for each in found["reports"]) == len(found["questions"]) == 10
    assert sum(each["verdict"] == "right" for each in found["questions"]) >= 8


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["-t", "nobody"], "--tenant: nobody is no folder"),
        (["-t", "mobile", "--language", "fr"], "is not spoken"),
    ],
)
def test_an_option_that_cannot_work_is_told(options: list[str], problem: str) -> None:
    ran = CliRunner().invoke(app, ["eval", "answers", *options])
    assert isinstance(ran.exception, ConfigurationError) and problem in str(ran.exception)


def test_without_retrieval_nothing_that_articles_answer_is_answered() -> None:
    run = CliRunner().invoke(
        app, ["eval", "answers", "-t", "mobile", "--language", "en", "--no-retrieval", "--json"]
    )
    assert run.exit_code == 0, run.output
    reports = json.loads(run.stdout)["reports"]
    assert sum(each["answerable"] for each in reports) > 0
    assert sum(each["sourced"] + each["answered"] for each in reports) == 0
    assert sum(each["refusals"] for each in reports) == sum(each["declinable"] for each in reports)
