"""Who owns the conversation: hand-offs and the queue, claims and releases, human agents' words and drafts."""

import pytest

from parley.domain.evolving import evolve
from parley.domain.readmodel import FINALITY, DeliveryRow, DeliveryStatus, newest
from parley.ids import named_id
from schemas.base import ConversationId, CustomerId, EventId, MessageId
from schemas.conversation_events import (
    AgentMessageSubmitted,
    AssignmentFailed,
    AssignmentMade,
    ClaimRequested,
    CloseRequested,
    DeliveryReported,
    DraftRequested,
    ReleaseRequested,
)
from schemas.other_events import QueueJoined, QueueLeft
from schemas.outbound import (
    AgentMessage,
    CommandRejected,
    DeliveryChanged,
    DraftReady,
    Outbound,
    OwnerChanged,
)
from schemas.work import AnswerRequested, UnderstandingRequested
from tests.support.small_tenant import CONFIG, OPEN_ALWAYS, TENANT
from tests.support.stories import MEI, NINE, Story

# -- the queue --------------------------------------------------------------------------------------------------------


def test_with_nobody_at_the_desk_the_bot_says_so_and_goes_on() -> None:
    story = Story()
    message = story.says("I do not recognise a payment")
    story.understood("fraud")
    story.nobody()
    [reply] = story.replies
    assert reply.kind == "handoff"
    assert reply.text == "Freeze the card first.\n\n<handoff_nobody>"
    assert story.settled == {message: "answered"}
    assert [body.owner for body in story.bodies(OwnerChanged)] == ["queue", "bot"]
    assert story.state is not None and story.state.owner == "bot"


def test_outside_business_hours_the_customer_is_told_about_them() -> None:
    closed = dict.fromkeys(OPEN_ALWAYS, ())
    hours = CONFIG.hours.model_copy(update={"weekly": closed})
    story = Story(config=CONFIG.model_copy(update={"hours": hours}))
    story.says("a human please")
    story.understood("human")
    assert story.bodies(QueueJoined)[0].open_now is False
    story.nobody("outside_hours")
    assert story.replies[0].text == "<handoff_closed>"


def test_messages_that_came_while_waiting_are_answered_after_the_queue_gave_up() -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    waiting = story.says("What does it cost?")
    story.nobody()
    story.understood("fees")
    story.generated()
    assert story.settled[waiting] == "answered"


def test_a_queue_that_never_answers_ends_at_the_deadline() -> None:
    story = Story()
    message = story.says("a human please")
    story.understood("human")
    story.deadline()
    assert story.replies[0].text == "<handoff_nobody>"
    assert story.settled == {message: "answered"}


def test_a_human_who_was_found_owns_the_conversation_and_the_bot_is_silent() -> None:
    story = Story()
    first = story.says("a human please")
    story.understood("human")
    waiting = story.says("are you there?")
    story.taken()
    assert story.settled == {first: "handed_over", waiting: "handed_over"}
    after = story.says("I need help")
    assert story.settled[after] == "handed_over"
    assert [reply.kind for reply in story.replies] == ["handoff"]
    assert len(story.bodies(UnderstandingRequested)) == 1


def test_a_human_who_was_found_still_lets_the_bot_say_what_to_do_first() -> None:
    story = Story()
    story.says("I do not recognise a payment")
    story.understood("fraud")
    story.taken()
    assert story.replies[0].text == "Freeze the card first.\n\n<handoff_waiting>"


@pytest.mark.parametrize("late", ["taken", "nobody"])
def test_an_assignment_of_an_earlier_hand_off_decides_nothing(late: str) -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    story.deadline()  # the assignment worker was away
    second = story.says("a human, I said")
    story.understood("human")
    before = story.state
    story.taken(which=0) if late == "taken" else story.nobody(which=0)
    assert story.state == before
    story.taken()
    assert story.settled[second] == "handed_over"


@pytest.mark.parametrize("late", ["taken", "nobody"])
def test_an_assignment_after_the_hand_off_is_over_decides_nothing(late: str) -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    story.deadline()
    before = story.state
    story.taken() if late == "taken" else story.nobody()
    assert story.state == before


@pytest.mark.parametrize("body", [AssignmentMade(**MEI), AssignmentFailed(reason="nobody_present")])
def test_who_joined_the_queue_under_an_earlier_release_takes_any_assignment(
    body: AssignmentMade | AssignmentFailed,
) -> None:
    story = Story()
    message = story.says("a human please")
    story.understood("human")
    assert story.state is not None
    story.state = evolve(story.state, ticket=None)
    story.tell(body)
    assert message in story.settled


# -- claims and releases ----------------------------------------------------------------------------------------------


def test_a_claim_in_mid_generation_fences_the_bots_words_off() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.understood("fees")
    story.tell(ClaimRequested(**MEI))
    story.tell(AgentMessageSubmitted(message_id=MessageId("a-1"), human_agent_id="mei", text="Let me look."))
    story.generated()
    assert story.replies == []
    assert story.settled == {message: "handed_over"}
    kinds = [type(body) for body in story.bodies(Outbound)]
    assert kinds.index(OwnerChanged) < kinds.index(AgentMessage)
    assert story.bodies(AgentMessage)[0].human_agent_name == "Mei"


def test_a_claim_hands_over_what_waits_too() -> None:
    story = Story()
    first = story.says("What does it cost?")
    story.wait(31)
    second = story.says("hello?")
    story.tell(ClaimRequested(**MEI))
    assert story.settled == {first: "handed_over", second: "handed_over"}


def test_only_one_of_two_claims_wins_unless_it_is_forced() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(ClaimRequested(human_agent_id="lee", human_agent_name="Lee"))
    assert story.bodies(CommandRejected)[0].reason == "already_owned"
    story.tell(ClaimRequested(human_agent_id="lee", human_agent_name="Lee", force=True))
    assert [body.human_agent_id for body in story.bodies(OwnerChanged)] == ["mei", "lee"]


def test_claiming_what_one_owns_already_changes_nothing() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    before = story.state
    story.tell(ClaimRequested(**MEI))
    assert story.state == before


def test_a_claim_out_of_the_queue_leaves_the_queue() -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    story.tell(ClaimRequested(**MEI))
    assert len(story.bodies(QueueLeft)) == 1


@pytest.mark.parametrize(
    "command",
    [
        ReleaseRequested(human_agent_id="mei"),
        AgentMessageSubmitted(message_id=MessageId("a"), human_agent_id="mei", text="hi"),
        DraftRequested(human_agent_id="mei"),
        CloseRequested(by="human_agent", human_agent_id="mei"),
    ],
)
def test_who_does_not_own_the_conversation_may_not_command_it(command: ReleaseRequested) -> None:
    story = Story()
    story.tell(command)
    assert story.bodies(CommandRejected)[0].reason == "not_owner"


def test_a_release_to_the_bot_lets_it_answer_again() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(ReleaseRequested(human_agent_id="mei"))
    story.says("What does it cost?")
    story.understood("fees")
    story.generated()
    assert story.replies[0].kind == "answer"


def test_a_release_to_an_empty_queue_returns_to_the_bot_without_a_word() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(ReleaseRequested(human_agent_id="mei", to="queue"))
    story.nobody()
    assert story.state is not None and story.state.owner == "bot"
    assert story.replies == []


def test_a_release_to_the_queue_is_taken_by_another_without_a_word() -> None:
    story = Story()
    story.tell(ClaimRequested(human_agent_id="lee", human_agent_name="Lee"))
    story.tell(ReleaseRequested(human_agent_id="lee", to="queue"))
    story.taken()
    assert story.state is not None and story.state.human_agent_id == "mei"
    assert story.replies == []


# -- drafts, deliveries -----------------------------------------------------------------------------------------------


def test_a_draft_is_for_staff_only() -> None:
    story = Story()
    story.says("What does it cost?")
    story.tell(ClaimRequested(**MEI))
    story.tell(DraftRequested(human_agent_id="mei"))
    story.generated()
    [draft] = story.bodies(DraftReady)
    assert (draft.audience, draft.text) == ("staff", "It costs €4.50 a month.")
    assert story.replies == []


@pytest.mark.parametrize("outcome", ["nothing", "failed", "unguarded"])
def test_a_draft_that_came_to_nothing_is_said_so(outcome: str) -> None:
    story = Story()
    story.says("What does it cost?")
    story.tell(ClaimRequested(**MEI))
    story.tell(DraftRequested(human_agent_id="mei"))
    if outcome == "nothing":
        story.nothing_found()
    elif outcome == "unguarded":
        story.generated("€99", passed=False)
    else:
        story.generation_failed()
    assert story.bodies(CommandRejected)[0].reason == "nothing_to_draft"


def test_a_draft_whose_prompt_does_not_fit_is_asked_again_with_half_of_the_history() -> None:
    story = Story()
    for question in ("What does it cost?", "And for students?"):
        story.says(question)
        story.understood("fees")
        story.generated()
    story.says("And abroad?")
    story.tell(ClaimRequested(**MEI))
    story.tell(DraftRequested(human_agent_id="mei"))
    whole = story.bodies(AnswerRequested)[-1]
    shown = [len(whole.history)]
    while not story.bodies(CommandRejected):
        story.generation_failed("too_long")
        asked = story.bodies(AnswerRequested)[-1]
        assert (asked.purpose, asked.question, asked.deadline) == ("draft", "And abroad?", whole.deadline)
        assert asked.history == whole.history[len(whole.history) - len(asked.history) :]
        shown.append(len(asked.history))
    assert shown == [5, 2, 1, 1]
    assert story.bodies(CommandRejected)[0].reason == "nothing_to_draft"


def test_a_draft_that_was_shortened_arrives_and_an_earlier_answer_to_it_does_not() -> None:
    story = Story()
    story.says("What does it cost?")
    story.tell(ClaimRequested(**MEI))
    story.says("And abroad?")
    story.tell(DraftRequested(human_agent_id="mei"))
    story.generation_failed("too_long")
    story.generated(which=-2)
    assert story.bodies(DraftReady) == []
    story.generated()
    [draft] = story.bodies(DraftReady)
    assert draft.generation_id == story.bodies(AnswerRequested)[-1].generation_id


@pytest.mark.parametrize("why", ["released", "before deadlines were kept"])
def test_a_draft_that_nobody_waits_for_is_not_asked_again(why: str) -> None:
    story = Story()
    story.says("What does it cost?")
    story.tell(ClaimRequested(**MEI))
    story.says("And abroad?")
    story.tell(DraftRequested(human_agent_id="mei"))
    if why == "released":
        story.tell(ReleaseRequested(human_agent_id="mei"))
    else:
        assert story.state is not None and story.state.draft is not None
        story.state = evolve(story.state, draft=evolve(story.state.draft, deadline=None))
    asked = len(story.bodies(AnswerRequested))
    story.generation_failed("too_long")
    assert len(story.bodies(AnswerRequested)) == asked
    assert story.bodies(CommandRejected)[0].reason == "nothing_to_draft"


def test_a_draft_with_nothing_to_answer_is_rejected() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(DraftRequested(human_agent_id="mei"))
    assert story.bodies(CommandRejected)[0].reason == "nothing_to_draft"


def test_deliveries_are_passed_on_to_staff() -> None:
    story = Story()
    story.tell(DeliveryReported(outbound_id=EventId("x"), channel="web", state="failed", reason="blocked"))
    assert story.bodies(DeliveryChanged)[0].audience == "staff"
    assert story.rows(DeliveryRow) == [], "a name that no event of ours has is no row"


def test_what_a_channel_told_of_a_message_is_kept_for_lists() -> None:
    story = Story()
    sent = named_id("sent")
    told: list[DeliveryStatus] = ["delivered", "accepted", "sent", "sent"]
    for state in told:
        story.tell(DeliveryReported(outbound_id=sent, channel="telegram", state=state, reason="a\x00b"))
    rows = story.rows(DeliveryRow)
    assert [(row.state, row.reason, row.channel) for row in rows] == [(s, "ab", "telegram") for s in told]
    assert {(row.outbound_id, row.conversation_id, row.customer_id) for row in rows} == {
        (sent, "c-1", "customer-of-c-1")
    }
    assert [row.state for row in newest(rows)] == ["delivered"]


@pytest.mark.parametrize("first", FINALITY)
@pytest.mark.parametrize("second", FINALITY)
def test_which_state_holds_does_not_depend_on_their_order(
    first: DeliveryStatus, second: DeliveryStatus
) -> None:
    def told(state: DeliveryStatus) -> DeliveryRow:
        name, customer = ConversationId("c-1"), CustomerId("x")
        return DeliveryRow(name, named_id("e"), state, TENANT, customer, "telegram", None, NINE)

    [held] = newest([told(first), told(second)])
    assert newest([told(second), told(first)]) == [held]
    if "delivered" in (first, second):
        assert held.state == "delivered"
    elif "failed" in (first, second):
        assert held.state == "failed"
    elif "unknown" in (first, second):
        assert held.state == "unknown"
    else:
        assert held.state == ("sent" if "sent" in (first, second) else "accepted")
