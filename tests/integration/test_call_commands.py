"""`parley calls import` and `play`, as a person runs them."""

import json
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from connectors.calls.book import CallBook
from parley.backends.bus import open_bus
from parley.cli import calls_import
from parley.cli.calls_play import shown
from parley.cli.main import app
from parley.errors import RecordTooLarge
from tests.support import call_files
from tests.support.calls import KEY, embedded_call_centre
from tests.support.platform import make_platform, records_on
from workers.wiring import Platform

VCON = json.dumps(call_files.VCON)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    opened = make_platform(open_bus("memory:"))
    monkeypatch.setattr(calls_import, "platform", lambda: nullcontext(opened))
    yield opened
    opened.close()


def parley(*args: str, stdin: str | None = None) -> Any:
    return CliRunner().invoke(app, ["calls", *args], input=stdin)


def test_a_folder_is_imported_and_each_refusal_told(platform: Platform, tmp_path: Path) -> None:
    folder = tmp_path / "monday"
    (folder / "late").mkdir(parents=True)
    (folder / "late" / "one.json").write_text(VCON)
    (folder / "two.txt").write_text("Agent: Hello, how can I help?\nCustomer: I lost my card.\n")
    (folder / "broken.json").write_text("{")
    (folder / ".hidden").write_text("{")
    done = parley("import", str(folder))
    assert done.exit_code == 1
    assert (
        "2 calls imported, 0 known before, 0 grown since, 0 heard live, 1 refused; 4 turns; signatures: 2 not signed"
        in done.stdout
    )
    assert "broken.json" in done.stderr and ".hidden" not in done.stderr
    again = parley("import", str(folder / "late"), "--json")
    assert again.exit_code == 0
    assert [each["state"] for each in json.loads(again.stdout)["calls"]] == ["known"]


def test_what_a_file_has_and_cannot_be_read_is_told(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps({**call_files.VCON, "dialog": call_files.VCON["dialog"] * 2}))
    done = parley("import", str(file))
    assert done.exit_code == 0
    assert f"{file}: dialog[1] is a url, which is never fetched" in done.stderr
    [taken] = json.loads(parley("import", str(file), "--json").stdout)["calls"]
    assert len(taken["notes"]) == 1


def test_a_call_that_is_refused_takes_no_other_result_away(platform: Platform, tmp_path: Path) -> None:
    calls = [{"call_id": f"c{number}", "turns": call_files.TURNS["turns"]} for number in range(3)]
    file = tmp_path / "calls.json"
    file.write_text(json.dumps(calls[1]))
    parley("import", str(file))
    calls[1]["turns"] = [{"role": "caller", "text": "Good evening."}]
    file.write_text(json.dumps(calls))
    done = parley("import", str(file), "--json")
    assert done.exit_code == 1
    results = json.loads(done.stdout)["calls"]
    assert [(each["call_id"], each["state"]) for each in results] == [
        ("c0", "accepted"),
        ("c1", "refused"),
        ("c2", "accepted"),
    ]
    assert "another transcript" in results[1]["reason"]


def test_a_call_that_no_record_takes_is_refused(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_large(*_: object) -> None:
        raise RecordTooLarge("a record of 2 MB")

    monkeypatch.setattr(CallBook, "take", too_large)
    file = tmp_path / "call.json"
    file.write_text(VCON)
    done = parley("import", str(file))
    assert done.exit_code == 1
    assert "a record of 2 MB" in done.stderr and "1 refused" in done.stdout


def test_a_file_comes_from_standard_input(platform: Platform) -> None:
    done = parley(
        "import", "-", "--speaker", "A:human_agent", "--form", "text", stdin="A: Hello\nB: My card is lost\n"
    )
    assert done.exit_code == 0, done.stderr
    assert "1 calls imported" in done.stdout
    assert len(records_on(platform, "call.events")) == 1


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (("import", "nowhere.json"), "nowhere.json"),
        (("play", "nowhere.json"), "nowhere.json: cannot be read (No such file or directory)"),
        (("import", "{file}", "--form", "fax"), "--form"),
        (("import", "{file}", "--speaker", "A"), "--speaker"),
        (("import", "{file}", "--tenant", "nobody"), "--tenant"),
        (("import", "{file}", "--root", "{file}"), "--root"),
        (("play", "{file}", "--url", "http://127.0.0.1:9"), "--key"),
        (("play", "{file}", "--url", "http://127.0.0.1:9", "--key", "k"), "does not answer"),
    ],
)
def test_what_cannot_be_done_is_named(
    platform: Platform, tmp_path: Path, args: tuple[str, ...], names: str
) -> None:
    file = tmp_path / "call.json"
    file.write_text(VCON)
    done = parley(*(each.format(file=file) for each in args))
    assert done.exit_code != 0
    assert names in f"{done.output} {done.stderr} {done.exception}"


def test_a_call_is_played_into_a_running_gateway(tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    file.write_text(json.dumps(call_files.VCON))
    with embedded_call_centre("memory", tmp_path) as centre:
        done = parley("play", str(file), "--url", centre.url, "--key", KEY, "--speed", "10x", "--json")
    assert done.exit_code == 0, done.output
    frames = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = [frame["type"] for frame in frames]
    assert kinds.index("segment") < kinds.index("message") < kinds.index("closed") < kinds.index("analysis")
    assert [each["text"] for each in frames if each["type"] == "message"] == [
        "Good morning, how can I help you?",
        "I lost my card.",
    ]
    lines = [line for frame in frames for line in shown(frame)]
    assert any("Jo Lind" in line and "Good morning" in line for line in lines)


def test_a_suggestion_with_neither_text_nor_articles_is_told_as_one() -> None:
    nothing = {"type": "suggestion", "answers": "m-1", "text": "", "citations": [], "next_articles": []}
    [line] = shown(nothing)
    assert "the articles say nothing about this" in line
    fees = {"id": "fees", "title": "Account fees", "url": "/demo/bank/help/fees"}
    [line] = shown({**nothing, "next_articles": [fees]})
    assert "Account fees" in line


def test_a_wrong_key_is_told(tmp_path: Path) -> None:
    file = tmp_path / "call.json"
    file.write_text(VCON)
    with embedded_call_centre("memory", tmp_path) as centre:
        done = parley("play", str(file), "--url", centre.url, "--key", "nobody")
    assert done.exit_code != 0
    assert "API key" in f"{done.output} {done.exception}"
