"""Drafts: answers that only the human agent sees, who asked for one or is on a call."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import dropwhile, takewhile

from parley.domain.conversation import Draft, can_shorten, question_of, shown
from parley.domain.evolving import evolve
from schemas.base import GenerationId, MessageId
from schemas.conversation_events import MAX_ANSWER_CHARS, NothingFound, ReplyGenerated
from schemas.outbound import CommandRejected, DraftReady
from schemas.parts import Citation, HistoryTurn
from schemas.work import AnswerRequested, GenerationCancelled
from workers.dialogue.citing import articles, cite
from workers.dialogue.heard import answered
from workers.dialogue.moves import Moves, follow_id

NEXT_ARTICLES = 3


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


def suggest(
    moves: Moves, answers: MessageId, intent: str | None, deadline: datetime, approved: str = ""
) -> None:
    """Ask for an answer to this message on a call, which nobody had to ask for; what was being written to an earlier one is past.

    With an `approved` text the answer is to stand behind it.
    """
    heard = moves.state.heard
    assert heard is not None  # the caller helps with it
    pieces = moves.state.asking or (heard,)
    _ask(
        moves,
        Draft(
            generation_id=_new_generation(moves),
            command_id=None,
            deadline=deadline,
            answers=answers,
            intent=intent,
            question=question_of([piece.text for piece in pieces]),
            approved=approved,
        ),
    )


def suggest_text(moves: Moves, answers: MessageId, text: str) -> None:
    """A text of the tenant's own. It is no generation's, but has an id like one."""
    generation_id = GenerationId(follow_id(moves.event, "approved"))
    moves.out(DraftReady, generation_id=generation_id, text=text, answers=answers)
    answered(moves, answers)


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
    """Where the guard refuses the text, what it was written from may help all the same, on a call."""
    draft = moves.state.draft
    assert draft is not None  # the caller has seen one
    if not body.guard.passed and draft.command_id is not None:
        no_draft(moves)
        return
    citations = cite(body.passages, body.cited) if body.guard.passed else ()
    written = body.text if body.guard.passed else ""
    text = _behind(draft.approved, written)
    moves.out(
        DraftReady,
        generation_id=body.generation_id,
        text=text,
        citations=citations,
        answers=draft.answers,
        next_articles=_others(articles(body.passages), citations),
    )
    moves.set(draft=None)
    if text:
        answered(moves, draft.answers)


def nothing_to_draft(moves: Moves, body: NothingFound) -> None:
    """On a call the agent is told that the articles say nothing, and which are nearest; the tenant's own text stands."""
    draft = moves.state.draft
    assert draft is not None  # the caller has seen one
    nearest = articles(body.nearest)[:NEXT_ARTICLES]
    if draft.command_id is None and (nearest or not draft.approved):
        moves.out(
            DraftReady,
            generation_id=draft.generation_id,
            text=draft.approved,
            answers=draft.answers,
            next_articles=nearest,
        )
    no_draft(moves)


def no_draft(moves: Moves) -> None:
    """Whoever asked for one is told; on a call nobody did."""
    draft = moves.state.draft
    assert draft is not None  # the caller has seen one
    if draft.command_id is not None:
        moves.out(CommandRejected, command_id=draft.command_id, reason="nothing_to_draft")
    moves.set(draft=None)


def _behind(approved: str, written: str) -> str:
    """Both, where an answer has room for both."""
    both = "\n\n".join(each for each in (approved, written) if each)
    return both if len(both) <= MAX_ANSWER_CHARS else approved


def _others(found: Sequence[Citation], quoted: Sequence[Citation]) -> tuple[Citation, ...]:
    known = {citation.id for citation in quoted}
    return tuple(citation for citation in found if citation.id not in known)[:NEXT_ARTICLES]


def _said_last(history: Sequence[HistoryTurn]) -> list[str]:
    """The customer's last messages, with nobody's between them."""
    newest_first = dropwhile(lambda line: line.speaker != "customer", reversed(history))
    return [line.text for line in takewhile(lambda line: line.speaker == "customer", newest_first)][::-1]


def _new_generation(moves: Moves) -> GenerationId:
    return GenerationId(follow_id(moves.event, "generation"))


def _ask(moves: Moves, draft: Draft) -> bool:
    question = draft.question or question_of(_said_last(moves.state.history))
    if not question or draft.deadline is None:
        return False
    before = moves.state.draft
    if before is not None:
        moves.emit(GenerationCancelled(generation_id=before.generation_id, epoch=moves.state.epoch))
    moves.set(draft=draft)
    moves.emit(
        AnswerRequested(
            generation_id=draft.generation_id,
            purpose="draft",
            message_ids=() if draft.answers is None else (draft.answers,),
            question=question,
            history=shown(moves.state.history, draft.shortened),
            language=moves.state.language,
            intent=draft.intent,
            epoch=moves.state.epoch,
            deadline=draft.deadline,
            adapter=moves.tenant.model.adapter,
        )
    )
    return True
