"""What came of an answer that was asked for: a text, nothing, or a failure. A stale result changes nothing."""

from schemas.base import GenerationId
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated, RetrievalFailed
from workers.dialogue.citing import cite
from workers.dialogue.drafts import draft_written, is_draft, no_draft, nothing_to_draft, shorten_draft
from workers.dialogue.intake import begin_next_turn
from workers.dialogue.moves import Moves
from workers.dialogue.turns import apologise, ask_shorter, finish


def reply_generated(moves: Moves, body: ReplyGenerated) -> None:
    """Said if it is the running turn's, of the present epoch, and passed the guard; else the bot admits to knowing nothing."""
    if is_draft(moves, body.generation_id):
        draft_written(moves, body)
        return
    turn = moves.state.turn
    if turn is None or not _current(moves, body.generation_id, body.epoch) or body.purpose != "reply":
        return
    if not body.guard.passed or not body.text.strip():
        moves.raise_epoch("failed")
        finish(moves, "nothing_found", "nothing_found", offer_human=True)
        return
    reply_id = moves.reply(
        "answer",
        body.text,
        turn.message_ids,
        language=moves.state.language,
        citations=cite(body.passages, body.cited),
        generation_id=body.generation_id,
        model=body.model,
        adapter=body.adapter,
    )
    moves.set(asked_about=None)
    moves.end_turn("answered", reply_id)
    begin_next_turn(moves)


def nothing_found(moves: Moves, body: NothingFound) -> None:
    if is_draft(moves, body.generation_id):
        nothing_to_draft(moves, body)
    elif _current(moves, body.generation_id, body.epoch):
        finish(moves, "nothing_found", "nothing_found", offer_human=True)


def generation_failed(moves: Moves, body: GenerationFailed | RetrievalFailed) -> None:
    too_long = body.reason == "too_long"
    if is_draft(moves, body.generation_id):
        if not (too_long and shorten_draft(moves)):
            no_draft(moves)
    elif _current(moves, body.generation_id, body.epoch) and not (too_long and ask_shorter(moves)):
        apologise(moves)


def _current(moves: Moves, generation_id: GenerationId, epoch: int) -> bool:
    """Is this the generation that the running turn waits for, asked under the present epoch?"""
    turn = moves.state.turn
    return (
        turn is not None
        and moves.state.owner == "bot"
        and turn.generation_id == generation_id
        and moves.state.epoch == epoch
    )
