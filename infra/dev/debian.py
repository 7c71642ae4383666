"""Debian packages: installed where we are root on a system with apt, else named so that a person can install them."""

import os
import shutil
import subprocess
from collections.abc import Sequence

from infra.dev.ground import DevError, cache_dir, locked, run_logged

APT = ["apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]


def ensure(packages: Sequence[str], why: str) -> None:
    """Install packages. Raises `DevError` with the command to run where we may not or cannot."""
    if not packages:
        return
    names = " ".join(packages)
    if shutil.which("apt-get") is None:
        raise DevError(f"{why}: install it with your system's packages (Debian calls them: {names})")
    if os.geteuid() != 0:
        raise DevError(f"{why}: run this, then try again: sudo apt-get install {names}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
    logs = cache_dir() / "logs"
    with locked(cache_dir() / "apt.lock", "another run installs packages; waiting for it"):
        run_logged(
            "package lists (apt-get update)", [*APT, "update"], logs / "apt-update.log", env=environment
        )
        chosen = [first_available(name.split("|")) for name in packages]
        run_logged(
            f"packages: {' '.join(chosen)}",
            [*APT, "install", "--no-install-recommends", *chosen],
            logs / "apt-install.log",
            env=environment,
        )


def first_available(alternatives: Sequence[str]) -> str:
    """The first of several names that this release of the system offers; the last where it offers none."""
    for name in alternatives:
        shown = subprocess.run(
            ["apt-cache", "policy", name], capture_output=True, text=True, check=False
        ).stdout
        if "Candidate:" in shown and "Candidate: (none)" not in shown:
            return name
    return alternatives[-1]
