"""The analysis worker on the in-memory and the SQLite form: what it reads of a history, and what follows."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag
from threading import Thread

import pytest

from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.errors import ConfigurationError, StoreUnavailable
from parley.ids import derived_id
from parley.ports.models import Understanding
from parley.ports.store import Store
from parley.runtime.versions import VersionedContent
from parley.settings import Settings
from schemas.base import AnyEvent, ConversationId, Event, MessageId, TenantId
from schemas.conversation_events import ConversationAnalysed
from schemas.outbound import AgentMessage, AgentMessageEdited, Closed, DraftReady, MessageRead
from schemas.parts import Risk, ScoredIntent
from schemas.tenant import TenantConfig, TenantContent
from schemas.work import AnalysisRequested
from tests.support.effectors import until
from tests.support.platform import events_on, make_platform, send
from tests.support.stories import event
from tests.support.told import Line, remember, turn_event
from workers.analysis import AnalysisEffector
from workers.analysis.reading import MOST_CLASSIFIED, read_turns
from workers.wiring import Platform, build_worker

CALL: tuple[Line, ...] = (
    ("human_agent", "Good morning, this call is recorded, how can I help you?"),
    ("customer", "I lost my card and somebody paid with it, I was scammed."),
    ("human_agent", "I have blocked the card. I'll send you a new one by Friday."),
    ("customer", "What does the new card cost?"),
)


class Counting:
    """A classifier for which everything is about a lost card; remembers what it was asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def prepare(self, tenant: TenantId, version: str, config: TenantConfig, content: TenantContent) -> None:
        """Nothing to fit."""

    def ready(self, tenant: TenantId, version: str) -> bool:
        return True

    def classify(self, tenant: TenantId, version: str, texts: Sequence[str]) -> list[Understanding]:
        self.asked.append(list(texts))
        return [Understanding("en", (ScoredIntent(intent="card_lost", probability=0.9),)) for _ in texts]


@pytest.fixture(params=["memory", "sqlite"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    settings = Settings(home=tmp_path)
    store: Store = MemoryStore()
    bus_url = "memory:"
    if request.param == "sqlite":
        upgrade_store(settings.database)
        store, bus_url = open_store(settings.database), settings.bus
    opened = make_platform(open_bus(bus_url), store, settings=settings)
    yield opened
    opened.close()


def history(lines: tuple[Line, ...] = CALL) -> list[AnyEvent]:
    return [turn_event(seq, line) for seq, line in enumerate(lines, start=1)]


def request(up_to_seq: int, deadline: datetime | None = None) -> Event[AnalysisRequested]:
    body = AnalysisRequested(
        up_to_seq=up_to_seq, language="en", deadline=deadline or datetime.now(UTC) + timedelta(minutes=5)
    )
    made = event(body, "asked", at=datetime.now(UTC))
    return Event(made.envelope, body)


def effector(on: Platform, classifier: Counting | None = None) -> AnalysisEffector:
    content = VersionedContent(on.store, on.configs)
    return AnalysisEffector(classifier or Counting(), on.store, on.codec, content, on.clock)


def analysed(on: Platform, up_to_seq: int, classifier: Counting | None = None) -> ConversationAnalysed:
    [[result]] = effector(on, classifier).handle([request(up_to_seq)])
    assert isinstance(result.body, ConversationAnalysed)
    return result.body


def read(seq: int, answers: int, intent: str, *risks: Risk) -> AnyEvent:
    body = MessageRead(
        seq=seq,
        epoch=0,
        message_id=MessageId(f"m-{answers}"),
        language="en",
        intents=(ScoredIntent(intent=intent, probability=0.8),),
        risks=risks,
    )
    return event(body, seq)


def test_from_the_request_on_the_bus_to_the_result(platform: Platform) -> None:
    remember(platform, history())
    asked = request(4)
    worker, stop = build_worker("analysis", platform), Flag()
    thread = Thread(target=worker.run, args=(stop,))
    thread.start()
    send(platform, asked)
    [result] = until(lambda: events_on(platform, "conversation.events"))
    stop.set()
    thread.join(20)
    assert isinstance(result.body, ConversationAnalysed) and result.body.up_to_seq == 4
    assert result.envelope.event_id == derived_id(asked.envelope.event_id, 0)
    assert result.envelope.cause_id == asked.envelope.event_id
    found = result.body.analysis
    assert "I'll send you a new one by Friday." in found.summary and "fraud" in found.summary
    assert [(promise.by, promise.seq) for promise in found.promises] == [("human_agent", 3)]
    assert {check.id: check.seq for check in found.checks} == {
        "greeting": 1,
        "identification": None,
        "disclosure": 1,
    }


def test_what_was_read_is_taken_and_the_rest_is_classified_once(platform: Platform) -> None:
    classifier = Counting()
    remember(platform, [*history(), read(5, 2, "fees", Risk(kind="legal", evidence="I lost"))])
    found = analysed(platform, 5, classifier)
    assert classifier.asked == [["What does the new card cost?"]]
    assert [(topic.intent, topic.seqs) for topic in found.analysis.topics] == [
        ("fees", (2,)),
        ("card_lost", (4,)),
    ]
    assert "legal steps" in found.analysis.summary and "fraud" not in found.analysis.summary


def test_what_tells_nothing_is_not_classified(platform: Platform) -> None:
    classifier = Counting()
    lines: tuple[Line, ...] = (
        ("customer", "Yes, please."),
        ("customer", "My card is lost."),
        ("customer", "No, thank you."),
    )
    remember(platform, history(lines))
    found = analysed(platform, 3, classifier)
    assert classifier.asked == [["My card is lost."]]
    assert found.analysis.topics[0].share == pytest.approx(1 / 3, abs=0.001)


def test_what_was_said_twice_is_classified_once(platform: Platform) -> None:
    classifier = Counting()
    remember(
        platform, history((("customer", "My card."), ("customer", "My card."), ("customer", "Lost it.")))
    )
    found = analysed(platform, 3, classifier)
    assert classifier.asked == [["My card.", "Lost it."]]
    assert found.analysis.topics[0].seqs == (1, 2, 3)


def test_a_history_by_a_newer_build_stops_the_worker(platform: Platform) -> None:
    future = turn_event(4, CALL[3])
    newer = Event(future.envelope.model_copy(update={"version": 99}), future.body)
    remember(platform, [*history(CALL[:3]), newer])
    with pytest.raises(ConfigurationError, match="version 99"):
        effector(platform).handle([request(4)])


def test_everything_read_asks_no_classifier(platform: Platform) -> None:
    classifier = Counting()
    remember(platform, [*history(), read(5, 2, "fees"), read(6, 4, "hello")])
    analysed(platform, 6, classifier)
    assert classifier.asked == []


def test_of_many_unread_turns_the_longest_are_classified(platform: Platform) -> None:
    classifier = Counting()
    lines: tuple[Line, ...] = tuple(("customer", "x" * number) for number in range(1, 601))
    remember(platform, history(lines))
    analysed(platform, 600, classifier)
    [texts] = classifier.asked
    assert len(texts) == MOST_CLASSIFIED and min(map(len, texts)) == 401


def test_it_ends_where_it_was_asked_to(platform: Platform) -> None:
    later = turn_event(5, ("human_agent", "I'll call you tomorrow."))
    remember(platform, [*history(), later])
    assert [promise.seq for promise in analysed(platform, 4).analysis.promises] == [3]


def test_edits_count_and_what_staff_saw_alone_does_not(platform: Platform) -> None:
    mei = {"human_agent_id": "mei", "human_agent_name": "Mei", "epoch": 0}
    edit = AgentMessageEdited(seq=5, message_id=MessageId("m-3"), text="I'll send it on Monday.", **mei)
    note = AgentMessage(
        seq=6, message_id=MessageId("n"), text="I'll complain about him.", audience="staff", **mei
    )
    draft = DraftReady(seq=7, epoch=0, generation_id="g", text="We will refund you.")
    remember(platform, [*history(), event(edit, 5), event(note, 6), event(draft, 7)])
    found = analysed(platform, 7).analysis
    assert [promise.text for promise in found.promises] == ["I'll send it on Monday."]


def test_a_history_that_is_not_there_yet_is_waited_for(platform: Platform) -> None:
    remember(platform, history())
    with pytest.raises(StoreUnavailable, match="ends at 4"):
        effector(platform).handle([request(9)])


def test_of_an_erased_customer_there_is_nothing(platform: Platform) -> None:
    closed = event(Closed(seq=5, epoch=0, by="system"), 5)
    remember(platform, [*history(), closed])
    asked = request(5)
    platform.keys.erase(asked.envelope.tenant, asked.envelope.customer_id)
    assert effector(platform).handle([asked]) == [[]]
    remember(platform, [])
    assert effector(platform).handle([asked]) == [[]]


def test_what_cannot_be_analysed_is_left_out(platform: Platform) -> None:
    assert effector(platform).failed(request(4), "deadline") == []


def test_twenty_thousand_turns(platform: Platform) -> None:
    if isinstance(platform.store, MemoryStore):
        pytest.skip("once is enough")
    lines: tuple[Line, ...] = tuple(
        ("customer" if seq % 2 else "human_agent", f"I am angry, I will send you letter {seq} tomorrow.")
        for seq in range(20_000)
    )
    remember(platform, history(lines))
    body = analysed(platform, 20_000)
    made = event(body, "made")
    assert len(platform.codec.encode(made).value) < 1_000_000


def test_reading_nothing_is_reading_nothing(platform: Platform) -> None:
    assert read_turns(platform.store, platform.codec, ConversationId("nobody"), 3) is None
