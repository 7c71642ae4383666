"""The watched folder: what is put there is imported once, and moved with its fate."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest

from connectors.calls.book import CallBook, Taken
from connectors.calls.folder import FolderWatch
from connectors.calls.transcript import Transcript
from parley.backends.bus import open_bus
from parley.errors import BusUnavailable, ConfigurationError
from tests.support import call_files
from tests.support.platform import ManualClock, make_platform, records_on
from workers.wiring import Platform, check_name, configured_connectors

VCON = json.dumps(call_files.VCON).encode()


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    opened = make_platform(open_bus("memory:"))
    yield opened
    opened.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "calls"
    made.mkdir()
    return made


def look(platform: Platform, folder: Path, times: int = 2) -> None:
    watch = FolderWatch("call-folder", platform, folder, "bank")
    for _ in range(times):
        watch.look(Flag())


def there(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_file_is_taken_once_it_has_not_changed_and_moved(platform: Platform, folder: Path) -> None:
    (folder / "monday.json").write_bytes(VCON)
    look(platform, folder, times=1)
    assert there(folder) == ["monday.json"]
    look(platform, folder)
    assert there(folder) == ["done/monday.json"]
    assert len(records_on(platform, "call.events")) == 1


def test_a_file_that_grows_is_left_alone(platform: Platform, folder: Path) -> None:
    watch = FolderWatch("call-folder", platform, folder, "bank")
    path = folder / "growing.json"
    for size in (10, 20, len(VCON)):
        path.write_bytes(VCON[:size])
        watch.look(Flag())
    assert there(folder) == ["growing.json"]
    watch.look(Flag())
    assert there(folder) == ["done/growing.json"]


def test_what_cannot_be_read_is_kept_with_the_reason(platform: Platform, folder: Path) -> None:
    (folder / "broken.json").write_bytes(b'{"vcon": ')
    (folder / "nobody").mkdir()
    (folder / "nobody" / "call.json").write_bytes(VCON)
    look(platform, folder)
    assert there(folder) == [
        "refused/broken.json",
        "refused/broken.json.why.txt",
        "refused/call.json",
        "refused/call.json.why.txt",
    ]
    assert "JSON" in (folder / "refused" / "broken.json.why.txt").read_text()
    assert "nobody" in (folder / "refused" / "call.json.why.txt").read_text()
    assert records_on(platform, "call.events") == []


def test_the_same_file_again_doubles_nothing_and_keeps_both(platform: Platform, folder: Path) -> None:
    for _ in range(2):
        (folder / "bank").mkdir(exist_ok=True)
        (folder / "bank" / "call.json").write_bytes(VCON)
        look(platform, folder)
    assert there(folder) == ["done/call-2.json", "done/call.json"]
    ids = {dict(record.headers)["event_id"] for record in records_on(platform, "call.events")}
    assert len(ids) == 1


def test_links_and_hidden_files_are_not_followed(platform: Platform, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_bytes(VCON)
    os.symlink(tmp_path / "secret.json", folder / "link.json")
    (folder / ".copying.json").write_bytes(VCON)
    look(platform, folder)
    assert records_on(platform, "call.events") == []


def test_a_file_waits_while_the_log_is_away(
    platform: Platform, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise BusUnavailable("no broker")

    (folder / "call.json").write_bytes(VCON)
    with monkeypatch.context() as patched:
        patched.setattr(CallBook, "take", away)
        look(platform, folder)
    assert there(folder) == ["call.json"]
    look(platform, folder)
    assert there(folder) == ["done/call.json"]


def two_calls(second: str) -> bytes:
    """A file of the first call, and of another."""
    other = json.loads(json.dumps(call_files.VCON))
    other["analysis"][0]["body"][1]["message"] = second
    other["uuid"] = "0190aaaa-0000-8000-8000-000000000002"
    return json.dumps([call_files.VCON, other]).encode()


def test_a_call_that_is_refused_keeps_no_other_of_its_file_back(platform: Platform, folder: Path) -> None:
    changed = json.loads(json.dumps(call_files.VCON))
    changed["analysis"][0]["body"][1]["message"] = "I lost my keys."
    (folder / "a.json").write_bytes(json.dumps(changed).encode())
    (folder / "b.json").write_bytes(two_calls("I found it."))
    look(platform, folder)
    assert there(folder) == ["done/a.json", "refused/b.json", "refused/b.json.why.txt"]
    [line] = (folder / "refused" / "b.json.why.txt").read_text().splitlines()
    assert line.startswith("call 1: call_id: ")
    assert len(records_on(platform, "call.events")) == 2


def test_what_a_file_has_and_cannot_be_read_lies_beside_it(
    platform: Platform, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    call = {**call_files.VCON, "dialog": call_files.VCON["dialog"] * 2}
    (folder / "a.json").write_text(json.dumps(call))
    look(platform, folder)
    assert there(folder) == ["done/a.json", "done/a.json.notes.txt"]
    [line] = (folder / "done" / "a.json.notes.txt").read_text().splitlines()
    assert line.startswith("call 1: dialog[1] is a url, which is never fetched")
    assert any("has more than was read" in each for each in caplog.messages)
    (folder / "b.json").write_text(json.dumps([call, {**call_files.TURNS, "call_id": call["uuid"]}]))
    look(platform, folder)
    assert [each[:8] for each in (folder / "refused" / "b.json.why.txt").read_text().splitlines()] == [
        "call 2: ",
        "call 1: ",
    ]


def test_a_file_that_nobody_foresaw_ends_nothing(
    platform: Platform, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = CallBook.take

    def fragile(book: CallBook, transcript: Transcript, language: str | None = None) -> Taken:
        if transcript.call_id == call_files.VCON["uuid"]:
            raise ValueError("what was said")
        return take(book, transcript, language)

    monkeypatch.setattr(CallBook, "take", fragile)
    (folder / "a.json").write_bytes(VCON)
    (folder / "b.txt").write_bytes(call_files.TEXT.encode())
    look(platform, folder)
    assert there(folder) == ["done/b.txt", "refused/a.json", "refused/a.json.why.txt"]
    assert (folder / "refused" / "a.json.why.txt").read_text().startswith("cannot be taken (ValueError)")


def test_a_file_that_cannot_be_moved_keeps_no_other_back(
    platform: Platform, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "done").write_text("in the way")
    (folder / "Mira Holt.json").write_bytes(VCON)
    (folder / "broken.json").write_bytes(b"{")
    watch = FolderWatch("call-folder", platform, folder, "bank")
    for _ in range(5):
        watch.look(Flag())
    assert "refused/broken.json" in there(folder) and "Mira Holt.json" in there(folder)
    assert len(records_on(platform, "call.events")) == 1
    assert len([each for each in caplog.messages if "stays where it is" in each]) == 1
    assert "Mira" not in caplog.text


def test_a_name_may_be_as_long_as_a_file_system_takes(platform: Platform, folder: Path) -> None:
    name = "客" * 83 + ".json"
    for _ in range(2):
        (folder / name).write_bytes(b"{")
        look(platform, folder)
    assert len(there(folder)) == 4
    assert sum(each.endswith(".why.txt") for each in there(folder)) == 2


def test_a_file_that_must_not_be_read_is_refused(
    platform: Platform, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.json").write_bytes(VCON)
    (folder / "b.txt").write_bytes(call_files.TEXT.encode())
    opened = Path.open

    def denied(
        path: Path, *args: Any, **options: Any
    ) -> Any:  # a test may run as root, who may read anything
        if path.name == "a.json":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **options)

    monkeypatch.setattr(Path, "open", denied)
    look(platform, folder)
    assert there(folder) == ["done/b.txt", "refused/a.json", "refused/a.json.why.txt"]
    assert (folder / "refused" / "a.json.why.txt").read_bytes() == b"cannot be read (Permission denied)\n"


def test_a_folder_that_is_named_is_watched(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    assert "call-folder" not in configured_connectors()
    monkeypatch.setenv("PARLEY_CALLS_FOLDER", str(folder))
    assert "call-folder" in configured_connectors()
    check_name("call-folder")


def test_what_was_moved_is_deleted_after_its_days(platform: Platform, folder: Path) -> None:
    (folder / "call.json").write_bytes(VCON)
    (folder / "broken.json").write_bytes(b"{")
    look(platform, folder)
    later = ManualClock(datetime.now(UTC) + timedelta(days=6.9))
    moved = replace(platform, clock=later)
    FolderWatch("call-folder", moved, folder, "bank", keep_days=7).tidy()
    assert len(there(folder)) == 3
    later.move(0.2 * 86_400)
    FolderWatch("call-folder", moved, folder, "bank").tidy()
    assert len(there(folder)) == 3, "without a term everything is kept"
    FolderWatch("call-folder", moved, folder, "bank", keep_days=7).tidy()
    assert there(folder) == []


def test_a_setting_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_CALLS_KEEP_DAYS", "-1")
    with pytest.raises(ConfigurationError, match="PARLEY_CALLS_KEEP_DAYS"):
        configured_connectors()
