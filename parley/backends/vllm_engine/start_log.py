"""What vLLM's processes say: kept while they start, so that a start that fails can say why, and shown as far as somebody wants to read it.

The parent is only told that "initialization failed"; the reason stands in the log of the process that had it. Unless everything is to be shown
(`VLLM_LOGGING_LEVEL`, or `PARLEY_LOG_LEVEL=DEBUG`), the console has errors of an engine that is up, a line each.
"""

import json
import logging
import os
import re
import sys
from functools import cache
from io import TextIOBase
from pathlib import Path
from tempfile import TemporaryDirectory

from parley.backends.vllm_engine.owner import end_with_owner, is_engines

VARIABLE = "VLLM_LOGGING_CONFIG_PATH"
LEVEL = "VLLM_LOGGING_LEVEL"
PREFIX = "parley-engine-"
"""What the names of the folders begin with that are made here."""
QUIET = "ERROR"
"""The level at which tracebacks, progress bars and warnings are kept from the console as well."""
SHOWN = "shown"
"""A file that is there while errors are shown."""
RAISED = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
PASSED_ON = ("initialization failed", "Worker failed with error", "WorkerProc")
"""What processes say of an error that another one had."""
LIMIT_BYTES = 1 << 20
LINE_CHARACTERS = 300


class FirstErrors(logging.FileHandler):
    """A file of the first megabyte of errors. vLLM's processes make it from their logging configuration, the first of ours that they run."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        end_with_owner()

    def emit(self, record: logging.LogRecord) -> None:
        if os.path.getsize(self.baseFilename) < LIMIT_BYTES:
            super().emit(record)


class Console(logging.StreamHandler):  # type: ignore[type-arg]  # at run time it takes none
    """Made like the other. In an engine's process what else is written to `sys.stderr` goes to the file from then on."""

    def __init__(self, errors: str) -> None:
        super().__init__(sys.__stderr__)
        self._shown = Path(errors).with_name(SHOWN)
        if is_engines():
            sys.stderr = KeptStderr(errors)

    def emit(self, record: logging.LogRecord) -> None:
        if self._shown.exists():
            super().emit(record)


class KeptStderr(TextIOBase):
    """The tracebacks of `multiprocessing`, warnings and progress bars, as far as the file has room. C code goes on writing to the console."""

    def __init__(self, errors: str) -> None:
        self._errors = errors

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 2

    def write(self, text: str) -> int:
        with open(self._errors, "a", encoding="utf-8", errors="replace") as file:
            if file.tell() < LIMIT_BYTES:
                file.write(text)
        return len(text)


class OneLine(logging.Formatter):
    """No traceback, and no dump of what the engine was doing."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        first = record.getMessage().partition("\n")[0][:LINE_CHARACTERS]
        raised = f" ({type(error).__name__})" if error is not None else ""
        return f"{self.formatTime(record)} {record.levelname:7} vllm [{record.processName}]: {first}{raised}"


class StartLog:
    """Begins empty with each start, and with nothing shown."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._shown = file.with_name(SHOWN)
        self._file.write_text("")
        self.hide()

    def cause(self) -> str | None:
        """The first error that some process had by itself, on one line; None where none was logged."""
        raised = [
            f"{kind}: {message}" for kind, message in RAISED.findall(self._file.read_text(errors="replace"))
        ]
        return next((each for each in raised if not any(words in each for words in PASSED_ON)), None)

    def show(self) -> None:
        """The engine is up: what goes wrong from now on is for the console."""
        self._shown.touch()

    def hide(self) -> None:
        """It starts or ends: what its processes say of that is no news."""
        self._shown.unlink(missing_ok=True)


def start_log() -> StartLog:
    """Errors of vLLM's processes that start after it are kept beside being logged, unless the shell configures their logging."""
    folder = Path(_folder().name)
    errors, configuration = folder / "errors.log", folder / "logging.json"
    if not configuration.exists():
        configuration.write_text(json.dumps(_configuration(errors, os.environ.get(LEVEL, QUIET))))
    if Path(os.environ.get(VARIABLE, configuration)).parent.name.startswith(PREFIX):
        os.environ[VARIABLE] = str(configuration)  # not that of a program which started this one
    return StartLog(errors)


@cache
def _folder() -> "TemporaryDirectory[str]":
    """One for the life of this process: vLLM reads the variable once, at its first start, and never again."""
    return TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)


def _configuration(errors: Path, level: str) -> dict[str, object]:
    kept = {"()": f"{__name__}.FirstErrors", "filename": str(errors), "level": "ERROR", "formatter": "whole"}
    everything = {"class": "logging.StreamHandler", "formatter": "whole"}
    quiet = {"()": f"{__name__}.Console", "errors": str(errors), "formatter": "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "whole": {"format": "%(levelname)s %(asctime)s [%(processName)s] %(message)s"},
            "line": {"()": f"{__name__}.OneLine"},
        },
        "handlers": {"console": quiet if level == QUIET else everything, "kept": kept},
        "loggers": {"vllm": {"handlers": ["console", "kept"], "level": level, "propagate": False}},
    }
