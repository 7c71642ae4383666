"""`parley run --generator vllm` as a person runs it in a terminal: what it says of its start, and that it ends when it is told to."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import psutil
import pytest

from infra.contracts import ROOT
from tests.support.engines import START_WITHIN_S, vllm_missing

ENDS_WITHIN_S = 15.0
"""A few seconds where nothing else runs on the machine."""
LOADING, ANSWERS = "The engine is loading its model", "Parley answers after"

pytestmark = [
    pytest.mark.skipif(vllm_missing() is not None, reason=vllm_missing() or ""),
    pytest.mark.timeout(600),
]


class Terminal:
    """A session of its own, so that Ctrl-C reaches every process in it, as a terminal's does."""

    def __init__(self, home: Path, output: Path, **environment: str) -> None:
        self._output = output
        command = [str(Path(sys.executable).with_name("parley")), "run", "--port", "0"]
        settings = {"PARLEY_HOME": str(home), "PARLEY_ENGINE_MAX_LORAS": "0", "PYTHONPATH": str(ROOT)}
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, "--tenant", str(ROOT / "tenants" / "mobile"), "--generator", "vllm"],
                env={**os.environ, **settings, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._output.read_text(errors="replace")

    def until(self, found: Callable[[], object], within_s: float = START_WITHIN_S) -> None:
        end = monotonic() + within_s
        while not found():
            assert self.process.poll() is None and monotonic() < end, self.said
            sleep(0.05)

    def others(self) -> list[psutil.Process]:
        """Of the session, those besides the command itself that still run."""
        found = []
        for each in psutil.process_iter():
            try:
                if os.getsid(each.pid) == self.process.pid and each.status() != psutil.STATUS_ZOMBIE:
                    found.append(each)
            except (ProcessLookupError, psutil.NoSuchProcess):
                continue
        return [each for each in found if each.pid != self.process.pid]

    def has_engine(self) -> bool:
        """Whether the first of its processes is there, under Python's name for it or under vLLM's."""
        commands = [" ".join(each.cmdline()) for each in self.others()]
        return LOADING in self.said and any("spawn_main" in each or "VLLM" in each for each in commands)

    def kill(self) -> None:
        for each in self.others():
            each.kill()
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tenant is fitted once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    begun: list[Terminal] = []

    def go(**environment: str) -> Terminal:
        begun.append(Terminal(home, tmp_path / "output", **environment))
        return begun[-1]

    yield go
    for each in begun:
        each.kill()


def ends_in_good_order(terminal: Terminal) -> None:
    before = terminal.said
    os.killpg(terminal.process.pid, signal.SIGINT)
    assert terminal.process.wait(ENDS_WITHIN_S) == 0
    lines = terminal.said.removeprefix(before).splitlines()
    assert len(lines) == 2 and lines[0].startswith("stopping …") and lines[1].startswith("stopped;"), lines
    leaves_nothing(terminal)


def leaves_nothing(terminal: Terminal) -> None:
    """The tracker of shared memory ends a moment after the process that it belongs to."""
    psutil.wait_procs(terminal.others(), timeout=2.0)
    assert terminal.others() == []


def test_ctrl_c_while_vllm_is_imported(run: Callable[..., Terminal]) -> None:
    terminal = run()
    terminal.until(lambda: LOADING in terminal.said)
    ends_in_good_order(terminal)


def test_ctrl_c_while_the_model_is_loaded(run: Callable[..., Terminal]) -> None:
    terminal = run()
    terminal.until(terminal.has_engine)
    ends_in_good_order(terminal)


def test_it_says_when_it_answers_and_nothing_else_and_ends_at_ctrl_c(run: Callable[..., Terminal]) -> None:
    terminal = run(PARLEY_LOG_LEVEL="WARNING")
    terminal.until(lambda: ANSWERS in terminal.said)
    _, _, after = terminal.said.partition("Ctrl-C stops it.\n")
    (line,) = after.splitlines()
    assert line.startswith(ANSWERS) and terminal.said.index(LOADING) < terminal.said.index(ANSWERS)
    ends_in_good_order(terminal)


def test_a_cache_that_is_too_small_ends_it_with_one_line(run: Callable[..., Terminal]) -> None:
    terminal = run(PARLEY_ENGINE_KV_CACHE_BYTES=str(1 << 20))
    assert terminal.process.wait(START_WITHIN_S) == 2
    _, _, after = terminal.said.partition("Ctrl-C stops it.\n")
    (line,) = after.splitlines()
    assert line.startswith("parley: the engine does not start") and "PARLEY_ENGINE_KV_CACHE_BYTES" in line
    leaves_nothing(terminal)


def test_an_engine_ends_with_its_owner(run: Callable[..., Terminal]) -> None:
    """However that one ends, and also while the engine is loading."""
    terminal = run()
    terminal.until(terminal.has_engine)
    terminal.process.kill()
    terminal.process.wait()
    end = monotonic() + 60.0
    while terminal.others() and monotonic() < end:
        sleep(0.1)
    assert terminal.others() == []
