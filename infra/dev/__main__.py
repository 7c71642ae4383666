"""`python -m infra.dev`: install the servers, bring the distributed form up and down, run a program against it."""

import argparse
import os
import shlex
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from infra.dev import chromium, debian, kafka, postgres, weaviate
from infra.dev.ground import ROOT, DevError, say, state_dir

COMPONENTS = {"kafka": kafka, "postgres": postgres, "weaviate": weaviate, "chromium": chromium}
DEFAULT_PORT = 8080


def install(names: Sequence[str]) -> None:
    """Packages of all components in one go, then what each fetches itself. Nothing happens where all is there."""
    chosen = {name: COMPONENTS[name] for name in names or COMPONENTS}
    missing = [package for module in chosen.values() for package in module.missing_packages()]
    debian.ensure(list(dict.fromkeys(missing)), f"{', '.join(chosen)} need packages that are missing")
    for module in chosen.values():
        module.prepare()
    say(f"  ready: {', '.join(chosen)}")


def up() -> None:
    from infra.dev import compose
    from infra.dev.layout import remembered_ports
    from infra.dev.stack import Stack

    began = time.monotonic()
    state = state_dir()
    port = _gateway_port()
    if _by_docker():
        compose.up(state, port)
        _announce(f"http://127.0.0.1:{port}", began, "docker compose logs -f")
        return
    install(["kafka", "postgres", "weaviate"])
    stack = Stack(state, remembered_ports(state, port), extra=_passed_on())
    try:
        stack.up()
    except DevError as error:
        raise DevError(f"{error}\n(make down stops what was started)") from error
    _announce(stack.url, began, f"{state / 'logs'}")
    say(f"  Kafka       {stack.kafka.bootstrap}\n  PostgreSQL  127.0.0.1:{stack.ports.postgres}")
    say(f"  Weaviate    127.0.0.1:{stack.ports.weaviate.http}")
    say(f"  in a shell: set -a; . {state / 'environment'}; set +a")


def down() -> None:
    from infra.dev import compose
    from infra.dev.layout import remembered_ports
    from infra.dev.stack import Stack

    state = state_dir()
    if compose.is_up(state):
        compose.down(state)
    if (state / "ports.json").exists():
        Stack(state, remembered_ports(state, None)).down()
    say("  everything is down; the data stays in " + str(state))


def wipe() -> None:
    """Down, and the data gone."""
    down()
    state = state_dir()
    data = state / "data" / "postgres"
    if data.is_symlink():
        shutil.rmtree(data.resolve().parent, ignore_errors=True)  # made for this link alone
    shutil.rmtree(state)
    say(f"  {state} is removed")


def execute(command: Sequence[str]) -> int:
    """A program with the running stack's settings; without a stack, with those that the shell has."""
    from infra.dev import compose
    from infra.dev.layout import read_environment

    state = state_dir()
    if compose.is_up(state):
        return compose.execute(state, command)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    environment = {**os.environ, **read_environment(state), "PATH": path}
    program = shutil.which(command[0], path=path)
    if program is None:
        raise DevError(f"{command[0]} is no program")
    os.execve(program, list(command), environment)


def environment() -> None:
    """Print the running stack's settings as `export` lines."""
    from infra.dev.layout import read_environment

    values = read_environment(state_dir())
    if not values:
        raise DevError("nothing was brought up yet: make up")
    for name, value in values.items():
        print(f"export {name}={shlex.quote(value)}")


def _by_docker() -> bool:
    from infra.dev import compose

    how = os.environ.get("PARLEY_DEV", "auto")
    if how not in ("auto", "docker", "native"):
        raise DevError(f"PARLEY_DEV: {how!r} is unknown; allowed: auto, docker, native")
    if how == "docker" and not compose.available():
        raise DevError(
            "PARLEY_DEV: no Docker engine with the compose plug-in answers; leave it out to go without"
        )
    return how == "docker" or (how == "auto" and compose.available())


def _gateway_port() -> int:
    named = os.environ.get("PARLEY_PORT", str(DEFAULT_PORT))
    if not named.isdigit() or not 0 < int(named) < 65536:
        raise DevError(f"PARLEY_PORT: {named!r} is no port; allowed: 1 to 65535")
    return int(named)


OURS = {
    "HOME",
    "BUS_URL",
    "DATABASE_URL",
    "KEYS_URL",
    "INDEX_URL",
    "SECRET",
    "HOST",
    "PORT",
    "METRICS_PORT",
    "DEV",
    "DEV_STATE",
    "CACHE",
}


def _passed_on() -> dict[str, str]:
    """The shell's other settings (a generator, a log level): they are part of the stack's environment file too."""
    return {
        k: v
        for k, v in os.environ.items()
        if k.startswith("PARLEY_") and k.removeprefix("PARLEY_") not in OURS
    }


def _announce(url: str, began: float, logs: str) -> None:
    say(f"\nParley is up after {time.monotonic() - began:.1f} s; make status, make down\n")
    for folder in sorted(path.parent.name for path in ROOT.glob("tenants/*/tenant.yaml")):
        say(f"  {url}/demo/{folder}")
    say(f"  {url}/openapi.json\n  logs        {logs}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.dev", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    installing = commands.add_parser("install", help="fetch servers (all without a name)")
    installing.add_argument("names", nargs="*", choices=[*COMPONENTS, []], metavar="|".join(COMPONENTS))
    for name, what in {
        "up": "bring the distributed form up",
        "down": "stop it",
        "wipe": "stop it and remove its data",
        "env": "print its settings for a shell",
    }.items():
        commands.add_parser(name, help=what)
    executing = commands.add_parser("exec", help="run a program with its settings")
    executing.add_argument("program", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    try:
        if chosen.command == "install":
            install(chosen.names)
        elif chosen.command == "exec":
            return execute(chosen.program)
        else:
            {"up": up, "down": down, "wipe": wipe, "env": environment}[chosen.command]()
    except DevError as error:
        say(f"{chosen.command}: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
