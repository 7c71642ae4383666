"""Apache Kafka without Docker: the broker's jars from Maven, and brokers that tests can stop, kill and start again.

One process a node, controller and broker together (KRaft). The topology of production is `docker-compose.yml`'s.
"""

import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infra.dev.ground import (
    LOOPBACK,
    ROOT,
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

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

VERSION = "4.2.0"
JAVA_NEEDED = 17
HERE = ROOT / "infra" / "dev"


def java() -> str | None:
    """The path of a Java new enough, from `JAVA_HOME` or the PATH."""
    home = os.environ.get("JAVA_HOME")
    for name in ([str(Path(home) / "bin" / "java")] if home else []) + ["java"]:
        path = shutil.which(name)
        if path is None:
            continue
        shown = subprocess.run([path, "-version"], capture_output=True, text=True, check=False).stderr
        found = re.search(r'version "(\d+)', shown)
        if found and int(found.group(1)) >= JAVA_NEEDED:
            return path
    return None


def libraries() -> Path:
    return cache_dir() / f"kafka-{VERSION}" / "libs"


def missing_packages() -> list[str]:
    if libraries().is_dir():
        return [] if java() else ["openjdk-21-jre-headless|openjdk-17-jre-headless"]
    packages = [] if java() else ["openjdk-21-jre-headless|openjdk-17-jre-headless"]
    return packages if shutil.which("mvn") else [*packages, "maven"]


def prepare() -> None:
    """Fetch the jars once. Raises `DevError` when Java or Maven is missing, or nothing can be fetched."""
    if java() is None:
        raise DevError(f"Java {JAVA_NEEDED} or newer is missing: python -m infra.dev install kafka")
    with locked(cache_dir() / "kafka.lock", "another run fetches Kafka; waiting for it"):
        if libraries().is_dir():
            return
        target = libraries().parent
        building = target.with_name(f"{target.name}.{os.getpid()}")
        building.mkdir(parents=True)
        try:
            _fetch(building)
            building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _fetch(folder: Path) -> None:
    # Maven writes next to its project file, so it works on a copy. -C: a wrong checksum is an error.
    shutil.copy(HERE / "kafka-pom.xml", folder / "pom.xml")
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    options = ["-DoutputDirectory=libs", "-DincludeScope=runtime"]
    command = ["mvn", "-B", "-C", "-ntp", goal, *options]
    run_logged(f"Kafka {VERSION} (43 MB of jars)", command, cache_dir() / "logs" / "kafka.log", cwd=folder)


def new_cluster_id() -> str:
    """A random id in Kafka's own form: 16 bytes in URL-safe base 64."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "_")


class KafkaServer(Server):
    """One node."""

    def __init__(
        self,
        data_dir: Path,
        port: int,
        controller_port: int,
        *,
        node: int = 1,
        voters: Mapping[int, int] | None = None,
        cluster_id: str | None = None,
        heap_mb: int = 512,
        log: Path | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        """`voters` names every node's controller port; without it the node is a cluster of its own."""
        super().__init__(
            f"Kafka on {LOOPBACK}:{port}",
            data_dir,
            log or data_dir / "server.log",
            dies_with_parent=dies_with_parent,
        )
        self.port = port
        self.node = node
        self._controller_port = controller_port
        self._voters = dict(voters or {node: controller_port})
        self._cluster_id = cluster_id or new_cluster_id()
        self._heap_mb = heap_mb

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    @property
    def url(self) -> str:
        """As `PARLEY_BUS_URL` wants it."""
        return f"kafka://{self.bootstrap}"

    def start(self, wait: bool = True) -> None:
        """Format the data folder at the first start, then run. Raises `DevError` with the log's end when it dies."""
        if self.alive():
            return
        for port in (self.port, self._controller_port):
            require_free(port, f"Kafka's node {self.node}")
        prepare()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._write_configuration()
        if not (self.data_dir / "log" / "meta.properties").exists():
            self._format()
        heap = f"-Xmx{self._heap_mb}m"
        # On a developer's machine a broker lives for minutes: the compiler's second tier would cost it more than it gains.
        options = [
            heap,
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            f"-Dlog4j2.configurationFile={HERE / 'log4j2.xml'}",
        ]
        self.process = Process.start(
            [*self._java(), *options, "-cp", f"{libraries()}/*", "kafka.Kafka", str(self._properties)],
            log=self.log,
            dies_with_parent=self._dies_with_parent,
        )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = START_WITHIN_S) -> None:
        """Until the node counts itself among the cluster's live brokers. Raises `DevError`."""
        what = f"Kafka on {self.bootstrap} was not ready"
        # The plain connection first: a client library's attempts are slow and loud.
        wait_until(self._accepts, timeout_s, what, self._check_alive)
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        try:
            admin = KafkaAdminClient(
                bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=int(timeout_s * 1000)
            )
        except KafkaError as error:
            raise DevError(f"{what}: {error}") from error
        try:
            wait_until(lambda: self._is_member(admin), timeout_s, what, self._check_alive)
        finally:
            admin.close()

    def clear(self) -> None:
        """Delete every topic and group, so that a test finds the broker empty. Consumers must have left."""
        from kafka import KafkaAdminClient

        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            groups = [each["group_id"] for each in admin.list_groups()]
            if groups:
                admin.delete_groups(groups)
            topics = [name for name in admin.list_topics() if not name.startswith("__")]
            if topics:
                admin.delete_topics(topics)
            wait_until(
                lambda: all(name.startswith("__") for name in admin.list_topics()),
                30.0,
                "topics were not deleted",
            )
        finally:
            admin.close()

    def pause(self) -> None:
        """Freeze the process: connections stay open and nothing answers."""
        if self.process is not None:
            self.process.send(signal.SIGSTOP)

    def resume(self) -> None:
        if self.process is not None:
            self.process.send(signal.SIGCONT)

    @property
    def _properties(self) -> Path:
        return self.data_dir / "server.properties"

    def _java(self) -> list[str]:
        found = java()
        if found is None:
            raise DevError(f"Java {JAVA_NEEDED} or newer is missing: python -m infra.dev install kafka")
        return [found]

    def _write_configuration(self) -> None:
        nodes = len(self._voters)
        replicas, enough = min(3, nodes), min(2, nodes)
        voters = ",".join(f"{node}@{LOOPBACK}:{port}" for node, port in sorted(self._voters.items()))
        values = {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{LOOPBACK}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self.data_dir / "log",
            "offsets.topic.replication.factor": replicas,
            "transaction.state.log.replication.factor": replicas,
            "transaction.state.log.min.isr": enough,
            "share.coordinator.state.topic.replication.factor": replicas,
            "share.coordinator.state.topic.min.isr": enough,
            "min.insync.replicas": enough,
            "unclean.leader.election.enable": "false",
            "auto.create.topics.enable": "false",
            # Records of 1 MB with their envelope, and the batch around them.
            "message.max.bytes": 2 * 1024 * 1024,
            "replica.fetch.max.bytes": 4 * 1024 * 1024,
            **SMALL_MACHINE,
        }
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in values.items()))

    def _format(self) -> None:
        tool = [
            *self._java(),
            "-Xmx128m",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{libraries()}/*",
            "kafka.tools.StorageTool",
        ]
        arguments = ["format", "-t", self._cluster_id, "-c", str(self._properties)]
        done = subprocess.run([*tool, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise DevError(
                f"Kafka's data folder {self.data_dir} cannot be formatted: {done.stdout}{done.stderr}"
            )

    def _accepts(self) -> bool:
        try:
            socket.create_connection((LOOPBACK, self.port), timeout=1.0).close()
        except OSError:
            return False
        return True

    def _is_member(self, admin: "KafkaAdminClient") -> bool:
        from kafka.errors import KafkaError

        try:
            brokers = admin.describe_cluster()["brokers"]
        except KafkaError:
            return False
        return any(each["broker_id"] == self.node and not each.get("is_fenced") for each in brokers)


#: Two cores and a few hundred megabytes; rebalances without a grace period, sessions as short as tests want them.
SMALL_MACHINE: Mapping[str, object] = {
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 1000,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "log.cleaner.dedupe.buffer.size": 8 * 1024 * 1024,
    "broker.session.timeout.ms": 6000,
    "broker.heartbeat.interval.ms": 1000,
}


def cluster(
    data_dir: Path, nodes: int, *, heap_mb: int = 384, dies_with_parent: bool = False
) -> list[KafkaServer]:
    """Several brokers of one cluster on this machine, not yet started; topics there may have three replicas."""
    ports = free_ports(2 * nodes)
    voters = {node: ports[nodes + node - 1] for node in range(1, nodes + 1)}
    cluster_id = new_cluster_id()
    return [
        KafkaServer(
            data_dir / f"broker-{node}",
            ports[node - 1],
            controller_port,
            node=node,
            voters=voters,
            cluster_id=cluster_id,
            heap_mb=heap_mb,
            dies_with_parent=dies_with_parent,
        )
        for node, controller_port in voters.items()
    ]


def stop_all(nodes: Sequence[KafkaServer], timeout_s: float = 5.0) -> None:
    """Stop the brokers of a cluster together: one by one, the last would wait for a quorum that is gone."""
    for node in nodes:
        if node.process is not None:
            node.process.send(signal.SIGTERM)
    for node in nodes:
        node.stop(timeout_s)
