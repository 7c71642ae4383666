"""What is said of an error: Parley's own words, and of any other error only its type and place, since it may quote a customer."""

import logging
import threading
from collections.abc import Callable
from threading import Event as Flag

import pytest
from sqlalchemy import text

from parley.backends.memory_bus import MemoryBus
from parley.backends.sql.engine import make_engine
from parley.cli import main as command_line
from parley.cli.processes import _run_all
from parley.errors import ConfigurationError
from tests.support.platform import make_platform
from workers.embedded import Embedded

SECRET = "my secret words"


class Failing:
    """A worker that ends with an error."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self._error = error
        self.ready = Flag()

    def run(self, stop: Flag) -> None:
        raise self._error


def in_one_process(error: BaseException) -> None:
    assert _run_all([Failing(error)], Flag()) == [error]


def embedded(error: BaseException) -> None:
    """The first one to fail is for whoever runs them to tell."""
    platform = Embedded(make_platform(MemoryBus()), [])
    first = ConfigurationError("the first")
    platform._run(Failing(first))
    platform._run(Failing(error))
    assert platform.failed is first and platform.ended.is_set()


@pytest.mark.parametrize("run", [in_one_process, embedded])
def test_the_log_never_quotes_an_unexpected_error(
    run: Callable[[BaseException], None], caplog: pytest.LogCaptureFixture
) -> None:
    run(RuntimeError(SECRET))
    run(ConfigurationError("PARLEY_PORT: is taken"))
    assert SECRET not in caplog.text and "the first" not in caplog.text
    assert "failing stopped: RuntimeError at test_faults.py" in caplog.text
    assert "failing stopped: PARLEY_PORT: is taken" in caplog.text


def leave(monkeypatch: pytest.MonkeyPatch, error: Exception) -> int:
    """The exit status of a command that ends with the error."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(command_line, "app", fail)
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # put back in the end
    with pytest.raises(SystemExit) as left:
        command_line.main()
    assert isinstance(left.value.code, int)
    return left.value.code


def test_a_command_ends_with_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leave(monkeypatch, RuntimeError(SECRET)) == 1
    said = capsys.readouterr().err
    assert said.startswith("parley: stopped by an unexpected error: RuntimeError at test_faults.py:")
    assert said.count("\n") == 1 and SECRET not in said
    assert leave(monkeypatch, ConfigurationError("PARLEY_PORT: is taken")) == 2
    assert capsys.readouterr().err == "parley: PARLEY_PORT: is taken\n"


def test_debugging_shows_the_places_but_no_words(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    leave(monkeypatch, RuntimeError(SECRET))
    assert "in fail" in caplog.text and SECRET not in caplog.text


def test_nor_does_a_thread_that_fails_quote_its_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(threading, "excepthook", command_line._thread_failed)

    def fail() -> None:
        raise RuntimeError(SECRET)

    thread = threading.Thread(target=fail, name="kept")
    thread.start()
    thread.join()
    assert "thread kept failed: RuntimeError at test_faults.py" in caplog.text and SECRET not in caplog.text


def test_errors_of_the_database_hide_what_was_to_be_written() -> None:
    writes = text("INSERT INTO nowhere VALUES (:words)")
    with (
        make_engine("sqlite://").connect() as connection,
        pytest.raises(Exception, match="no such table") as caught,
    ):
        connection.execute(writes, {"words": SECRET})
    assert SECRET not in str(caught.value)
