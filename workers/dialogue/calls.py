"""A call that a human agent has with a customer: what both say becomes messages, and the agent alone is helped. The bot never speaks into it."""

from datetime import datetime, timedelta

from parley.domain.conversation import TurnMessage
from parley.domain.following import says_little
from parley.domain.routing import HandOff, LookUp, plan_of
from schemas.base import MAX_MESSAGE_CHARS, MessageId
from schemas.conversation_events import (
    CallStateReported,
    ConversationAnalysed,
    MessageUnderstood,
    SpeechTranscribed,
    SpokenTurn,
    TimerFired,
)
from schemas.outbound import (
    AgentMessage,
    AnalysisReady,
    CallStateChanged,
    CustomerMessage,
    MessageRead,
)
from schemas.work import AnalysisRequested, UnderstandingRequested
from workers.dialogue.drafts import suggest, suggest_text
from workers.dialogue.ending import close
from workers.dialogue.moves import Moves, follow_id

HELP_WITHIN = timedelta(seconds=10)
"""A suggestion that comes later is for a moment that has passed."""
SILENT = timedelta(hours=1)
"""A call of which nothing has been heard for so long has ended without anybody saying so."""
ANALYSED_WITHIN = timedelta(days=1)
"""Nobody waits for it, and of a night's import thousands may stand before it."""
INTENTS_SHOWN = 3
UNKNOWN = "unknown"


def speech_transcribed(moves: Moves, body: SpeechTranscribed) -> None:
    """Each turn a message, as of the moment it was said; the customer's are a human's to answer."""
    heard: list[MessageId] = []
    for turn in body.turns:
        _say(moves, turn, body.started_at + timedelta(milliseconds=turn.spoken.start_ms))
        if turn.speaker == "customer":
            heard.append(turn.message_id)
    moves.settle(tuple(heard), "handed_over")
    if moves.state.status == "closed":  # a recogniser's last words may come after the hang-up
        _analyse(moves)
    elif body.live:
        _keep_watch(moves)
        if body.turns[-1].speaker == "customer":
            _have_understood(moves, body.turns[-1])


def state_reported(moves: Moves, body: CallStateReported) -> None:
    at = body.started_at + timedelta(milliseconds=body.at_ms)
    match body.kind:
        case "started" | "transfer":
            _hand_to(moves, body, at)
        case "hang_up":
            close(moves, "customer" if body.by == "customer" else "system", at)
            _analyse(moves)
        case _:
            moves.out(
                CallStateChanged, at=at, kind=body.kind, at_ms=body.at_ms, by=body.by, detail=body.detail
            )
            _keep_watch(moves)


def understood(moves: Moves, body: MessageUnderstood) -> None:
    """For the agent: what the customer means, and what can be answered. Only to what was said last: an older question is past."""
    moves.out(
        MessageRead,
        message_id=body.message_id,
        language=body.language if body.language in moves.tenant.languages else moves.state.language,
        intents=body.intents[:INTENTS_SHOWN],
        risks=body.risks,
        entities=body.entities,
    )
    asked = moves.state.heard
    if asked is None or asked.message_id != body.message_id:
        return
    plan = plan_of(asked.text, body.intents, tuple(risk.kind for risk in body.risks), moves.tenant)
    if isinstance(plan, HandOff) or (
        isinstance(plan, LookUp) and (plan.intent or not says_little(asked.text))
    ):
        suggest(moves, body.message_id, plan.intent, moves.at + HELP_WITHIN)
    elif not isinstance(plan, LookUp) and plan.asks:
        suggest_text(moves, body.message_id, moves.tenant.text(plan.reply, moves.state.language))


def analysed(moves: Moves, body: ConversationAnalysed) -> None:
    moves.out(AnalysisReady, up_to_seq=body.up_to_seq, analysis=body.analysis)


def silent(moves: Moves, body: TimerFired) -> None:
    """The watch that was set when something was last known to be heard is over: the call is too, unless more was heard since."""
    state = moves.state
    if state.watch_id != body.timer_id:
        return
    moves.set(watch_id=None)
    if state.status == "closed":
        return
    if state.heard_at is not None and moves.at < state.heard_at + SILENT:
        _watch_until(moves, state.heard_at + SILENT)
    else:
        close(moves, "system")
        _analyse(moves)


def _say(moves: Moves, turn: SpokenTurn, at: datetime) -> None:
    if turn.speaker == "customer":
        moves.out(CustomerMessage, at=at, message_id=turn.message_id, text=turn.text, spoken=turn.spoken)
        moves.set(heard=TurnMessage(turn.message_id, turn.text[:MAX_MESSAGE_CHARS]))
    else:
        moves.out(
            AgentMessage,
            at=at,
            message_id=turn.message_id,
            human_agent_id=moves.state.human_agent_id or UNKNOWN,
            human_agent_name=turn.human_agent_name or moves.state.human_agent_name or UNKNOWN,
            text=turn.text,
            spoken=turn.spoken,
        )
    moves.state = moves.state.remember(turn.speaker, turn.text)


def _hand_to(moves: Moves, body: CallStateReported, at: datetime) -> None:
    """To a human agent from the first moment on: no word of the bot's can come before."""
    if body.kind == "started":
        spoken = moves.tenant.spoken(body.language)
        moves.set(channel="call", language=spoken or moves.tenant.default_language)
    agent = body.human_agent_id or UNKNOWN
    if moves.state.owner != "human" or moves.state.human_agent_id != agent:
        moves.change_owner("human", "claimed", agent, body.human_agent_name or UNKNOWN, at)
    _keep_watch(moves)


def _have_understood(moves: Moves, turn: SpokenTurn) -> None:
    moves.emit(
        UnderstandingRequested(
            message_id=turn.message_id,
            text=turn.text[:MAX_MESSAGE_CHARS],
            language_hint=moves.state.language,
            epoch=moves.state.epoch,
            deadline=moves.at + HELP_WITHIN,
        )
    )


def _analyse(moves: Moves) -> None:
    moves.emit(
        AnalysisRequested(
            up_to_seq=moves.state.seq, language=moves.state.language, deadline=moves.at + ANALYSED_WITHIN
        )
    )


def _keep_watch(moves: Moves) -> None:
    """One timer an hour, however much is said."""
    moves.set(heard_at=moves.at)
    if moves.state.watch_id is None:
        _watch_until(moves, moves.at + SILENT)


def _watch_until(moves: Moves, at: datetime) -> None:
    watch_id = follow_id(moves.event, "watch")
    moves.set(watch_id=watch_id)
    moves.set_timer(watch_id, at, "idle_close")
