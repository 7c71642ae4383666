"""The distributed form on this machine: Kafka, PostgreSQL, Weaviate, the gateway and each worker, a process each.

`make up` and `make down` are `Stack.up` and `Stack.down`; tests take the same class to bring a part down in the middle.
What runs is known by pid files, so a stack may be stopped by another process than the one that started it.
"""

import os
import secrets
import shlex
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from infra.dev.ground import (
    LOOPBACK,
    ROOT,
    DevError,
    is_free,
    locked,
    run_logged,
    say,
    step,
    tail,
    wait_until,
)
from infra.dev.kafka import KafkaServer
from infra.dev.layout import WORKERS, Ports, environment_file, write_private
from infra.dev.postgres import PostgresServer
from infra.dev.process import Process
from infra.dev.server import Server
from infra.dev.weaviate import WeaviateServer

GATEWAY = "gateway"
SERVERS = ("kafka", "postgres", "weaviate")
DATABASES = ("parley", "parley_keys")
READY_WITHIN_S = 90.0
STOP_WITHIN_S = 25.0


class Stack:
    """One stack in one state folder: `data`, `logs`, `run` (pid files), `home`, `environment`."""

    def __init__(
        self,
        state: Path,
        ports: Ports,
        *,
        tenants: Sequence[Path] | None = None,
        extra: Mapping[str, str] | None = None,
        durable: bool = True,
        dies_with_parent: bool = False,
    ) -> None:
        """`extra` are settings on top, such as PARLEY_GENERATOR; `tenants` are folders, by default all of `tenants/`."""
        self.state = state
        self.ports = ports
        self._tenants = tenants
        self._extra = dict(extra or {})
        self._dies_with_parent = dies_with_parent
        (state / "run").mkdir(parents=True, exist_ok=True)
        self.kafka = KafkaServer(
            state / "data" / "kafka",
            ports.kafka,
            ports.controller,
            log=self.log("kafka"),
            dies_with_parent=dies_with_parent,
        )
        self.postgres = PostgresServer(
            state / "data" / "postgres",
            ports.postgres,
            durable=durable,
            log=self.log("postgres"),
            dies_with_parent=dies_with_parent,
        )
        self.weaviate = WeaviateServer(
            state / "data" / "weaviate",
            ports.weaviate,
            log=self.log("weaviate"),
            dies_with_parent=dies_with_parent,
        )
        self._servers: dict[str, Server] = {
            "kafka": self.kafka,
            "postgres": self.postgres,
            "weaviate": self.weaviate,
        }
        for name, server in self._servers.items():
            server.process = Process.load(self._pid_file(name))
        loaded = {name: Process.load(self._pid_file(name)) for name in (GATEWAY, *WORKERS)}
        self.processes: dict[str, Process] = {
            name: process for name, process in loaded.items() if process is not None
        }

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.gateway}"

    def log(self, name: str) -> Path:
        return self.state / "logs" / f"{name}.log"

    def alive(self, name: str) -> bool:
        if name in SERVERS:
            return self._servers[name].alive()
        return name in self.processes and self.processes[name].alive()

    def pids(self) -> dict[str, int]:
        """Of what runs, by name."""
        parts = {name: server.process for name, server in self._servers.items()} | self.processes
        return {name: part.pid for name, part in parts.items() if part is not None and part.alive()}

    def environment(self) -> dict[str, str]:
        """The settings of every part. PostgreSQL must have been started once, which makes its password."""
        return {
            "PARLEY_HOME": str(self.state / "home"),
            "PARLEY_BUS_URL": self.kafka.url,
            "PARLEY_DATABASE_URL": self.postgres.url(DATABASES[0]),
            "PARLEY_KEYS_URL": self.postgres.url(DATABASES[1]),
            "PARLEY_INDEX_URL": self.weaviate.url,
            "PARLEY_SECRET": self._secret(),
            "PARLEY_HOST": LOOPBACK,
            "PARLEY_PORT": str(self.ports.gateway),
            **self._extra,
        }

    def up(self) -> None:
        """Start what is not running; safe to repeat. Raises `DevError` naming the log of a part that failed."""
        with locked(self.state / "up.lock", "another make up is at it; waiting"):
            if all(map(self.alive, (*SERVERS, *WORKERS, GATEWAY))):
                say("  everything runs already")
                return
            self._check_gateway_port()
            self.start_servers()
            self._prepare()
            with step("gateway and workers"):
                for name in (*WORKERS, GATEWAY):
                    self.start(name)
                for name in (*WORKERS, GATEWAY):
                    self.wait_ready(name)
                self._wait_joined()

    def _wait_joined(self) -> None:
        """Until `parley status` finds everything up: a worker that lives may not be in its group yet."""
        command, environment = [*PARLEY, "status"], {**os.environ, **self.environment()}
        wait_until(
            lambda: subprocess.run(command, capture_output=True, cwd=ROOT, env=environment).returncode == 0,
            READY_WITHIN_S,
            f"not every worker joined its group ({self.state / 'logs'}; make status)",
        )

    def start_servers(self) -> None:
        """All of them side by side, and the databases."""
        with step("Kafka, PostgreSQL and Weaviate"):
            for name, server in self._servers.items():
                server.start(wait=False)
                if server.process is not None:
                    server.process.save(self._pid_file(name))
            self.postgres.wait_ready()
            for name in DATABASES:
                self.postgres.ensure_database(name)
            self._write_environment()
            self.kafka.wait_ready()
            self.weaviate.wait_ready()

    def start(self, name: str) -> None:
        """Start the gateway or a worker, unless it runs."""
        if self.alive(name):
            return
        arguments = [name] if name == GATEWAY else ["worker", name]
        own = {"PARLEY_METRICS_PORT": str(self.ports.workers[name])} if name in self.ports.workers else {}
        self.processes[name] = Process.start(
            [*PARLEY, *arguments],
            log=self.log(name),
            environment={**os.environ, **self.environment(), **own},
            cwd=ROOT,
            dies_with_parent=self._dies_with_parent,
        )
        self.processes[name].save(self._pid_file(name))

    def wait_ready(self, name: str, timeout_s: float = READY_WITHIN_S) -> None:
        """Until the gateway takes messages (`/readyz`), or a worker serves its metrics. Raises `DevError`."""
        port, path = (
            (self.ports.gateway, "readyz") if name == GATEWAY else (self.ports.workers[name], "metrics")
        )
        url = f"http://{LOOPBACK}:{port}/{path}"
        wait_until(
            lambda: _answers(url),
            timeout_s,
            f"{name} was not ready ({url}, {self.log(name)})",
            self._lives(name),
        )

    def stop(self, name: str) -> bool:
        """Ask one to drain and end; True when no force was needed."""
        in_order = self.processes.pop(name).stop(STOP_WITHIN_S) if self.alive(name) else True
        self._pid_file(name).unlink(missing_ok=True)
        return in_order

    def kill(self, name: str) -> None:
        """SIGKILL, to a server too."""
        if name in SERVERS:
            self._servers[name].kill()
        elif name in self.processes:
            self.processes.pop(name).kill()
        self._pid_file(name).unlink(missing_ok=True)

    def down(self) -> None:
        """Stop what runs: the doors first, then the workers, then the servers. The data stays."""
        with locked(self.state / "up.lock", "another make up is at it; waiting"):
            running = [name for name in (GATEWAY, *WORKERS) if self.alive(name)]
            for name in running:
                self.processes[name].send(signal.SIGTERM)
            self._each_stopped(running, self.stop)
            servers = [name for name in reversed(SERVERS) if self.alive(name)]
            self._each_stopped(servers, lambda name: self._servers[name].stop())
            for name in SERVERS:
                self._pid_file(name).unlink(missing_ok=True)

    def _each_stopped(self, names: Sequence[str], stop: Callable[[str], bool]) -> None:
        for name in names:
            began = time.monotonic()
            how = "stopped" if stop(name) else f"did not end in time and was killed; see {self.log(name)}"
            say(f"  {name} {how} ({time.monotonic() - began:.1f} s)")

    def _prepare(self) -> None:
        """Schemas, topics and tenants; each of them safe to repeat."""
        found = (
            self._tenants
            if self._tenants is not None
            else sorted(p.parent for p in ROOT.glob("tenants/*/tenant.yaml"))
        )
        steps = [("databases", ["db", "upgrade"]), ("topics", ["topics", "apply"])]
        steps += [(f"tenant {folder.name}", ["tenants", "import", str(folder)]) for folder in found]
        environment = {**os.environ, **self.environment()}
        for what, arguments in steps:
            run_logged(what, [*PARLEY, *arguments], self.log("setup"), cwd=ROOT, env=environment)

    def _check_gateway_port(self) -> None:
        port = self.ports.gateway
        if not self.alive(GATEWAY) and not is_free(port):
            raise DevError(
                f"PARLEY_PORT: port {port} is taken by another program; choose one: PARLEY_PORT={port + 1} make up"
            )

    def _lives(self, name: str) -> Callable[[], None]:
        def check() -> None:
            if not self.alive(name):
                raise DevError(
                    f"{name} ended at its start; the end of {self.log(name)}:\n{tail(self.log(name), 15)}"
                )

        return check

    def _pid_file(self, name: str) -> Path:
        return self.state / "run" / f"{name}.pid"

    def _secret(self) -> str:
        path = self.state / "secret"
        if not path.exists():
            write_private(path, secrets.token_hex(32))
        return path.read_text()

    def _write_environment(self) -> None:
        """For shells and `make status`: how to reach this stack."""
        values = {**self.environment(), "PARLEY_DEV_STATE": str(self.state)}
        write_private(
            environment_file(self.state), "".join(f"{k}={shlex.quote(v)}\n" for k, v in values.items())
        )


PARLEY = (sys.executable, "-m", "parley.cli.main")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5.0) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
