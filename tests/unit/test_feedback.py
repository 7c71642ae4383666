"""What people thought of replies."""

import pytest

from parley.domain.readmodel import FeedbackRow
from schemas.base import EventId, ReplyId
from schemas.conversation_events import MessageFailed
from schemas.other_events import FeedbackGiven, QueueLeft
from tests.support.small_tenant import CONFIG, TENANT
from tests.support.stories import NINE, event
from workers.feedback import FeedbackDecider, Tally


def test_a_verdict_becomes_the_row_of_its_reply() -> None:
    told = event(FeedbackGiven(reply_id=ReplyId("r-1"), score=-1, comment="wrong card", by="human_agent"))
    decision = FeedbackDecider().handle(None, told, CONFIG)
    [row] = decision.projections
    assert row == FeedbackRow(
        conversation_id=told.envelope.conversation_id,
        reply_id=ReplyId("r-1"),
        by="human_agent",
        tenant=TENANT,
        customer_id=told.envelope.customer_id,
        score=-1,
        comment="wrong card",
        event_id=told.envelope.event_id,
        given_at=NINE,
    )
    assert (decision.state, decision.events) == (Tally(1), ())


def test_verdicts_are_counted_by_conversation() -> None:
    told = event(FeedbackGiven(reply_id=ReplyId("r-1"), score=1))
    decider = FeedbackDecider()
    assert decider.key(told.envelope) == "c-1"
    assert decider.handle(Tally(4), told, CONFIG).state == Tally(5)


def test_a_skipped_record_changes_nothing() -> None:
    told = event(MessageFailed(failed_event_id=EventId("x"), topic="feedback.events", partition=0, offset=1))
    for state in (None, Tally(3)):
        decision = FeedbackDecider().settle_failed(state, told, CONFIG)  # type: ignore[arg-type]  # the body is what the test made
        assert (decision.state, decision.projections) == (state or Tally(), ())


def test_an_event_of_another_topic_is_refused() -> None:
    with pytest.raises(TypeError, match=r"QueueLeft does not belong to feedback\.events"):
        FeedbackDecider().handle(None, event(QueueLeft(epoch=1)), CONFIG)
