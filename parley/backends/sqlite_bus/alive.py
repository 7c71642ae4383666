"""Which processes that share the file are alive: each holds a lock that the system takes from it when it dies.

With it a crash is noticed within a second instead of a session time-out. Where the system has no such locks, and for a
process that hangs, the time-out decides alone.
"""

import os
from pathlib import Path
from uuid import uuid4

try:
    import fcntl
except ImportError:  # Windows has no flock
    fcntl = None  # type: ignore[assignment]  # the module is optional


class Alive:
    """This process's own sign of life beside the log; made before the first member joins, gone with the process."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._file: int | None = None
        self.process = uuid4().hex

    def show(self) -> None:
        if self._file is None and fcntl is not None:
            self._file = os.open(self._path(self.process), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def hide(self) -> None:
        if self._file is not None:
            self._path(self.process).unlink(missing_ok=True)
            os.close(self._file)
            self._file = None

    def is_dead(self, process: str) -> bool:
        """Whether that process is known to have ended (and clear its sign away); False where nobody can tell."""
        if fcntl is None:
            return False
        path = self._path(process)
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        else:
            path.unlink(missing_ok=True)
            return True
        finally:
            os.close(file)

    def _path(self, process: str) -> Path:
        return self._log.with_name(f"{self._log.name}-alive-{process}")
