"""One customer is erased from a running embedded platform; nothing anywhere tells what was said, and the other one talks on."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.dev.ground import free_ports
from tests.support.processes import ROOT, ParleyProcess, wait_ready
from tests.support.traces import (
    after_the_erasure,
    before_the_erasure,
    check_commands,
    erase,
    files,
    found_in,
    opened_texts,
    spellings,
    talks_on,
)
from tests.support.witness import ERASED, KEPT, TENANT, Customer, Witness, records_of

DATABASES = ("log.db", "parley.db", "keys.db")


class Running:
    """`parley run` in a process of its own, on a home of its own; its output is in `logs`."""

    def __init__(self, home: Path, logs: Path) -> None:
        [self.port] = free_ports(1)
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PARLEY_HOME": str(home),
            "PARLEY_PORT": str(self.port),
            "PARLEY_LOG_LEVEL": "DEBUG",
            "PARLEY_MESSAGES_PER_MINUTE": "10000",
        }
        arguments = ["run", "--tenant", str(ROOT / "tenants" / "mobile")]
        self._process = ParleyProcess("run", arguments, self.environment, logs)

    def start(self) -> None:
        self._process.start()
        wait_ready(self.url, self._process, 170.0)

    def stop(self) -> None:
        self._process.stop()


def backup(home: Path, folder: Path) -> None:
    """Copies of the three databases as they are now, while others write."""
    folder.mkdir()
    for name in DATABASES:
        with sqlite3.connect(home / name) as there, sqlite3.connect(folder / name) as here:
            there.backup(here)
        there.close()
        here.close()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    (tmp_path / "logs").mkdir()
    started = Running(tmp_path / "home", tmp_path / "logs")
    try:
        started.start()
        yield started
    finally:
        started.stop()


@pytest.mark.timeout(600)
def test_who_is_erased_is_gone_from_everything_and_the_other_one_talks_on(
    running: Running, tmp_path: Path
) -> None:
    home, logs = tmp_path / "home", tmp_path / "logs"
    witness = Witness(running.environment, running.url)
    gone, kept = witness.converse(ERASED), witness.converse(KEPT)
    key, everything = before_the_erasure(witness, gone)
    assert found_in([key], files(home)), "the key is in its database"
    assert found_in(spellings(ERASED) + spellings(KEPT), files(home, logs)) == set(), "all text is sealed"
    backup(home, tmp_path / "backup")
    erase(witness, gone)
    after_the_erasure(witness, gone, everything)
    check_commands(witness, gone, tmp_path)
    metrics = httpx.get(f"{running.url}/metrics").text
    assert not any(word in metrics for word in (*ERASED.markers, *KEPT.markers, gone.customer_id))
    assert found_in([*spellings(ERASED), key], files(home, logs)) == set(), "no file has the key's bytes"
    talks_on(kept)
    running.stop()
    assert found_in([*spellings(ERASED), key], files(home, logs)) == set(), "nor has it when all is closed"
    restored(witness, gone, kept, tmp_path, key)
    running.start()
    talks_on(kept)


def restored(witness: Witness, gone: Customer, kept: Customer, folder: Path, key: bytes) -> None:
    """Backups from before the erasure, in each combination; what brings them up to date makes the customer unreadable again."""
    home, saved = folder / "home", folder / "backup"
    steps = {
        "keys": (("keys.db",), ("db", "upgrade")),
        "data": (("log.db", "parley.db"), ("db", "upgrade")),
        "all": (DATABASES, ("privacy", "reapply", str(folder / "erasures.json"))),
    }
    for name, (databases, command) in steps.items():
        again = folder / f"restored-{name}"
        shutil.copytree(home, again)
        for database in databases:
            for left in again.glob(f"{database}*"):
                left.unlink()
            shutil.copy(saved / database, again / database)
        theirs = Witness.__new__(Witness)
        theirs.environment = {**witness.environment, "PARLEY_HOME": str(again)}
        with theirs.opened() as opened:
            texts = "".join(opened_texts(records_of(opened.bus, gone.customer_id), opened.keys).values())
            assert (ERASED.markers[0] in texts) == ("keys.db" in databases), "what is restored is as it was"
        assert theirs.parley(*command).returncode == 0
        with theirs.opened() as opened:
            texts = "".join(opened_texts(records_of(opened.bus, gone.customer_id), opened.keys).values())
            assert not any(word in texts for word in ERASED.markers)
            assert not any(opened.store.held(TENANT, gone.customer_id).values())
            assert "".join(opened_texts(records_of(opened.bus, kept.customer_id), opened.keys).values())
        assert found_in([key, *spellings(ERASED)], files(again)) == set()
