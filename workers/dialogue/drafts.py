"""Drafts: answers that only the human agent sees who asked for one."""

from datetime import timedelta

from parley.domain.conversation import Draft, can_shorten, shown
from parley.domain.evolving import evolve
from schemas.base import GenerationId
from schemas.conversation_events import ReplyGenerated
from schemas.outbound import CommandRejected, DraftReady
from schemas.work import AnswerRequested
from workers.dialogue.citing import cite
from workers.dialogue.moves import Moves, follow_id


def begin_draft(moves: Moves) -> bool:
    """Ask for an answer to what the customer said last. False where the customer has said nothing."""
    return _ask(
        moves,
        Draft(
            generation_id=_new_generation(moves),
            command_id=moves.event.envelope.event_id,
            deadline=moves.at + timedelta(seconds=moves.tenant.limits.message_deadline_s),
        ),
    )


def shorten_draft(moves: Moves) -> bool:
    """The prompt did not fit: ask again with half of the history. False where there is none left to leave out, or nobody waits any more."""
    draft = moves.state.draft
    assert draft is not None  # the caller has seen one
    if moves.state.owner != "human" or not can_shorten(moves.state.history, draft.shortened):
        return False
    return _ask(moves, evolve(draft, generation_id=_new_generation(moves), shortened=draft.shortened + 1))


def is_draft(moves: Moves, generation_id: GenerationId) -> bool:
    return moves.state.draft is not None and moves.state.draft.generation_id == generation_id


def draft_written(moves: Moves, body: ReplyGenerated) -> None:
    if not body.guard.passed:
        no_draft(moves)
        return
    moves.out(
        DraftReady,
        generation_id=body.generation_id,
        text=body.text,
        citations=cite(body.passages, body.cited),
    )
    moves.set(draft=None)


def no_draft(moves: Moves) -> None:
    draft = moves.state.draft
    assert draft is not None  # the caller has seen one
    moves.out(CommandRejected, command_id=draft.command_id, reason="nothing_to_draft")
    moves.set(draft=None)


def _new_generation(moves: Moves) -> GenerationId:
    return GenerationId(follow_id(moves.event, "generation"))


def _ask(moves: Moves, draft: Draft) -> bool:
    history = moves.state.history
    question = next((line.text for line in reversed(history) if line.speaker == "customer"), None)
    if question is None or draft.deadline is None:
        return False
    moves.set(draft=draft)
    moves.emit(
        AnswerRequested(
            generation_id=draft.generation_id,
            purpose="draft",
            message_ids=(),
            question=question,
            history=shown(history, draft.shortened),
            language=moves.state.language,
            epoch=moves.state.epoch,
            deadline=draft.deadline,
            adapter=moves.tenant.model.adapter,
        )
    )
    return True
