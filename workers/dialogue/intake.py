"""A customer's message comes in: it is taken in at once, whoever owns the conversation and whatever is down."""

from parley.domain.conversation import MERGE_MESSAGES, Reading, TurnMessage
from schemas.conversation_events import ConversationStarted, MessageReceived
from schemas.outbound import CustomerArrived, CustomerMessage
from schemas.parts import Channel
from schemas.work import UnderstandingRequested
from workers.dialogue.attachments import answer_files, is_file, is_worded, take_files
from workers.dialogue.moves import Moves


def conversation_started(moves: Moves, body: ConversationStarted) -> None:
    language = body.language if body.language in moves.tenant.languages else moves.tenant.default_language
    _write_on(moves, body.channel)
    moves.set(language=language)
    if body.source is not None:
        moves.out(CustomerArrived, source=body.source)


def message_received(moves: Moves, body: MessageReceived) -> None:
    """Into the running turn, into a new one, or to the human who owns the conversation; to a file alone the bot has its own answer."""
    on_call = moves.state.channel == "call"
    if moves.state.status == "closed" and not on_call:
        moves.set(status="open")
        moves.change_owner("bot", "reopened")
    _write_on(moves, body.channel)
    moves.out(CustomerMessage, message_id=body.message_id, text=body.text, attachments=body.attachments)
    if body.text:
        moves.state = moves.state.remember("customer", body.text)
    if body.text and body.album is not None:
        moves.set(worded_album=body.album)
    # A file has nothing to understand.
    reading = None if body.text else Reading(moves.state.language)
    message = TurnMessage(body.message_id, body.text, reading, arrived_at=moves.at)
    if moves.state.owner == "human":
        moves.settle((body.message_id,), "handed_over")
    elif on_call:  # it has ended, and no bot speaks in it
        moves.settle((body.message_id,), "closed")
    elif is_file(message) and moves.state.owner == "bot" and is_worded(moves, body.album):
        moves.settle((body.message_id,), "merged")
    elif is_file(message) and moves.state.owner == "bot":
        answer_files(moves, (message,))
    elif moves.state.turn is None:
        begin_turn(moves, (message,))
    elif moves.state.owner == "queue" or not moves.state.turn.takes(moves.at):
        moves.set(later=(*moves.state.later, message))
    else:
        merge(moves, message)


def _write_on(moves: Moves, channel: Channel) -> None:
    """A customer may go on elsewhere. A call stays one, and no written word makes one."""
    if "call" not in (moves.state.channel, channel):
        moves.set(channel=channel)


def merge(moves: Moves, message: TurnMessage) -> None:
    """The customer went on while the bot was answering: both are answered together, under a new epoch."""
    moves.raise_epoch("new_message")
    turn = moves.state.turn
    assert turn is not None  # the caller has seen one
    moves.set_turn(messages=(*turn.messages, message))
    request_understanding(moves, message)


def begin_turn(moves: Moves, messages: tuple[TurnMessage, ...]) -> None:
    """Open a turn for these messages and have them understood, as far as they have a text."""
    moves.open_turn(messages)
    for message in messages:
        if not is_file(message):
            request_understanding(moves, message)


def begin_next_turn(moves: Moves) -> None:
    """Once a turn is settled: what waited for it becomes the next one, no more messages than a turn may merge."""
    if moves.state.owner == "human":
        moves.settle(tuple(message.message_id for message in moves.take_later()), "handed_over")
        return
    answer_files(moves, take_files(moves))
    if moves.state.later:
        begin_turn(moves, moves.take_later(MERGE_MESSAGES))


def request_understanding(moves: Moves, message: TurnMessage) -> None:
    turn = moves.state.turn
    assert turn is not None  # only messages of an open turn are understood
    moves.emit(
        UnderstandingRequested(
            message_id=message.message_id,
            text=message.text,
            language_hint=moves.state.language,
            epoch=moves.state.epoch,
            deadline=turn.deadline,
        )
    )
