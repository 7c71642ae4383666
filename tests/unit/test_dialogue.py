"""The rules of a conversation, told as stories."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.base import EventId, GenerationId, MessageId
from schemas.conversation_events import (
    AgentMessageSubmitted,
    AssignmentFailed,
    AssignmentMade,
    ClaimRequested,
    CloseRequested,
    DeliveryReported,
    DraftRequested,
    GenerationFailed,
    MessageFailed,
    ReleaseRequested,
    RetrievalFailed,
    UnderstandingFailed,
)
from schemas.other_events import QueueJoined, QueueLeft
from schemas.outbound import (
    AgentMessage,
    Closed,
    CommandRejected,
    CustomerMessage,
    DeliveryChanged,
    DraftReady,
    EpochRaised,
    Outbound,
    OwnerChanged,
)
from schemas.tenant import TenantConfig
from schemas.work import AnswerRequested, GenerationCancelled, UnderstandingRequested
from tests.support.small_tenant import CONFIG, OPEN_ALWAYS
from tests.support.stories import Story, event
from workers.dialogue import DialogueDecider

MEI = {"human_agent_id": "mei", "human_agent_name": "Mei"}


def test_a_question_is_understood_looked_up_and_answered_with_its_source() -> None:
    story = Story()
    message = story.says("What does the account cost?")
    story.understood("fees")
    story.generated()
    [reply] = story.replies
    assert (reply.kind, reply.answers, reply.text) == ("answer", (message,), "It costs €4.50 a month.")
    assert [citation.url for citation in reply.citations] == ["/demo/bank/help/fees"]
    assert story.settled == {message: "answered"}
    assert story.state is not None and story.state.turn is None


def test_the_message_is_echoed_before_anything_is_understood() -> None:
    story = Story()
    message = story.says("Hello")
    [echo] = story.bodies(CustomerMessage)
    assert (echo.message_id, echo.text, echo.seq) == (message, "Hello", 1)


def test_seq_grows_by_one_with_every_outbound_event() -> None:
    story = Story()
    story.says("What does it cost?")
    story.says("The account, I mean")
    story.understood("fees")
    story.understood("fees")
    story.generated()
    assert [b.seq for b in story.bodies(Outbound)] == list(range(1, len(story.bodies(Outbound)) + 1))


def test_small_talk_is_answered_with_the_canned_text_in_the_customers_language() -> None:
    story = Story()
    story.says("你好")
    story.understood("hello", language="zh")
    assert (story.replies[0].kind, story.replies[0].text) == ("canned", "（<greeting>）")


def test_a_vague_question_is_asked_back_and_the_next_message_completes_it() -> None:
    story = Story()
    story.says("a problem with my card")
    story.understood("vague_card")
    assert (story.replies[0].kind, story.replies[0].text) == ("ask", "Which card is it?")
    story.says("the debit card was swallowed")
    story.understood("fees")
    assert story.bodies(AnswerRequested)[0].question == "a problem with my card\nthe debit card was swallowed"


def test_an_unsure_intent_is_looked_up_all_the_same() -> None:
    story = Story()
    story.says("hmm what about the thing")
    story.understood("hello", 0.2)
    assert story.bodies(AnswerRequested)[0].intent is None


def test_nothing_found_is_admitted_and_a_human_is_offered() -> None:
    story = Story()
    message = story.says("What is the meaning of life?")
    story.understood("fees")
    story.nothing_found()
    assert (story.replies[0].kind, story.replies[0].offer_human) == ("nothing_found", True)
    assert story.settled == {message: "answered"}


def test_a_text_that_failed_the_guard_is_never_said() -> None:
    story = Story()
    story.says("fees?")
    story.understood("fees")
    story.generated("It costs €99.", passed=False)
    assert [reply.kind for reply in story.replies] == ["nothing_found"]
    assert "99" not in story.replies[0].text


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


def test_a_hand_off_wins_in_a_merged_turn() -> None:
    story = Story()
    story.says("What does it cost?")
    story.says("and I do not recognise a payment!")
    story.understood("fees")
    story.understood("fraud")
    assert story.bodies(AnswerRequested) == []
    assert story.state is not None and story.state.owner == "queue"


def test_a_risk_that_the_intent_worker_saw_leads_to_a_human_whatever_the_intent() -> None:
    story = Story()
    story.says("What does it cost, and who paid 300 at the casino with my card?")
    story.understood("fees", 0.95, "fraud")
    assert len(story.bodies(QueueJoined)) == 1


def test_with_nobody_at_the_desk_the_bot_says_so_and_goes_on() -> None:
    story = Story()
    message = story.says("I do not recognise a payment")
    story.understood("fraud")
    story.tell(AssignmentFailed(reason="nobody_present"))
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
    story.tell(AssignmentFailed(reason="outside_hours"))
    assert story.replies[0].text == "<handoff_closed>"


def test_messages_that_came_while_waiting_are_answered_after_the_queue_gave_up() -> None:
    story = Story()
    story.says("a human please")
    story.understood("human")
    waiting = story.says("What does it cost?")
    story.tell(AssignmentFailed(reason="nobody_present"))
    story.understood("fees")
    story.generated()
    assert story.settled[waiting] == "answered"


def test_a_human_who_was_found_owns_the_conversation_and_the_bot_is_silent() -> None:
    story = Story()
    first = story.says("a human please")
    story.understood("human")
    waiting = story.says("are you there?")
    story.tell(AssignmentMade(**MEI))
    assert story.settled == {first: "handed_over", waiting: "handed_over"}
    after = story.says("I need help")
    assert story.settled[after] == "handed_over"
    assert [reply.kind for reply in story.replies] == ["handoff"]
    assert len(story.bodies(UnderstandingRequested)) == 1


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
    story.tell(AssignmentFailed(reason="nobody_present"))
    assert story.state is not None and story.state.owner == "bot"
    assert story.replies == []


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
        asked = story.bodies(AnswerRequested)[-1]
        story.tell(
            GenerationFailed(
                generation_id=asked.generation_id, purpose="draft", epoch=asked.epoch, reason="busy"
            )
        )
    assert story.bodies(CommandRejected)[0].reason == "nothing_to_draft"


def test_a_draft_with_nothing_to_answer_is_rejected() -> None:
    story = Story()
    story.tell(ClaimRequested(**MEI))
    story.tell(DraftRequested(human_agent_id="mei"))
    assert story.bodies(CommandRejected)[0].reason == "nothing_to_draft"


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


def test_a_queue_that_never_answers_ends_at_the_deadline() -> None:
    story = Story()
    message = story.says("a human please")
    story.understood("human")
    story.deadline()
    assert story.replies[0].text == "<handoff_nobody>"
    assert story.settled == {message: "answered"}


@pytest.mark.parametrize("reason", ["busy", "deadline", "unavailable", "refused", "error"])
def test_a_failed_generation_brings_an_apology(reason: str) -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.understood("fees")
    asked = story.bodies(AnswerRequested)[0]
    story.tell(
        GenerationFailed.model_validate(
            {"generation_id": asked.generation_id, "purpose": "reply", "epoch": asked.epoch, "reason": reason}
        )
    )
    assert story.settled == {message: "failed"}


def test_a_failed_look_up_brings_an_apology_and_a_stale_one_nothing() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("fees")
    story.tell(RetrievalFailed(generation_id=GenerationId("another"), epoch=0, reason="error"))
    assert story.replies == []
    asked = story.bodies(AnswerRequested)[0]
    story.tell(RetrievalFailed(generation_id=asked.generation_id, epoch=0, reason="unavailable"))
    assert story.replies[0].kind == "apology"


def test_a_message_that_could_not_be_understood_is_looked_up_all_the_same() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.tell(UnderstandingFailed(message_id=message, reason="unavailable"))
    assert story.bodies(AnswerRequested)[0].question == "What does it cost?"


def test_a_skipped_message_is_settled_with_an_apology() -> None:
    story = Story()
    told = event(
        MessageFailed(
            failed_event_id=EventId("x"),
            topic="conversation.events",
            partition=0,
            offset=1,
            message_id=MessageId("m-9"),
        )
    )
    decision = DialogueDecider().settle_failed(story.state, told, CONFIG)  # type: ignore[arg-type]  # the body is what the test made
    kinds = [body.envelope.type for body in decision.events]
    assert kinds == ["ReplyReady", "MessageSettled"]


def test_another_skipped_record_ends_the_running_turn() -> None:
    story = Story()
    story.says("What does it cost?")
    told = event(
        MessageFailed(failed_event_id=EventId("x"), topic="conversation.events", partition=0, offset=1)
    )
    decision = DialogueDecider().settle_failed(story.state, told, CONFIG)  # type: ignore[arg-type]  # the body is what the test made
    assert decision.state.turn is None
    quiet = DialogueDecider().settle_failed(None, told, CONFIG)  # type: ignore[arg-type]  # the body is what the test made
    assert quiet.events == []


def test_deliveries_are_passed_on_to_staff() -> None:
    story = Story()
    story.tell(DeliveryReported(outbound_id=EventId("x"), channel="web", state="failed", reason="blocked"))
    assert story.bodies(DeliveryChanged)[0].audience == "staff"


def test_history_is_bounded() -> None:
    story = Story()
    for number in range(40):
        story.says(f"{number} " + "long " * 200)
        story.understood("hello")
    assert story.state is not None
    assert len(story.state.history) <= 12
    assert sum(len(line.text) for line in story.state.history) <= 7_100


MOVES = st.lists(
    st.sampled_from(
        [
            "says",
            "reads",
            "writes",
            "finds_nothing",
            "fails",
            "deadline",
            "claims",
            "releases",
            "queue",
            "closes",
            "waits",
        ]
    ),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(MOVES, st.sampled_from(["fees", "hello", "human", "vague_card"]))
def test_whatever_happens_every_message_is_settled_exactly_once(moves: list[str], intent: str) -> None:
    story = Story()
    messages = []
    for move in moves:
        try:
            if move == "says":
                messages.append(story.says("text"))
            elif move == "reads":
                story.understood(intent)
            elif move == "writes":
                story.generated()
            elif move == "finds_nothing":
                story.nothing_found()
            elif move == "fails":
                asked = story.bodies(AnswerRequested)[-1]
                story.tell(
                    GenerationFailed(
                        generation_id=asked.generation_id, purpose="reply", epoch=asked.epoch, reason="busy"
                    )
                )
            elif move == "deadline":
                story.deadline()
            elif move == "claims":
                story.tell(ClaimRequested(**MEI))
            elif move == "releases":
                story.tell(ReleaseRequested(human_agent_id="mei", to="queue"))
            elif move == "queue":
                story.tell(AssignmentFailed(reason="nobody_present"))
            elif move == "closes":
                story.tell(CloseRequested(by="customer"))
            else:
                story.wait(20)
        except (IndexError, StopIteration):
            continue  # nothing of that kind was asked for yet
    for _ in range(3):
        if story.state is not None and story.state.turn is not None:
            story.deadline()
    assert set(story.settled) == set(messages)
    answered = [message for reply in story.replies for message in reply.answers]
    assert len(answered) == len(set(answered))


def test_a_tenant_without_a_default_language_text_still_says_something() -> None:
    config: TenantConfig = CONFIG.model_copy(update={"canned": {**CONFIG.canned, "greeting": {"zh": "你好"}}})
    assert config.text("greeting", "en") == "你好"
