"""What of vLLM's own words reaches the console: errors of an engine that is up, a line each; everything where somebody asks for it."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from parley.backends.vllm_engine import arguments
from parley.backends.vllm_engine.owner import OWNER, SPAWNED
from parley.backends.vllm_engine.start_log import (
    LEVEL,
    LIMIT_BYTES,
    VARIABLE,
    KeptStderr,
    OneLine,
    StartLog,
    _configuration,
    start_log,
)
from parley.engine_settings import STARTER, EngineSettings

PROCESS = """
import json, logging.config, sys, warnings
logging.config.dictConfig(json.load(open(sys.argv[1])))
log = logging.getLogger("vllm.engine")
log.info("an info"), log.warning("a warning")
try:
    raise RuntimeError("the reason")
except RuntimeError:
    log.exception("it failed\\nwith a dump")
warnings.warn("an aside")
raise ValueError("multiprocessing would show this")
"""


def console(tmp_path: Path, level: str, *, shown: bool) -> tuple[str, str]:
    """What one of the engine's processes leaves on the console, and in the file."""
    errors, configuration = tmp_path / "errors.log", tmp_path / "logging.json"
    log = StartLog(errors)
    if shown:
        log.show()
    configuration.write_text(json.dumps(_configuration(errors, level)))
    environment = {**os.environ, OWNER: str(os.getpid())}
    done = subprocess.run(
        [sys.executable, "-c", PROCESS, str(configuration), SPAWNED],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stderr, errors.read_text()


def test_nothing_is_said_of_a_start_and_its_reason_is_kept(tmp_path: Path) -> None:
    said, kept = console(tmp_path, "ERROR", shown=False)
    assert said == ""
    assert "RuntimeError: the reason" in kept and "ValueError: multiprocessing" in kept and "an aside" in kept


def test_errors_of_an_engine_that_is_up_are_a_line_each(tmp_path: Path) -> None:
    said, kept = console(tmp_path, "ERROR", shown=True)
    (line,) = said.splitlines()
    assert line.endswith("it failed (RuntimeError)") and " ERROR " in line
    assert "Traceback" in kept


def test_everything_is_shown_to_whoever_asks_for_it(tmp_path: Path) -> None:
    said, _ = console(tmp_path, "INFO", shown=False)
    for words in (
        "an info",
        "a warning",
        "RuntimeError: the reason",
        "an aside",
        "ValueError: multiprocessing",
    ):
        assert words in said


def test_a_new_start_shows_nothing_again(tmp_path: Path) -> None:
    log = StartLog(tmp_path / "errors.log")
    log.show()
    StartLog(tmp_path / "errors.log")
    assert not (tmp_path / "shown").exists()


def test_what_is_kept_has_an_end(tmp_path: Path) -> None:
    file = tmp_path / "errors.log"
    kept = KeptStderr(str(file))
    for _ in range(5):
        kept.write("x" * (LIMIT_BYTES // 2))
    assert file.stat().st_size <= 1.5 * LIMIT_BYTES


def test_a_line_is_not_endless() -> None:
    record = logging.LogRecord("vllm", logging.ERROR, "f", 1, "dump: %s", ("x" * 10_000,), None)
    assert len(OneLine().format(record)) < 400


@pytest.fixture
def levels() -> Iterator[Callable[[str], None]]:
    """Sets Parley's own; what was there before comes back."""
    loggers = [logging.getLogger(), logging.getLogger("vllm"), logging.getLogger("torch")]
    before = [each.level for each in loggers]
    yield loggers[0].setLevel
    for each, level in zip(loggers, before, strict=True):
        each.setLevel(level)


@pytest.mark.parametrize(
    ("level", "given", "expected"),
    [("INFO", None, "ERROR"), ("DEBUG", None, "INFO"), ("INFO", "DEBUG", "DEBUG")],
)
def test_the_level_follows_parleys_unless_the_shell_has_one(
    monkeypatch: pytest.MonkeyPatch,
    levels: Callable[[str], None],
    level: str,
    given: str | None,
    expected: str,
) -> None:
    for name in ("TORCH_CPP_LOG_LEVEL", "HF_HUB_OFFLINE", OWNER, LEVEL):
        monkeypatch.setenv(name, "")  # what is set here goes in the end
        monkeypatch.delenv(name)
    if given is not None:
        monkeypatch.setenv(LEVEL, given)
    levels(level)
    arguments.prepare_environment(EngineSettings.load(model=str(STARTER)))
    assert os.environ[LEVEL] == expected
    assert ("TORCH_CPP_LOG_LEVEL" in os.environ) == (expected == "ERROR")


@pytest.mark.parametrize(
    ("told", "kept"), (("/etc/vllm.json", True), ("/tmp/parley-engine-x/logging.json", False))
)
def test_only_the_shell_says_where_else_vllm_finds_its_logging(
    monkeypatch: pytest.MonkeyPatch, told: str, kept: bool
) -> None:
    """A program that was started by one with an engine inherits its variables, and would write into its file."""
    monkeypatch.setenv(VARIABLE, told)
    start_log()
    assert (os.environ[VARIABLE] == told) == kept
