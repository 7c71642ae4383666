"""Anything at the doors of calls: a refusal that says what is wrong, or the call in the log; never an error of ours.

`PARLEY_FUZZ=100000 pytest tests/integration/test_call_fuzz.py` tries so many inputs at each door.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given

from connectors.calls.book import CallBook, CallRefused, Opening
from connectors.calls.formats import read
from connectors.calls.transcript import TranscriptRefused
from parley.backends.memory_bus import MemoryBus
from parley.domain.deciding import Decider
from parley.settings import Settings
from schemas.base import AnyEvent, Event, TenantId
from services.gateway.live_calls import Start, parsed, write
from services.gateway.problems import Problem
from tests.support import call_files
from tests.support.platform import events_on, make_platform
from tests.support.small_tenant import CONFIG, TENANT
from tests.support.spoilt import fuzzed, inputs
from workers.calls import CallDecider
from workers.dialogue import DialogueDecider
from workers.wiring import Platform

FRAMES: list[dict[str, Any]] = [
    {"type": "segment", "segment_id": "s", "speaker": "customer", "text": "I lost my card", "final": True, "start_ms": 0, "end_ms": 9},
    {"type": "segment", "segment_id": "s", "speaker": "human_agent", "text": "um 4111", "final": False, "start_ms": 0, "end_ms": 9},
    {"type": "hold", "at_ms": 5, "by": "customer"},
    {"type": "transfer", "at_ms": 5, "agent": {"id": "li", "name": "Li"}},
    {"type": "hang_up", "at_ms": 9},
]  # fmt: skip
STARTS: list[dict[str, Any]] = [
    {"type": "start", "call_id": "c", "agent": {"id": "a", "name": "A"}, "language": "en", "key": "k"}
]
FILES = list(call_files.JSON_FORMS.values())


@pytest.fixture
def on() -> Iterator[Platform]:
    made = make_platform(MemoryBus(), settings=Settings(bus_url="memory:", secret="f" * 40))
    yield made
    made.bus.close()


def decided(on: Platform) -> None:
    """Whatever a door has let in, the deciders can decide."""
    states: dict[tuple[str, str], Any] = {}
    waiting: list[AnyEvent] = events_on(on, "call.events")
    deciders: list[Decider[Any]] = [CallDecider(), DialogueDecider()]
    for decider in deciders:
        left: list[AnyEvent] = []
        for event in waiting:
            key = (decider.name, event.envelope.conversation_id)
            decision = decider.handle(states.get(key), event, CONFIG)
            states[key] = decision.state
            for each in decision.events:
                on.codec.encode(each)
            left += decision.events
        waiting = [Event(each.envelope, each.body) for each in left]


@pytest.mark.timeout(7_200)
def test_files(on: Platform) -> None:
    book = CallBook(on, TenantId(TENANT))

    @fuzzed
    @given(inputs(FILES))
    def tried(data: bytes) -> None:
        try:
            calls = read(data)
        except TranscriptRefused as error:
            assert str(error)
            return
        for call in calls:
            try:
                assert book.take(call).turns == len(call.turns)
            except CallRefused as error:
                assert str(error)

    tried()
    book.close()
    decided(on)


@pytest.mark.timeout(7_200)
def test_frames_of_a_running_call(on: Platform) -> None:
    book = CallBook(on, TenantId(TENANT))
    opening = Opening(str(uuid4()), "test", datetime.now(UTC), "mei", "Mei", "en")
    call = book.begin(opening)

    @fuzzed
    @given(inputs(FRAMES))
    def tried(data: bytes) -> None:
        try:
            frame = parsed(data.decode(errors="replace"))
        except Problem as problem:
            assert problem.status == 422 and problem.detail
            return
        try:
            write(call, frame)
        except CallRefused as error:  # the same segment with other words
            assert str(error)

    tried()
    book.close()
    decided(on)


@pytest.mark.timeout(7_200)
def test_first_frames(on: Platform) -> None:
    @fuzzed
    @given(inputs(STARTS))
    def tried(data: bytes) -> None:
        try:
            assert Start.parsed(data.decode(errors="replace")).call_id
        except Problem as problem:
            assert problem.status == 422 and problem.detail

    tried()
