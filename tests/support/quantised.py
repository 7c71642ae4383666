"""Checkpoints that `parley models quantize` writes, and programs in processes of their own that load them."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.contracts import ROOT
from parley.cli.main import app


def needs(module: str) -> None:
    """Skip where it is not installed; under `make test` it has to be."""
    if importlib.util.find_spec(module) is None:
        if os.environ.get("PARLEY_REQUIRE_SERVERS") == "1":
            pytest.fail(f"{module} is not installed", pytrace=False)
        pytest.skip(f"{module} is not installed (extra `train` or `vllm`)")


def quantized(model: Path, out: Path, *options: str) -> dict[str, Any]:
    done = CliRunner().invoke(
        app,
        [
            "models",
            "quantize",
            str(model),
            str(out),
            "--length",
            "128",
            "--requests",
            "0",
            "--json",
            *options,
        ],
        catch_exceptions=False,
    )
    assert done.exit_code == 0, done.output
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def program(source: str, *args: str) -> Any:
    """What the last line of a Python program says, which runs in a process of its own: an engine starts threads and processes."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", source, *args],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])
