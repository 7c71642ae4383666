"""A call in a conversation: what is said becomes messages, the agent is helped and the customer is told nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from schemas.analysis import Analysis
from schemas.base import Body, MessageId
from schemas.conversation_events import (
    AgentEditSubmitted,
    AgentMessageSubmitted,
    CallStateReported,
    ConversationAnalysed,
    ConversationStarted,
    ReleaseRequested,
    SpeechTranscribed,
    SpokenTurn,
    UnderstandingFailed,
)
from schemas.other_events import QueueLeft
from schemas.outbound import (
    AgentMessage,
    AnalysisReady,
    CallImported,
    CallStateChanged,
    Closed,
    CommandRejected,
    CustomerMessage,
    DraftReady,
    MessageRead,
    Outbound,
    OwnerChanged,
    ReplyReady,
)
from schemas.parts import CallOrigin, PriorVcon, Spoken
from schemas.work import AnalysisRequested, AnswerRequested, GenerationCancelled, UnderstandingRequested
from tests.support.call_stories import CallStory
from tests.support.stories import MEI, NINE, PASSAGE, Story


def test_what_is_said_becomes_messages_of_the_moment_it_was_said() -> None:
    story = CallStory()
    story.wait(30)
    asked = story.hears("customer", "What are the fees?", 4_000)
    story.hears("human_agent", "One moment please.", 5_000)
    [customer], [agent] = story.bodies(CustomerMessage), story.bodies(AgentMessage)
    assert customer.message_id == asked
    assert customer.spoken == Spoken(start_ms=4_000, end_ms=4_900, original="um What are the fees?")
    assert (agent.human_agent_id, agent.human_agent_name) == ("mei", "Mei")
    at = {type(e.body): e.envelope.occurred_at for e in story.out}
    assert at[CustomerMessage] == NINE + timedelta(seconds=4)
    assert at[AgentMessage] == NINE + timedelta(seconds=5)
    assert story.settled == {asked: "handed_over"}


def test_who_speaks_and_the_end_are_of_the_moment_they_happened() -> None:
    """Also where a finished call is imported long afterwards."""
    story = CallStory()
    story.wait(86_400)
    story.report("transfer", 60_000, human_agent_id="jo", human_agent_name="Jo")
    story.report("hang_up", 90_000, by="customer")
    assert [e.envelope.occurred_at for e in story.asked(OwnerChanged)] == [NINE, NINE + timedelta(minutes=1)]
    assert [e.envelope.occurred_at for e in story.asked(Closed)] == [NINE + timedelta(seconds=90)]


def test_the_bot_never_speaks_into_a_call() -> None:
    story = CallStory()
    story.hears("customer", "I do not recognise a payment")
    story.understood("fraud", 0.9, "fraud")
    story.generated()
    story.hears("customer", "hello")
    story.understood("hello")
    story.pass_time(300)
    assert story.bodies(ReplyReady) == []
    assert [body.owner for body in story.bodies(OwnerChanged)] == ["human"]
    for_customers = [body for body in story.bodies(Outbound) if body.audience != "staff"]
    assert not any(isinstance(body, MessageRead | DraftReady) for body in for_customers)


def test_the_agent_sees_what_it_is_about_and_a_suggestion_with_its_sources() -> None:
    story = CallStory()
    asked = story.hears("customer", "What does the account cost a month?")
    story.understood("fees", 0.8, "complaint")
    story.generated()
    [read], [draft] = story.bodies(MessageRead), story.bodies(DraftReady)
    assert (read.message_id, read.intents[0].intent, read.risks[0].kind) == (asked, "fees", "complaint")
    assert (draft.answers, draft.text) == (asked, "It costs €4.50 a month.")
    assert [source.id for source in draft.citations] == [PASSAGE.article_id]
    assert (read.audience, draft.audience) == ("staff", "staff")


def test_what_a_refused_text_was_written_from_is_shown_as_articles() -> None:
    story = CallStory()
    story.hears("customer", "What does the account cost a month?")
    story.understood("fees")
    story.generated("It costs nothing.", passed=False)
    [draft] = story.bodies(DraftReady)
    assert (draft.text, draft.citations) == ("", ())
    assert [each.id for each in draft.next_articles] == [PASSAGE.article_id]


def test_a_question_that_comes_in_pieces_is_one_and_the_last_piece_is_answered() -> None:
    story = CallStory()
    story.hears("customer", "I lost my card yesterday")
    story.understood("card_lost")
    last = story.hears("customer", "and what does a new one cost?")
    story.understood("fees")
    first, second = story.asked(AnswerRequested)
    assert second.body.question == "I lost my card yesterday\nand what does a new one cost?"
    assert story.bodies(GenerationCancelled)[-1].generation_id == first.body.generation_id
    story.generated(which=0)
    story.generated(which=1)
    assert [draft.answers for draft in story.bodies(DraftReady)] == [last]


def test_an_older_question_is_past_once_the_customer_goes_on() -> None:
    story = CallStory()
    story.hears("customer", "What are the fees?")
    story.hears("customer", "Are you still there?")
    story.understood("fees")
    assert len(story.bodies(MessageRead)) == 1
    assert story.asked(AnswerRequested) == []


@pytest.mark.parametrize(("text", "intent", "asks"), [("yes", "odd", 0), ("Okay, thank you", "hello", 0)])
def test_what_says_nothing_is_not_looked_up(text: str, intent: str, asks: int) -> None:
    story = CallStory()
    story.hears("customer", text)
    story.understood(intent)
    assert len(story.asked(AnswerRequested)) == asks
    assert story.bodies(DraftReady) == []


def test_what_the_bot_would_ask_back_is_suggested() -> None:
    story = CallStory()
    asked = story.hears("customer", "There is a problem with my card")
    story.understood("vague_card")
    [draft] = story.bodies(DraftReady)
    assert (draft.answers, draft.text) == (asked, "Which card is it?")


def test_where_the_articles_say_nothing_the_agent_is_told_so() -> None:
    story = CallStory()
    asked = story.hears("customer", "What does the account cost a month?")
    story.understood("fees")
    story.nothing_found()
    [draft] = story.bodies(DraftReady)
    assert (draft.answers, draft.text, draft.citations, draft.next_articles) == (asked, "", (), ())
    assert story.state is not None and story.state.draft is None


def test_a_suggestion_that_fails_says_nothing() -> None:
    story = CallStory()
    story.hears("customer", "What does the account cost a month?")
    story.understood("fees")
    story.generation_failed()
    assert story.bodies(DraftReady) == []
    assert story.bodies(CommandRejected) == []
    assert story.state is not None and story.state.draft is None


def test_the_agents_own_words_need_no_help() -> None:
    story = CallStory()
    story.hears("human_agent", "What are the last four digits?")
    assert story.asked(UnderstandingRequested) == []


def test_what_a_file_tells_of_itself_stands_in_the_history_also_after_the_end() -> None:
    story = CallStory()
    origin = CallOrigin(redacted=True, redacted_of=PriorVcon(uuid="u-0", type="PII"))
    story.report("imported", 0, origin=origin)
    story.hears("customer", "Hello", 100, live=False)
    story.report("hang_up", 1_000)
    story.report("imported", 2_000)
    first, second = story.bodies(CallImported)
    assert (first.origin, first.audience, second.origin) == (origin, "staff", CallOrigin())
    assert first.seq < story.bodies(CustomerMessage)[0].seq < story.bodies(Closed)[0].seq < second.seq


def test_a_transfer_gives_the_word_to_another_agent() -> None:
    story = CallStory()
    story.report("transfer", 61_000, human_agent_id="li", human_agent_name="Li Na")
    story.hears("human_agent", "Li speaking.", 62_000)
    assert [body.human_agent_name for body in story.bodies(OwnerChanged)] == ["Mei", "Li Na"]
    assert story.bodies(AgentMessage)[0].human_agent_name == "Li Na"


def test_hold_and_resume_are_told_to_staff_at_their_time() -> None:
    story = CallStory()
    story.report("hold", 10_000, by="human_agent")
    story.report("resumed", 25_000)
    held, resumed = story.bodies(CallStateChanged)
    assert (held.kind, held.at_ms, held.by, held.audience) == ("hold", 10_000, "human_agent", "staff")
    assert (resumed.kind, resumed.at_ms) == ("resumed", 25_000)


def test_a_call_that_is_hung_up_is_closed_and_analysed_as_far_as_it_went() -> None:
    story = CallStory()
    story.hears("customer", "What are the fees?")
    story.report("hang_up", 90_000, by="customer")
    [closed], [asked] = story.bodies(Closed), story.bodies(AnalysisRequested)
    assert closed.by == "customer"
    assert asked.up_to_seq == closed.seq
    found = Analysis(language="en", summary="Fees.", product="rules", product_version="1")
    story.tell(ConversationAnalysed(up_to_seq=asked.up_to_seq, analysis=found))
    assert story.bodies(AnalysisReady)[0].analysis == found


def test_an_imported_call_is_taken_in_without_help_or_watch() -> None:
    story = CallStory()
    asked = story.hears("customer", "What are the fees?", live=False)
    assert story.asked(UnderstandingRequested) == []
    assert story.settled == {asked: "handed_over"}


def test_without_an_intent_what_was_said_last_is_looked_up_all_the_same() -> None:
    story = CallStory()
    older = story.hears("customer", "What are the fees?")
    last = story.hears("customer", "And what does a new card cost?")
    story.tell(UnderstandingFailed(message_id=older, reason="deadline"))
    assert story.asked(AnswerRequested) == []
    story.tell(UnderstandingFailed(message_id=last, reason="deadline"))
    [asked] = story.bodies(AnswerRequested)
    assert (asked.purpose, asked.message_ids, asked.intent) == ("draft", (last,), None)


def test_without_an_intent_short_words_are_not_looked_up() -> None:
    story = CallStory()
    said = story.hears("customer", "yes")
    story.tell(UnderstandingFailed(message_id=said, reason="unavailable"))
    assert story.asked(AnswerRequested) == []


@pytest.mark.parametrize(
    "command",
    [
        ReleaseRequested(human_agent_id="mei"),
        ReleaseRequested(human_agent_id="mei", to="queue"),
        AgentMessageSubmitted(message_id=MessageId("a-1"), human_agent_id="mei", text="Hello"),
        AgentEditSubmitted(message_id=MessageId("a-1"), human_agent_id="mei", text="Hello"),
    ],
    ids=["to-bot", "to-queue", "message", "edit"],
)
def test_nobody_gives_a_call_away_or_types_into_it(command: Body) -> None:
    story = CallStory()
    story.tell(command)
    assert [body.reason for body in story.bodies(CommandRejected)] == ["not_on_a_call"]
    assert story.bodies(AgentMessage) == []
    assert story.state is not None and story.state.owner == "human"


def test_a_call_whose_beginning_is_not_in_the_log_is_one() -> None:
    story = Story()
    turn = SpokenTurn(
        message_id=MessageId("t-1"), speaker="customer", text="Hello?", spoken=Spoken(start_ms=0, end_ms=1)
    )
    story.tell(SpeechTranscribed(started_at=NINE, turns=(turn,), live=True))
    [owner] = story.bodies(OwnerChanged)
    assert (owner.owner, owner.human_agent_id) == ("human", "unknown")
    assert story.state is not None and story.state.channel == "call"


def test_what_waited_in_a_chat_is_handed_over_where_it_becomes_a_call() -> None:
    story = Story()
    asked = story.says("a human please")
    story.understood("human")
    story.tell(CallStateReported(started_at=NINE, kind="started", at_ms=0, **MEI))
    story.nobody()
    story.deadline()
    assert story.settled == {asked: "handed_over"}
    assert len(story.bodies(QueueLeft)) == 1
    assert story.replies == []


def test_what_is_written_does_not_make_a_chat_of_a_call() -> None:
    story = CallStory()
    story.tell(ConversationStarted(channel="web"))
    written = story.says("I write as well")
    assert story.state is not None and story.state.channel == "call"
    story.report("hang_up", 1_000)
    after = story.says("and once more")
    assert story.settled == {written: "handed_over", after: "closed"}
    assert story.replies == []


def test_a_record_of_a_call_that_was_skipped_says_nothing_to_the_customer() -> None:
    story = CallStory()
    story.skipped(MessageId("m-9"))
    assert story.settled == {"m-9": "failed"}
    assert story.replies == []


@pytest.mark.parametrize(
    "started_at",
    [datetime(9999, 12, 31, 23, 59, tzinfo=UTC), datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))],
)
def test_what_is_said_at_a_time_that_cannot_be_is_said_now(started_at: datetime) -> None:
    story = CallStory()
    story.wait(30)
    turn = SpokenTurn(
        message_id=MessageId("t-1"),
        speaker="customer",
        text="What are the fees?",
        spoken=Spoken(start_ms=60_000, end_ms=61_000),
    )
    story.tell(SpeechTranscribed(started_at=started_at, turns=(turn,), live=True))
    story.tell(CallStateReported(started_at=started_at, kind="hang_up", at_ms=90_000))
    at = {type(e.body): e.envelope.occurred_at for e in story.out}
    assert at[CustomerMessage] == at[Closed] == story.at
