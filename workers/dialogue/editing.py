"""A human agent says an earlier message of theirs otherwise."""

from parley.domain.conversation import AGENT_MESSAGES, AgentWords, text_mark
from parley.domain.evolving import evolve
from schemas.base import MessageId
from schemas.conversation_events import AgentEditSubmitted
from schemas.outbound import AgentMessageEdited
from schemas.parts import HistoryTurn
from workers.dialogue.moves import Moves


def agent_wrote(moves: Moves, message_id: MessageId, human_agent_id: str, text: str) -> None:
    """Remember the message, so that it can be edited as long as it is among the last ones."""
    words = AgentWords(message_id, human_agent_id, text_mark(text))
    moves.set(agent_words=(*moves.state.agent_words, words)[-AGENT_MESSAGES:])
    moves.state = moves.state.remember("human_agent", text)


def edit_message(moves: Moves, body: AgentEditSubmitted) -> bool:
    """False where the agent has no such message among the last ones."""
    words = next((each for each in moves.state.agent_words if each.message_id == body.message_id), None)
    if words is None or words.human_agent_id != body.human_agent_id:
        return False
    moves.out(
        AgentMessageEdited,
        message_id=body.message_id,
        human_agent_id=body.human_agent_id,
        human_agent_name=moves.state.human_agent_name,
        text=body.text,
    )
    edited = evolve(words, mark=text_mark(body.text))
    moves.set(
        agent_words=tuple(edited if each is words else each for each in moves.state.agent_words),
        history=_corrected(moves.state.history, words.mark, body.text),
    )
    return True


def _corrected(history: tuple[HistoryTurn, ...], mark: str, text: str) -> tuple[HistoryTurn, ...]:
    """What a prompt is shown from here on: the last line of an agent's that has this mark reads otherwise."""
    for place in reversed(range(len(history))):
        line = history[place]
        if line.speaker == "human_agent" and text_mark(line.text) == mark:
            changed = HistoryTurn(speaker="human_agent", text=text)
            return (*history[:place], changed, *history[place + 1 :])
    return history
