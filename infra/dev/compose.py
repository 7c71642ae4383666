"""The same stack by Docker Compose, where an engine answers; what it consists of stands in `docker-compose.yml`."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from secrets import token_hex

from infra.dev.ground import ROOT, DevError, say
from infra.dev.layout import write_private

COMPOSE = ("docker", "compose", "--project-directory", str(ROOT), "--profile", "core")
MARK = "compose"


def available() -> bool:
    """Whether an engine and the compose plug-in answer."""
    if shutil.which("docker") is None:
        return False
    return all(
        subprocess.run(["docker", *command], capture_output=True, check=False, timeout=20).returncode == 0
        for command in (["version", "--format", "{{.Server.Version}}"], ["compose", "version"])
    )


def is_up(state: Path) -> bool:
    """Whether the last `up` went this way and no `down` came after it."""
    return (state / MARK).exists()


def up(state: Path, port: int) -> None:
    """Build, start, and wait until every health check passes. Raises `DevError`."""
    say("  by docker compose (PARLEY_DEV=native would do without)")
    write_private(state / MARK, str(port))
    _compose(state, ["up", "--detach", "--build", "--wait"])


def down(state: Path) -> None:
    """Stop and remove the containers; their volumes stay."""
    _compose(state, ["down"])
    (state / MARK).unlink(missing_ok=True)


def execute(state: Path, command: Sequence[str]) -> int:
    """Run a program inside the gateway's container."""
    return subprocess.call([*COMPOSE, "exec", "gateway", *command], env=_environment(state))


def _compose(state: Path, arguments: Sequence[str]) -> None:
    status = subprocess.call([*COMPOSE, *arguments], env=_environment(state))
    if status:
        raise DevError(
            f"docker compose {arguments[0]} ended with status {status}; docker compose logs shows why"
        )


def _environment(state: Path) -> dict[str, str]:
    """Secrets of this machine, made at the first start."""
    secrets = {}
    for name in ("PARLEY_SECRET", "POSTGRES_PASSWORD"):
        path = state / f"compose-{name.lower()}"
        if not path.exists():
            write_private(path, token_hex(32))
        secrets[name] = path.read_text()
    port = (state / MARK).read_text() if (state / MARK).exists() else "8080"
    return {**os.environ, **secrets, "PARLEY_PORT": port}
