"""The end of a conversation, whoever brings it about: everything that is open in it ends too."""

from datetime import datetime
from typing import Literal

from schemas.other_events import QueueLeft
from schemas.outbound import Closed
from workers.dialogue.moves import Moves


def close(moves: Moves, by: Literal["customer", "human_agent", "system"], at: datetime | None = None) -> None:
    """Now, or since `at`. Nothing happens to one that is closed, but that a call which had ended in silence alone has ended for good."""
    moves.set(lapsed=False)
    if moves.state.status == "closed":
        return
    if moves.state.owner == "queue":
        moves.emit(QueueLeft(epoch=moves.state.epoch))
    moves.raise_epoch("closed")
    moves.end_turn("closed")
    moves.settle(tuple(message.message_id for message in moves.take_later()), "closed")
    if moves.state.channel != "call":  # whose last words may come after its end, and are its agent's
        moves.set(human_agent_id=None, human_agent_name=None)
    moves.set(
        status="closed",
        owner="bot",
        draft=None,
        asked_about=None,
        ticket=None,
    )
    moves.out(Closed, at=at, by=by)
