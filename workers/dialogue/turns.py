"""A turn on its way: understood, routed, and ended by its deadline where nothing else ends it."""

from itertools import takewhile
from typing import Literal

from parley.domain import routing
from parley.domain.conversation import Reading, Turn, can_shorten, question_of, shown
from parley.domain.hours import is_open
from schemas.base import GenerationId, MessageId
from schemas.conversation_events import MessageFailed, MessageUnderstood, TimerFired, UnderstandingFailed
from schemas.other_events import QueueJoined
from schemas.parts import Outcome
from schemas.work import AnswerRequested
from workers.dialogue import calls, watching
from workers.dialogue.intake import begin_next_turn
from workers.dialogue.moves import Moves, follow_id


def message_understood(moves: Moves, body: MessageUnderstood) -> None:
    if moves.state.channel == "call":
        calls.understood(moves, body)
        return
    language = body.language if body.language in moves.tenant.languages else moves.state.language
    reading = Reading(language, body.intents, tuple(risk.kind for risk in body.risks))
    moves.set(language=language)
    _read(moves, body.message_id, reading)


def understanding_failed(moves: Moves, body: UnderstandingFailed) -> None:
    """Without its intent a message is looked up all the same: the articles may still answer it."""
    if moves.state.channel == "call":
        calls.not_understood(moves, body)
        return
    _read(moves, body.message_id, Reading(moves.state.language))


def _read(moves: Moves, message_id: MessageId, reading: Reading) -> None:
    turn = moves.state.turn
    if turn is None or moves.state.owner != "bot":
        return
    after = turn.read(message_id, reading)
    if after is turn:
        return
    moves.set(turn=after)
    if after.understood:
        carry_out(moves, routing.plan(after, moves.tenant))


def carry_out(moves: Moves, plan: routing.Plan) -> None:
    moves.set(last_intent=plan.intent)
    moves.set_turn(intent=plan.intent)
    match plan:
        case routing.HandOff():
            hand_off(moves, plan)
        case routing.LookUp():
            look_up(moves, plan)
        case _:
            say(moves, plan)


def hand_off(moves: Moves, plan: routing.HandOff) -> None:
    """To the queue; the turn stays open until the assignment worker has found somebody or nobody."""
    moves.set_turn(reply=plan.reply)
    join_queue(moves, "handoff", plan.intent)


def join_queue(moves: Moves, reason: Literal["handoff", "released"], intent: str | None = None) -> None:
    """Wait for a human agent, under a ticket by which the assignment that answers it is known from an earlier one's."""
    moves.change_owner("queue", reason)
    ticket = moves.emit(
        QueueJoined(
            epoch=moves.state.epoch,
            language=moves.state.language,
            intent=intent,
            open_now=is_open(moves.tenant.hours, moves.at),
        )
    )
    moves.set(ticket=ticket)


def look_up(moves: Moves, plan: routing.LookUp) -> None:
    turn = moves.state.turn
    assert turn is not None  # plans are made for open turns only
    generation_id = GenerationId(follow_id(moves.event, "generation"))
    moves.set_turn(generation_id=generation_id)
    asked = moves.state.asked_about
    moves.emit(
        AnswerRequested(
            generation_id=generation_id,
            message_ids=turn.message_ids,
            question=question_of(plan.texts if asked is None else (asked, *plan.texts)),
            history=shown(moves.state.history, turn.shortened),
            language=moves.state.language,
            intent=plan.intent,
            epoch=moves.state.epoch,
            deadline=turn.deadline,
            adapter=moves.tenant.model.adapter,
        )
    )


def ask_shorter(moves: Moves) -> bool:
    """The prompt did not fit: ask again with half of the history. False where there is none left to leave out."""
    turn = moves.state.turn
    assert turn is not None  # the caller has seen one
    plan = routing.plan(turn, moves.tenant)
    if not can_shorten(moves.state.history, turn.shortened) or not isinstance(plan, routing.LookUp):
        return False
    moves.set_turn(shortened=turn.shortened + 1)
    look_up(moves, plan)
    return True


def say(moves: Moves, plan: routing.Say) -> None:
    turn = moves.state.turn
    assert turn is not None  # plans are made for open turns only
    asked_about = question_of([message.text for message in turn.messages]) if plan.asks else None
    finish(moves, "ask" if plan.asks else "canned", plan.reply, asked_about=asked_about)


def finish(
    moves: Moves,
    kind: Literal["ask", "canned", "handoff", "nothing_found", "apology"],
    *canned_ids: str,
    outcome: Outcome = "answered",
    offer_human: bool = False,
    asked_about: str | None = None,
) -> None:
    """End the running turn with canned texts, then go on with what waited."""
    turn = moves.state.turn
    assert turn is not None  # the caller has one to end
    language = moves.state.language
    text = "\n\n".join(moves.tenant.text(canned_id, language) for canned_id in canned_ids)
    reply_id = moves.reply(kind, text, turn.message_ids, language=language, offer_human=offer_human)
    moves.set(asked_about=asked_about)
    moves.end_turn(outcome, reply_id)
    begin_next_turn(moves)


def apologise(moves: Moves) -> None:
    """The turn failed: take back what was shown in part, say so, offer a human; once for all whose time is up."""
    turn = moves.state.turn
    assert turn is not None  # the caller has one to end
    moves.raise_epoch("failed")
    due = list(takewhile(lambda message: moves.due_at(message) <= moves.at, moves.state.later))
    moves.set_turn(messages=(*turn.messages, *moves.take_later(len(due))))
    finish(moves, "apology", "apology", outcome="failed", offer_human=True)


def timer_fired(moves: Moves, body: TimerFired) -> None:
    """The backstop: whatever became of the turn's work, the customer hears something by the deadline."""
    if body.purpose == "idle_close":
        watching.time_is_up(moves, body)
        return
    turn = moves.state.turn
    if turn is None or turn.timer_id != body.timer_id:
        return
    if moves.state.owner == "queue":
        nobody_there(moves, turn)
    else:
        apologise(moves)


def nobody_there(moves: Moves, turn: Turn) -> None:
    """Say honestly that no human is there now, and go on as the bot."""
    moves.change_owner("bot", "nobody_present")
    open_now = is_open(moves.tenant.hours, moves.at)
    said = [turn.reply] if turn.reply is not None else []
    finish(moves, "handoff", *said, "handoff_nobody" if open_now else "handoff_closed")


def message_failed(moves: Moves, body: MessageFailed) -> None:
    """A record was skipped. Its message, if it had one, never came in; otherwise the running turn cannot go on."""
    if body.message_id is None:
        if moves.state.turn is not None:
            apologise(moves)
        return
    if moves.state.channel == "call":  # nothing is said to its customer
        moves.settle((body.message_id,), "failed")
        return
    language = moves.state.language
    text = moves.tenant.text("apology", language)
    reply_id = moves.reply("apology", text, (body.message_id,), language=language, offer_human=True)
    moves.settle((body.message_id,), "failed", reply_id)
