"""What a connection is shown: in order, once, and never below the epoch that it has seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.web.follow import Follower, MissedEvents
from connectors.web.frames import Cursor, Frame
from schemas.base import AnyEvent, GenerationId, MessageId, ReplyId
from schemas.outbound import (
    CustomerMessage,
    EpochRaised,
    MessageSettled,
    OwnerChanged,
    ReplyDelta,
    ReplyReady,
    Typing,
)
from schemas.parts import Settlement
from tests.support.web import event


def said(seq: int, epoch: int = 1) -> AnyEvent:
    return event(CustomerMessage(seq=seq, epoch=epoch, message_id=MessageId(f"m{seq}"), text=f"text {seq}"))


def raised(seq: int, epoch: int) -> AnyEvent:
    return event(EpochRaised(seq=seq, epoch=epoch, reason="new_message"))


def reply(seq: int, generation: str | None, epoch: int = 1) -> AnyEvent:
    generation_id = None if generation is None else GenerationId(generation)
    return event(
        ReplyReady(
            seq=seq, epoch=epoch, reply_id=ReplyId(f"r{seq}"), kind="answer", answers=(MessageId("m1"),), text="t",
            language="en", generation_id=generation_id,
        )
    )  # fmt: skip


def piece(index: int, generation: str = "g", attempt: str = "a", epoch: int = 1) -> ReplyDelta:
    return ReplyDelta(
        generation_id=GenerationId(generation), attempt=attempt, epoch=epoch, index=index, text=str(index)
    )


def kinds(frames: list[Frame]) -> list[str]:
    return [frame.type for frame in frames]


def test_events_pass_in_order_and_once() -> None:
    follower = Follower(Cursor())
    assert kinds(follower.outbound(said(1))) == ["message"]
    assert follower.outbound(said(1)) == []
    assert kinds(follower.outbound(said(2))) == ["message"]
    assert follower.cursor == Cursor(2, 1)


def test_a_gap_is_noticed_and_changes_nothing() -> None:
    follower = Follower(Cursor(3, 1))
    with pytest.raises(MissedEvents) as missed:
        follower.outbound(said(5))
    assert missed.value.after_seq == 3
    assert follower.cursor == Cursor(3, 1)


def test_events_for_staff_only_move_the_cursor() -> None:
    follower = Follower(Cursor(1, 1))
    settled = MessageSettled(
        seq=2, epoch=1, settlements=(Settlement(message_id=MessageId("m"), outcome="answered"),)
    )
    assert follower.outbound(event(settled)) == []
    assert follower.cursor == Cursor(2, 1)


def test_deltas_pass_from_the_first_on_and_each_once() -> None:
    follower = Follower(Cursor(1, 1))
    assert kinds(follower.delta(piece(0))) == ["delta"]
    assert follower.delta(piece(0)) == []
    assert kinds(follower.delta(piece(1))) == ["delta"]


def test_a_connection_that_came_too_late_for_the_first_delta_waits_for_the_reply() -> None:
    follower = Follower(Cursor(1, 1))
    assert follower.delta(piece(3)) == []
    assert kinds(follower.outbound(reply(2, "g"))) == ["reply"]


def test_a_gap_in_the_deltas_takes_them_back() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0))
    assert kinds(follower.delta(piece(2))) == ["retracted"]
    assert follower.delta(piece(1)) == []
    assert follower.delta(piece(0, attempt="b")) == []
    assert kinds(follower.outbound(reply(2, "g"))) == ["reply"]


def test_another_attempt_takes_back_what_the_first_had_shown() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0))
    assert kinds(follower.delta(piece(0, attempt="b"))) == ["retracted"]
    assert follower.delta(piece(1, attempt="b")) == []


def test_the_reply_replaces_its_own_deltas_without_taking_them_back() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0))
    assert kinds(follower.outbound(reply(2, "g"))) == ["reply"]
    assert follower.delta(piece(1)) == []


def test_an_apology_takes_back_what_was_shown() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0))
    assert kinds(follower.outbound(reply(2, None))) == ["retracted", "reply"]


def test_a_new_epoch_takes_back_and_fences() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0))
    frames = follower.outbound(raised(2, epoch=2))
    assert [(frame.type, frame.fields["epoch"]) for frame in frames] == [("retracted", 2)]
    assert follower.delta(piece(1)) == []
    assert follower.delta(piece(0, generation="old", epoch=1)) == []
    assert kinds(follower.delta(piece(0, generation="new", epoch=2))) == ["delta"]


def test_a_change_of_owner_takes_back_before_it_is_told() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0))
    changed = OwnerChanged(seq=2, epoch=2, owner="human", human_agent_name="Ada", reason="claimed")
    assert kinds(follower.outbound(event(changed))) == ["retracted", "owner"]


def test_a_delta_that_overtook_the_raise_of_its_epoch_raises_it() -> None:
    follower = Follower(Cursor(1, 1))
    follower.delta(piece(0, generation="old"))
    assert kinds(follower.delta(piece(0, generation="new", epoch=2))) == ["retracted", "delta"]
    assert follower.delta(piece(1, generation="old")) == []
    # The raise itself comes later, and must not take back what already belongs to it.
    assert kinds(follower.outbound(raised(2, epoch=2))) == []
    assert kinds(follower.delta(piece(1, generation="new", epoch=2))) == ["delta"]


def test_witnessed_replies_are_over() -> None:
    follower = Follower(Cursor(5, 1))
    follower.witness(reply(4, "g"))
    assert follower.delta(piece(0)) == []


def test_history_steps_over_what_cannot_be_read_and_forgets_who_was_typing() -> None:
    follower = Follower(Cursor(1, 1))
    assert kinds(follower.recall(said(4))) == ["message"]
    assert follower.recall(event(Typing(seq=5, epoch=1, who="bot", on=True))) == []
    follower.skip_to(9, 3)
    assert follower.cursor == Cursor(9, 3)
    assert kinds(follower.outbound(said(10, epoch=3))) == ["message"]


PIECES = st.builds(
    lambda generation, attempt, index: piece(index, f"g{generation}", attempt, epoch=generation),
    st.integers(1, 3), st.sampled_from("ab"), st.integers(0, 4),
)  # fmt: skip


@given(st.lists(st.one_of(PIECES, st.integers(1, 3)), max_size=40))
def test_whatever_comes_no_word_is_below_the_epoch_and_every_shown_piece_follows_its_predecessor(
    steps: list[ReplyDelta | int],
) -> None:
    follower = Follower(Cursor())
    seq = highest = 0
    partial: tuple[str, str, int] | None = None
    for step in steps:
        if isinstance(step, int):
            seq, highest = seq + 1, max(highest, step)
            frames = follower.outbound(raised(seq, epoch=highest))
        else:
            highest = max(highest, step.epoch)
            frames = follower.delta(step)
        for frame in frames:
            if frame.type == "retracted":
                assert partial is not None and frame.fields["generation_id"] == partial[0]
                partial = None
                continue
            fields = frame.fields
            assert fields["epoch"] == highest
            now = (str(fields["generation_id"]), str(fields["attempt"]), int(str(fields["index"])))
            assert now[2] == 0 if partial is None else now == (partial[0], partial[1], partial[2] + 1)
            partial = now
