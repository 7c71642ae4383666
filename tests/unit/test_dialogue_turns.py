"""Turns: what is answered together, what waits, and that nobody waits longer than the limit."""

from collections.abc import Callable

import pytest
from pydantic import TypeAdapter

from parley.domain.conversation import MERGE_MESSAGES, Conversation
from schemas.base import MessageId
from schemas.conversation_events import MessageUnderstood, TimerFired
from schemas.outbound import EpochRaised
from schemas.work import AnswerRequested, GenerationCancelled, UnderstandingRequested
from tests.support.stories import LIMIT_S, NINE, Story

STATE: TypeAdapter[Conversation] = TypeAdapter(Conversation)


def waited(story: Story, message: str, since: float = 0.0) -> float:
    """Seconds from `since` (after nine) to the message's settlement."""
    return (story.settled_at[message] - NINE).total_seconds() - since


def test_a_message_during_generation_cancels_it_and_both_are_answered_together() -> None:
    story = Story()
    first = story.says("What does it cost?")
    story.understood("fees")
    second = story.says("And cash abroad?")
    [raised] = story.bodies(EpochRaised)
    [cancelled] = story.bodies(GenerationCancelled)
    assert raised.epoch == 1 and cancelled.generation_id == raised.generation_id
    story.understood("fees")
    story.generated("stale", which=0)
    assert story.replies == []
    story.generated("€4.50 and 2%.")
    assert story.replies[0].answers == (first, second)
    assert story.settled == {first: "merged", second: "answered"}


def test_a_merged_turn_keeps_the_first_deadline() -> None:
    story = Story()
    story.says("What does it cost?")
    story.wait(10)
    story.says("And cash?")
    story.understood("fees")
    story.understood("fees")
    deadlines = {body.deadline for body in story.bodies(UnderstandingRequested)}
    assert len(deadlines) == 1 and story.bodies(AnswerRequested)[0].deadline in deadlines


def test_somebody_who_keeps_typing_is_answered_too() -> None:
    story = Story()
    first = story.says("one")
    story.wait(31)
    late = story.says("two")
    story.understood("fees")
    story.generated()
    assert story.replies[0].answers == (first,)
    assert story.settled == {first: "answered"}
    story.understood("fees")
    story.generated()
    assert story.settled == {first: "answered", late: "answered"}


def test_what_was_understood_twice_counts_once() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.understood("fees")
    story.tell(MessageUnderstood(message_id=message, language="en", intents=(), model="test"))
    assert len(story.bodies(AnswerRequested)) == 1


def test_a_reading_for_a_message_of_no_turn_changes_nothing() -> None:
    story = Story()
    story.tell(MessageUnderstood(message_id=MessageId("gone"), language="en", intents=(), model="test"))
    assert story.out == []


# -- the deadline -----------------------------------------------------------------------------------------------------


def test_the_deadline_brings_an_apology_and_a_result_after_it_is_dropped() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.understood("fees")
    story.deadline()
    assert (story.replies[0].kind, story.replies[0].offer_human) == ("apology", True)
    assert story.settled == {message: "failed"}
    story.generated()
    assert len(story.replies) == 1


def test_an_answered_turns_timer_is_cancelled_and_would_change_nothing() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("fees")
    story.generated()
    set_at, cancelled = story.decisions[1].timers, story.decisions[-1].timers_cancelled
    assert [timer.timer_id for timer in set_at] == list(cancelled)
    before = story.replies
    story.deadline()
    assert story.replies == before


def test_a_timer_counts_by_its_id_alone() -> None:
    story = Story()
    story.says("one")
    story.says("two")  # raises the epoch above the timer's
    [timer] = story.timers.values()
    told = {"purpose": "turn_deadline", "due_at": timer.due_at}
    story.tell(TimerFired.model_validate({"timer_id": "another", "epoch": 1, **told}))
    assert story.replies == []
    story.fire(timer)
    assert len(story.settled) == 2


def test_a_message_that_waited_is_settled_within_the_limit_of_its_arrival() -> None:
    story = Story()
    story.says("one")
    story.pass_time(31)
    late = story.says("two")
    story.pass_time(2 * LIMIT_S)
    assert waited(story, late, since=31) == LIMIT_S


def test_a_message_that_waited_behind_a_hand_off_is_settled_within_the_limit_of_its_arrival() -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    story.pass_time(1)
    late = story.says("What does it cost?")
    story.pass_time(2 * LIMIT_S)
    assert waited(story, late, since=1) == LIMIT_S
    assert [(reply.kind, reply.text) for reply in story.replies] == [
        ("handoff", "<handoff_nobody>"),
        ("apology", "<apology>"),
    ]


def test_what_is_left_of_its_time_is_enough_for_a_message_that_waited() -> None:
    story = Story()
    story.says("one")
    story.pass_time(31)
    late = story.says("What does it cost?")
    story.pass_time(29)  # the first turn's deadline
    story.understood("hello")  # of the first message: it comes too late
    story.understood("fees")
    assert story.bodies(AnswerRequested)[-1].deadline == story.at.replace(minute=1, second=31)
    story.generated()
    assert story.settled[late] == "answered"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(29.5, lambda two, three: [(two, three)]), (30.5, lambda two, three: [(two,), (three,)])],
)
def test_a_turn_merges_for_half_of_its_first_messages_time_of_which_it_may_have_waited_some(
    seconds: float, expected: Callable[[MessageId, MessageId], list[tuple[MessageId, ...]]]
) -> None:
    story = Story()
    story.says("one")
    story.pass_time(31)
    waiting = story.says("two")
    story.pass_time(seconds)  # the next turn has begun after 29
    fresh = story.says("three")
    story.pass_time(2 * LIMIT_S)
    assert [reply.answers for reply in story.replies[1:]] == expected(waiting, fresh)


def test_messages_whose_time_is_up_get_one_apology_together() -> None:
    story = Story()
    messages = [story.says(f"number {number}") for number in range(35)]
    story.pass_time(LIMIT_S)
    [apology] = story.replies
    assert apology.answers == tuple(messages)
    assert story.settled == dict.fromkeys(messages, "failed")


def test_an_answer_that_came_late_leaves_a_message_that_is_due_to_its_apology() -> None:
    """The timers are not read yet: a result that lay queued in an outage comes first."""
    story = Story()
    for number in range(MERGE_MESSAGES):
        story.says(f"number {number}")
    waiting = story.says("one more")
    for _ in range(MERGE_MESSAGES):
        story.understood("fees")
    story.wait(LIMIT_S + 5)
    story.generated()
    now = story.at
    assert [timer.due_at for timer in story.timers.values()] == [now]  # never in the past
    story.pass_time(0)
    assert (story.settled[waiting], story.at) == ("failed", now)


# -- how many ---------------------------------------------------------------------------------------------------------


def test_the_next_turn_takes_no_more_messages_than_may_be_merged() -> None:
    story = Story()
    for number in range(MERGE_MESSAGES):
        story.says(f"number {number}")
    story.pass_time(10)
    waiting = [story.says(f"later {number}") for number in range(2 * MERGE_MESSAGES + 1)]
    story.pass_time(50)
    for taken in (waiting[:10], waiting[10:20], waiting[20:]):
        assert story.state is not None and story.state.turn is not None
        assert list(story.state.turn.message_ids) == taken
        while story.state.turn is not None and story.state.turn.message_ids == tuple(taken):
            story.understood("hello")
    assert [len(reply.answers) for reply in story.replies] == [10, 10, 10, 1]


# -- states of an earlier release -------------------------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["waiting", "running"])
def test_a_state_that_tells_no_arrivals_is_gone_on_from(moment: str) -> None:
    story = Story()
    story.says("one")
    story.pass_time(31)
    late = story.says("two")
    if moment == "running":
        story.pass_time(29)
    assert story.state is not None
    stored = STATE.dump_python(story.state, mode="json")
    for message in [*stored["later"], *stored["turn"]["messages"]]:
        del message["arrived_at"]
    del stored["ticket"]
    story.state = STATE.validate_python(stored)
    story.pass_time(3 * LIMIT_S)
    assert story.settled[late] == "failed"
    assert waited(story, late) == (2 * LIMIT_S if moment == "waiting" else LIMIT_S + 31)
