"""What vLLM's own processes log while they start, so that a start that fails can say why.

The parent is only told that "initialization failed"; the reason stands in the log of the process that had it.
"""

import json
import logging
import os
import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

VARIABLE = "VLLM_LOGGING_CONFIG_PATH"
RAISED = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception)): (.+)$", re.MULTILINE)
PASSED_ON = ("initialization failed", "Worker failed with error", "WorkerProc")
"""What processes say of an error that another one had."""
LIMIT_BYTES = 1 << 20


class FirstErrors(logging.FileHandler):
    """A file of the first megabyte of errors. vLLM's processes make it from their logging configuration."""

    def emit(self, record: logging.LogRecord) -> None:
        if os.path.getsize(self.baseFilename) < LIMIT_BYTES:
            super().emit(record)


class StartLog:
    """Begins empty with each start."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._file.write_text("")

    def cause(self) -> str | None:
        """The first error that some process had by itself, on one line; None where none was logged."""
        raised = [
            f"{kind}: {message}" for kind, message in RAISED.findall(self._file.read_text(errors="replace"))
        ]
        return next((each for each in raised if not any(words in each for words in PASSED_ON)), None)


def start_log() -> StartLog:
    """Errors of vLLM's processes that start after it are kept beside being logged, unless the shell configures their logging."""
    folder = Path(_folder().name)
    errors, configuration = folder / "errors.log", folder / "logging.json"
    if not configuration.exists():
        configuration.write_text(json.dumps(_configuration(errors)))
        os.environ.setdefault(VARIABLE, str(configuration))
    return StartLog(errors)


@cache
def _folder() -> "TemporaryDirectory[str]":
    """One for the life of this process: vLLM reads the variable once, at its first start, and never again."""
    return TemporaryDirectory(prefix="parley-engine-", ignore_cleanup_errors=True)


def _configuration(errors: Path) -> dict[str, object]:
    kept = {"()": f"{__name__}.FirstErrors", "filename": str(errors), "level": "ERROR", "formatter": "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": "%(levelname)s %(asctime)s [%(processName)s] %(message)s"}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}, "kept": kept},
        "loggers": {
            "vllm": {
                "handlers": ["console", "kept"],
                "level": os.environ.get("VLLM_LOGGING_LEVEL", "INFO"),
                "propagate": False,
            }
        },
    }
