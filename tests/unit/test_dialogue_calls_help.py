"""Help for the agent on a call: what the tenant has approved, what is looked up at all, and which of the customer's words are one question."""

import pytest

from schemas.conversation_events import MAX_ANSWER_CHARS
from schemas.outbound import DraftReady
from schemas.work import AnswerRequested
from tests.support.call_stories import CallStory
from tests.support.stories import PASSAGE

APPROVED = "Freeze the card first."


def questions(story: CallStory) -> list[str]:
    return [body.question for body in story.bodies(AnswerRequested)]


def suggested(story: CallStory) -> list[str]:
    return [body.text for body in story.bodies(DraftReady)]


# -- the tenant's approved text -------------------------------------------------------------------------------------------


def test_the_approved_text_is_offered_at_once_where_a_human_has_to_see_it() -> None:
    story = CallStory()
    asked = story.hears("customer", "I do not recognise a payment")
    story.understood("fraud")
    [draft] = story.bodies(DraftReady)
    assert (draft.answers, draft.text, draft.audience) == (asked, APPROVED, "staff")
    assert draft.generation_id != story.bodies(AnswerRequested)[0].generation_id


def test_a_risk_without_its_intent_has_the_approved_text_too() -> None:
    story = CallStory()
    story.hears("customer", "What does the account cost? Somebody has taken money from it")
    story.understood("fees", 0.9, "fraud")
    assert suggested(story) == [APPROVED]


def test_what_is_looked_up_as_well_stands_behind_it_with_its_sources() -> None:
    story = CallStory()
    asked = story.hears("customer", "I do not recognise a payment")
    story.understood("fraud")
    story.generated("Report it within 13 months.")
    at_once, whole = story.bodies(DraftReady)
    assert (whole.answers, whole.text) == (asked, f"{at_once.text}\n\nReport it within 13 months.")
    assert [source.id for source in whole.citations] == [PASSAGE.article_id]


def test_a_refused_text_leaves_it_the_articles() -> None:
    story = CallStory()
    story.hears("customer", "I do not recognise a payment")
    story.understood("fraud")
    story.generated("It costs nothing.", passed=False)
    whole = story.bodies(DraftReady)[-1]
    assert whole.text == APPROVED
    assert [each.id for each in whole.next_articles] == [PASSAGE.article_id]


def test_a_text_that_leaves_no_room_for_both_gives_way() -> None:
    story = CallStory()
    story.hears("customer", "I do not recognise a payment")
    story.understood("fraud")
    story.generated("x" * MAX_ANSWER_CHARS)
    assert suggested(story) == [APPROVED, APPROVED]


@pytest.mark.parametrize("end", ["nothing_found", "generation_failed"])
def test_it_stands_where_nothing_comes_of_the_look_up(end: str) -> None:
    story = CallStory()
    story.hears("customer", "I do not recognise a payment")
    story.understood("fraud")
    getattr(story, end)()
    assert suggested(story) == [APPROVED]
    assert story.state is not None and story.state.draft is None


def test_articles_that_are_near_come_with_it() -> None:
    story = CallStory()
    asked = story.hears("customer", "I do not recognise a payment")
    story.understood("fraud")
    story.nothing_found(PASSAGE, PASSAGE)
    at_once, whole = story.bodies(DraftReady)
    assert (whole.answers, whole.text, whole.citations) == (asked, at_once.text, ())
    assert [each.id for each in whole.next_articles] == [PASSAGE.article_id]


def test_they_come_without_a_text_where_there_is_none() -> None:
    story = CallStory()
    story.hears("customer", "What does the account cost a month?")
    story.understood("fees")
    story.nothing_found(PASSAGE)
    [draft] = story.bodies(DraftReady)
    assert (draft.text, [each.id for each in draft.next_articles]) == ("", [PASSAGE.article_id])


def test_a_hand_off_without_a_text_is_looked_up_alone() -> None:
    story = CallStory()
    story.hears("customer", "I want to talk to your manager")
    story.understood("human")
    story.nothing_found()
    assert suggested(story) == [""]


def test_no_article_speaks_to_one_whose_life_is_at_risk() -> None:
    story = CallStory()
    story.hears("customer", "I do not want to live any more with these fees")
    story.understood("fees", 0.9, "self_harm")
    assert story.bodies(AnswerRequested) == []


# -- what is looked up ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "And what does a new one cost?",
        "And is a replacement free?",
        "Are you still there? How do I block it?",
        "and how long",
        "is it free",
        "那多久呢？",
        "要收费吗",
    ],
)
def test_a_short_question_that_goes_on_is_looked_up(text: str) -> None:
    story = CallStory()
    story.hears("customer", "I lost my card.")
    story.understood("card_lost")
    story.hears("human_agent", "I am sorry.")
    story.hears("customer", text)
    story.understood("odd")
    assert questions(story)[1:] == [text]
    assert story.bodies(AnswerRequested)[-1].history[-3].text == "I lost my card."


@pytest.mark.parametrize(
    "text",
    ["yes, please", "Okay, that's fine", "and thank you", "Hello?", "It's the blue one", "那好吧", "那谢谢你", "好的，就是这个"],
)  # fmt: skip
def test_short_words_that_ask_nothing_are_not(text: str) -> None:
    story = CallStory()
    story.hears("customer", "I lost my card.")
    story.understood("card_lost")
    story.hears("human_agent", "Shall I block it?")
    story.hears("customer", text)
    story.understood("odd")
    assert questions(story) == ["I lost my card."]


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("[name_1], [id_1].", 0),
        ("Yes, it's [name_1], and I was born on [id_1].", 0),
        ("I lost my card [card_1]", 1),
        ("[name_1], how do I block it?", 1),
    ],
)
def test_data_that_was_asked_for_is_not_looked_up(text: str, asks: int) -> None:
    story = CallStory()
    story.hears("customer", text)
    story.understood("card_lost")
    assert len(questions(story)) == asks


# -- one question, and the next -----------------------------------------------------------------------------------------------


def test_what_a_suggestion_was_given_for_is_asked_no_more() -> None:
    story = CallStory()
    story.hears("customer", "I lost my card yesterday")
    story.understood("card_lost")
    story.generated()
    story.hears("customer", "and what does a new one cost?")
    story.understood("fees")
    assert questions(story)[-1] == "and what does a new one cost?"


def test_what_came_after_the_words_that_were_answered_is_still_asked() -> None:
    story = CallStory()
    story.hears("customer", "I lost my card yesterday")
    story.understood("card_lost")
    story.hears("customer", "and what does")
    story.generated()
    story.hears("customer", "a new one cost a month?")
    story.understood("odd")
    story.understood("fees")
    assert questions(story)[-1] == "and what does\na new one cost a month?"


def test_what_the_articles_did_not_answer_belongs_to_what_is_said_next() -> None:
    story = CallStory()
    story.hears("customer", "My brother and sister bought a sailing boat")
    story.understood("odd")
    story.nothing_found()
    story.hears("customer", "and need an account with two cards")
    story.understood("fees")
    assert (
        questions(story)[-1]
        == "My brother and sister bought a sailing boat\nand need an account with two cards"
    )


@pytest.mark.parametrize(
    ("kind", "more"),
    [("hold", {}), ("resumed", {}), ("transfer", {"human_agent_id": "jo", "human_agent_name": "Jo"})],
)
def test_a_hold_and_a_transfer_end_a_question(kind: str, more: dict[str, str]) -> None:
    story = CallStory()
    story.hears("customer", "I lost my card yesterday", 1_000)
    story.report(kind, 3_000, **more)
    story.hears("customer", "and what about the overdraft?", 4_000)
    story.understood("card_lost")
    story.understood("fees")
    assert questions(story) == ["and what about the overdraft?"]


@pytest.mark.parametrize(("pause_ms", "pieces"), [(7_900, 2), (8_100, 1)])
def test_so_does_a_silence(pause_ms: int, pieces: int) -> None:
    """Each turn of the story lasts 900 ms."""
    story = CallStory()
    story.hears("customer", "I lost my card yesterday", 1_000)
    story.hears("customer", "and what about the overdraft?", 1_900 + pause_ms)
    story.understood("card_lost")
    story.understood("fees")
    assert len(questions(story)[-1].split("\n")) == pieces


def test_what_was_asked_is_asked_again_where_the_prompt_was_too_long() -> None:
    """Also where the agent has spoken meanwhile, or the customer has."""
    story = CallStory()
    story.hears("customer", "What does the account cost a month?")
    story.understood("fees")
    story.hears("human_agent", "One moment.")
    story.hears("customer", "Thank you.")
    story.generation_failed("too_long")
    assert questions(story) == ["What does the account cost a month?"] * 2
