"""Who owns the conversation: claims, releases, the queue's outcome, human agents' words, drafts for them, closing."""

import re
from typing import Literal

from parley.domain.readmodel import DeliveryRow
from schemas.base import UUID_PATTERN
from schemas.conversation_events import (
    AgentEditSubmitted,
    AgentMessageSubmitted,
    AssignmentFailed,
    AssignmentMade,
    ClaimRequested,
    CloseRequested,
    DeliveryReported,
    DraftRequested,
    ReleaseRequested,
)
from schemas.other_events import QueueLeft
from schemas.outbound import AgentMessage, CommandRejected, DeliveryChanged
from workers.dialogue.drafts import begin_draft
from workers.dialogue.editing import agent_wrote, edit_message
from workers.dialogue.ending import close
from workers.dialogue.intake import begin_next_turn
from workers.dialogue.moves import Moves
from workers.dialogue.turns import finish, join_queue, nobody_there

EVENT_ID = re.compile(UUID_PATTERN)


def assignment_made(moves: Moves, body: AssignmentMade) -> None:
    if _waited_for(moves):
        hand_to(moves, body.human_agent_id, body.human_agent_name, announce=True)


def assignment_failed(moves: Moves, body: AssignmentFailed) -> None:
    """Nobody is there: say so and go on as the bot, also where no turn is open (a release to an empty queue)."""
    if not _waited_for(moves):
        return
    turn = moves.state.turn
    if turn is not None:
        nobody_there(moves, turn)
    else:
        moves.change_owner("bot", "nobody_present")
        begin_next_turn(moves)


def claim_requested(moves: Moves, body: ClaimRequested) -> None:
    state = moves.state
    if state.status == "closed":
        reject(moves, "closed")
    elif state.owner == "human" and state.human_agent_id != body.human_agent_id and not body.force:
        reject(moves, "already_owned")
    elif state.human_agent_id != body.human_agent_id:
        if state.owner == "queue":
            moves.emit(QueueLeft(epoch=state.epoch))
        hand_to(moves, body.human_agent_id, body.human_agent_name, announce=False)


def hand_to(moves: Moves, human_agent_id: str, name: str, *, announce: bool) -> None:
    """The human agent owns the conversation and everything in it that is still open."""
    moves.change_owner("human", "claimed", human_agent_id, name)
    turn = moves.state.turn
    if announce and turn is not None:
        said = [turn.reply] if turn.reply is not None else []
        finish(moves, "handoff", *said, "handoff_waiting", outcome="handed_over")
    else:
        moves.end_turn("handed_over")
        begin_next_turn(moves)


def release_requested(moves: Moves, body: ReleaseRequested) -> None:
    """Of a chat: a call is between a customer and a human agent, whom a transfer alone changes."""
    if _is_call(moves):
        return
    if not _owned_by(moves, body.human_agent_id):
        reject(moves, "not_owner")
        return
    if body.to == "queue":
        join_queue(moves, "released")
    else:
        moves.change_owner("bot", "released")


def agent_message_submitted(moves: Moves, body: AgentMessageSubmitted) -> None:
    """On a call nothing brings the customer what is typed."""
    if _is_call(moves):
        return
    if not _owned_by(moves, body.human_agent_id):
        reject(moves, "not_owner")
        return
    moves.out(
        AgentMessage,
        message_id=body.message_id,
        human_agent_id=body.human_agent_id,
        human_agent_name=moves.state.human_agent_name,
        text=body.text,
    )
    agent_wrote(moves, body.message_id, body.human_agent_id, body.text)


def agent_edit_submitted(moves: Moves, body: AgentEditSubmitted) -> None:
    if _is_call(moves):
        return
    if not _owned_by(moves, body.human_agent_id):
        reject(moves, "not_owner")
    elif not edit_message(moves, body):
        reject(moves, "no_such_message")


def draft_requested(moves: Moves, body: DraftRequested) -> None:
    """Ask for an answer that only the human agent will see."""
    if not _owned_by(moves, body.human_agent_id):
        reject(moves, "not_owner")
    elif not begin_draft(moves):
        reject(moves, "nothing_to_draft")


def close_requested(moves: Moves, body: CloseRequested) -> None:
    closed = moves.state.status == "closed"
    if not closed and body.by == "human_agent" and not _owned_by(moves, body.human_agent_id):
        reject(moves, "not_owner")
    else:
        close(moves, body.by)


def delivery_reported(moves: Moves, body: DeliveryReported) -> None:
    """Reports may come twice and in any order: each is told and kept, and which of them holds is a matter of reading."""
    envelope = moves.event.envelope
    if EVENT_ID.fullmatch(body.outbound_id):  # any other is none of ours
        row = DeliveryRow(
            conversation_id=envelope.conversation_id,
            outbound_id=body.outbound_id,
            state=body.state,
            tenant=envelope.tenant,
            customer_id=envelope.customer_id,
            channel=body.channel,
            reason=None if body.reason is None else body.reason.replace("\x00", ""),
            told_at=envelope.occurred_at,
        )
        moves.project(row)
    moves.out(DeliveryChanged, outbound_id=body.outbound_id, state=body.state, reason=body.reason)


Rejection = Literal[
    "not_owner", "already_owned", "closed", "nothing_to_draft", "no_such_message", "not_on_a_call"
]


def reject(moves: Moves, reason: Rejection) -> None:
    moves.out(CommandRejected, command_id=moves.event.envelope.event_id, reason=reason)


def _is_call(moves: Moves) -> bool:
    """True where it is one: the command is rejected then."""
    if moves.state.channel != "call":
        return False
    reject(moves, "not_on_a_call")
    return True


def _waited_for(moves: Moves) -> bool:
    """Does this assignment answer the hand-off that is under way? One of an earlier hand-off, which comes late, decides nothing.

    A conversation that joined the queue under a release before tickets has none, and takes any.
    """
    return moves.state.owner == "queue" and moves.state.ticket in (None, moves.event.envelope.cause_id)


def _owned_by(moves: Moves, human_agent_id: str | None) -> bool:
    return moves.state.owner == "human" and moves.state.human_agent_id == human_agent_id
