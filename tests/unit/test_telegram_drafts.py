"""What is shown of an answer in the making, and how fast a bot sends."""

from connectors.telegram.calls import reason_of
from connectors.telegram.drafts import Draft
from connectors.telegram.pacing import Pace
from schemas.base import GenerationId, MessageId, ReplyId
from schemas.outbound import CustomerMessage, EpochRaised, ReplyDelta, ReplyReady
from tests.support.stories import event


def delta(index: int, text: str, *, attempt: str = "a", generation: str = "g", epoch: int = 1) -> ReplyDelta:
    return ReplyDelta(
        generation_id=GenerationId(generation), attempt=attempt, epoch=epoch, index=index, text=text
    )


def follow(draft: Draft, *bodies: ReplyDelta | EpochRaised | ReplyReady | CustomerMessage) -> str:
    for number, body in enumerate(bodies):
        draft.follow(event(body, number))
    return draft.text


def reply(epoch: int = 1) -> ReplyReady:
    return ReplyReady(
        seq=2, epoch=epoch, reply_id=ReplyId("r"), kind="answer", answers=(MessageId("m"),), text="Done.",
        language="en", generation_id=GenerationId("g"),
    )  # fmt: skip


def test_pieces_add_up_and_repeats_do_not() -> None:
    assert (
        follow(Draft(), delta(0, "It "), delta(1, "costs "), delta(1, "costs "), delta(2, "€4."))
        == "It costs €4."
    )


def test_after_a_gap_nothing_of_that_generation_is_shown() -> None:
    draft = Draft()
    assert follow(draft, delta(0, "It "), delta(2, "€4."), delta(0, "It "), delta(1, "costs")) == ""
    assert follow(draft, delta(0, "Other", generation="h")) == "Other"


def test_another_attempt_of_it_is_not_mixed_in() -> None:
    assert (
        follow(Draft(), delta(0, "It "), delta(0, "A ", attempt="b"), delta(1, "fee", attempt="b")) == "It "
    )


def test_an_older_epoch_is_never_shown_and_a_newer_one_takes_it_back() -> None:
    draft = Draft()
    assert follow(draft, delta(0, "Old", epoch=1), EpochRaised(seq=1, epoch=2, reason="new_message")) == ""
    assert follow(draft, delta(0, "Old", epoch=1)) == ""
    assert follow(draft, delta(0, "New", generation="h", epoch=2)) == "New"
    assert follow(draft, delta(0, "Newer", generation="i", epoch=3)) == "Newer"


def test_the_reply_ends_it_and_late_pieces_are_nothing() -> None:
    draft = Draft()
    assert follow(draft, delta(0, "It "), reply(), delta(1, "costs"), delta(0, "It ")) == ""


def test_no_second_has_more_places_than_the_pace() -> None:
    now = 100.0
    pace = Pace(30, lambda: now)
    places = [now + pace.place() for _ in range(100)]
    assert places[:30] == [now] * 30
    for begin in places:
        assert sum(begin <= each < begin + 1.0 for each in places) <= 30
    assert places[-1] == now + 3.0


def test_a_pace_that_rested_gives_a_burst_again_and_no_more() -> None:
    moment = [0.0]
    pace = Pace(10, lambda: moment[0])
    assert [pace.place() for _ in range(10)] == [0.0] * 10 and pace.place() > 0
    moment[0] = 60.0
    assert [pace.place() for _ in range(10)] == [0.0] * 10 and pace.place() > 0


def test_a_reason_quotes_nothing() -> None:
    assert (
        reason_of("Bad Request: can't parse entities: Unexpected end tag at byte offset 5")
        == "can't parse entities"
    )
    assert (
        reason_of('Forbidden: bot "my secret" was blocked by the user') == 'bot "…" was blocked by the user'
    )
    assert reason_of("Unauthorized") == "Unauthorized"
