"""Agents' edits: their own message, as long as it is among the last ones, and only while the conversation is theirs."""

import pytest

from parley.domain.conversation import AGENT_MESSAGES
from schemas.base import MessageId
from schemas.conversation_events import (
    AgentEditSubmitted,
    AgentMessageSubmitted,
    ClaimRequested,
    DraftRequested,
    ReleaseRequested,
)
from schemas.outbound import AgentMessageEdited, CommandRejected
from schemas.work import AnswerRequested
from tests.support.stories import MEI, Story


def owned(text: str = "It costs €4.50.", message_id: str = "a-1") -> Story:
    """Mei has the conversation, and has written."""
    story = Story()
    story.says("What does it cost?")
    story.tell(ClaimRequested(**MEI))
    story.tell(AgentMessageSubmitted(message_id=MessageId(message_id), human_agent_id="mei", text=text))
    return story


def edits(story: Story, text: str, message_id: str = "a-1", agent: str = "mei") -> None:
    story.tell(AgentEditSubmitted(message_id=MessageId(message_id), human_agent_id=agent, text=text))


def reasons(story: Story) -> list[str]:
    return [body.reason for body in story.bodies(CommandRejected)]


def test_an_edit_goes_out_under_the_messages_own_id() -> None:
    story = owned()
    edits(story, "It costs €5.50.")
    edits(story, "It costs €6.50.")
    sent = story.bodies(AgentMessageEdited)
    assert [(body.message_id, body.text, body.human_agent_name) for body in sent] == [
        ("a-1", "It costs €5.50.", "Mei"),
        ("a-1", "It costs €6.50.", "Mei"),
    ]
    assert reasons(story) == []


def test_prompts_are_shown_the_message_as_it_reads_now() -> None:
    story = owned()
    edits(story, "It costs €5.50.")
    edits(story, "It costs €6.50.")
    story.tell(DraftRequested(human_agent_id="mei"))
    lines = [line.text for line in story.bodies(AnswerRequested)[-1].history]
    assert lines == ["What does it cost?", "It costs €6.50."]


@pytest.mark.parametrize(("message_id", "agent"), [("a-2", "mei"), ("m-1", "mei")])
def test_what_is_no_message_of_the_agents_is_not_edited(message_id: str, agent: str) -> None:
    story = owned()
    edits(story, "Something else", message_id, agent)
    assert reasons(story) == ["no_such_message"] and story.bodies(AgentMessageEdited) == []


def test_who_does_not_own_the_conversation_edits_nothing() -> None:
    story = owned()
    edits(story, "Something else", agent="bob")
    story.tell(ReleaseRequested(human_agent_id="mei"))
    edits(story, "Something else")
    assert reasons(story) == ["not_owner", "not_owner"] and story.bodies(AgentMessageEdited) == []


def test_another_agents_message_stays_as_it_is() -> None:
    story = owned()
    story.tell(ClaimRequested(human_agent_id="bob", human_agent_name="Bob", force=True))
    edits(story, "Something else", agent="bob")
    assert reasons(story) == ["no_such_message"] and story.bodies(AgentMessageEdited) == []


def test_the_last_messages_can_be_edited_and_earlier_ones_no_more() -> None:
    story = owned()
    for number in range(2, AGENT_MESSAGES + 2):
        story.tell(
            AgentMessageSubmitted(
                message_id=MessageId(f"a-{number}"), human_agent_id="mei", text=f"text {number}"
            )
        )
    edits(story, "Too late", "a-1")
    edits(story, "In time", "a-2")
    assert reasons(story) == ["no_such_message"]
    assert [body.message_id for body in story.bodies(AgentMessageEdited)] == ["a-2"]
