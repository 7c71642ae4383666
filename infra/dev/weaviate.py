"""Weaviate without Docker: the server built once from its source, and servers that tests can stop, kill and start again."""

import os
import urllib.error
import urllib.request
from dataclasses import astuple, dataclass
from pathlib import Path

from infra.dev import golang
from infra.dev.ground import (
    LOOPBACK,
    DevError,
    cache_dir,
    free_ports,
    locked,
    require_free,
    run_logged,
    wait_until,
)
from infra.dev.process import Process
from infra.dev.server import START_WITHIN_S, Server

VERSION = "1.35.2"
SOURCE = "github.com/weaviate/weaviate/cmd/weaviate-server"
GO_MINOR = 25
"""Of the Go that this version's source asks for."""


@dataclass(frozen=True, slots=True)
class WeaviatePorts:
    """A node talks to itself on four of them, although there is no other."""

    http: int
    grpc: int
    gossip: int
    data: int
    raft: int
    raft_rpc: int

    @classmethod
    def choose(cls) -> "WeaviatePorts":
        return cls(*free_ports(6))


def program() -> Path:
    """`PARLEY_WEAVIATE`, else the one that `prepare` builds."""
    named = os.environ.get("PARLEY_WEAVIATE")
    if named and not os.access(named, os.X_OK):
        raise DevError(f"PARLEY_WEAVIATE: {named} is no program")
    return Path(named) if named else cache_dir() / f"weaviate-{VERSION}" / "weaviate-server"


def missing_packages() -> list[str]:
    return []


def prepare() -> None:
    """Build the server once; Go is fetched where it is missing. Raises `DevError` with the end of the log."""
    with locked(cache_dir() / "weaviate.lock", "another run builds Weaviate; waiting for it"):
        if not program().exists():
            _build(program())


def _build(target: Path) -> None:
    building = target.parent.with_name(f"{target.parent.name}.building")
    building.mkdir(exist_ok=True)
    # GOTOOLCHAIN: the build would fetch a Go of its own; CGO_ENABLED: it would want a C compiler.
    settings = {"GOBIN": str(building), "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    environment = {**os.environ, **settings}
    command = [str(golang.go(GO_MINOR)), "install", "-v", f"{SOURCE}@v{VERSION}"]
    log = cache_dir() / "logs" / "weaviate.log"
    run_logged(
        f"Weaviate {VERSION} from source (once; about 4 minutes on two cores)", command, log, env=environment
    )
    building.rename(target.parent)


class WeaviateServer(Server):
    """One node."""

    def __init__(
        self,
        data_dir: Path,
        ports: WeaviatePorts,
        *,
        log: Path | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        super().__init__(
            f"Weaviate on port {ports.http}",
            data_dir,
            log or data_dir.with_name(f"{data_dir.name}.log"),
            dies_with_parent=dies_with_parent,
        )
        self.ports = ports

    @property
    def url(self) -> str:
        """As `PARLEY_INDEX_URL` wants it."""
        return f"weaviate://{LOOPBACK}:{self.ports.http}?grpc={self.ports.grpc}"

    def start(self, wait: bool = True) -> None:
        """Raises `DevError` with the log's end when it dies."""
        if self.alive():
            return
        for port in astuple(self.ports):
            require_free(port, "Weaviate")
        prepare()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        where = ["--scheme", "http", "--host", LOOPBACK, "--port", str(self.ports.http)]
        self.process = Process.start(
            [str(program()), *where],
            log=self.log,
            environment={**os.environ, **self._settings()},
            cwd=self.data_dir,
            dies_with_parent=self._dies_with_parent,
        )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = START_WITHIN_S) -> None:
        """Until it says that it is. Raises `DevError`."""
        what = f"Weaviate on port {self.ports.http} was not ready"
        wait_until(self._is_ready, timeout_s, what, self._check_alive)

    def _settings(self) -> dict[str, str]:
        return {
            "PERSISTENCE_DATA_PATH": str(self.data_dir),
            "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "true",
            "DEFAULT_VECTORIZER_MODULE": "none",
            "DISABLE_TELEMETRY": "true",
            "GRPC_PORT": str(self.ports.grpc),
            "CLUSTER_HOSTNAME": "parley",
            "CLUSTER_ADVERTISE_ADDR": LOOPBACK,
            "CLUSTER_GOSSIP_BIND_PORT": str(self.ports.gossip),
            "CLUSTER_DATA_BIND_PORT": str(self.ports.data),
            "RAFT_PORT": str(self.ports.raft),
            "RAFT_INTERNAL_RPC_PORT": str(self.ports.raft_rpc),
            "RAFT_BOOTSTRAP_EXPECT": "1",
            "LOG_LEVEL": "warning",
            # Its newer BM25 leaves out some of the best when few are asked for and a filter holds (docs/operations.md).
            "USE_INVERTED_SEARCHABLE": "false",
            # A developer's machine: by default it would take what memory and cores there are.
            "GOMEMLIMIT": "512MiB",
            "GOMAXPROCS": "2",
        }

    def _is_ready(self) -> bool:
        url = f"http://{LOOPBACK}:{self.ports.http}/v1/.well-known/ready"
        try:
            with urllib.request.urlopen(url, timeout=2.0) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False
