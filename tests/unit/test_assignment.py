"""Who takes a waiting conversation."""

import pytest

from parley.domain.deciding import Decision
from schemas.base import AnyEvent, Body, ConversationId, EventId, ReplyId
from schemas.conversation_events import AssignmentFailed, AssignmentMade, MessageFailed
from schemas.other_events import FeedbackGiven, PresenceChanged, QueueJoined, QueueLeft
from tests.support.small_tenant import CONFIG, TENANT
from tests.support.stories import event
from workers.assignment import AssignmentDecider, Desks


class Office:
    """The tenant's desks, and what became of each conversation that joined the queue."""

    def __init__(self) -> None:
        self.desks: Desks | None = None
        self.told = 0

    def hear(self, body: Body, conversation: str = "c-1") -> Decision[Desks]:
        self.told += 1
        decision = AssignmentDecider().handle(
            self.desks, event(body, self.told, conversation=conversation), CONFIG
        )
        self.desks = decision.state
        return decision

    def comes(self, name: str, capacity: int = 1) -> None:
        self.hear(PresenceChanged(human_agent_id=name, human_agent_name=name.title(), capacity=capacity))

    def joins(self, conversation: str = "c-1", *, open_now: bool = True) -> AnyEvent:
        decision = self.hear(QueueJoined(epoch=1, language="en", open_now=open_now), conversation)
        [outcome] = decision.events
        return outcome

    def takes(self, conversation: str) -> str:
        body = self.joins(conversation).body
        return body.human_agent_id if isinstance(body, AssignmentMade) else "nobody"


@pytest.mark.parametrize(("open_now", "reason"), [(True, "nobody_present"), (False, "outside_hours")])
def test_with_nobody_present_it_says_whether_somebody_should_be(open_now: bool, reason: str) -> None:
    outcome = Office().joins(open_now=open_now)
    assert isinstance(outcome.body, AssignmentFailed) and outcome.body.reason == reason


def test_whoever_is_present_is_given_the_conversation() -> None:
    office = Office()
    office.comes("mei")
    outcome = office.joins("c-7")
    assert outcome.body == AssignmentMade(human_agent_id="mei", human_agent_name="Mei")
    assert outcome.envelope.conversation_id == ConversationId("c-7")


def test_an_assignment_has_the_joining_that_it_answers_as_its_cause() -> None:
    joined = event(QueueJoined(epoch=1, language="en", open_now=True))
    [outcome] = AssignmentDecider().handle(None, joined, CONFIG).events
    assert outcome.envelope.cause_id == joined.envelope.event_id


def test_who_has_the_most_room_comes_first_and_then_who_came_first() -> None:
    office = Office()
    office.comes("mei", 1)
    office.comes("lee", 2)
    assert [office.takes(f"c-{number}") for number in range(4)] == ["lee", "mei", "lee", "nobody"]


def test_with_everybody_busy_the_queue_is_full() -> None:
    office = Office()
    office.comes("mei")
    office.joins()
    outcome = office.joins("c-2", open_now=False)
    assert isinstance(outcome.body, AssignmentFailed) and outcome.body.reason == "queue_full"


def test_who_leaves_is_given_nothing_more() -> None:
    office = Office()
    office.comes("mei", 5)
    office.comes("lee", 2)
    office.comes("mei", 0)
    assert [desk.human_agent_id for desk in (office.desks or Desks()).desks] == ["lee"]


def test_who_changes_how_much_he_or_she_takes_begins_anew() -> None:
    office = Office()
    office.comes("mei", 1)
    office.joins()
    office.comes("mei", 2)
    assert [office.takes("c-2"), office.takes("c-3"), office.takes("c-4")] == ["mei", "mei", "nobody"]


def test_a_conversation_that_no_longer_waits_changes_nothing() -> None:
    office = Office()
    office.comes("mei")
    before = office.desks
    assert office.hear(QueueLeft(epoch=1)).events == ()
    assert office.desks == before


def test_a_skipped_record_changes_nothing() -> None:
    told = event(
        MessageFailed(failed_event_id=EventId("x"), topic="assignment.events", partition=0, offset=1)
    )
    office = Office()
    office.comes("mei")
    for desks in (None, office.desks):
        decision = AssignmentDecider().settle_failed(desks, told, CONFIG)  # type: ignore[arg-type]  # the body is what the test made
        assert decision == Decision(desks or Desks())


def test_an_event_of_another_topic_is_refused() -> None:
    with pytest.raises(TypeError, match=r"FeedbackGiven does not belong to assignment\.events"):
        Office().hear(FeedbackGiven(reply_id=ReplyId("r"), score=1))


def test_a_tenants_conversations_share_its_desks() -> None:
    envelopes = [event(QueueLeft(epoch=1), conversation=name).envelope for name in ("c-1", "c-2")]
    assert {AssignmentDecider().key(envelope) for envelope in envelopes} == {TENANT}
