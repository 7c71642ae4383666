"""One customer is erased from a running embedded platform; nothing anywhere tells what was said, and the other one talks on."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx
import pytest

from infra.dev.ground import free_ports
from parley.errors import KeyErased
from tests.support.processes import ROOT, ParleyProcess, wait_ready
from tests.support.witness import (
    ERASED,
    KEPT,
    TENANT,
    Customer,
    Witness,
    files,
    found_in,
    opened_texts,
    records_of,
    sealed_text,
    spellings,
)

TOPICS = {
    "conversation.events",
    "work.understand",
    "work.answer",
    "inference.requests",
    "chat.outbound",
    "chat.deltas",
    "feedback.events",
    "conversation.events.dlq",
}
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


@pytest.mark.timeout(400)
def test_who_is_erased_is_gone_from_everything_and_the_other_one_talks_on(
    running: Running, tmp_path: Path
) -> None:
    home, logs = tmp_path / "home", tmp_path / "logs"
    witness = Witness(running.environment, running.url)
    gone, kept = witness.converse(ERASED), witness.converse(KEPT)
    with witness.opened() as opened:
        key = opened.keys.get(TENANT, gone.customer_id)
        everything = records_of(opened.bus, gone.customer_id)
        open_before(witness, gone)
    assert found_in([key], files(home)), "the key is in its database"
    assert found_in(spellings(ERASED) + spellings(KEPT), files(home, logs)) == set(), "all text is sealed"
    exported = witness.parley("privacy", "export", gone.customer_id, "-t", TENANT).stdout
    assert [word for word in ERASED.markers if word not in exported and word != "glimmerquop"] == []
    assert not any(word in exported for word in KEPT.markers)
    backup(home, tmp_path / "backup")

    erased = witness.parley_json("privacy", "erase", gone.customer_id, "-t", TENANT, "--yes")
    assert (
        erased["left"] is None and {"history", "states", "conversations", "feedback"} <= erased["rows"].keys()
    )
    assert gone.write("and now?", "late").status_code == 410, "at once: the erasure waits for the caches"
    assert gone.read().status_code == 410

    with witness.opened() as opened:
        assert len(records_of(opened.bus, gone.customer_id)) == len(everything), (
            "the log still has the envelopes"
        )
        after = "".join(opened_texts(records_of(opened.bus, gone.customer_id), opened.keys).values())
        assert not any(word in after for word in ERASED.markers)
        for record in everything:
            if record.topic.endswith(".dlq"):
                with pytest.raises(KeyErased):
                    sealed_text(record, opened.keys)
        assert not any(opened.store.held(TENANT, gone.customer_id).values())
    check_commands(witness, gone, tmp_path)
    metrics = httpx.get(f"{running.url}/metrics").text
    assert not any(word in metrics for word in (*ERASED.markers, *KEPT.markers, gone.customer_id))
    assert found_in([key], files(home)) == set(), "no file has the key's bytes"
    assert found_in(spellings(ERASED), files(home, logs)) == set()
    talks_on(kept)
    running.stop()
    assert found_in([*spellings(ERASED), key], files(home, logs)) == set(), "nor has it when all is closed"
    restored(witness, gone, kept, tmp_path, key)
    running.start()
    talks_on(kept)


def open_before(witness: Witness, gone: Customer) -> None:
    """All markers can be read before the erasure, in every topic that has texts: else finding none later would prove nothing."""
    with witness.opened() as opened:
        records = records_of(opened.bus, gone.customer_id)
        texts = opened_texts(records, opened.keys)
        assert {topic for topic in TOPICS if not texts.get(topic)} == set()
        spoilt = [sealed_text(record, opened.keys) for record in records if record.topic.endswith(".dlq")]
        everything = "".join([*texts.values(), *spoilt])
        assert [word for word in ERASED.markers if word not in everything] == []
        assert (
            ERASED.markers[0] in texts["conversation.events"] and ERASED.markers[0] in texts["chat.outbound"]
        )


def check_commands(witness: Witness, gone: Customer, folder: Path) -> None:
    """What the commands show of an erased customer."""
    for command in ("export", "erase"):
        known = witness.parley(
            "privacy", command, gone.customer_id, "-t", TENANT, *(["--yes"] if command == "erase" else [])
        )
        if command == "export":
            assert known.returncode == 2 and "was erased on" in known.stderr
        else:
            assert known.returncode == 0
    listed = witness.parley_json("privacy", "list")
    assert [each["customer_id"] for each in listed] == [gone.customer_id]
    (folder / "erasures.json").write_text(json.dumps(listed))
    audit = witness.parley("privacy", "audit", "--json").stdout
    assert gone.customer_id in audit and not any(word in audit for word in ERASED.markers)
    letters = witness.parley("dlq", "list", "--json").stdout
    assert not any(word in letters for word in ERASED.markers)
    mine = [each for each in json.loads(letters) if "dialogue worker down" in each["reason"]]
    shown = [witness.parley_json("dlq", "show", each["record"])["body"] for each in mine]
    assert "erased" in shown
    stream = folder / "stream.jsonl"
    assert witness.parley("events", "export", "-o", str(stream)).returncode == 0
    text = stream.read_text(encoding="utf-8")
    assert '"erased":true' in text and not any(word in text for word in ERASED.markers)
    assert all(word in text for word in KEPT.markers if word not in ("mimsyborogove", "vorpalwhiff"))
    assert witness.parley_json("replay", str(stream))["differences"] == []
    stream.unlink()


def talks_on(kept: Customer) -> None:
    before = "".join(each["text"] for each in kept.history())
    assert all(word in before for word in KEPT.markers[:4])
    assert kept.say("What does roaming cost?", f"m-{monotonic()}")["text"]


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
