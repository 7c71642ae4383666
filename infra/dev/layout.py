"""What one stack on this machine is called and where it listens: its ports and its files. Nothing is started here."""

import json
import os
import shlex
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path

from infra.dev.ground import free_ports, is_free
from infra.dev.process import Process
from infra.dev.weaviate import WeaviatePorts

WORKERS = ("dialogue", "intent", "rag", "inference", "assignment", "feedback", "calls", "analysis")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where everything listens, on loopback. The workers' are those of their metrics."""

    gateway: int
    kafka: int
    controller: int
    postgres: int
    weaviate: WeaviatePorts
    workers: Mapping[str, int]

    @classmethod
    def choose(cls, gateway: int | None = None) -> "Ports":
        """Free ones; the gateway's may be given."""
        servers = len(fields(WeaviatePorts))
        kafka, controller, postgres, own, *rest = free_ports(4 + servers + len(WORKERS))
        weaviate, workers = WeaviatePorts(*rest[:servers]), rest[servers:]
        return cls(
            gateway or own, kafka, controller, postgres, weaviate, dict(zip(WORKERS, workers, strict=True))
        )

    @classmethod
    def load(cls, path: Path) -> "Ports | None":
        """Those of a file that `save` wrote; None where there is none, or one of an earlier form."""
        try:
            held = json.loads(path.read_text())
            return cls(**{**held, "weaviate": WeaviatePorts(**held["weaviate"])})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def completed(self) -> "Ports":
        """With free ones for workers that did not exist when these were chosen."""
        new = [name for name in WORKERS if name not in self.workers]
        if not new:
            return self
        return replace(self, workers={**self.workers, **dict(zip(new, free_ports(len(new)), strict=True))})

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)))

    def servers(self) -> tuple[int, ...]:
        """All but the gateway's."""
        return (self.kafka, self.controller, self.postgres, *astuple(self.weaviate), *self.workers.values())


def environment_file(state: Path) -> Path:
    return state / "environment"


def read_environment(state: Path) -> dict[str, str]:
    """What `_write_environment` wrote; empty when no stack was ever up."""
    try:
        lines = environment_file(state).read_text().splitlines()
    except OSError:
        return {}
    return {
        name: shlex.split(value)[0] if value else ""
        for name, _, value in (line.partition("=") for line in lines)
    }


def write_private(path: Path, text: str) -> None:
    """A file that only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def remembered_ports(state: Path, gateway: int | None) -> Ports:
    """The ports of the last time where a server of ours holds them or nobody does, else new ones; `gateway` wins."""
    path = state / "ports.json"
    known = Ports.load(path)
    old = known.completed() if known is not None else None
    running = any(Process.load(pid) for pid in (state / "run").glob("*.pid"))
    if old is not None and running:
        old.save(path)
        return old
    if old is None or not all(map(is_free, old.servers())):
        old = Ports.choose()
    chosen = replace(old, gateway=gateway or old.gateway)
    chosen.save(path)
    return chosen
