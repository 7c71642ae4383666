"""Dead letters as they are written and read, also those that had to be cut, and the guard that stops a flood of them."""

import json
from contextlib import nullcontext
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from parley.backends.memory_bus import MemoryBus
from parley.backends.outgoing import record_size
from parley.cli import deadletters as commands
from parley.errors import InvalidEvent, TooManyInvalid
from parley.ports.bus import MAX_RECORD_BYTES, Headers, Record
from parley.runtime.deadletters import FloodGuard, bury, exhume
from schemas.topics import WORK_UNDERSTAND
from tests.support.platform import make_platform

TOPIC = WORK_UNDERSTAND.name
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TYPE = ("type", b"UnderstandingRequested")


def record(key: bytes | None = b"k", value: bytes | None = b"v", headers: Headers = ()) -> Record:
    return Record(TOPIC, 3, 7, 0, key, value, headers)


def test_a_dead_letter_is_the_record_with_its_reason_and_its_place() -> None:
    letter = bury(record(headers=(TYPE,)), "unreadable", "intent", AT)
    assert (letter.topic, letter.key, letter.value) == (f"{TOPIC}.dlq", b"k", b"v")
    assert letter.headers[0] == TYPE and "dlq_truncated" not in dict(letter.headers)
    found = exhume(record(headers=letter.headers))
    assert (found.topic, found.partition, found.offset) == (TOPIC, 3, 7)
    assert (found.reason, found.worker, found.cut_from) == ("unreadable", "intent", None)


@pytest.mark.parametrize(
    "large",
    [
        record(value=b"x" * (MAX_RECORD_BYTES - 100), headers=(TYPE,)),
        record(key=b"k" * (MAX_RECORD_BYTES - 100), headers=(TYPE,)),
        record(headers=(TYPE, ("odd", b"h" * (MAX_RECORD_BYTES - 100)))),
        record(headers=(TYPE, *((f"h{number}", b"h" * 10_000) for number in range(111)))),
        record(key=None, value=b"x" * MAX_RECORD_BYTES, headers=(TYPE,)),
    ],
    ids=["value", "key", "header", "headers", "no key"],
)
def test_what_does_not_fit_with_its_reason_is_cut_and_says_so(large: Record) -> None:
    letter = bury(large, "r" * 5_000, "intent", AT)
    assert record_size(letter.key, letter.value, letter.headers) <= MAX_RECORD_BYTES
    assert letter.headers[0] == TYPE
    assert (large.key or b"").startswith(letter.key) and (large.value or b"").startswith(letter.value or b"")
    assert exhume(record(headers=letter.headers)).cut_from == record_size(
        large.key, large.value, large.headers
    )


def test_a_cut_letter_is_shown_as_such_and_cannot_be_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    on = make_platform(MemoryBus())
    letter = bury(record(value=b"x" * MAX_RECORD_BYTES), "unreadable", "intent", AT)
    on.bus.producer().send(letter.topic, key=letter.key, value=letter.value, headers=letter.headers).result(5)
    monkeypatch.setattr(commands, "platform", lambda: nullcontext(on))
    shown = CliRunner().invoke(commands.app, ["show", f"{TOPIC}/3/7", "--json"])
    size = MAX_RECORD_BYTES + 1
    assert f"it had {size} bytes" in json.loads(shown.output)["body"]
    refused = CliRunner().invoke(commands.app, ["retry", f"{TOPIC}/3/7"])
    assert isinstance(refused.exception, InvalidEvent)
    assert f"{TOPIC}/3/7 cannot be sent again: it had {size} bytes" in str(refused.exception)


def test_single_bad_records_are_no_flood() -> None:
    guard = FloodGuard()
    for _ in range(9):
        guard.count(0, 1)
    guard.count(1, 0)
    for _ in range(40):
        guard.count(0, 1)
    guard.count(50, 0)
    for _ in range(1_000):
        guard.count(2, 1)


def test_what_reads_nothing_at_all_stops_early() -> None:
    with pytest.raises(TooManyInvalid, match="12 of the last 12"):
        FloodGuard().count(0, 12)
    guard = FloodGuard()
    for _ in range(9):
        guard.count(0, 1)
    with pytest.raises(TooManyInvalid):
        guard.count(0, 1)


def test_more_bad_than_good_ones_stop_even_who_has_read_something() -> None:
    guard = FloodGuard()
    guard.count(10, 49)
    with pytest.raises(TooManyInvalid):
        guard.count(0, 1)


def test_who_has_looked_at_them_may_bury_them_all() -> None:
    guard = FloodGuard(off=True)
    guard.count(0, 1_000)
    with pytest.raises(TooManyInvalid, match="PARLEY_BURY_ANYWAY=true"):
        FloodGuard().count(0, 1_000)
