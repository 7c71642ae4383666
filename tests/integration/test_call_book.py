"""What calls become in the log: within the limits of their events, told apart from others of their id, and whole."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from connectors.calls.book import CallBook, CallKnown, Opening, Segment, SegmentReused
from connectors.calls.formats import read
from connectors.calls.transcript import CallEvent, Transcript
from connectors.kit.pen import Pen
from parley.backends.memory_bus import MemoryBus
from parley.domain.events import follow
from parley.errors import BusUnavailable
from schemas.base import AnyEvent, Body, ConversationId, TenantId
from schemas.call_events import CallSegmentHeard, TranscriptImported
from schemas.conversation_events import CallStateReported
from schemas.outbound import CallImported, CallStateChanged, Closed
from schemas.privacy import MaskPattern, Privacy
from tests.support import call_files
from tests.support.calls import CallCentre, embedded_call_centre
from tests.support.effectors import until
from tests.support.platform import events_on, make_platform, send
from tests.support.small_tenant import CONFIG, CONTENT, TENANT
from workers.wiring import Platform

OPENING = Opening("call-1", "test", datetime(2026, 11, 23, 9, 0, tzinfo=UTC), "mei", "Mei", "en")
[CALL] = read(json.dumps(call_files.VCON).encode())
POLICY = MaskPattern(name="policy_reference", regex="P[0-9]{5}")


@pytest.fixture
def on() -> Iterator[Platform]:
    made = make_platform(MemoryBus())
    yield made
    made.close()


@pytest.fixture
def book(on: Platform) -> Iterator[CallBook]:
    made = CallBook(on, TenantId(TENANT))
    yield made
    made.close()


def said(text: str, name: str = "s1", *, start_ms: int = 0) -> Segment:
    return Segment(name, "customer", text, True, start_ms, start_ms + 900)


def test_texts_that_masking_makes_longer_than_their_events_are_cut(on: Platform) -> None:
    config = CONFIG.model_copy(update={"privacy": Privacy(patterns=(POLICY,))})
    on.store.put("1" * 16, config, CONTENT, datetime.now(UTC))
    book = CallBook(on, TenantId(TENANT))
    text = " ".join(f"P{number:05}" for number in range(2_300))
    book.begin(OPENING).hear(said(f"um {text[:1_900]}"))
    [whole] = read(json.dumps({"id": "f", "turns": [{"role": "caller", "text": f"um {text}"}]}).encode())
    book.take(whole)
    book.close()
    bodies = [event.body for event in events_on(on, "call.events")]
    [heard] = [each for each in bodies if isinstance(each, CallSegmentHeard)]
    [turn] = [turn for each in bodies if isinstance(each, TranscriptImported) for turn in each.turns]
    for cut, most in ((heard.text, 4_000), (turn.text, 16_384), (turn.original or "", 16_384)):
        assert most - 40 < len(cut) <= most
        assert cut.endswith("]…")


def test_a_segments_id_with_other_words_is_refused_and_with_the_same_is_said_once(
    on: Platform, book: CallBook
) -> None:
    book.begin(OPENING).hear(said("I lost my card."))
    again = book.begin(OPENING)
    again.hear(said("I lost my card."))
    for other in (said("Yes."), said("I lost my card.", start_ms=60_000)):
        with pytest.raises(SegmentReused, match="segment_id: was used for other words; allowed: an id"):
            again.hear(other)
    again.hear(said("Yes.", "s2"))
    ids = {
        event.envelope.event_id: event.body.text
        for event in events_on(on, "call.events")
        if isinstance(event.body, CallSegmentHeard)
    }
    assert list(ids.values()) == ["I lost my card.", "Yes."]


def test_a_call_that_was_heard_live_stays_as_it_was_heard(on: Platform, book: CallBook) -> None:
    book.begin(replace(OPENING, call_id=CALL.call_id)).hear(said("I lost my card."))
    assert [book.take(CALL).state for _ in range(2)] == ["heard_live", "heard_live"]
    assert not any(isinstance(event.body, TranscriptImported) for event in events_on(on, "call.events"))


def test_a_call_without_a_language_is_in_that_of_its_script(on: Platform, book: CallBook) -> None:
    for text in ("客服：您好\n客户：我的卡丢了", "Agent: Hello\nCustomer: I lost my card"):
        [call] = read(text.encode("gb18030"))
        book.take(call)
    bodies = [event.body for event in events_on(on, "call.events")]
    told = {each.turns[0].text: each.language for each in bodies if isinstance(each, TranscriptImported)}
    assert told == {"您好": "zh", "Hello": "en"}


def test_an_import_that_a_live_call_joins_stays_an_import(book: CallBook) -> None:
    assert book.take(CALL).state == "accepted"
    book.begin(replace(OPENING, call_id=CALL.call_id))
    assert book.take(CALL).state == "known"


def test_an_import_that_was_cut_off_is_finished_also_where_silence_has_closed_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between two parts; an hour later the call is closed; then the file comes again."""
    turns = [{"role": "caller" if n % 2 else "agent", "text": f"{n} " + "x" * 16_000} for n in range(60)]
    [long] = read(json.dumps({"id": "long", "turns": turns}).encode())
    with embedded_call_centre("memory", tmp_path) as centre:
        on, store = centre.platform, centre.platform.store
        book = CallBook(on, TenantId(TENANT))
        with monkeypatch.context() as patched:
            patched.setattr(Pen, "publish", cut_off)
            with pytest.raises(BusUnavailable):
                book.take(long)
        [first] = events_on(on, "call.events")
        name = first.envelope.conversation_id
        over = CallStateReported(started_at=first.envelope.occurred_at, kind="hang_up", at_ms=3_600_000)
        until(lambda: store.seen("calls", [first.envelope.event_id]))
        send(on, follow(first.envelope, over, "silence"))
        until(lambda: (row := store.conversation(name)) is not None and row.status == "closed")
        assert len(messages(centre, name)) < 60
        assert book.take(long).state == "known"
        until(lambda: len(messages(centre, name)) == 60)
        before = len(events_on(on, "call.events"))
        assert book.take(long).state == "known"
        assert len(events_on(on, "call.events")) == before
        book.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CallCentre]:
    """With all workers; each test has calls of its own."""
    with embedded_call_centre("memory", tmp_path_factory.mktemp("calls")) as opened:
        yield opened


def test_a_known_call_is_not_masked_again(shared: CallCentre, monkeypatch: pytest.MonkeyPatch) -> None:
    book = CallBook(shared.platform, TenantId(TENANT))
    taken = book.take(CALL)
    until(lambda: is_closed(shared, taken.conversation_id))

    def masked(*_: object) -> list[str]:
        raise AssertionError("a known call is masked")

    monkeypatch.setattr(Pen, "masked_all", masked)
    assert book.take(CALL).state == "known"
    book.close()


def grown(*texts: str, **fields: Any) -> Transcript:
    """A call of which more may come later: ten seconds a turn, with a hold after each."""
    names = ["agent", "caller"]
    turns = [
        {"role": names[n % 2], "text": text, "start": n * 10, "end": n * 10 + 5}
        for n, text in enumerate(texts)
    ]
    [call] = read(json.dumps({"id": "growing", "turns": turns}).encode())
    holds = [CallEvent("hold", n * 10_000 + 7_000) for n in range(len(texts))]
    return replace(call, events=tuple(holds), **fields)


def test_a_call_that_has_grown_gets_its_new_turns_as_late_words(shared: CallCentre) -> None:
    """Three versions in their order, each twice, and the later ones once more in the end."""
    said = [
        "Good morning.",
        "My card 4111 1111 1111 1111 is lost.",
        "I block 4111 1111 1111 1111.",
        "Thanks.",
        "Bye.",
    ]
    versions = [grown(*said[:2]), grown(*said[:4], redacted=True), grown(*said)]
    book = CallBook(shared.platform, TenantId(TENANT))
    for call, state in zip(versions, ["accepted", "grown", "grown"], strict=True):
        taken = book.take(call)
        assert (taken.state, taken.turns) == (state, len(call.turns))
        until(partial(says, shared, taken.conversation_id, len(call.turns)))
        assert book.take(call).state == "known"
    name = taken.conversation_id
    assert [book.take(call).state for call in (versions[1], versions[2])] == ["known", "known"]
    assert len(bodies_of(shared, "call.events", name)) == 3
    book.close()
    assert messages(shared, name) == [text.replace("4111 1111 1111 1111", "[card_1]") for text in said]
    told = bodies_of(shared, "chat.outbound", name)
    assert sum(isinstance(each, Closed) for each in told) == 1
    assert [each.origin.redacted for each in told if isinstance(each, CallImported)] == [True, False]
    held = [each.at_ms for each in told if isinstance(each, CallStateChanged)]
    assert held == [7_000, 17_000, 27_000, 37_000, 47_000]


def test_a_version_without_the_turns_of_the_one_before_it_is_refused(book: CallBook) -> None:
    book.take(grown("Good morning.", "My card is lost."))
    for other in (grown("Good morning."), grown("Good morning.", "My cat is lost.", "Oh.")):
        with pytest.raises(CallKnown, match="allowed: an id for each call, or the same turns and more"):
            book.take(other)
    assert book.take(grown("Good morning.", "My card is lost.", "Oh.")).state == "grown"
    with pytest.raises(CallKnown):
        book.take(grown("Good morning.", "My card is lost.", "Ah."))


def test_a_version_after_one_that_was_cut_off_brings_both(
    shared: CallCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [f"{n} " + "x" * 16_000 for n in range(60)]
    book = CallBook(shared.platform, TenantId(TENANT))
    with monkeypatch.context() as patched:
        patched.setattr(Pen, "publish", cut_off)
        with pytest.raises(BusUnavailable):
            book.take(grown(*texts, call_id="cut-off"))
    taken = book.take(grown(*texts, "At last.", call_id="cut-off"))
    assert taken.state == "grown"
    until(partial(says, shared, taken.conversation_id, 61))
    book.close()


def bodies_of(centre: CallCentre, topic: str, name: ConversationId) -> list[Body]:
    return [
        event.body for event in events_on(centre.platform, topic) if event.envelope.conversation_id == name
    ]


def says(centre: CallCentre, name: ConversationId, turns: int) -> bool:
    return len(messages(centre, name)) == turns


def is_closed(centre: CallCentre, name: ConversationId) -> bool:
    row = centre.platform.store.conversation(name)
    return row is not None and row.status == "closed"


def messages(centre: CallCentre, conversation: str) -> list[str]:
    return [each["text"] for each in centre.frames(conversation, "ready") if each["type"] == "message"]


def cut_off(pen: Pen, events: Sequence[AnyEvent]) -> None:
    publish(pen, events[:1])
    raise BusUnavailable("gone")


publish = Pen.publish
