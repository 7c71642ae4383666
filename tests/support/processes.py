"""Parley's own processes for tests: started, killed and started again, with their output kept."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import IO

import httpx

ROOT = Path(__file__).resolve().parents[2]


class ParleyProcess:
    """`parley …` as a process of its own; its output goes to a file in `logs`."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], logs: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = {**os.environ, **environment}
        self._log = logs / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._out: IO[bytes] | None = None

    def start(self) -> None:
        self._out = self._log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "parley.cli.main", *self._arguments],
            cwd=ROOT,
            env=self._environment,
            stdout=self._out,
            stderr=subprocess.STDOUT,
        )

    def kill(self) -> None:
        """As the kernel would: no signal handler runs."""
        self._end(signal.SIGKILL)

    def stop(self, timeout_s: float = 30.0) -> int:
        """Ask it to stop in good order; its exit status."""
        return self._end(signal.SIGTERM, timeout_s)

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def output(self) -> str:
        return self._log.read_text(errors="replace")

    def _end(self, how: signal.Signals, timeout_s: float = 30.0) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(how)
        status = self._process.wait(timeout_s)
        if self._out is not None:
            self._out.close()
        return status


def wait_ready(url: str, process: ParleyProcess, within_s: float = 180.0) -> None:
    """Until the gateway answers /readyz with 200; fails with its output when it dies or takes longer."""
    until = monotonic() + within_s
    with httpx.Client(timeout=2.0) as client:
        while monotonic() < until:
            assert process.alive(), process.output()
            try:
                if client.get(f"{url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                continue
    raise AssertionError(f"{process.name} was not ready within {within_s:g} s:\n{process.output()}")
