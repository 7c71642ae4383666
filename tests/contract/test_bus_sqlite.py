"""What only the SQLite bus has: its file, and the processes that share it."""

import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from parley.backends.bus import open_bus
from parley.errors import ConfigurationError
from parley.ports.bus import TopicPartition, TopicSpec
from tests.support.buses import DEADLINE_S, partitions_of, poll_until, read, send_all, send_one, settle


def test_a_file_that_cannot_be_a_log_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"not a database at all " * 100)
    foreign = tmp_path / "foreign.db"
    sqlite3.connect(foreign).execute("CREATE TABLE other (x)").connection.close()
    newer = tmp_path / "newer.db"
    sqlite3.connect(newer).execute("PRAGMA user_version = 99").connection.close()

    for path in (text, foreign, newer, tmp_path / "no" / "folder" / "log.db"):
        bus = open_bus(f"sqlite:///{path}")
        with pytest.raises(ConfigurationError, match=path.name):
            bus.admin().topics()
        with pytest.raises(ConfigurationError):
            bus.consumer("g", ["t"]).poll(0.0)
        with pytest.raises(ConfigurationError):
            bus.producer().send("t", key=b"k", value=b"v")
        bus.close()


def test_a_log_survives_its_process_and_stays_one_file(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    first = open_bus(f"sqlite:///{path}")
    first.admin().apply([TopicSpec("t", 2, None)])
    producer = first.producer()
    send_all(producer, "t", [b"1", b"2"], partition=1)
    consumer = first.consumer("g", ["t"])
    read(consumer, 2)
    consumer.commit({TopicPartition("t", 1): 1})
    for client in (consumer, producer, first):
        client.close()
    assert [file.name for file in tmp_path.iterdir()] == ["log.db"]
    assert sqlite3.connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)

    second = open_bus(f"sqlite:///{path}")
    again = second.consumer("g", ["t"])
    assert [record.value for record in read(again, 1)] == [b"2"]
    assert send_one(second.producer(), "t", key=b"k").offset in (0, 2)
    again.close()
    second.close()


def test_two_names_of_one_file_are_one_log(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    one, two = (open_bus(f"sqlite:///{tmp_path / name / 'log.db'}") for name in ("real", "link"))
    one.admin().apply([TopicSpec("t", 1, None)])
    reader = two.reader(["t"])
    send_one(one.producer(), "t", value=b"v")
    assert [record.value for record in read(reader, 1)] == [b"v"]
    reader.close()
    one.close()
    two.close()


DOOMED = """
    import sys
    from parley.backends.bus import open_bus

    consumer = open_bus(sys.argv[1]).consumer("g", ["t"], session_timeout_s=600.0)
    told = False
    while True:
        consumer.poll(0.1)
        if consumer.assignment() and not told:
            print("member", flush=True)
            told = True
"""


def test_a_killed_process_is_noticed_long_before_its_session_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    bus = open_bus(url)
    bus.admin().apply([TopicSpec("t", 2, None)])
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(DOOMED), url], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"member\n"
        survivor = bus.consumer("g", ["t"])
        poll_until(lambda: len(survivor.assignment()) == 1, survivor)

        process.send_signal(signal.SIGKILL)
        process.wait(10)
        settle(survivor, partitions=partitions_of("t", 2))

        assert bus.admin().members("g") == 1
        survivor.close()
    finally:
        process.kill()
        process.communicate()
    bus.close()
    assert [file.name for file in tmp_path.iterdir() if "alive" in file.name] == []


WRITER = """
    import sys
    from parley.backends.bus import open_bus

    bus = open_bus(sys.argv[1])
    producer = bus.producer()
    for line in sys.stdin:
        producer.send("t", key=b"k", value=line.strip().encode()).result(30)
        print(line.strip(), flush=True)
    bus.close()
"""


def test_what_another_process_writes_is_seen_soon(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    bus = open_bus(url)
    bus.admin().apply([TopicSpec("t", 2, None)])
    reader = bus.reader(["t"])
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        taken_s = []
        for number in range(20):
            process.stdin.write(f"{number}\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{number}\n"
            began = time.monotonic()
            (record,) = reader.poll(DEADLINE_S)
            taken_s.append(time.monotonic() - began)
            assert record.value == b"%d" % number
        assert sorted(taken_s)[10] < 0.5
        process.stdin.close()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.stdout and process.stdout.close()
    reader.close()
    bus.close()
