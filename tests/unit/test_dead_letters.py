"""`parley dlq retry`: a second chance that settles nothing twice, however often it is taken."""

import pytest

from parley.cli.deadletters import send_again
from parley.errors import ConfigurationError, InvalidEvent
from parley.runtime.deadletters import exhume
from schemas.base import Event
from schemas.conversation_events import CloseRequested, MessageReceived
from schemas.outbound import MessageSettled
from tests.support.platform import ManualClock, events_on, records_on, send
from tests.support.small_tenant import CONFIG, CONTENT
from tests.support.stories import LIMIT_S, event
from tests.unit.test_decider_loop import LOG, Poisoned, message, platform, start, work_off, worker
from workers.dialogue import DialogueDecider
from workers.wiring import Platform


def run(on: Platform, decider: DialogueDecider | None = None) -> None:
    one = worker(on, decider)
    one.open()
    work_off(one, on=on)
    one.close()


def letters(on: Platform) -> list[str]:
    found = [exhume(record) for record in records_on(on, f"{LOG}.dlq")]
    return [f"{letter.topic}/{letter.partition}/{letter.offset}" for letter in found]


def settled(on: Platform) -> list[tuple[str, str]]:
    bodies = [e.body for e in events_on(on, "chat.outbound")]
    settlements = [each for body in bodies if isinstance(body, MessageSettled) for each in body.settlements]
    return [(each.message_id, each.outcome) for each in settlements]


def test_a_message_that_was_given_up_comes_in_again_as_one_of_its_own() -> None:
    on = platform()
    send(on, start(), message(1, text="poison"))
    run(on, Poisoned())
    assert settled(on) == [("m-1", "failed")]
    event_id = send_again(on, letters(on)[0])
    send(on, event(CloseRequested(by="customer")))
    run(on)
    assert settled(on) == [("m-1", "failed"), (event_id, "closed")]
    again = [e for e in events_on(on, LOG) if isinstance(e.body, MessageReceived)][-1]
    assert again.envelope.cause_id == message(1).envelope.event_id


def test_a_message_that_was_never_decided_keeps_its_id() -> None:
    on = platform()
    told, version = message(1), "feedfacecafebeef"
    send(on, start(), Event(told.envelope.model_copy(update={"tenant_version": version}), told.body))
    run(on)
    assert settled(on) == []
    on.store.put(version, CONFIG, CONTENT, on.clock.now())
    send_again(on, letters(on)[0])
    send(on, event(CloseRequested(by="customer")))
    run(on)
    assert settled(on) == [("m-1", "closed")]


def test_a_letter_that_is_sent_twice_counts_once() -> None:
    on = platform()
    send(on, start(), message(1, text="poison"))
    run(on, Poisoned())
    assert send_again(on, letters(on)[0]) == send_again(on, letters(on)[0])
    send(on, event(CloseRequested(by="customer")))
    run(on)
    assert [outcome for _, outcome in settled(on)] == ["failed", "closed"]


def test_what_is_sent_again_has_its_whole_time() -> None:
    clock = ManualClock()
    on = platform(clock)
    send(on, start(), message(1, text="poison"))
    run(on, Poisoned())
    clock.move(3 * LIMIT_S)
    event_id = send_again(on, letters(on)[0])
    one = worker(on)
    one.open()
    work_off(one, on=on)
    clock.move(LIMIT_S - 1)
    one.step(0.0)
    work_off(one, on=on)
    assert (event_id, "failed") not in settled(on)
    clock.move(1)
    one.step(0.0)
    work_off(one, on=on)
    assert (event_id, "failed") in settled(on)


def test_what_fails_again_is_a_letter_of_its_own() -> None:
    on = platform()
    send(on, start(), message(1, text="poison"))
    run(on, Poisoned())
    first = send_again(on, letters(on)[0])
    run(on, Poisoned())
    second = send_again(on, letters(on)[1])
    send(on, event(CloseRequested(by="customer")))
    run(on)
    assert settled(on) == [("m-1", "failed"), (first, "failed"), (second, "closed")]


def test_there_is_nothing_to_send_where_nothing_can_be_read() -> None:
    on = platform()
    send(on, start(), message(1, text="poison"))
    run(on, Poisoned())
    [where] = letters(on)
    on.keys.erase(message(1).envelope.tenant, message(1).envelope.customer_id)
    with pytest.raises(InvalidEvent, match="erased"):
        send_again(on, where)
    with pytest.raises(ConfigurationError, match="no dead letter"):
        send_again(on, f"{LOG}/0/999")
    on.bus.producer().send(LOG, key=b"c-1", value=b"garbage", headers=(("x", b"y"),)).result(5)
    run(on)
    with pytest.raises(InvalidEvent, match="still cannot be read"):
        send_again(on, letters(on)[1])
