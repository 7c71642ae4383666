"""PostgreSQL without Docker: the system's own binaries, on a data folder and a port of ours.

PostgreSQL refuses to run as root; then it runs as the system's `postgres` user, who must be able to reach its data.
"""

import getpass
import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, LiteralString

from infra.dev.ground import LOOPBACK, DevError, require_free, wait_until
from infra.dev.process import Process
from infra.dev.server import START_WITHIN_S, Server

if TYPE_CHECKING:
    from psycopg import Connection

NEEDED = 14
USER = "parley"
SERVICE_ACCOUNTS = ("postgres", "nobody")
#: Where data goes that its owner could not reach below root's home.
ROOTS_DATA = Path("/var/lib/parley-dev")


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`: `PARLEY_POSTGRES_BIN`, Debian's newest, or the PATH."""
    named = os.environ.get("PARLEY_POSTGRES_BIN")
    if named:
        return Path(named)
    versions = {int(path.parts[4]): path for path in Path("/usr/lib/postgresql").glob("[0-9]*/bin")}
    newest = max(versions, default=0)
    if newest >= NEEDED and (versions[newest] / "initdb").exists():
        return versions[newest]
    found = shutil.which("initdb")
    return Path(os.path.realpath(found)).parent if found else None


def missing_packages() -> list[str]:
    return [] if binaries() else ["postgresql"]


def prepare() -> None:
    """Nothing to fetch besides the package. Raises `DevError` when it is not there or too old."""
    folder = _binaries()
    shown = subprocess.run(
        [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"(\d+)", shown)
    if not found or int(found.group(1)) < NEEDED:
        raise DevError(
            f"PostgreSQL {NEEDED} or newer is needed; {folder} has: {shown.strip() or 'nothing that runs'}"
        )


def _binaries() -> Path:
    folder = binaries()
    if folder is None:
        raise DevError("PostgreSQL is missing: python -m infra.dev install postgres")
    return folder


def account() -> str | None:
    """The user that PostgreSQL runs as, None for the one that we are."""
    if os.geteuid() != 0:
        return None
    names = {each.pw_name for each in pwd.getpwall()}
    return next(name for name in SERVICE_ACCOUNTS if name in names)


def reachable(folder: Path) -> Path:
    """`folder` itself where the server's user can reach it; else a folder of the system's, to which it becomes a link."""
    if (
        folder.is_symlink()
        or account() is None
        or all(each.stat().st_mode & 0o001 for each in _existing_parents(folder))
    ):
        return folder.resolve()
    real = ROOTS_DATA / hashlib.sha256(str(folder).encode()).hexdigest()[:12] / folder.name
    real.mkdir(parents=True, exist_ok=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.symlink_to(real)
    return real


def _existing_parents(folder: Path) -> Iterable[Path]:
    return (each for each in folder.absolute().parents if each.exists())


class PostgresServer(Server):
    """One server. Stopping it rolls back the transactions in progress: a fast shutdown."""

    STOP_SIGNAL = signal.SIGINT

    def __init__(
        self,
        data_dir: Path,
        port: int,
        *,
        durable: bool = True,
        log: Path | None = None,
        dies_with_parent: bool = False,
    ) -> None:
        """Without `durable` a power cut may lose data (a killed process does not): for tests."""
        super().__init__(
            f"PostgreSQL on port {port}",
            reachable(data_dir),
            log or data_dir.with_name(f"{data_dir.name}.log"),
            dies_with_parent=dies_with_parent,
        )
        self.port = port
        self._durable = durable

    @property
    def password(self) -> str:
        return self._password_file.read_text()

    def url(self, database: str = "postgres") -> str:
        """As SQLAlchemy and `PARLEY_DATABASE_URL` want it."""
        return f"postgresql+psycopg://{USER}:{self.password}@{LOOPBACK}:{self.port}/{database}"

    def start(self, wait: bool = True) -> None:
        """Make the cluster at the first start, then run. Raises `DevError` with the log's end when it dies."""
        if self.alive():
            return
        require_free(self.port, "PostgreSQL")
        if not (self.data_dir / "PG_VERSION").exists():
            self._initialise()
        options = {
            "port": str(self.port),
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            **({} if self._durable else {"fsync": "off", "full_page_writes": "off"}),
        }
        self.process = Process.start(
            [str(_binaries() / "postgres"), "-D", str(self.data_dir)]
            + [part for name, value in options.items() for part in ("-c", f"{name}={value}")],
            log=self.log,
            user=account(),
            cwd=self.data_dir,
            dies_with_parent=self._dies_with_parent,
        )
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s: float = START_WITHIN_S) -> None:
        """Until it answers a query. Raises `DevError`."""
        wait_until(
            self._answers, timeout_s, f"PostgreSQL on port {self.port} was not ready", self._check_alive
        )

    def create_database(self, name: str, template: str = "template1") -> str:
        """A new database, empty or a copy of another one that nobody is connected to; returns its URL."""
        from psycopg import sql

        self._execute("CREATE DATABASE {} TEMPLATE {}", sql.Identifier(name), sql.Identifier(template))
        return self.url(name)

    def ensure_database(self, name: str) -> str:
        """The URL of a database, made when it is not there."""
        if not self._execute("SELECT 1 FROM pg_database WHERE datname = {}", name):
            self.create_database(name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Gone, together with whoever is connected to it."""
        from psycopg import sql

        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)", sql.Identifier(name))

    @property
    def _password_file(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.password"

    def _initialise(self) -> None:
        prepare()
        self.data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(16))
        user = account()
        if user is not None:
            for path in (self.data_dir, self._password_file):
                shutil.chown(path, user, user)
        command = [
            *(str(_binaries() / "initdb"), "--pgdata", str(self.data_dir), "--username", USER),
            *(
                "--auth",
                "scram-sha-256",
                "--pwfile",
                str(self._password_file),
                "--encoding",
                "UTF8",
                "--locale",
                "C",
            ),
            *([] if self._durable else ["--no-sync"]),
        ]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
        if done.returncode:
            owner = user or getpass.getuser()
            raise DevError(
                f"PostgreSQL's data folder {self.data_dir} cannot be made as {owner}: {done.stderr.strip()}"
            )

    def _answers(self) -> bool:
        from psycopg import OperationalError

        try:
            self._connect().close()
        except OperationalError:
            return False
        return True

    def _connect(self) -> "Connection[tuple[Any, ...]]":
        import psycopg

        return psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user=USER,
            password=self.password,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        )

    def _execute(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        from psycopg import sql

        composed = sql.SQL(statement).format(*values)
        connection = self._connect()
        try:
            cursor = connection.execute(composed)
            return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
