"""All workers together on the in-memory and the SQLite form: from a message to its settled reply."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest

from infra.migrations import upgrade_store
from parley.backends.bus import open_bus
from parley.backends.memory_store import MemoryStore
from parley.backends.sql import open_store
from parley.ports.store import Store
from parley.runtime.exports import read_records
from parley.runtime.rebuild import rebuild_read_model
from parley.settings import Settings
from schemas.base import ConversationId, MessageId
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.other_events import FeedbackGiven
from schemas.outbound import OwnerChanged, ReplyDelta
from tests.support.commands import Commands
from tests.support.platform import WAIT_S, events_on, make_platform, records_on, replies, send, settled
from tests.support.stories import event
from workers.dialogue import DialogueDecider
from workers.embedded import Embedded
from workers.wiring import Platform


@pytest.fixture(params=["memory", "sqlite"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Platform]:
    settings = Settings(home=tmp_path)
    store: Store = MemoryStore()
    bus_url = "memory:"
    if request.param == "sqlite":
        upgrade_store(settings.database)
        store, bus_url = open_store(settings.database), settings.bus
    opened = make_platform(open_bus(bus_url), store, settings=settings)
    embedded = Embedded(opened)
    embedded.start()
    yield opened
    embedded.stop()
    assert embedded.failed is None
    opened.close()


def ask(platform: Platform, text: str, name: str, conversation: str = "c-1") -> None:
    now = datetime.now(UTC)
    body = MessageReceived(message_id=MessageId(name), text=text, channel="web")
    send(platform, event(body, name, at=now, conversation=conversation))


def test_questions_are_answered_from_the_articles_in_the_customers_language(platform: Platform) -> None:
    ask(platform, "What does the account cost?", "en", "c-1")
    ask(platform, "我的卡丢了怎么办", "zh", "c-2")
    assert settled(platform, "en", "zh") == {"en": "answered", "zh": "answered"}
    found = replies(platform)
    assert found["en"].text == "The Everyday account costs €4.50 a month."
    assert [citation.url for citation in found["en"].citations] == ["/demo/bank/help/fees"]
    assert "冻结" in found["zh"].text and found["zh"].language == "zh"


def test_follow_ups_are_found_by_what_was_asked_before(platform: Platform) -> None:
    ask(platform, "What about that?", "en-alone", "c-3")
    ask(platform, "那多少钱呢？", "zh-alone", "c-4")
    ask(platform, "What does the account cost?", "en", "c-1")
    ask(platform, "我的卡丢了怎么办", "zh", "c-2")
    settled(platform, "en-alone", "zh-alone", "en", "zh")
    ask(platform, "What about that?", "en-next", "c-1")
    ask(platform, "那多少钱呢？", "zh-next", "c-2")
    settled(platform, "en-next", "zh-next")
    found = replies(platform)
    assert {found[name].kind for name in ("en-alone", "zh-alone")} == {"nothing_found"}
    assert [each.url for each in found["en-next"].citations] == ["/demo/bank/help/fees"]
    assert [each.url for each in found["zh-next"].citations] == ["/demo/bank/help/card-lost"]


def test_what_was_streamed_adds_up_to_the_reply(platform: Platform) -> None:
    ask(platform, "my card was stolen", "m")
    settled(platform, "m")
    deltas = [each.body for each in events_on(platform, "chat.deltas") if isinstance(each.body, ReplyDelta)]
    assert [delta.index for delta in deltas] == list(range(len(deltas)))
    assert "".join(delta.text for delta in deltas) == replies(platform)["m"].text


def test_a_hand_off_with_nobody_there_comes_back_to_the_bot(platform: Platform) -> None:
    ask(platform, "I do not recognise a payment", "m")
    assert settled(platform, "m") == {"m": "answered"}
    assert "<handoff_nobody>" in replies(platform)["m"].text
    owners = [e.body.owner for e in events_on(platform, "chat.outbound") if isinstance(e.body, OwnerChanged)]
    assert owners == ["queue", "bot"]


def test_nothing_found_is_said_and_a_human_offered(platform: Platform) -> None:
    ask(platform, "which football team won the championship", "m")
    settled(platform, "m")
    assert (replies(platform)["m"].kind, replies(platform)["m"].offer_human) == ("nothing_found", True)


def test_feedback_reaches_the_read_model_with_its_comment_sealed(platform: Platform) -> None:
    ask(platform, "hello", "m")
    settled(platform, "m")
    reply = replies(platform)["m"]
    send(
        platform,
        event(FeedbackGiven(reply_id=reply.reply_id, score=-1, comment="not kind"), at=datetime.now(UTC)),
    )
    until = monotonic() + WAIT_S
    while not (rows := platform.store.feedback(ConversationId("c-1"))):
        assert monotonic() < until
    assert rows[0].score == -1 and rows[0].comment is not None and "kind" not in rows[0].comment


def test_the_log_replays_to_the_same_bytes_and_rebuilds_the_read_model(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(platform, event(ConversationStarted(channel="web"), at=datetime.now(UTC)))
    ask(platform, "What does the account cost?", "one")
    settled(platform, "one")
    ask(platform, "hello", "two")
    settled(platform, "one", "two")
    report = Commands(tmp_path).on(platform, monkeypatch).replayed()
    assert report["differences"] == [] and report["compared"] >= 8
    before = platform.store.history(ConversationId("c-1"))
    row = platform.store.conversation(ConversationId("c-1"))
    platform.store.rewrite([ConversationId("c-1")], [], [])
    records = read_records(platform.bus, ["conversation.events"])
    done = rebuild_read_model(
        DialogueDecider(), records, platform.store, platform.codec, platform.configs.get
    )
    assert (done.conversations, done.incomplete) == (1, 0)
    assert platform.store.history(ConversationId("c-1")) == before
    assert platform.store.conversation(ConversationId("c-1")) == row


def test_no_text_stands_in_any_record_or_row(platform: Platform) -> None:
    ask(platform, "my very special words about fees", "m")
    settled(platform, "m")
    for topic in (
        "conversation.events",
        "work.understand",
        "work.answer",
        "inference.requests",
        "chat.outbound",
    ):
        for record in records_on(platform, topic):
            assert b"very special" not in (record.value or b"")
    for row in platform.store.history(ConversationId("c-1")):
        assert b"very special" not in row.value
    for state in platform.store.states("dialogue", ["c-1"]).values():
        assert b"very special" not in state
