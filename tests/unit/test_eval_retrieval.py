"""`parley eval retrieval`: folders in BEIR's form, the figures, and what is said of a bad folder."""

import gzip
import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from parley.cli import retrieval_scores
from parley.cli.main import app
from parley.cli.retrieval_files import read
from parley.errors import ConfigurationError

DOCUMENTS = (
    {"id": "d1", "title": "Lost card", "text": "Block a lost card in the app at once."},
    {"id": "d2", "title": "Opening hours", "text": "The branch is open from nine to five."},
    {"id": "d3", "title": "", "text": "Students pay nothing for the account."},
)
QUERIES = (
    {"id": "q1", "text": "I lost my card"},
    {
        "id": "q2",
        "text": "and students?",
        "history": [{"role": "user", "text": "what is the price of an account"}],
    },
    {"id": "q3", "text": "nobody judged this"},
)
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td3\t2\nq2\td2\t0\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in DOCUMENTS)
    (tmp_path / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in QUERIES), "utf-8")
    (tmp_path / "qrels.tsv").write_text(QRELS, "utf-8")
    return tmp_path


def test_a_folder_is_read_with_history_and_grades(folder: Path) -> None:
    found = read(folder)
    assert [id_ for id_, _, _ in found.documents] == ["d1", "d2", "d3"]
    assert [(query.id, query.right) for query in found.queries] == [("q1", {"d1": 1}), ("q2", {"d3": 2})]
    assert found.queries[1].history == ("what is the price of an account",)


def test_beirs_own_names_are_read_too(folder: Path) -> None:
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "card"}\n', "utf-8")
    assert read(folder).queries[0].id == "q1"


def test_the_language_is_told_by_the_questions(folder: Path) -> None:
    assert read(folder).language() == "en"
    (folder / "queries.jsonl").write_text('{"id": "q1", "text": "卡丢了"}\n', "utf-8")
    assert read(folder).language() == "zh"


@pytest.mark.parametrize("words", [(), ("--words-only",)])
def test_the_command_prints_one_line(folder: Path, words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["eval", "retrieval", "--dir", str(folder), "--json", *words])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["hit@1"] == figures["recall@10"] == figures["ndcg@10"] == 1.0
    assert figures["queries"] == 2
    assert figures["ms_per_query"] > 0


def test_without_history_a_follow_up_has_less_to_go_by(folder: Path) -> None:
    (folder / "queries.jsonl").write_text(
        json.dumps(
            {"id": "q2", "text": "and for them?", "history": [{"role": "user", "text": "students account"}]}
        ),
        "utf-8",
    )
    hits = []
    for flag in ("--history", "--no-history"):
        arguments = ["eval", "retrieval", "--dir", str(folder), "--json", "--words-only", flag]
        hits.append(json.loads(CliRunner().invoke(app, arguments).stdout)["hit@1"])
    assert hits == [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("queries.jsonl", "{", "queries.jsonl:1: not JSON"),
        ("queries.jsonl", "[]", "queries.jsonl:1: a line must be an object"),
        ("queries.jsonl", '{"id": "q1"}', "queries.jsonl:1: text: missing"),
        ("queries.jsonl", '{"text": "x"}', "queries.jsonl:1: id: missing"),
        (
            "queries.jsonl",
            '{"id": "q1", "text": "x", "history": "y"}',
            "queries.jsonl:1: history: must be a list",
        ),
        ("queries.jsonl", '{"id": "other", "text": "x"}', "no question of queries.jsonl has a line"),
        ("qrels.tsv", "q1\td1\n", "qrels.tsv:1: has 2 columns"),
        ("qrels.tsv", "h\th\th\nq1\td1\tyes\n", "qrels.tsv:2: score: 'yes'"),
        ("qrels.tsv", "q1\tnowhere\t1\n", "corpus-id: 'nowhere' is not in the corpus"),
        (
            "corpus.jsonl",
            '{"id": "d1", "text": "a"}\n{"id": "d1", "text": "b"}',
            "corpus.jsonl:2: id: 'd1' stands there twice",
        ),
        ("corpus.jsonl", '{"id": "d1", "title": 3, "text": "a"}', "corpus.jsonl:1: title: must be a string"),
    ],
)
def test_a_bad_folder_is_told_by_file_line_and_field(
    folder: Path, name: str, content: str, said: str
) -> None:
    (folder / name).write_text(content, "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        read(folder)
    assert said in str(raised.value)


def test_a_missing_folder_or_file_is_named(folder: Path) -> None:
    (folder / "qrels.tsv").unlink()
    with pytest.raises(ConfigurationError, match=r"qrels\.tsv"):
        read(folder)
    with pytest.raises(ConfigurationError, match="--dir"):
        read(folder / "nothing")


def test_figures_by_hand() -> None:
    ranking, right = ["a", "b", "c", "d"], {"b": 2, "d": 1, "z": 1}
    assert retrieval_scores.hit(ranking, right, 1) == 0.0
    assert retrieval_scores.hit(ranking, right, 2) == 1.0
    assert retrieval_scores.recall(ranking, right) == pytest.approx(2 / 3)
    assert retrieval_scores.reciprocal_rank(ranking, right) == 0.5
    best = 2 + 1 / math.log2(3) + 1 / 2
    assert retrieval_scores.ndcg(ranking, right) == pytest.approx(
        (2 / math.log2(3) + 1 / math.log2(5)) / best
    )
