"""What an export says besides its records, so that a replay decides just what was decided live: `parley events export|replay`."""

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parley.backends.memory_bus import MemoryBus
from parley.domain.deciding import Decision
from parley.errors import ConfigurationError, InvalidEvent, UnknownTenant
from parley.ports.bus import Record
from parley.runtime import exports
from parley.runtime.decider import DeciderWorker
from parley.runtime.recorded import ERASED, HEADLESS, NOT_YET, Header, load
from schemas.base import AnyEvent, Event
from schemas.other_events import PresenceChanged, QueueJoined
from schemas.tenant import TenantConfig
from tests.support.commands import Commands
from tests.support.platform import ManualClock, events_on, make_platform, records_on, send
from tests.support.small_tenant import TENANT
from tests.support.stories import event
from tests.unit.test_decider_loop import LOG, Crash, message, start
from workers.assignment import AssignmentDecider, Desks
from workers.dialogue import DialogueDecider
from workers.wiring import Platform

QUEUE = "assignment.events"


@pytest.fixture
def on() -> Platform:
    return make_platform(MemoryBus(), clock=ManualClock())


@pytest.fixture
def commands(on: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    return Commands(tmp_path).on(on, monkeypatch)


def work(on: Platform, *deciders: Any) -> None:
    """Let each decider work off what is there, one after the other."""
    for decider in deciders:
        worker = DeciderWorker(
            decider, on.bus, on.store, on.codec, on.configs, on.clock, on.metrics, max_batch=5
        )
        worker.open()
        for _ in range(30):
            worker.step(0.0)
        worker.close()


def present(capacity: int = 1) -> AnyEvent:
    body = PresenceChanged(human_agent_id="mei", human_agent_name="Mei", capacity=capacity)
    return event(body, conversation="desk")


def joined(number: int) -> AnyEvent:
    return event(QueueJoined(epoch=1, language="en", open_now=True), number, conversation=f"c-{number}")


def under(told: AnyEvent, **changes: object) -> AnyEvent:
    return Event(told.envelope.model_copy(update=changes), told.body)


class Poisoned(AssignmentDecider):
    """Fails at one conversation."""

    def handle(self, state: Desks | None, event: AnyEvent, tenant: TenantConfig) -> Decision[Desks]:
        if event.envelope.conversation_id == "c-1":
            raise RuntimeError("bug")
        return super().handle(state, event, tenant)


# -- what the live loop passed over --------------------------------------------------------------------------------------


def test_a_record_that_was_given_up_is_given_up_again(on: Platform, commands: Commands) -> None:
    send(on, present(), joined(1), joined(2))
    work(on, Poisoned())
    export = commands.export()
    assert export.skipped == {joined(1).envelope.event_id}
    report = commands.replay()
    assert (report["skipped"], report["differences"]) == (1, [])
    assert report["compared"] == 1, "that of the one who got the desk"


def test_a_record_of_a_version_that_was_never_imported_is_a_dead_letter_again(
    on: Platform, commands: Commands
) -> None:
    send(on, start(), under(message(1), tenant_version="feedfacecafebeef"), message(2))
    work(on, DialogueDecider())
    assert len(records_on(on, f"{LOG}.dlq")) == 1
    export = commands.export()
    with pytest.raises(UnknownTenant):
        export.config(TENANT, "feedfacecafebeef")
    report = commands.replay()
    assert (report["events"], report["skipped"], report["differences"]) == (3, 1, [])


def test_a_record_of_a_customer_whose_conversation_it_is_not_is_a_dead_letter_again(
    on: Platform, commands: Commands
) -> None:
    send(on, start(), message(1), under(message(2), customer_id="a-stranger"))
    work(on, DialogueDecider())
    assert len(records_on(on, f"{LOG}.dlq")) == 1
    report = commands.replayed()
    assert (report["skipped"], report["differences"]) == (1, [])


# -- erased customers ----------------------------------------------------------------------------------------------------


def test_erasing_one_customer_does_not_change_the_decisions_about_another(
    on: Platform, commands: Commands
) -> None:
    send(on, present(), joined(1), joined(2))
    work(on, AssignmentDecider())
    before = commands.replayed()
    on.keys.erase(TENANT, joined(1).envelope.customer_id)
    assert commands.replayed() == before
    assert (before["compared"], before["differences"]) == (2, [])


def test_who_was_erased_before_his_turn_takes_the_same_desk_live_and_in_a_replay(
    on: Platform, commands: Commands
) -> None:
    send(on, present(), joined(1), joined(2))
    on.keys.erase(TENANT, joined(1).envelope.customer_id)
    work(on, AssignmentDecider())
    decided = {each.envelope.conversation_id: each.envelope.type for each in events_on(on, LOG)}
    assert decided == {"c-1": "AssignmentMade", "c-2": "AssignmentFailed"}
    report = commands.replayed()
    assert (report["compared"], report["differences"]) == (2, [])


def test_the_conversation_of_an_erased_customer_is_not_decided_again(
    on: Platform, commands: Commands
) -> None:
    send(on, start("c-1"), message(1, "c-1"), start("c-2"), message(2, "c-2"))
    work(on, DialogueDecider())
    on.keys.erase(TENANT, message(1).envelope.customer_id)
    report = commands.replayed()
    assert report["differences"] == [] and report["compared"] > 0
    assert report["not_decided"] == [{"topic": LOG, "events": 2, "reason": ERASED}]


# -- what one file does not hold -----------------------------------------------------------------------------------------


def test_of_one_conversation_what_needs_the_others_is_not_compared_and_that_is_said(
    on: Platform, commands: Commands
) -> None:
    send(on, present(), start(), joined(1))
    work(on, AssignmentDecider(), DialogueDecider())
    report = commands.replayed("--conversation", "c-1")
    assert report["differences"] == [] and report["events"] == 2
    assert report["not_decided"] == [{"topic": QUEUE, "events": 1, "reason": exports.SELECTED}]
    assert "events of assignment.events not decided again: 1 (those of other" in commands.told()


def test_outputs_without_the_topic_that_caused_them_are_not_compared(
    on: Platform, commands: Commands
) -> None:
    send(on, start(), message(1))
    work(on, DialogueDecider())
    report = commands.replayed("--topic", "chat.outbound")
    assert (report["compared"], report["not_compared"], report["differences"]) == (0, 1, [])
    assert "outputs not compared, as their cause is not decided again: 1" in commands.told()


def test_a_topic_that_is_not_exported_is_not_compared(on: Platform, commands: Commands) -> None:
    send(on, start(), message(1))
    work(on, DialogueDecider())
    report = commands.replayed("--topic", LOG, "--topic", "work.understand")
    assert (report["events"], report["compared"], report["differences"]) == (2, 1, [])


def test_an_unknown_topic_is_refused_with_what_is_allowed(commands: Commands) -> None:
    with pytest.raises(ConfigurationError, match=r"chat\.outbound"):
        commands.export("--topic", "chat.inbound")


# -- in the middle of things ---------------------------------------------------------------------------------------------


def test_what_is_not_decided_yet_is_no_difference(on: Platform, commands: Commands) -> None:
    send(on, start(), message(1))
    work(on, DialogueDecider())
    send(on, message(2), joined(1))
    report = commands.replayed()
    assert (report["events"], report["differences"]) == (2, [])
    assert {(each["topic"], each["events"], each["reason"]) for each in report["not_decided"]} == {
        (LOG, 1, NOT_YET),
        (QUEUE, 1, NOT_YET),
    }


def test_what_is_decided_and_not_sent_yet_is_no_difference(on: Platform, commands: Commands) -> None:
    send(on, start(), message(1))
    worker = DeciderWorker(DialogueDecider(), on.bus, on.store, on.codec, on.configs, on.clock, on.metrics)

    def crash(*_: object) -> None:
        raise Crash

    worker._leaving.send = crash  # type: ignore[method-assign,assignment]  # the process dies here
    worker.open()
    with pytest.raises(Crash):
        for _ in range(20):
            worker.step(0.0)
    assert events_on(on, "chat.outbound") == []
    export = commands.export()
    assert len(export.header.undelivered) == 2
    report = commands.replay()
    assert (report["events"], report["differences"]) == (2, [])


# -- what has expired ----------------------------------------------------------------------------------------------------


def send_at(on: Platform, told: AnyEvent, at: datetime) -> None:
    """As it would have been written then."""
    record = on.codec.encode(told)
    producer = on.bus.producer()
    producer.send(
        record.topic,
        key=record.key,
        value=record.value,
        headers=record.headers,
        timestamp_ms=int(at.timestamp() * 1000),
    ).result(5)
    producer.close()


def sweep(on: Platform, at: datetime) -> None:
    assert isinstance(on.bus, MemoryBus)
    on.bus.sweep(int(at.timestamp() * 1000))


def test_a_conversation_whose_beginning_has_expired_is_not_decided_again(
    on: Platform, commands: Commands
) -> None:
    now = datetime.now(UTC)
    send_at(on, start("c-1"), now - timedelta(days=401))
    for told in (message(1, "c-1"), start("c-2"), message(2, "c-2")):
        send_at(on, told, now)
    work(on, DialogueDecider())
    sweep(on, now)
    report = commands.replayed()
    assert report["differences"] == [] and report["compared"] > 0
    assert report["not_decided"] == [{"topic": LOG, "events": 1, "reason": HEADLESS}]


def test_outputs_that_have_all_expired_are_not_missed(on: Platform, commands: Commands) -> None:
    send(on, start(), message(1))
    work(on, DialogueDecider())
    sweep(on, datetime.now(UTC) + timedelta(days=31))
    assert records_on(on, "chat.outbound") == [] and len(records_on(on, LOG)) == 2
    assert isinstance(on.clock, ManualClock)
    on.clock.move(31 * 86_400)
    report = commands.replayed()
    assert (report["events"], report["compared"], report["differences"]) == (2, 0, [])


def test_a_queue_whose_beginning_has_expired_is_not_decided_again(on: Platform, commands: Commands) -> None:
    now = datetime.now(UTC)
    send_at(on, present(), now - timedelta(days=31))
    send_at(on, joined(1), now)
    work(on, AssignmentDecider(), DialogueDecider())
    sweep(on, now)
    report = commands.replayed()
    assert report["differences"] == []
    assert report["not_decided"] == [{"topic": QUEUE, "events": 1, "reason": exports.EXPIRED}]


def test_since_takes_whole_conversations_that_had_an_event_since_then(
    on: Platform, commands: Commands
) -> None:
    now = datetime.now(UTC)
    for told in (start("c-1"), message(1, "c-1"), start("c-2")):
        send_at(on, told, now - timedelta(days=2))
    send_at(on, message(2, "c-2"), now)
    work(on, DialogueDecider())
    yesterday = (now - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%S")
    export = commands.export("--since", yesterday, "--topic", LOG)
    assert [each.envelope.event_id for each in export.inputs] == [
        start("c-2").envelope.event_id,
        message(2, "c-2").envelope.event_id,
    ]
    assert commands.replay()["differences"] == []


# -- the file ------------------------------------------------------------------------------------------------------------


def test_each_line_is_written_before_the_next_record_is_read(on: Platform) -> None:
    send(on, start(), message(1), message(2))
    out = io.BytesIO()
    lines = []

    def records() -> Iterator[Record]:
        for record in records_on(on, LOG):
            lines.append(out.getvalue().count(b"\n"))
            yield record

    assert exports.write(Header(), records(), on.codec, on.configs.get, out) == 3
    assert lines == [1, 3, 4], "header; version and record; record"


def test_a_file_takes_its_name_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "stream.jsonl"
    with exports.created(path) as out:
        out.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole" and path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Crash), exports.created(path) as out:
        out.write(b"half")
        raise Crash
    assert path.read_bytes() == b"whole" and list(tmp_path.iterdir()) == [path]
    with pytest.raises(ConfigurationError, match="cannot write"), exports.created(tmp_path / "no" / "file"):
        pass


def test_records_are_read_one_partition_after_the_other(on: Platform) -> None:
    send(on, *(message(number, f"c-{number % 7}") for number in range(50)))
    places = [(record.partition, record.offset) for record in records_on(on, LOG)]
    assert places == sorted(places) and len(places) == 50


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "line 1: the file is no export"),
        (b"{}", "line 1: the file is no export"),
        (b"[]", "line 1: not a JSON object"),
        (b'"x"', "line 1: not a JSON object"),
        (b"what", "line 1: not JSON"),
        (b'{"parley_export":99}', "line 1: another format"),
        (b'{"parley_export":1}\nnull', "line 2: not a JSON object"),
        (b'{"parley_export":1}\n{"other":1}', "line 2: is neither an event nor"),
        (b'{"parley_export":1}\n{"topic":"conversation.events","body":{}}', "line 2: lacks 'headers'"),
        (
            b'{"parley_export":1}\n{"topic":"conversation.events","headers":{},"body":{}}',
            "line 2: lacks 'type'",
        ),
    ],
)
def test_what_is_no_export_is_said_to_be_none(content: bytes, reason: str) -> None:
    with pytest.raises(InvalidEvent, match=re.escape(reason)):
        load(content.splitlines(keepends=True), [DialogueDecider()])
