"""One process of an operating system: started, found again by its pid file, asked to end, made to end."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from infra.dev.ground import DevError, wait_until


@dataclass(frozen=True, slots=True)
class Identity:
    """A pid with its start time, since pids are used again."""

    pid: int
    started: str


def identity(pid: int) -> Identity | None:
    """Who runs under a pid now; None when nobody does (one that has ended and is not yet reaped counts as nobody)."""
    if not Path("/proc/self/stat").exists():
        return _identity_by_ps(pid)
    try:
        # After the name in parentheses, which may hold anything: state is field 3, start time field 22 (man 5 proc).
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else Identity(pid, fields[19])


def _identity_by_ps(pid: int) -> Identity | None:
    shown = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, started = shown.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else Identity(pid, started.strip())


def children(pid: int) -> list[Identity]:
    """The processes whose parent it is."""
    if not Path("/proc/self/stat").exists():
        shown = subprocess.run(
            ["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=False
        ).stdout
        pairs = [tuple(map(int, line.split())) for line in shown.splitlines()]
    else:
        pairs = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                pairs.append((int(stat.parent.name), int(stat.read_text().rpartition(")")[2].split()[1])))
    found = [identity(child) for child, parent in pairs if parent == pid]
    return [each for each in found if each is not None]


class Process:
    """A process that this one started, or that an earlier run started and left a pid file of."""

    def __init__(self, who: Identity, handle: subprocess.Popen[bytes] | None = None) -> None:
        self._who = who
        self._handle = handle
        self._watcher: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        dies_with_parent: bool = False,
    ) -> Self:
        """Start in the background with all output appended to `log`. Raises `DevError` when it cannot be run.

        With `dies_with_parent` it is interrupted when this process ends, even by force, and killed ten seconds later.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            try:
                handle = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=cwd,
                    start_new_session=True,
                    user=user,
                    group=user,
                    extra_groups=[] if user else None,
                )
            except OSError as error:
                raise DevError(f"{command[0]} cannot be run: {error.strerror}") from error
        started = cls(identity(handle.pid) or Identity(handle.pid, ""), handle)
        if dies_with_parent:
            started._watch()
        return started

    @classmethod
    def load(cls, pid_file: Path) -> Self | None:
        """The process of a pid file, when it is still the one that runs."""
        try:
            found = Identity(**json.loads(pid_file.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return cls(found) if identity(found.pid) == found else None

    def save(self, pid_file: Path) -> None:
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        pid_file.write_text(json.dumps({"pid": self._who.pid, "started": self._who.started}))

    def _watch(self) -> None:
        """A shell that waits for the end of its input, which comes when we end in whatever way.

        Linux' own parent-death signal would come when the starting *thread* ends, and tests start servers in threads.
        """
        self._watcher = subprocess.Popen(
            ["sh", "-c", f"cat; kill -INT {self.pid}; sleep 10; kill -KILL {self.pid}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _dismiss_watcher(self) -> None:
        if self._watcher is not None:
            # The whole session: the shell's `cat` too.
            os.killpg(self._watcher.pid, signal.SIGKILL)
            self._watcher.communicate()
            self._watcher = None

    @property
    def pid(self) -> int:
        return self._who.pid

    def alive(self) -> bool:
        if self._handle is None:
            return identity(self.pid) == self._who
        if self._handle.poll() is None:
            return True
        self._dismiss_watcher()
        return False

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs or when it is not ours to know."""
        return self._handle.poll() if self._handle is not None else None

    def send(self, number: signal.Signals) -> None:
        """Send a signal, to nobody when it has ended."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self, timeout_s: float) -> bool:
        """Until it has ended: True, or False after `timeout_s`."""
        try:
            wait_until(lambda: not self.alive(), timeout_s, f"process {self.pid} did not end")
        except DevError:
            return False
        return True

    def stop(self, timeout_s: float, how: signal.Signals = signal.SIGTERM) -> bool:
        """Ask to end, wait, and end it by force if need be. True when it ended by itself."""
        self.send(how)
        if self.wait(timeout_s):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """SIGKILL to it and to the processes that it started, and wait until all are gone."""
        family = [Process(each) for each in children(self.pid)] if self.alive() else []
        for process in (self, *family):
            process.send(signal.SIGKILL)
        for process in (self, *family):
            process.wait(10.0)
