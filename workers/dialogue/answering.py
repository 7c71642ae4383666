"""What came of an answer that was asked for: a text, nothing, or a failure. A stale result changes nothing."""

from schemas.base import GenerationId
from schemas.conversation_events import GenerationFailed, NothingFound, ReplyGenerated, RetrievalFailed
from schemas.outbound import CommandRejected, DraftReady
from schemas.parts import Citation, Passage
from workers.dialogue.intake import begin_next_turn
from workers.dialogue.moves import Moves
from workers.dialogue.turns import apologise, ask_shorter, finish


def reply_generated(moves: Moves, body: ReplyGenerated) -> None:
    """Said if it is the running turn's, of the present epoch, and passed the guard; else the bot admits to knowing nothing."""
    if _is_draft(moves, body.generation_id):
        if body.guard.passed:
            moves.out(
                DraftReady,
                generation_id=body.generation_id,
                text=body.text,
                citations=cite(body.passages, body.cited),
            )
            moves.set(draft=None)
        else:
            _no_draft(moves)
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
    if _is_draft(moves, body.generation_id):
        _no_draft(moves)
    elif _current(moves, body.generation_id, body.epoch):
        finish(moves, "nothing_found", "nothing_found", offer_human=True)


def generation_failed(moves: Moves, body: GenerationFailed | RetrievalFailed) -> None:
    if _is_draft(moves, body.generation_id):
        _no_draft(moves)
    elif _current(moves, body.generation_id, body.epoch) and not (
        body.reason == "too_long" and ask_shorter(moves)
    ):
        apologise(moves)


def cite(passages: tuple[Passage, ...], cited: tuple[str, ...]) -> tuple[Citation, ...]:
    """One citation an article, in the order in which the text first uses it."""
    by_chunk = {passage.chunk_id: passage for passage in passages}
    used = [by_chunk[chunk_id] for chunk_id in cited if chunk_id in by_chunk]
    by_article = {passage.article_id: passage for passage in reversed(used)}
    order = dict.fromkeys(passage.article_id for passage in used)
    return tuple(
        Citation(id=article_id, title=by_article[article_id].title, url=by_article[article_id].url)
        for article_id in order
    )


def _current(moves: Moves, generation_id: GenerationId, epoch: int) -> bool:
    """Is this the generation that the running turn waits for, asked under the present epoch?"""
    turn = moves.state.turn
    return (
        turn is not None
        and moves.state.owner == "bot"
        and turn.generation_id == generation_id
        and moves.state.epoch == epoch
    )


def _is_draft(moves: Moves, generation_id: GenerationId) -> bool:
    return moves.state.draft is not None and moves.state.draft.generation_id == generation_id


def _no_draft(moves: Moves) -> None:
    draft = moves.state.draft
    assert draft is not None  # the caller has seen one
    moves.out(CommandRejected, command_id=draft.command_id, reason="nothing_to_draft")
    moves.set(draft=None)
