"""What of a customer's words on a call is one question: pieces that follow each other, until a suggestion was given, or something else ended it."""

from itertools import dropwhile

from parley.domain.conversation import TurnMessage
from parley.domain.following import goes_on_asking
from parley.domain.masking.found import ANY_PLACEHOLDER
from parley.domain.words import terms
from schemas.base import MAX_MESSAGE_CHARS, MessageId
from schemas.conversation_events import SpokenTurn
from workers.dialogue.moves import Moves

QUIET_MS = 8_000
"""So long a silence ends a question. Within one there are pauses of a second or two."""
MOST_PIECES = 10


def hear(moves: Moves, turn: SpokenTurn) -> None:
    """The customer's next words, before they are part of the history."""
    before = moves.state
    said = TurnMessage(turn.message_id, turn.text[:MAX_MESSAGE_CHARS])
    goes_on = (
        bool(before.history)
        and before.history[-1].speaker == "customer"
        and turn.spoken.start_ms - before.asking_until_ms <= QUIET_MS
    )
    pieces = (*(before.asking if goes_on else ()), said)
    moves.set(heard=said, asking=pieces[-MOST_PIECES:], asking_until_ms=turn.spoken.end_ms)


def cut(moves: Moves) -> None:
    """What is said from now on is another question."""
    moves.set(asking=())


def answered(moves: Moves, answers: MessageId | None) -> None:
    """A suggestion was given: only what the customer said after the message that it answers is still asked."""
    pieces = moves.state.asking
    if any(piece.message_id == answers for piece in pieces):
        moves.set(asking=tuple(dropwhile(lambda piece: piece.message_id != answers, pieces))[1:])


def is_only_data(text: str) -> bool:
    """Whether it is what somebody was asked for, such as a name and a day of birth, and nothing besides: no article answers that."""
    left = ANY_PLACEHOLDER.sub(" ", text)
    return left != text and len(set(terms(left))) <= 1 and not goes_on_asking(left)
