"""Whole platforms for benchmarks: the embedded form and the distributed one, each with an API key of the bank."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from infra.dev.ground import ROOT, free_ports
from infra.dev.layout import WORKERS, Ports
from infra.dev.stack import Stack
from tests.support.processes import ParleyProcess, wait_ready

UNLIMITED = {
    "PARLEY_MESSAGES_PER_MINUTE": "100000",
    "PARLEY_CONVERSATIONS_PER_MINUTE": "100000",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A platform that answers. `parts` are its processes, by name; `pid` is the embedded form's only one, 0 for the distributed form."""

    url: str
    api_key: str
    parts: Mapping[str, int]
    pid: int = 0


@contextmanager
def embedded() -> Iterator[Running]:
    """`parley run` on an empty folder."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        [port] = free_ports(1)
        environment = {"PARLEY_HOME": f"{folder}/home", "PARLEY_PORT": str(port), **UNLIMITED}
        process = ParleyProcess(
            "run", ["run", "--tenant", _unlimited_bank(Path(folder))], environment, Path(folder)
        )
        process.start()
        url = f"http://127.0.0.1:{port}"
        try:
            wait_ready(url, process)
            yield Running(url, make_key(environment), {"platform": process.pid}, process.pid)
        finally:
            process.stop()


@contextmanager
def distributed(*, workers: bool = True) -> Iterator[Running]:
    """Kafka, PostgreSQL, gateway and, unless without, each worker a process; durable as in production."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        state = Path(folder)
        state.chmod(0o711)
        bank = Path(_unlimited_bank(state))
        stack = Stack(state / "stack", Ports.choose(), tenants=[bank], extra=UNLIMITED, dies_with_parent=True)
        try:
            stack.up()
            for name in () if workers else WORKERS:
                stack.stop(name)
            yield Running(stack.url, make_key(stack.environment()), stack.pids())
        finally:
            stack.down()


def make_key(environment: Mapping[str, str]) -> str:
    command = [
        sys.executable,
        "-m",
        "parley.cli.main",
        "keys",
        "create",
        "-t",
        "bank",
        "--kind",
        "api",
        "--json",
    ]
    made = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=True, text=True
    )
    key: str = json.loads(made.stdout)["key"]
    return key


def _unlimited_bank(folder: Path) -> str:
    """A copy of the bank whose quota is out of the benchmark's way."""
    bank = folder / "bank"
    shutil.copytree(ROOT / "tenants" / "bank", bank)
    file = bank / "tenant.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(
        text.replace("messages_per_second: 20.0", "messages_per_second: 100000.0").replace(
            "unsettled: 2000", "unsettled: 1000000"
        ),
        encoding="utf-8",
    )
    return str(bank)
