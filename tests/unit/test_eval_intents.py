"""`parley eval intents`: one JSON line or a report; what is wrong with a file is said with its line and field."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from parley.cli.evaluating import app
from parley.cli.intent_files import Labelled, LabelledTexts, read
from parley.cli.intent_scores import measure
from parley.errors import ConfigurationError

TRAIN = {
    "lost_card": ["I lost my card", "my card is gone", "someone stole my card", "my debit card is missing"],
    "balance": ["what is my balance", "how much money do I have", "show my balance", "balance please"],
}
TEST = [
    ("my card was stolen", "lost_card"),
    ("how much is in my account", "balance"),
    ("bake me a cake", "oos"),
    ("show my balance now", "lost_card"),
]
FIELDS = {"accuracy", "macro_f1", "ece", "oos_recall", "false_oos", "ms_per_message"}


def write(file: Path, rows: list[dict[str, object]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    train: list[dict[str, object]] = [
        {"text": text, "intent": intent} for intent, texts in TRAIN.items() for text in texts
    ]
    train.append({"text": "what do I owe on my balance", "intent": "lost_card"})
    test: list[dict[str, object]] = [{"text": text, "intent": intent} for text, intent in TEST]
    return [
        *("--train", str(write(tmp_path / "train.jsonl", train))),
        *("--test", str(write(tmp_path / "test.jsonl", test))),
        *("--oos-label", "oos"),
    ]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["intents", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_prints_one_json_line(files: list[str]) -> None:
    found = json.loads(run(*files, "--json"))
    assert found.keys() == FIELDS
    assert found["accuracy"] == pytest.approx(2 / 3, abs=1e-3)
    assert found["oos_recall"] == 1
    assert found["ms_per_message"] > 0


def test_the_same_seed_gives_the_same_figures(files: list[str]) -> None:
    one, other = (json.loads(run(*files, "--json", "--seed", "3")) for _ in range(2))
    assert {**one, "ms_per_message": 0} == {**other, "ms_per_message": 0}


def test_the_report_shows_confusions_and_suspicious_labels(files: list[str]) -> None:
    report = run(*files)
    assert "1 × lost_card taken for balance\n      show my balance now" in report
    assert "train.jsonl:9: lost_card → balance" in report


def test_without_a_label_for_it_nothing_is_out_of_scope(tmp_path: Path, files: list[str]) -> None:
    write(tmp_path / "test.jsonl", [{"text": "my card is lost", "intent": "lost_card"}])
    assert json.loads(run(*files[:4], "--json"))["oos_recall"] is None


def test_several_intents_a_text(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"text": text, "intents": [intent]} for intent, texts in TRAIN.items() for text in texts
    ]
    rows.append({"text": "hello there", "intents": []})
    train, test = write(tmp_path / "a.jsonl", rows), write(tmp_path / "b.jsonl", rows)
    found = json.loads(run("--train", str(train), "--test", str(test), "--json"))
    assert found.keys() == FIELDS | {"micro_f1"} and found["micro_f1"] > 0.8


def test_what_no_encoder_can_read_is_measured_by_n_grams(tmp_path: Path) -> None:
    examples = {
        "lost_card": ["我的卡丢了", "银行卡不见了", "卡被偷了怎么办", "挂失银行卡"],
        "balance": ["查一下余额", "我还有多少钱", "账户余额是多少", "看看我的余额"],
    }
    rows = tuple(
        Labelled(text, (intent,), line)
        for intent, texts in examples.items()
        for line, text in enumerate(texts, start=1)
    )
    asked = (Labelled("卡丢了", ("lost_card",), 1), Labelled("余额多少", ("balance",), 2))
    outside = Labelled("😀", ("oos",), 3)
    scores = measure(
        {"en": Unread()}, LabelledTexts(rows, False), LabelledTexts((*asked, outside), False), "oos"
    )
    assert scores.accuracy == 1 and scores.false_oos == 0
    assert scores.oos_recall == 1 and scores.mislabels == ()


class Unread:
    """An encoder that must not be asked."""

    name = "unread"

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        raise AssertionError(f"{len(texts)} texts were encoded")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", ":2: not JSON"),
        ("[]", ":2: a line must be an object"),
        ('{"intent": "a"}', ":2: text: missing"),
        ('{"text": 5, "intent": "a"}', ":2: text: must be a string"),
        ('{"text": "a"}', ":2: intent: missing"),
        ('{"text": "a", "intent": 3}', ":2: intent: must be a name"),
        ('{"text": "a", "intents": "b"}', ":2: intents:"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, said: str) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"text": "a", "intent": "b"}\n' + line + "\n", "utf-8")
    with pytest.raises(ConfigurationError) as raised:
        read(file)
    assert f"{file}{said}" in str(raised.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for name, content, said in (
        ("none.jsonl", None, "No such file"),
        ("empty.jsonl", b"\n", "no line with a text"),
        ("latin.jsonl", b'{"text": "\xe9"}', "not UTF-8"),
        ("cut.jsonl.gz", gzip.compress(b"{}" * 500)[:20], ""),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match=f"{name}.*{said}"):
            read(tmp_path / name)


def test_one_intent_is_too_few(tmp_path: Path, files: list[str]) -> None:
    write(tmp_path / "train.jsonl", [{"text": "a", "intent": "b"}])
    with pytest.raises(ConfigurationError, match="two intents"):
        run(*files)
