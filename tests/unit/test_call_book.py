"""A running call on its way into the log: what is the same again, and which call goes on."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from connectors.calls.book import CallBook, CallKnown, Opening, Segment
from parley.backends.memory_bus import MemoryBus
from schemas.base import TenantId
from schemas.call_events import CallProgressed, CallSegmentHeard
from schemas.conversation_events import CallStateReported
from tests.support.call_stories import CallStory
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import TENANT
from tests.support.stories import NINE
from workers.wiring import Platform

OPENING = Opening("call-1", "test", NINE, "mei", "Mei", "en")


@pytest.fixture
def on() -> Iterator[Platform]:
    made = make_platform(MemoryBus())
    yield made
    made.bus.close()


@pytest.fixture
def book(on: Platform) -> Iterator[CallBook]:
    made = CallBook(on, TenantId(TENANT))
    yield made
    made.close()


def test_what_happens_at_one_time_by_others_or_to_others_is_told_apart(on: Platform, book: CallBook) -> None:
    call = book.begin(OPENING)
    told = [
        CallProgressed(kind="hold", at_ms=5, by="customer"),
        CallProgressed(kind="hold", at_ms=5, by="human_agent"),
        CallProgressed(kind="transfer", at_ms=5, human_agent_id="li", human_agent_name="Li"),
        CallProgressed(kind="transfer", at_ms=5, human_agent_id="jo", human_agent_name="Jo"),
    ]
    for body in [*told, *told]:
        call.progress(body)
    events = [each for each in events_on(on, "call.events") if isinstance(each.body, CallProgressed)]
    assert len({each.envelope.event_id for each in events}) == len(told)


def test_a_call_that_ended_in_silence_goes_on_and_one_that_was_hung_up_does_not(
    on: Platform, book: CallBook
) -> None:
    conversation = book.begin(OPENING).chat.conversation_id
    story = CallStory(conversation)
    story.pass_time(3_601)
    on.store.rewrite([conversation], [], story.decisions[-1].projections)
    assert (row := on.store.conversation(conversation)) is not None and row.status == "closed"
    assert book.begin(OPENING).chat.conversation_id == conversation
    story.tell(CallStateReported(started_at=NINE, kind="hang_up", at_ms=5_000_000))
    on.store.rewrite([conversation], [], story.decisions[-1].projections)
    with pytest.raises(CallKnown, match="'call-1' has ended"):
        book.begin(OPENING)


def test_what_was_told_on_a_call_is_known_on_its_next_connection_and_not_for_long_after_its_last_word(
    on: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(seconds: float) -> list[str]:
        monkeypatch.setattr("connectors.calls.book.LISTENED_FOR_S", seconds)
        book = CallBook(on, TenantId(TENANT))
        opening = replace(OPENING, call_id=f"call-{seconds}")
        for segment in (
            Segment("s0", "human_agent", "What is your name?", True, 0, 1),
            Segment("s1", "customer", "It's Hannah Doyle.", True, 1, 2),
            Segment("s2", "human_agent", "Thank you, Hannah.", True, 2, 3),
        ):
            call = book.begin(opening)
            call.hear(segment)
        book.close()
        mine = [
            each
            for each in events_on(on, "call.events")
            if each.envelope.conversation_id == call.chat.conversation_id
        ]
        return [each.body.text for each in mine if isinstance(each.body, CallSegmentHeard)]

    assert said(600.0)[1:] == ["It's [name_1].", "Thank you, [name_2]."]
    assert said(0.0)[1:] == ["It's Hannah Doyle.", "Thank you, Hannah."]
