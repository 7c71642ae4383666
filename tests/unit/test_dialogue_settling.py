"""Ends: closing, records that were given up, and what holds for every story: each message is settled once, and in time."""

from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parley.domain.conversation import Conversation
from schemas.base import MessageId
from schemas.conversation_events import (
    ClaimRequested,
    CloseRequested,
    DraftRequested,
    MessageReceived,
    ReleaseRequested,
)
from schemas.other_events import QueueLeft
from schemas.outbound import Closed, CommandRejected, MessageSettled, OwnerChanged, ReplyReady
from schemas.work import AnswerRequested
from tests.support.small_tenant import CONFIG
from tests.support.stories import LIMIT_S, MEI, NINE, Story


def test_closing_settles_everything_and_a_later_message_reopens_with_the_bot() -> None:
    story = Story()
    first = story.says("What does it cost?")
    story.wait(31)
    second = story.says("hello?")
    story.tell(CloseRequested(by="customer"))
    assert story.settled == {first: "closed", second: "closed"}
    assert len(story.bodies(Closed)) == 1
    story.tell(CloseRequested(by="customer"))
    assert len(story.bodies(Closed)) == 1
    story.tell(ClaimRequested(**MEI))
    assert story.bodies(CommandRejected)[0].reason == "closed"
    story.says("one more thing")
    assert story.bodies(OwnerChanged)[-1].reason == "reopened"


def test_closing_while_waiting_leaves_the_queue() -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    story.tell(CloseRequested(by="customer"))
    assert len(story.bodies(QueueLeft)) == 1
    assert story.state is not None and story.state.ticket is None


def test_the_human_agent_who_owns_it_may_close_it() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(CloseRequested(by="human_agent", human_agent_id="mei"))
    assert story.bodies(Closed)[0].by == "human_agent"


def test_a_skipped_message_is_settled_with_an_apology() -> None:
    story = Story()
    story.skipped(MessageId("m-9"))
    assert [type(e.body) for e in story.out] == [ReplyReady, MessageSettled]
    assert story.settled == {"m-9": "failed"}


def test_a_skipped_message_leaves_the_running_turn_alone() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.skipped(MessageId("m-9"))
    story.understood("fees")
    story.generated()
    assert story.settled == {"m-9": "failed", message: "answered"}


def test_another_skipped_record_ends_the_running_turn() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.skipped()
    assert story.settled == {message: "failed"}
    before = len(story.out)
    story.skipped()
    assert len(story.out) == before


def test_a_conversation_that_begins_with_a_skipped_record_begins_all_the_same() -> None:
    story = Story()
    story.state = None
    story.skipped(MessageId("m-1"))
    assert story.settled == {"m-1": "failed"}


def test_a_conversation_whose_start_is_not_in_the_log_begins_with_its_first_message() -> None:
    story = Story()
    story.state = None
    story.says("Hello")
    begun: Conversation | None = story.state
    assert begun is not None
    assert (begun.conversation_id, begun.language, begun.started_at) == ("c-1", CONFIG.default_language, NINE)


# -- whatever happens -------------------------------------------------------------------------------------------------

MOVES: dict[str, Callable[[Story], object]] = {
    "says": lambda story: story.says("text"),
    "says much": lambda story: [story.says("text") for _ in range(6)],
    "reads fees": lambda story: story.understood("fees"),
    "reads hello": lambda story: story.understood("hello"),
    "reads human": lambda story: story.understood("human"),
    "reads vague": lambda story: story.understood("vague_card"),
    "writes": lambda story: story.generated(),
    "writes badly": lambda story: story.generated(passed=False),
    "finds nothing": lambda story: story.nothing_found(),
    "fails": lambda story: story.generation_failed(),
    "claims": lambda story: story.tell(ClaimRequested(**MEI)),
    "drafts": lambda story: story.tell(DraftRequested(human_agent_id="mei")),
    "releases": lambda story: story.tell(ReleaseRequested(human_agent_id="mei")),
    "queues": lambda story: story.tell(ReleaseRequested(human_agent_id="mei", to="queue")),
    "is taken": lambda story: story.taken(),
    "is taken late": lambda story: story.taken(which=0),
    "finds nobody": lambda story: story.nobody(),
    "finds nobody late": lambda story: story.nobody(which=0),
    "closes": lambda story: story.tell(CloseRequested(by="customer")),
    "gives up": lambda story: story.skipped(),
    "a little later": lambda story: story.pass_time(7),
    "later": lambda story: story.pass_time(23),
    "is due": lambda story: story.deadline(),
}
BACKWARDS = "is due"
"""Fires timers before their time or after they were cancelled: then nothing can be said of how long anybody waited."""


def told(names: list[str]) -> Story:
    """The story of these moves, and of enough time after them."""
    story = Story()
    for name in names:
        try:
            MOVES[name](story)
        except (IndexError, StopIteration):
            continue  # nothing of that kind was asked for yet
    story.pass_time(2 * LIMIT_S)
    return story


def arrivals(story: Story) -> dict[str, datetime]:
    return {
        e.body.message_id: e.envelope.occurred_at for e in story.log if isinstance(e.body, MessageReceived)
    }


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(MOVES)), max_size=40))
def test_whatever_happens_every_message_is_settled_exactly_once(names: list[str]) -> None:
    story = told(names)
    assert story.settled.keys() == arrivals(story).keys()  # `settled` refuses what is settled twice
    answered = [message for reply in story.replies for message in reply.answers]
    assert len(answered) == len(set(answered))
    assert len({reply.reply_id for reply in story.replies}) == len(story.replies)
    assert story.timers == {}
    assert all(len(asked.message_ids) <= 10 for asked in story.bodies(AnswerRequested))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(sorted(MOVES.keys() - {BACKWARDS})), max_size=40))
def test_whatever_happens_every_message_is_settled_within_the_limit_of_its_arrival(names: list[str]) -> None:
    story = told(names)
    arrived = arrivals(story)
    for message, at in story.settled_at.items():
        assert 0 <= (at - arrived[message]).total_seconds() <= LIMIT_S


@pytest.mark.parametrize("name", sorted(MOVES))
def test_every_move_can_happen(name: str) -> None:
    """A story's move that always fails would test nothing."""
    story = Story()
    story.says("text")
    if name in ("writes", "writes badly", "finds nothing", "fails"):
        story.understood("fees")
    if name.startswith(("is taken", "finds nobody")):
        story.understood("human")
    if name in ("releases", "queues", "drafts"):
        story.tell(ClaimRequested(**MEI))
    before = len(story.log)
    MOVES[name](story)
    assert len(story.log) > before or story.at > NINE
    assert not story.bodies(CommandRejected)
