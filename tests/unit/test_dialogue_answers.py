"""The bot's own answers: understood, looked up, answered with sources; asked back; nothing known; failed."""

from typing import get_args

import pytest

from parley.codec import Codec
from parley.domain.conversation import MERGE_MESSAGES, QUESTION_CHARS
from parley.ports.bus import MAX_VALUE_BYTES
from schemas.base import MAX_MESSAGE_CHARS, GenerationId
from schemas.conversation_events import RetrievalFailed, UnderstandingFailed
from schemas.other_events import QueueJoined
from schemas.outbound import CustomerMessage, Outbound
from schemas.parts import Passage, RiskKind
from schemas.tenant import TenantConfig
from schemas.work import AnswerRequested
from tests.support.platform import DictKeys
from tests.support.small_tenant import CONFIG
from tests.support.stories import Story
from workers.dialogue.citing import cite


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


def test_a_language_that_the_tenant_does_not_speak_changes_nothing() -> None:
    story = Story()
    story.says("Was kostet das?")
    story.understood("hello", language="de")
    assert (story.replies[0].language, story.replies[0].text) == ("en", "<greeting>")


def test_a_tenant_without_a_default_language_text_still_says_something() -> None:
    config: TenantConfig = CONFIG.model_copy(update={"canned": {**CONFIG.canned, "greeting": {"zh": "你好"}}})
    assert config.text("greeting", "en") == "你好"


def test_an_unsure_intent_is_looked_up_all_the_same() -> None:
    story = Story()
    story.says("hmm what about the thing")
    story.understood("hello", 0.2)
    assert story.bodies(AnswerRequested)[0].intent is None


def test_an_intent_that_the_tenant_does_not_have_is_looked_up_all_the_same() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("of_another_version")
    assert story.bodies(AnswerRequested)[0].intent is None


def test_a_message_that_could_not_be_understood_is_looked_up_all_the_same() -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.tell(UnderstandingFailed(message_id=message, reason="deadline"))
    assert story.bodies(AnswerRequested)[0].question == "What does it cost?"


def test_small_talk_beside_a_question_is_not_looked_up() -> None:
    story = Story()
    story.says("Hello!")
    story.says("What does it cost?")
    story.understood("hello")
    story.understood("fees")
    [asked] = story.bodies(AnswerRequested)
    assert (asked.question, asked.intent) == ("What does it cost?", "fees")


# -- asking back ------------------------------------------------------------------------------------------------------


def test_a_vague_question_is_asked_back_and_the_next_message_completes_it() -> None:
    story = Story()
    story.says("a problem with my card")
    story.understood("vague_card")
    assert (story.replies[0].kind, story.replies[0].text) == ("ask", "Which card is it?")
    story.says("the debit card was swallowed")
    story.understood("fees")
    assert story.bodies(AnswerRequested)[0].question == "a problem with my card\nthe debit card was swallowed"


def test_what_was_asked_about_is_forgotten_once_it_is_answered() -> None:
    story = Story()
    story.says("a problem with my card")
    story.understood("vague_card")
    story.says("it is swallowed")
    story.understood("fees")
    story.generated()
    story.says("What does it cost?")
    story.understood("fees")
    assert story.bodies(AnswerRequested)[-1].question == "What does it cost?"


def test_a_long_question_keeps_its_newest_texts_whole() -> None:
    story = Story()
    texts = [f"{number} {'long ' * 350}" for number in range(10)]
    for text in texts:
        story.says(text)
    for _ in texts:
        story.understood("fees")
    [asked] = story.bodies(AnswerRequested)
    assert asked.question == "\n".join(texts[-3:])
    assert sum(map(len, texts[-4:])) > QUESTION_CHARS


def test_what_was_asked_about_is_bounded_and_gives_way_to_the_newest_text() -> None:
    story = Story()
    texts = [f"{number} {'vague ' * 400}" for number in range(4)]
    for text in texts:
        story.says(text)
    for _ in texts:
        story.understood("vague_card")
    assert story.state is not None and story.state.asked_about == "\n".join(texts[-2:])
    newest = "debit " * 600
    story.says(newest)
    story.understood("fees")
    assert story.bodies(AnswerRequested)[0].question == newest


def test_the_largest_question_that_can_be_asked_fits_into_a_record() -> None:
    story = Story()
    for intent in ("vague_card", "fees"):
        for _ in range(MERGE_MESSAGES):
            story.says("\U0001f600" * MAX_MESSAGE_CHARS)
        for _ in range(MERGE_MESSAGES):
            story.understood(intent)
    [asked] = story.asked(AnswerRequested)
    assert len(Codec(DictKeys()).encode(asked).value) < MAX_VALUE_BYTES / 10


def test_history_is_bounded() -> None:
    story = Story()
    for number in range(40):
        story.says(f"{number} " + "long " * 200)
        story.understood("hello")
    assert story.state is not None
    assert len(story.state.history) <= 12
    assert sum(len(line.text) for line in story.state.history) <= 6_000
    assert story.state.history[-1].text == "<greeting>"


def test_the_last_line_of_the_history_stays_however_long_it_is() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("fees")
    story.generated("It costs €4.50. " * 500)
    assert story.state is not None and [line.speaker for line in story.state.history] == ["bot"]


# -- nothing to say ---------------------------------------------------------------------------------------------------


def test_nothing_found_is_admitted_and_a_human_is_offered() -> None:
    story = Story()
    message = story.says("What is the meaning of life?")
    story.understood("fees")
    story.nothing_found()
    assert (story.replies[0].kind, story.replies[0].offer_human) == ("nothing_found", True)
    assert story.settled == {message: "answered"}


@pytest.mark.parametrize(("text", "passed"), [("It costs €99.", False), ("  ", True)])
def test_a_text_that_failed_the_guard_or_says_nothing_is_never_said(text: str, passed: bool) -> None:
    story = Story()
    story.says("fees?")
    story.understood("fees")
    story.generated(text, passed=passed)
    assert [reply.kind for reply in story.replies] == ["nothing_found"]
    assert "99" not in story.replies[0].text


@pytest.mark.parametrize("reason", ["busy", "deadline", "unavailable", "refused", "error"])
def test_a_failed_generation_brings_an_apology(reason: str) -> None:
    story = Story()
    message = story.says("What does it cost?")
    story.understood("fees")
    story.generation_failed(reason)
    assert story.settled == {message: "failed"}


def test_a_prompt_that_does_not_fit_is_asked_again_with_half_of_the_history() -> None:
    story = Story()
    for question in ("What does it cost?", "And for students?"):
        story.says(question)
        story.understood("fees")
        story.generated()
    message = story.says("And abroad?")
    story.understood("fees")
    whole = story.bodies(AnswerRequested)[-1]
    shown = [len(whole.history)]
    while not story.settled.get(message):
        story.generation_failed("too_long")
        asked = story.bodies(AnswerRequested)[-1]
        assert asked.question == whole.question and asked.deadline == whole.deadline
        assert asked.history == whole.history[len(whole.history) - len(asked.history) :]
        shown.append(len(asked.history))
    assert shown == [5, 2, 1, 1]
    assert len({body.generation_id for body in story.bodies(AnswerRequested)}) == 5
    assert story.settled[message] == "failed"


def test_a_failed_look_up_brings_an_apology_and_a_stale_one_nothing() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("fees")
    story.tell(RetrievalFailed(generation_id=GenerationId("another"), epoch=0, reason="error"))
    assert story.replies == []
    asked = story.bodies(AnswerRequested)[0]
    story.tell(RetrievalFailed(generation_id=asked.generation_id, epoch=0, reason="unavailable"))
    assert story.replies[0].kind == "apology"


def test_an_answer_for_nobody_to_see_is_not_said() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("fees")
    asked = story.asked(AnswerRequested)[-1]
    shadow = asked.body.model_copy(update={"purpose": "shadow"})
    story.out[-1] = type(asked)(asked.envelope, shadow)
    story.generated()
    assert story.replies == []


def test_results_that_come_after_the_answer_change_nothing() -> None:
    story = Story()
    story.says("What does it cost?")
    story.understood("fees")
    story.generated()
    before = story.state
    story.nothing_found()
    story.generation_failed()
    assert story.state == before and len(story.replies) == 1


# -- risks ------------------------------------------------------------------------------------------------------------


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
    [joined] = story.bodies(QueueJoined)
    assert joined.intent == "fraud"


def test_a_risk_without_a_rule_of_its_own_leads_to_a_human_too() -> None:
    story = Story()
    story.says("I cannot go on like this")
    story.understood("fees", 0.95, "self_harm")
    [joined] = story.bodies(QueueJoined)
    assert joined.intent is None
    story.nobody()
    assert story.replies[0].text == "<handoff_nobody>"


def test_of_several_risks_the_first_that_has_a_rule_decides_what_is_said() -> None:
    story = Story()
    story.says("I will sue, and there is a payment that I do not know")
    story.understood("fees", 0.95, "legal", "fraud")
    assert story.bodies(QueueJoined)[0].intent == "fraud"


ALL_RISKS: tuple[RiskKind, ...] = get_args(RiskKind)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("risk", ALL_RISKS)
def test_every_risk_leads_to_a_human_also_where_the_tenant_has_no_rule_for_it(
    risk: RiskKind, language: str
) -> None:
    for probability in (0.0, 0.99):
        story = Story()
        story.says("…")
        story.understood("fees", probability, risk, language=language)
        assert story.bodies(AnswerRequested) == []
        assert len(story.bodies(QueueJoined)) == 1
        assert story.state is not None and story.state.owner == "queue"


@pytest.mark.parametrize("risk", ALL_RISKS)
def test_in_a_merged_turn_no_risk_is_lost_whichever_message_has_it(risk: RiskKind) -> None:
    for risks in ((), (risk,)), ((risk,), ()):
        story = Story()
        story.says("one")
        story.says("two")
        for of_message in risks:
            story.understood("fees", 0.9, *of_message)
        assert story.bodies(AnswerRequested) == [] and len(story.bodies(QueueJoined)) == 1


def test_the_gravest_of_all_risks_decides_what_is_said_whichever_came_first() -> None:
    story = Story()
    story.says("get me a human")
    story.says("somebody is using my card")
    story.understood("human", 0.95, "human")
    story.understood("fees", 0.95, "legal", "fraud")
    assert story.bodies(QueueJoined)[0].intent == "fraud"


def test_a_risk_that_is_graver_than_the_intent_decides_what_is_said() -> None:
    story = Story()
    story.says("a human please, my account was emptied")
    story.understood("human", 0.95, "fraud")
    assert story.bodies(QueueJoined)[0].intent == "fraud"


# -- sources ----------------------------------------------------------------------------------------------------------


def passage(chunk: str, article: str) -> Passage:
    return Passage(
        chunk_id=chunk, article_id=article, title=article, url=f"/{article}", language="en", text="x", score=1
    )


def test_sources_are_named_once_an_article_in_the_order_of_their_use() -> None:
    passages = (passage("1", "fees"), passage("2", "cards"), passage("3", "fees"))
    assert [citation.id for citation in cite(passages, ("2", "3", "1", "unknown"))] == ["cards", "fees"]
