"""The written set of personal data and look-alikes in `tests/data/masking`, and `parley eval masking` that measures on it.

`tune.jsonl` is what rules were improved on; `blind.jsonl` was written at the same time and measured only then.
"""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.contracts import ROOT
from parley.backends.tenant_folder import load
from parley.cli.evaluating_masking import finder
from parley.cli.main import app
from parley.cli.masking_files import Stretch, read
from parley.cli.masking_scores import measure
from parley.domain.masking import masker_of
from parley.errors import ConfigurationError

DATA = ROOT / "tests" / "data" / "masking"
BANK = ROOT / "tenants" / "bank"


def test_the_set_is_as_large_as_it_must_be() -> None:
    rows = [*read(DATA / "tune.jsonl"), *read(DATA / "blind.jsonl")]
    assert sum(len(row.values) for row in rows) >= 300
    assert sum(len(row.look_alikes) for row in rows) >= 300
    assert len({row.text for row in rows}) == len(rows)


@pytest.mark.parametrize("half", ["tune", "blind"])
def test_what_must_go_goes_and_what_must_stay_stays(half: str) -> None:
    scores = measure(read(DATA / f"{half}.jsonl"), finder(masker_of(load(BANK).config.privacy.patterns)))
    assert scores.recall >= 0.98
    assert scores.false_masks <= 0.01


def write(folder: Path, *rows: object) -> Path:
    file = folder / "texts.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_the_command_prints_one_line_for_programs_and_names_what_is_wrong_for_people(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        {"text": "PIN 4321 and 12 EUR", "mask": [["code", "4321"]], "keep": [["amount", "12 EUR"]]},
        {"text": "Fido", "mask": [["name", "Fido"]]},
        {"text": "customer number 40718263", "mask": [{"start": 16, "end": 24, "kind": "customer_number"}]},
    )
    printed = CliRunner().invoke(
        app, ["eval", "masking", "--file", str(file), "--tenant-dir", str(BANK), "--json"]
    )
    assert printed.exit_code == 0, printed.output
    line = json.loads(printed.stdout)
    assert (line["recall"], line["false_masks"], line["right_kind"]) == (0.6667, 0.0, 1.0)
    assert line["by_kind"] == {"code": 1.0, "customer_number": 1.0, "name": 0.0}
    told = CliRunner().invoke(app, ["eval", "masking", "--file", str(file)])
    assert "texts.jsonl:2: name: 'Fido'" in told.stdout


def test_words_that_stand_in_a_value_are_looked_for_elsewhere(tmp_path: Path) -> None:
    [row] = read(
        write(tmp_path, {"text": "PIN 9417, at 9", "mask": [["code", "9417"]], "keep": [["time", "9"]]})
    )
    assert row.look_alikes == (Stretch(13, 14, "time"),)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"text": "a b", "mask": [["name", "c"]]}, "1: mask"),
        ({"text": "a b", "mask": [["name", "b"], ["name", "a"]]}, "1: mask"),
        ({"text": "a b", "mask": "b"}, "1: mask: must be a list"),
        ({"text": "a b", "keep": [{"start": 2, "end": 9, "kind": "name"}]}, "1: keep"),
        ({"text": "a b"}, "nothing to mask"),
        ({"mask": []}, "1: text: missing"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_line_and_field(
    tmp_path: Path, row: dict[str, object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        read(write(tmp_path, row))
