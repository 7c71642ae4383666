"""What all servers of a developer's machine have in common: one process that is started, waited for, stopped, killed and started again."""

import signal
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from infra.dev.ground import DevError, tail
from infra.dev.process import Process

START_WITHIN_S = 60.0
STOP_WITHIN_S = 20.0


class Server(ABC):
    """Data and ports stay the same over `stop`, `kill` and `restart`, as they would on a real host."""

    #: What asks for a shutdown in good order.
    STOP_SIGNAL: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, title: str, data_dir: Path, log: Path, *, dies_with_parent: bool) -> None:
        """`title` says in errors which one it is."""
        self.data_dir = data_dir
        self.log = log
        self.process: Process | None = None
        self._title = title
        self._dies_with_parent = dies_with_parent

    @abstractmethod
    def start(self, wait: bool = True) -> None:
        """Unless it runs. Raises `DevError` with the log's end when it dies."""

    @abstractmethod
    def wait_ready(self, timeout_s: float = START_WITHIN_S) -> None:
        """Until it serves. Raises `DevError`."""

    def stop(self, timeout_s: float = STOP_WITHIN_S) -> bool:
        """A shutdown in good order; True when no force was needed."""
        in_order = self.process.stop(timeout_s, self.STOP_SIGNAL) if self.process is not None else True
        self.process = None
        return in_order

    def kill(self) -> None:
        """As a power cut would, with every process of it."""
        if self.process is not None:
            self.process.kill()
        self.process = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def _check_alive(self) -> None:
        if not self.alive():
            raise DevError(f"{self._title} ended at its start; the end of {self.log}:\n{tail(self.log, 15)}")
