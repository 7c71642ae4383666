"""Ports, files and processes of the development servers, as far as no server is needed."""

import os
import signal
import sys
from pathlib import Path

import pytest

from infra.dev import debian, golang, postgres, weaviate
from infra.dev.ground import PORTS, ROOT, DevError, cache_dir, locked, run_logged, state_dir, wait_until
from infra.dev.kafka import new_cluster_id
from infra.dev.layout import read_environment, write_private
from infra.dev.process import Process, identity

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(600)",
]


def test_a_process_is_found_again_by_its_pid_file(tmp_path: Path) -> None:
    process = Process.start(SLEEPER, log=tmp_path / "log")
    process.save(tmp_path / "pid")
    again = Process.load(tmp_path / "pid")
    assert again is not None and again.pid == process.pid and again.alive()
    assert process.stop(10.0)
    assert Process.load(tmp_path / "pid") is None


def test_another_process_with_the_same_pid_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f'{{"pid": {os.getpid()}, "started": "of somebody before"}}')
    assert Process.load(tmp_path / "pid") is None


@pytest.mark.parametrize("content", ["", "17", '{"pid": 1}', '{"pid": "x", "started": 3, "more": 0}'])
def test_a_damaged_pid_file_is_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "pid").write_text(content)
    assert Process.load(tmp_path / "pid") is None


def test_what_does_not_end_is_killed(tmp_path: Path) -> None:
    process = Process.start(STUBBORN, log=tmp_path / "log")
    wait_until(lambda: b"ready" in (tmp_path / "log").read_bytes(), 10.0, "no output")
    assert not process.stop(0.2)
    assert not process.alive() and process.status == -signal.SIGKILL


def test_what_was_started_so_ends_with_its_parent(tmp_path: Path) -> None:
    """Not with the thread that started it, and even when the parent is killed."""
    program = (
        "import pathlib, sys, threading, time\n"
        "from infra.dev.process import Process\n"
        "def start():\n"
        f"    found = Process.start({SLEEPER!r}, log=pathlib.Path('log'), dies_with_parent=True)\n"
        "    found.save(pathlib.Path('pid'))\n"
        "thread = threading.Thread(target=start); thread.start(); thread.join()\n"
        "print('ready', flush=True); time.sleep(600)\n"
    )
    parent = Process.start(
        [sys.executable, "-c", program],
        log=tmp_path / "out",
        cwd=tmp_path,
        environment={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    wait_until(lambda: b"ready" in (tmp_path / "out").read_bytes(), 20.0, "no output")
    child = Process.load(tmp_path / "pid")
    assert child is not None and not child.wait(0.2)
    parent.send(signal.SIGKILL)  # to it alone, unlike `kill`
    assert parent.wait(10.0)
    assert child.wait(20.0)


def test_nobody_has_an_ended_pid(tmp_path: Path) -> None:
    process = Process.start([sys.executable, "-c", ""], log=tmp_path / "log")
    assert process.wait(10.0)
    assert identity(process.pid) is None
    mine = identity(os.getpid())
    assert mine is not None and mine.pid == os.getpid()


def test_a_failed_step_shows_the_end_of_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('why it failed'); raise SystemExit(3)"]
    with pytest.raises(DevError, match=r"(?s)fetching: .* ended with status 3; .*why it failed"):
        run_logged("fetching", command, tmp_path / "log")
    with pytest.raises(DevError, match="no-such-program cannot be run"):
        run_logged("fetching", ["no-such-program"], tmp_path / "log")


def test_waiting_ends_with_what_was_waited_for() -> None:
    with pytest.raises(DevError, match=r"the moon did not rise within 0\.05 s"):
        wait_until(lambda: False, 0.05, "the moon did not rise")


def test_a_lock_is_free_again_after_its_block(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "folder" / "lock", "waiting"):
            assert (tmp_path / "folder" / "lock").exists()


def test_private_files_are_private(tmp_path: Path) -> None:
    write_private(tmp_path / "environment", "PARLEY_A='two words'\nPARLEY_EMPTY=''\n")
    assert (tmp_path / "environment").stat().st_mode & 0o777 == 0o600
    assert read_environment(tmp_path) == {"PARLEY_A": "two words", "PARLEY_EMPTY": ""}
    assert read_environment(tmp_path / "nowhere") == {}


def test_folders_follow_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PARLEY_DEV_STATE", raising=False)
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path / "home"))
    assert cache_dir() == tmp_path / "cache"
    assert state_dir() == tmp_path / "home" / "dev"
    monkeypatch.setenv("PARLEY_DEV_STATE", str(tmp_path / "elsewhere"))
    assert state_dir() == tmp_path / "elsewhere"


def test_a_folder_that_cannot_be_made_names_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PARLEY_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DevError, match="PARLEY_CACHE: cannot make"):
        cache_dir()


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    assert PORTS.start > 1024 and PORTS.stop <= 32_768


def test_a_cluster_id_has_kafkas_form() -> None:
    assert len(new_cluster_id()) == 22 and not new_cluster_id().startswith("-")


def test_without_packages_nothing_is_installed() -> None:
    debian.ensure([], "nothing is missing")


def test_a_missing_package_manager_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(
        DevError, match=r"needs Java: install it with your system's packages .*: some-package"
    ):
        debian.ensure(["some-package"], "needs Java")


def test_data_below_a_closed_home_moves_where_its_owner_can_reach_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only as root does the server run as another user")
    closed, system = tmp_path / "closed", tmp_path / "system"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres, "ROOTS_DATA", system)
    real = postgres.reachable(closed / "state" / "postgres")
    assert real.is_relative_to(system) and (closed / "state" / "postgres").resolve() == real
    assert postgres.reachable(closed / "state" / "postgres") == real


def program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_go_that_is_new_enough_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    own = program(tmp_path, "go", "go version go1.26.8 linux/amd64")
    assert golang.go(25) == own


@pytest.mark.parametrize("says", ["go version go1.19.8 linux/amd64", "go version devel", ""])
def test_else_one_of_ours_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, says: str) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("PARLEY_CACHE", str(tmp_path / "cache"))
    program(tmp_path, "go", says)
    monkeypatch.setattr(golang, "_install", lambda home: program_of(home))
    found = golang.go(25)
    assert found.is_relative_to(tmp_path / "cache") and found.exists()


def program_of(home: Path) -> None:
    (home / "go" / "bin").mkdir(parents=True)
    program(home / "go" / "bin", "go", "go version go1.26.6 linux/amd64")


def test_a_weaviate_that_is_there_already_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARLEY_WEAVIATE", str(tmp_path / "weaviate"))
    with pytest.raises(DevError, match=r"PARLEY_WEAVIATE: .* is no program"):
        weaviate.program()
    own = program(tmp_path, "weaviate", "")
    assert weaviate.program() == own
    weaviate.prepare()  # builds nothing
