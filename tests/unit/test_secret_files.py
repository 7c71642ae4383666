"""A file with secrets that others can read is said at the start, by its name and mode."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from parley.runtime.secret_files import warn_of_open_files
from parley.settings import Settings
from workers.wiring import open_platform

TOKEN = "123456:ABC-DEF1234ghIkl-zyx57W2v1u123ew11"
SECRET = "s" * 40


@pytest.fixture(autouse=True)
def said(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def tokens(folder: Path, mode: int) -> Path:
    file = folder / "tokens"
    file.write_text(f"bank: {TOKEN}\n", encoding="utf-8")
    file.chmod(mode)
    return file


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602])
def test_one_that_others_can_get_at_is_said_and_nothing_of_it(
    tmp_path: Path, said: pytest.LogCaptureFixture, mode: int
) -> None:
    file = tokens(tmp_path, mode)
    settings = Settings(home=tmp_path, secret=SECRET)
    warn_of_open_files(settings, {"PARLEY_TELEGRAM_TOKENS_FILE": str(file)})
    [line] = said.records
    assert line.levelno == logging.WARNING
    told = line.getMessage()
    assert told.startswith(f"PARLEY_TELEGRAM_TOKENS_FILE: {file} ") and f"(mode 0{mode:o})" in told
    assert "chmod 600" in told and TOKEN not in said.text


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_one_of_its_owner_alone_is_not(tmp_path: Path, said: pytest.LogCaptureFixture, mode: int) -> None:
    file = tokens(tmp_path, mode)
    warn_of_open_files(Settings(home=tmp_path, secret=SECRET), {"PARLEY_TELEGRAM_TOKENS_FILE": str(file)})
    assert said.records == []


def test_what_is_no_file_of_secrets_is_not(tmp_path: Path, said: pytest.LogCaptureFixture) -> None:
    file = str(tokens(tmp_path, 0o644))
    environ = {
        "OTHER_FILE": file,
        "PARLEY_FOLDER": file,
        "PARLEY_A_FILE": "",
        "PARLEY_B_FILE": str(tmp_path / "missing"),
        "PARLEY_C_FILE": str(tmp_path),
        "PARLEY_D_FILE": "~nobody-of-this-name/x",
    }
    warn_of_open_files(Settings(home=tmp_path, secret=SECRET), environ)
    assert said.records == []


def test_the_platforms_own_is_made_for_its_owner_alone(
    tmp_path: Path, said: pytest.LogCaptureFixture
) -> None:
    settings = Settings(home=tmp_path)
    made = settings.signing_secret().decode()
    warn_of_open_files(settings, {})
    assert said.records == []
    (tmp_path / "secret").chmod(0o644)
    warn_of_open_files(settings, {})
    assert f"{tmp_path / 'secret'} holds secrets" in said.text and made not in said.text


def test_every_process_says_it_as_it_opens_its_platform(
    tmp_path: Path, said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tokens(tmp_path, 0o644)
    monkeypatch.setenv("PARLEY_TELEGRAM_TOKENS_FILE", str(file))
    open_platform(Settings(home=tmp_path, secret=SECRET)).close()
    assert f"{file} holds secrets" in said.text
