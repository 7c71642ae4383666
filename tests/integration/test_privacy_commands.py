"""`parley privacy` as people use it: what is wrong is one line that names the field and what is allowed; and what is written where."""

import asyncio
import hashlib
import json
import logging
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from infra.contracts import ROOT
from infra.migrations import upgrade_keys, upgrade_store
from parley.backends.keys import open_keys
from parley.backends.media_files import open_media
from parley.backends.sql import open_store
from parley.codec import Codec
from parley.ports.store import Commit
from parley.runtime import erasing
from parley.runtime.faults import Wordless
from parley.settings import Settings
from schemas.base import CustomerId, rfc3339
from services.gateway import GatewayServer
from tests.contract.test_store import NINE, conversation, history, told, value
from tests.integration.test_commands import Command, one_line
from tests.integration.test_commands import parley as parley
from tests.support.doors import Doors, open_doors, running
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION

SECRET = " ".join(("Zorblaxia", "of", "Wobblethorpe"))
"""Not as one text in this file: a traceback shows the code's own lines."""


@pytest.fixture
def home(tmp_path: Path, parley: Command, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The home of `parley`, with the small tenant and its customer `x`, who has a conversation."""
    monkeypatch.setattr(erasing, "SETTLE_S", 0.0)  # nothing runs here
    settings = Settings(home=tmp_path / "home")
    settings.ensure_home()
    upgrade_store(settings.database)
    upgrade_keys(settings.keys)
    store, keys = open_store(settings.database), open_keys(settings.keys)
    store.put(VERSION, CONFIG, CONTENT, NINE)
    keys.create(TENANT, CustomerId("x"))
    store.commit(
        Commit("dialogue", [], history=[history(1)], projections=[conversation(), told("c-1", "a", "failed")])
    )
    masked = value(1)
    sealed = Codec(keys).seal_for(TENANT, CustomerId("x"), b"4111 1111", *masked.sealed_under)
    store.add_values([replace(masked, sealed=sealed)])
    open_media("", settings.home / "media", Codec(keys)).put(TENANT, CustomerId("x"), b"a picture")
    store.close()
    keys.close()
    assert parley("topics", "apply")[0] == 0
    return settings


def test_what_became_of_what_was_sent_is_shown(parley: Command, home: Settings) -> None:
    code, shown, _ = parley("events", "deliveries", "c-1")
    assert code == 0 and [word in shown for word in ("telegram", "failed", "why failed")] == [True] * 3
    [row] = json.loads(parley("events", "deliveries", "c-1", "--json")[1])
    assert (row["state"], row["reason"], row["told_at"]) == ("failed", "why failed", rfc3339(NINE))
    code, _, error = parley("events", "deliveries", "c-9")
    assert code == 2 and "CONVERSATION: there is no conversation 'c-9'" in error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "y", "-t", "bank"), "CUSTOMER: bank has no customer 'y'; allowed: an id that"),
        (("erase", "y", "-t", "bank", "--yes"), "CUSTOMER: bank has no customer 'y'"),
        (("erase", "x", "-t", "shop", "--yes"), "--tenant: 'shop' was never imported; allowed: bank"),
        (("erase", "x y", "-t", "bank", "--yes"), "CUSTOMER: is no id; allowed: 1 to 64"),
        (("erase", os.fsdecode(b"\xff"), "-t", "bank", "--yes"), "CUSTOMER: is no id"),
        (("erase", "x" * 65, "-t", "bank", "--yes"), "CUSTOMER: is no id"),
        (("erase", "x", "-t", "bank"), "--yes: is needed where nobody can be asked"),
        (("find", "c-9"), "CONVERSATION: there is no conversation 'c-9'"),
        (("list", "-t", "shop"), "--tenant: 'shop' was never imported"),
        (("export", "x", "-t", "bank", "-o", "/nowhere/file"), "cannot write to /nowhere/file"),
    ],
)
def test_what_is_wrong_is_one_line(
    parley: Command, home: Settings, arguments: tuple[str, ...], words: str
) -> None:
    one_line(parley("privacy", *arguments), words)


@pytest.mark.parametrize("content", ["{}", "[{}]", "no json", '[["bank"]]', '[{"tenant":"bank","more":"x"}]'])
def test_a_list_that_is_none_is_refused(
    parley: Command, home: Settings, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "list.json"
    file.write_text(content)
    one_line(parley("privacy", "reapply", str(file)), "allowed: what `parley privacy list --json` wrote")


def test_a_customer_is_found_exported_erased_and_listed(
    parley: Command, home: Settings, tmp_path: Path
) -> None:
    assert json.loads(parley("privacy", "find", "c-1", "--json")[1]) == {"tenant": "bank", "customer_id": "x"}
    file = tmp_path / "x.json"
    files = tmp_path / "files"
    assert parley("privacy", "export", "x", "-t", "bank", "-o", str(file), "--files", str(files))[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    exported = json.loads(file.read_text())
    assert {name: len(rows) for name, rows in exported["tables"].items() if rows} == {
        "history": 1,
        "conversations": 1,
        "masked_values": 1,
        "delivery_states": 1,
    }
    assert exported["tables"]["masked_values"][0]["original"] == "4111 1111"
    [held], [written] = exported["files"], files.iterdir()
    assert held["sealed_bytes"] == len(b"a picture") + 16 and held["stored_as"] != written.name
    assert written.name == hashlib.sha256(b"a picture").hexdigest()
    assert written.read_bytes() == b"a picture" and written.stat().st_mode & 0o777 == 0o600
    code, out, error = parley("privacy", "erase", "x", "-t", "bank", "--yes", "--json")
    gone = {"history": 1, "conversations": 1, "masked_values": 1, "delivery_states": 1}
    assert (code, json.loads(out)["rows"]) == (0, gone)
    assert json.loads(out)["files"] == 1 and not list((home.home / "media" / "bank").iterdir())
    assert "the key" in error and "rows" in error, "it says what it is doing"
    again = json.loads(parley("privacy", "erase", "x", "-t", "bank", "-y", "--json")[1])
    assert again["rows"] == {} and again["erased_at"] == json.loads(out)["erased_at"]
    one_line(parley("privacy", "export", "x", "-t", "bank"), "customer x was erased on")
    listed = parley("privacy", "list", "--json")[1]
    assert [each["customer_id"] for each in json.loads(listed)] == ["x"]
    file.write_text(listed)
    assert json.loads(parley("privacy", "reapply", str(file), "--json")[1]) == {
        "listed": 1,
        "keys": 0,
        "rows": {},
        "files": 0,
        "left": None,
    }
    actions = [each["action"] for each in json.loads(parley("privacy", "audit", "--json")[1])]
    assert actions == ["privacy.export", "privacy.erase", "privacy.erase"]


def test_an_exported_stream_is_cleaned_of_who_was_erased(
    parley: Command, home: Settings, tmp_path: Path
) -> None:
    stream = tmp_path / "stream.jsonl"
    stream.write_bytes((ROOT / "tests" / "replay" / "streams" / "answer.jsonl").read_bytes())
    before = stream.read_text(encoding="utf-8")
    named = json.loads(next(line for line in before.splitlines() if '"headers"' in line))["headers"]
    assert parley("privacy", "clean", str(stream))[1].endswith("0 events without their texts\n")
    assert stream.read_text(encoding="utf-8") == before
    keys = open_keys(home.keys)
    keys.erase(named["tenant"], named["customer_id"])
    keys.close()
    assert parley("privacy", "clean", str(stream))[0] == 0
    after = stream.read_text(encoding="utf-8")
    assert '"body"' in before and '"body"' not in after and after.count('"erased":true') > 5
    assert parley("replay", str(stream))[0] == 0
    other = tmp_path / "other"
    other.write_text("what else\n")
    one_line(parley("privacy", "clean", str(other)), "line 1: is no line of an export; allowed:")


def test_an_upgrade_erases_again_who_a_restored_key_database_has_brought_back(
    parley: Command, home: Settings
) -> None:
    saved = (home.home / "keys.db").read_bytes()
    assert parley("privacy", "erase", "x", "-t", "bank", "--yes")[0] == 0
    (home.home / "keys.db").write_bytes(saved)
    assert open_made(home)
    assert parley("db", "upgrade")[0] == 0
    assert not open_made(home)


def open_made(home: Settings) -> bool:
    keys = open_keys(home.keys)
    try:
        return keys.made_at(TENANT, CustomerId("x")) is not None
    finally:
        keys.close()


def test_every_command_has_help() -> None:
    for name in ("find", "export", "erase", "list", "reapply", "clean", "audit"):
        command = [sys.executable, "-m", "parley.cli.main", "privacy", name, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "Usage:" in done.stdout


# --- no words of an error in a log ---------------------------------------------------------------------------------------


@pytest.fixture
def doors(tmp_path: Path) -> Any:
    with open_doors(tmp_path) as opened:
        yield opened


def test_an_error_in_a_request_is_logged_without_its_words(doors: Doors, tmp_path: Path) -> None:
    """Nor is one that nobody awaited, or one that a library logs itself."""

    def broken(*_: object) -> None:
        raise ValueError(SECRET)

    async def unawaited() -> None:
        broken()

    async def forgotten() -> None:
        asyncio.get_running_loop().call_soon(broken)
        task = asyncio.ensure_future(unawaited())
        await asyncio.wait([task])

    file = tmp_path / "log"
    handler = logging.FileHandler(file)
    handler.setFormatter(Wordless("%(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        gateway = doors.app.state.gateway
        with running(GatewayServer(doors.app, "127.0.0.1", 0)) as server:
            gateway.signer.verify = broken
            answer = httpx.get(
                f"{server.url}/v1/conversations/c/messages", headers={"Authorization": "Bearer x"}
            )
            assert answer.status_code == 500
            loop = gateway._background[0].get_loop()
            asyncio.run_coroutine_threadsafe(forgotten(), loop).result(10)
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
    written = file.read_text()
    assert "Exception in ASGI application" in written and "ValueError" in written
    assert "ValueError at" in written, "what the loop reports"
    assert SECRET not in written
