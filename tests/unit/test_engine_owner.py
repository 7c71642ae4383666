"""An engine's processes end with the one that they belong to, and no other program does."""

import json
import logging.config
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Event as Flag

import psutil
import pytest

from parley.backends.vllm_engine import owner
from parley.backends.vllm_engine.arguments import prepare_environment
from parley.backends.vllm_engine.owner import OWNER
from parley.backends.vllm_engine.start_log import _configuration
from parley.engine_settings import STARTER, EngineSettings

SPAWN = multiprocessing.get_context("spawn")
WITHIN_S = 30.0
LOOK_EVERY_S = 0.05
GOES_ON_S = 1.0
"""Many looks, after which a process that was to end would have ended."""

Owner = subprocess.Popen[bytes]
Spawn = Callable[[Callable[[str, Event], None]], SpawnProcess]

COMMAND = """
import sys
from tests.unit.test_engine_owner import log_as_vllm_does

log_as_vllm_does(sys.argv[1])
print("up", flush=True)
input()
"""


def log_as_vllm_does(configuration: str) -> None:
    owner.LOOK_EVERY_S = LOOK_EVERY_S
    logging.config.dictConfig(json.loads(Path(configuration).read_text()))


def engine(configuration: str, up: Event) -> None:
    log_as_vllm_does(configuration)
    up.set()
    Flag().wait()


def with_an_engine_of_its_own(configuration: str, up: Event) -> None:
    log_as_vllm_does(configuration)
    prepare_environment(EngineSettings.load(model=str(STARTER)))
    up.set()
    Flag().wait()


@pytest.fixture
def configuration(tmp_path: Path) -> str:
    path = tmp_path / "logging.json"
    path.write_text(json.dumps(_configuration(tmp_path / "errors.log", "ERROR")))
    return str(path)


@pytest.fixture
def the_owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    """A process whose id is in the environment of what the test starts."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setenv(OWNER, str(process.pid))
        yield process
        process.kill()


@pytest.fixture
def up() -> Event:
    """Set by a process once it watches its owner."""
    return SPAWN.Event()


@pytest.fixture
def spawn(configuration: str, up: Event, the_owner: Owner) -> Iterator[Spawn]:
    """Starts it as vLLM starts its processes."""
    begun = []

    def start(target: Callable[[str, Event], None]) -> SpawnProcess:
        begun.append(SPAWN.Process(target=target, args=(configuration, up), daemon=True))
        begun[-1].start()
        return begun[-1]

    yield start
    for process in begun:
        process.kill()
        process.join()


def status(process: SpawnProcess, within_s: float) -> int | None:
    """None: it goes on."""
    process.join(within_s)
    return process.exitcode


def test_an_engines_process_ends_with_its_owner(the_owner: Owner, spawn: Spawn, up: Event) -> None:
    process = spawn(engine)
    assert up.wait(WITHIN_S) and status(process, GOES_ON_S) is None
    the_owner.kill()
    the_owner.wait()
    assert status(process, WITHIN_S) == -signal.SIGKILL


def test_also_where_nobody_has_asked_how_the_owner_ended(the_owner: Owner, spawn: Spawn, up: Event) -> None:
    process = spawn(engine)
    assert up.wait(WITHIN_S)
    the_owner.kill()  # and is a zombie, as we do not wait for it
    assert status(process, WITHIN_S) == -signal.SIGKILL
    assert psutil.Process(the_owner.pid).status() == psutil.STATUS_ZOMBIE


def test_also_where_the_owner_is_gone_before_the_process_is_up(the_owner: Owner, spawn: Spawn) -> None:
    the_owner.kill()
    the_owner.wait()
    assert status(spawn(engine), WITHIN_S) == -signal.SIGKILL


def test_a_process_that_starts_an_engine_itself_goes_on(the_owner: Owner, spawn: Spawn, up: Event) -> None:
    process = spawn(with_an_engine_of_its_own)
    assert up.wait(WITHIN_S)
    the_owner.kill()
    the_owner.wait()
    assert status(process, GOES_ON_S) is None


def test_a_command_that_the_owner_started_goes_on_without_it(the_owner: Owner, configuration: str) -> None:
    command = [sys.executable, "-c", COMMAND, configuration]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None and process.stdin is not None
        assert process.stdout.readline() == b"up\n"
        the_owner.kill()
        the_owner.wait()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(GOES_ON_S)
        process.communicate(b"\n", timeout=WITHIN_S)
        assert process.returncode == 0
