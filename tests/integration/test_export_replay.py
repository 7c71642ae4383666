"""What the platform has done, exported and replayed by the commands as they are: all workers on SQLite, and no server."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest

from parley.cli.admin import specs, upgrade
from parley.errors import ConfigurationError
from parley.settings import Settings
from schemas.base import Body, ConversationId, CustomerId, MessageId
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.other_events import FeedbackGiven, PresenceChanged
from tests.support.commands import Commands, parley
from tests.support.platform import WAIT_S, replies, send, settled
from tests.support.small_tenant import CONFIG, CONTENT, TENANT, VERSION
from tests.support.stories import event
from workers.embedded import Embedded
from workers.wiring import Platform, open_platform

ANSWERED, TAKEN, NOBODY = "c-answered", "c-taken", "c-nobody"


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """As `parley run` would find it below the home that the commands will look into."""
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path / "home"))
    settings = Settings.load()
    settings.ensure_home()
    upgrade(settings)
    opened = open_platform(settings)
    admin = opened.bus.admin()
    admin.apply(specs(settings))
    admin.close()
    opened.store.put(VERSION, CONFIG, CONTENT, datetime.now(UTC))
    yield opened
    opened.close()


@pytest.fixture
def workers(platform: Platform) -> Iterator[Embedded]:
    """Running, after a look-up, a merged turn, a hand-off that nobody takes and one that somebody does, and a verdict."""
    running = Embedded(platform)
    running.start()
    say(platform, ANSWERED, ConversationStarted(channel="web"), question("What does the account cost?", "q"))
    say(platform, NOBODY, ConversationStarted(channel="web"), question("I do not recognise a payment", "h1"))
    settled(platform, "q", "h1")
    say(
        platform, ANSWERED, question("What does cash abroad cost?", "m1"), question("And my lost card?", "m2")
    )
    say(platform, "desk", PresenceChanged(human_agent_id="mei", human_agent_name="Mei", capacity=1))
    say(platform, TAKEN, ConversationStarted(channel="web"), question("talk to a person", "h2"))
    assert settled(platform, "m1", "m2", "h2") == {
        "q": "answered",
        "m1": "merged",
        "m2": "answered",
        "h1": "answered",
        "h2": "handed_over",
    }
    say(platform, ANSWERED, FeedbackGiven(reply_id=replies(platform)["q"].reply_id, score=1, comment="nice"))
    until = monotonic() + WAIT_S
    while not platform.store.feedback(ConversationId(ANSWERED)):
        assert monotonic() < until
    yield running
    running.stop()
    assert running.failed is None


def question(text: str, name: str) -> MessageReceived:
    return MessageReceived(message_id=MessageId(name), text=text, channel="web")


def say(platform: Platform, conversation: str, *bodies: Body) -> None:
    """Put them on the log together, so that a second message finds the first one's turn still open."""
    platform.keys.create(TENANT, CustomerId(f"customer-of-{conversation}"))
    now = datetime.now(UTC)
    told = [event(body, now, n, at=now, conversation=conversation) for n, body in enumerate(bodies)]
    send(platform, *told)


@pytest.fixture
def commands(tmp_path: Path) -> Commands:
    return Commands(tmp_path)


def test_everything_replays_to_the_same_bytes_while_the_workers_run(
    workers: Embedded, commands: Commands
) -> None:
    export = commands.export()
    assert {written.topic for written in export.recorded.values()} == {
        "work.understand",
        "work.answer",
        "chat.outbound",
        "conversation.events",
        "assignment.events",
    }, "and nothing that an effector has written"
    report = commands.replay()
    assert report["differences"] == [] and report["not_compared"] == 0
    assert report["compared"] == len(export.recorded) > 20


@pytest.mark.parametrize("conversation", [ANSWERED, TAKEN, NOBODY])
def test_one_conversation_replays(workers: Embedded, commands: Commands, conversation: str) -> None:
    export = commands.export("--conversation", conversation)
    assert {each.envelope.conversation_id for each in export.inputs} == {conversation}
    report = commands.replay()
    assert report["differences"] == [] and report["compared"] > 5
    left_out = "events of assignment.events not decided again: 1 (those of other conversations are left out)"
    assert (left_out in commands.told()) == (conversation != ANSWERED)


def test_what_happened_since_a_moment_replays(
    platform: Platform, workers: Embedded, commands: Commands
) -> None:
    since = datetime.now(UTC)
    say(platform, ANSWERED, question("What does the account cost?", "again"))
    settled(platform, "again")
    export = commands.export("--since", since.strftime("%Y-%m-%dT%H:%M:%S"))
    assert ANSWERED in {each.envelope.conversation_id for each in export.inputs}
    report = commands.replay()
    assert report["differences"] == [] and report["compared"] > 10


@pytest.mark.parametrize(
    ("topics", "compared"),
    [
        (("conversation.events", "chat.outbound"), True),
        (("conversation.events", "assignment.events"), True),
        (("conversation.events",), False),
        (("chat.outbound",), False),
        (("inference.requests",), False),
    ],
    ids=str,
)
def test_some_topics_replay(
    workers: Embedded, commands: Commands, topics: tuple[str, ...], compared: bool
) -> None:
    commands.export(*(option for topic in topics for option in ("--topic", topic)))
    report = commands.replay()
    assert report["differences"] == [] and (report["compared"] > 0) == compared


def test_the_read_model_is_rebuilt_from_the_log(platform: Platform, workers: Embedded) -> None:
    with pytest.raises(ConfigurationError, match="running: dialogue, feedback; stop"):
        parley("db", "rebuild")
    workers.stop()
    names = [ConversationId(name) for name in (ANSWERED, TAKEN, NOBODY)]
    reads: list[Callable[[ConversationId], object]] = [
        platform.store.conversation,
        platform.store.history,
        platform.store.feedback,
    ]
    before = [[read(name) for name in names] for read in reads]
    platform.store.rewrite(names, [], [])
    with sqlite3.connect(platform.settings.home / "parley.db") as database:
        database.execute("DELETE FROM feedback")
    database.close()
    assert "3 conversations rebuilt from " in parley("db", "rebuild")
    assert [[read(name) for name in names] for read in reads] == before


def test_tidying_by_hand_forgets_nothing_that_may_be_needed(platform: Platform, workers: Embedded) -> None:
    assert parley("db", "tidy").startswith("forgot 0 seen events, 0 claims and 0 deliveries from before ")
