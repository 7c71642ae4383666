"""`make up` and `make down`: the distributed form comes up, survives the loss of a part, and leaves nothing behind."""

import json
import os
import subprocess
import sys
from urllib.request import urlopen

import pytest

from infra.dev.ground import ROOT, DevError, is_free
from infra.dev.layout import WORKERS, read_environment
from infra.dev.stack import GATEWAY, SERVERS, Stack
from tests.servers import NewStack

EVERYTHING = (*SERVERS, *WORKERS, GATEWAY)


@pytest.fixture(scope="module")
def stack(new_stack: NewStack) -> Stack:
    return new_stack(tenants=[ROOT / "tenants" / "mobile"], extra={"PARLEY_DEMO": "false"})


def status(stack: Stack) -> dict[str, object]:
    environment = {**os.environ, **read_environment(stack.state)}
    command = [sys.executable, "-m", "parley.cli.main", "status", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_everything_is_up_and_has_joined(stack: Stack) -> None:
    assert [name for name in EVERYTHING if not stack.alive(name)] == []
    with urlopen(f"{stack.url}/readyz") as answer:
        assert answer.status == 200
    assert status(stack)["parts"] == {"bus": "up", "database": "up", "index": "up", "gateway": "up"}


def test_another_run_finds_it_by_its_pid_files(stack: Stack) -> None:
    again = Stack(stack.state, stack.ports)
    assert [name for name in EVERYTHING if not again.alive(name)] == []


def test_up_starts_only_what_is_missing(stack: Stack) -> None:
    gateway = stack.processes[GATEWAY].pid
    stack.kill("rag")
    assert not stack.alive("rag")
    stack.up()
    assert stack.alive("rag") and stack.processes[GATEWAY].pid == gateway


def test_a_taken_port_is_said_before_anything_starts(stack: Stack) -> None:
    other = Stack(stack.state / "other", stack.ports)
    with pytest.raises(
        DevError, match=rf"PARLEY_PORT: port {stack.ports.gateway} is taken by another program"
    ):
        other.up()
    assert [name for name in EVERYTHING if other.alive(name)] == []


def test_down_leaves_nothing_and_may_be_repeated(stack: Stack, capfd: pytest.CaptureFixture[str]) -> None:
    stack.down()
    assert [name for name in EVERYTHING if stack.alive(name)] == []
    assert all(map(is_free, (stack.ports.gateway, *stack.ports.servers())))
    assert "was killed" not in capfd.readouterr().err
    stack.down()
    assert list((stack.state / "run").glob("*.pid")) == []
