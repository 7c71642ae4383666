"""The end of a call: told or not, too early, and with words behind it."""

import pytest

from schemas.conversation_events import (
    CallStateReported,
    CloseRequested,
    MessageUnderstood,
)
from schemas.outbound import AgentMessage, Closed, MessageRead, OwnerChanged
from schemas.parts import ScoredIntent
from schemas.work import AnalysisRequested, AnswerRequested, UnderstandingRequested
from tests.support.call_stories import CallStory
from tests.support.stories import MEI, NINE

HOUR_S = 3_600


def lapsed() -> CallStory:
    """A call that ended because nothing was heard of it."""
    story = CallStory()
    story.pass_time(HOUR_S + 1)
    assert [body.by for body in story.bodies(Closed)] == ["system"]
    return story


def test_last_words_after_the_hang_up_are_kept_and_analysed_together() -> None:
    story = CallStory()
    story.report("hang_up", 90_000)
    late = [story.hears("customer", "Thank you, bye", 89_000 + each) for each in range(50)]
    assert all(story.settled[each] == "handed_over" for each in late)
    assert story.state is not None and story.state.status == "closed"
    assert story.asked(UnderstandingRequested) == []
    assert len(story.bodies(AnalysisRequested)) == 1
    assert sum(len(decision.timers) for decision in story.decisions[-len(late) :]) == 1
    said = story.state.seq
    story.pass_time(2 * HOUR_S)
    assert [body.up_to_seq for body in story.bodies(AnalysisRequested)][1:] == [said]


def test_an_agents_last_words_are_the_agents_who_had_the_call() -> None:
    story = CallStory()
    story.report("hang_up", 90_000)
    story.hears("human_agent", "Goodbye", 89_000)
    [said] = story.bodies(AgentMessage)
    assert (said.human_agent_id, said.human_agent_name) == ("mei", "Mei")
    [row, *_] = [decision.projections[0] for decision in story.decisions[::-1]]
    assert row.human_agent_id is None  # type: ignore[union-attr]  # the conversation's row comes first


def test_what_is_understood_after_the_hang_up_asks_for_nothing() -> None:
    story = CallStory()
    asked = story.hears("customer", "What are the fees?")
    story.report("hang_up", 90_000)
    intents = (ScoredIntent(intent="fees", probability=0.9),)
    story.tell(MessageUnderstood(message_id=asked, language="en", intents=intents, model="test"))
    assert len(story.bodies(MessageRead)) == 1
    assert story.asked(AnswerRequested) == []
    assert story.state is not None and story.state.draft is None


def test_a_call_of_which_nothing_more_is_heard_ends_after_an_hour() -> None:
    story = CallStory()
    story.pass_time(1_800)
    story.hears("customer", "hello")
    story.pass_time(3_500)
    assert story.bodies(Closed) == []
    assert len(story.timers) == 1
    story.pass_time(200)
    assert [body.by for body in story.bodies(Closed)] == ["system"]
    assert len(story.bodies(AnalysisRequested)) == 1


def test_on_hold_it_may_be_silent_for_four_hours() -> None:
    story = CallStory()
    story.report("hold", 1_000, by="human_agent")
    story.pass_time(4 * HOUR_S - 1)
    assert story.bodies(Closed) == []
    story.pass_time(2)
    assert [body.by for body in story.bodies(Closed)] == ["system"]


@pytest.mark.parametrize("end", ["resumed", "customer"])
def test_once_the_hold_is_over_an_hour_of_silence_ends_it_again(end: str) -> None:
    story = CallStory()
    story.report("hold", 1_000)
    story.pass_time(2 * HOUR_S)
    if end == "resumed":
        story.report("resumed", 2 * HOUR_S * 1_000)
    else:
        story.hears("customer", "Are you there?", 2 * HOUR_S * 1_000)
    story.pass_time(HOUR_S - 1)
    assert story.bodies(Closed) == []
    story.pass_time(2)
    assert len(story.bodies(Closed)) == 1


@pytest.mark.parametrize("by", ["customer", "human_agent", "resumed"])
def test_a_call_that_only_seemed_to_have_ended_goes_on_under_its_agent(by: str) -> None:
    story = lapsed()
    before = story.state
    assert before is not None
    row = story.decisions[-1].projections[0]
    assert (row.status, row.human_agent_id) == ("closed", "mei")  # type: ignore[union-attr]
    if by == "resumed":
        story.report("resumed", 5_000_000)
    else:
        story.hears(by, "What are the fees?", 5_000_000)
    owner = story.bodies(OwnerChanged)[-1]
    assert (owner.owner, owner.human_agent_id, owner.human_agent_name) == ("human", "mei", "Mei")
    assert (owner.reason, owner.epoch) == ("reopened", before.epoch + 1)
    assert story.state is not None and story.state.status == "open"
    assert len(story.asked(UnderstandingRequested)) == (by == "customer")
    story.pass_time(HOUR_S + 1)
    assert len(story.bodies(Closed)) == len(story.bodies(AnalysisRequested)) == 2


def test_a_transfer_opens_it_again_under_the_next_agent() -> None:
    story = lapsed()
    story.report("transfer", 5_000_000, human_agent_id="li", human_agent_name="Li Na")
    owner = story.bodies(OwnerChanged)[-1]
    assert (owner.human_agent_id, owner.reason) == ("li", "reopened")
    assert story.state is not None and story.state.status == "open"


@pytest.mark.parametrize("end", ["hang_up", "close", "lapsed, then hang_up", "lapsed, then close"])
def test_a_call_that_was_ended_stays_so(end: str) -> None:
    story = lapsed() if end.startswith("lapsed") else CallStory()
    if end.endswith("hang_up"):
        story.report("hang_up", 90_000)
    else:
        story.tell(CloseRequested(by="human_agent", human_agent_id="mei"))
    owners = len(story.bodies(OwnerChanged))
    story.hears("customer", "Hello?")
    for kind in ("resumed", "transfer", "started"):
        story.tell(CallStateReported(started_at=NINE, kind=kind, at_ms=95_000, **MEI))
    assert story.state is not None and story.state.status == "closed"
    assert len(story.bodies(OwnerChanged)) == owners


def test_words_of_an_import_do_not_open_it_again() -> None:
    story = lapsed()
    story.hears("customer", "What are the fees?", live=False)
    assert story.state is not None and story.state.status == "closed"
