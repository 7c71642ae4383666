"""What the development servers share: folders, free ports, locks, waiting, progress lines. No server is known here."""

import fcntl
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = "127.0.0.1"
#: Below the range from which systems take the ports of outgoing connections, so that a stopped server's stays free.
PORTS = range(20_000, 32_000)
PROGRESS_EVERY_S = 10.0


class DevError(Exception):
    """Something that a person can put right; the message says what and how."""


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def cache_dir() -> Path:
    """Where downloads are kept, outside the checkout: `PARLEY_CACHE`, else `~/.cache/parley`."""
    folder = Path(os.environ.get("PARLEY_CACHE") or "~/.cache/parley").expanduser()
    return _writable(folder, "PARLEY_CACHE")


def state_dir() -> Path:
    """Where `make up` keeps data, logs and pid files: `PARLEY_DEV_STATE`, `$PARLEY_HOME/dev`, `~/.local/share/parley/dev`."""
    named = os.environ.get("PARLEY_DEV_STATE")
    home = Path(os.environ.get("PARLEY_HOME") or "~/.local/share/parley")
    return _writable(Path(named).expanduser() if named else home.expanduser() / "dev", "PARLEY_HOME")


def _writable(folder: Path, variable: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DevError(f"{variable}: cannot make {folder} ({error.strerror}); name another folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DevError(f"{variable}: {folder} cannot be written; name another folder")
    return folder.absolute()


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(port: int, whose: str) -> None:
    """Raises `DevError` when another program listens there: its answers would be taken for our server's."""
    if not is_free(port):
        raise DevError(f"{whose} cannot listen on {LOOPBACK}:{port}: another program does")


def free_ports(count: int) -> list[int]:
    """Different ports on which nothing listens, chosen at random so that suites side by side do not meet."""
    # SystemRandom: tests seed the shared generator, and two suites would then choose the same ports.
    candidates = random.SystemRandom().sample(PORTS, len(PORTS))
    found = []
    for port in candidates:
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise DevError(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")


@contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold an exclusive lock on a file; `waiting` is said when another process holds it. Freed when a holder dies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"  {waiting}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wait_until(
    probe: Callable[[], bool], timeout_s: float, what: str, check: Callable[[], None] | None = None
) -> None:
    """Probe until it holds. `check` may raise to end the waiting early. Raises `DevError` after `timeout_s`."""
    until = time.monotonic() + timeout_s
    pause = 0.02
    while not probe():
        if check is not None:
            check()
        if time.monotonic() > until:
            raise DevError(f"{what} within {timeout_s:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.25)


@contextmanager
def step(what: str) -> Iterator[None]:
    """A progress line before and its duration after."""
    say(f"  {what} …")
    began = time.monotonic()
    yield
    say(f"  {what}: {time.monotonic() - began:.1f} s")


def run_logged(
    what: str,
    command: Sequence[str],
    log: Path,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a program with its output in `log`; says every ten seconds that it still runs.

    Raises `DevError` with the log's last lines when it fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with step(what), log.open("ab") as output:
        began = time.monotonic()
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=cwd, env=env
            )
        except OSError as error:
            raise DevError(f"{what}: {command[0]} cannot be run ({error.strerror})") from error
        with process:
            while True:
                try:
                    status = process.wait(timeout=PROGRESS_EVERY_S)
                    break
                except subprocess.TimeoutExpired:
                    say(
                        f"    still at it after {time.monotonic() - began:.0f} s ({tail(log, 1) or 'no output yet'})"
                    )
    if status:
        raise DevError(f"{what}: {command[0]} ended with status {status}; the end of {log}:\n{tail(log, 15)}")


def tail(log: Path, lines: int) -> str:
    """The last lines of a file, as much as can be read."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
