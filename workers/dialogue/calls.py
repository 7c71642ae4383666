"""A call that a human agent has with a customer: what both say becomes messages, and the agent alone is helped. The bot never speaks into it."""

from datetime import UTC, datetime, timedelta

from parley.domain.following import goes_on_asking, says_little
from parley.domain.routing import HandOff, LookUp, Say, plan_of
from schemas.base import MAX_MESSAGE_CHARS, MessageId
from schemas.conversation_events import (
    CallStateReported,
    ConversationAnalysed,
    MessageUnderstood,
    SpeechTranscribed,
    SpokenTurn,
    UnderstandingFailed,
)
from schemas.other_events import QueueLeft
from schemas.outbound import (
    AgentMessage,
    AnalysisReady,
    CallImported,
    CallStateChanged,
    CustomerMessage,
    MessageRead,
)
from schemas.parts import CallOrigin, RiskKind, ScoredIntent
from schemas.work import UnderstandingRequested
from workers.dialogue.drafts import suggest, suggest_text
from workers.dialogue.ending import close
from workers.dialogue.heard import cut, hear, is_only_data
from workers.dialogue.intake import begin_next_turn
from workers.dialogue.moves import Moves
from workers.dialogue.watching import analyse, keep_watch, late_words

HELP_WITHIN = timedelta(seconds=10)
"""A suggestion that comes later is for a moment that has passed."""
INTENTS_SHOWN = 3
CUTS = ("hold", "resumed")
"""After which a question begins anew."""
UNKNOWN = "unknown"


def speech_transcribed(moves: Moves, body: SpeechTranscribed) -> None:
    """Each turn a message, as of the moment it was said; the customer's are a human's to answer."""
    _take_as_call(moves, lives=body.live)
    heard: list[MessageId] = []
    for turn in body.turns:
        _say(moves, turn, _moment(moves, body.started_at, turn.spoken.start_ms))
        if turn.speaker == "customer":
            heard.append(turn.message_id)
    moves.settle(tuple(heard), "handed_over")
    last = body.turns[-1]
    if moves.state.status == "closed":  # a recogniser's last words may come after the hang-up
        late_words(moves)
    elif body.live and last.speaker == "customer":  # who is not on hold any more, be that told or not
        keep_watch(moves, held=False)
        _have_understood(moves, last)
    elif body.live:
        keep_watch(moves)


def state_reported(moves: Moves, body: CallStateReported) -> None:
    at = _moment(moves, body.started_at, body.at_ms)
    match body.kind:
        case "started" | "transfer":
            _hand_to(moves, body, at)
        case "imported":
            moves.out(CallImported, at=at, origin=body.origin or CallOrigin())
        case "hang_up":
            _take_as_call(moves)
            close(moves, "customer" if body.by == "customer" else "system", at)
            analyse(moves)
        case _:
            _take_as_call(moves, lives=body.kind == "resumed")
            moves.out(
                CallStateChanged, at=at, kind=body.kind, at_ms=body.at_ms, by=body.by, detail=body.detail
            )
            if body.kind in CUTS:
                cut(moves)
            if moves.state.status == "open":
                keep_watch(moves, held={"hold": True, "resumed": False}.get(body.kind))


def understood(moves: Moves, body: MessageUnderstood) -> None:
    """For the agent: what the customer means, and what can be answered."""
    moves.out(
        MessageRead,
        message_id=body.message_id,
        language=body.language if body.language in moves.tenant.languages else moves.state.language,
        intents=body.intents[:INTENTS_SHOWN],
        risks=body.risks,
        entities=body.entities,
    )
    _help(moves, body.message_id, body.intents, tuple(risk.kind for risk in body.risks))


def not_understood(moves: Moves, body: UnderstandingFailed) -> None:
    """Without its intent a message is looked up all the same, as a chat's is."""
    _help(moves, body.message_id, (), ())


def analysed(moves: Moves, body: ConversationAnalysed) -> None:
    moves.out(AnalysisReady, up_to_seq=body.up_to_seq, analysis=body.analysis)


def _help(
    moves: Moves, message_id: MessageId, intents: tuple[ScoredIntent, ...], risks: tuple[RiskKind, ...]
) -> None:
    """Only with what was said last, and while the call runs: an older question is past."""
    asked = moves.state.heard
    if moves.state.status == "closed" or asked is None or asked.message_id != message_id:
        return
    match plan_of(asked.text, intents, risks, moves.tenant):
        case HandOff() as plan:
            _help_with_risk(moves, message_id, plan)
        case LookUp(intent=intent) if not is_only_data(asked.text):
            if intent is not None or not says_little(asked.text) or goes_on_asking(asked.text):
                suggest(moves, message_id, intent, moves.at + HELP_WITHIN)
        case Say(asks=True) as plan:
            suggest_text(moves, message_id, moves.tenant.text(plan.reply, moves.state.language))


def _help_with_risk(moves: Moves, message_id: MessageId, plan: HandOff) -> None:
    """What the tenant has approved for it at once, and with it what the articles say; to one whose life is at risk no article speaks."""
    approved = "" if plan.reply is None else moves.tenant.text(plan.reply, moves.state.language)
    if "self_harm" not in plan.risks:
        suggest(moves, message_id, plan.intent, moves.at + HELP_WITHIN, approved)
    if approved:
        suggest_text(moves, message_id, approved)


def _say(moves: Moves, turn: SpokenTurn, at: datetime) -> None:
    if turn.speaker == "customer":
        moves.out(CustomerMessage, at=at, message_id=turn.message_id, text=turn.text, spoken=turn.spoken)
        hear(moves, turn)
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
    """To a human agent from the first moment on: no word of the bot's can come before. A call that was hung up stays so."""
    if body.kind == "started":
        moves.set(language=moves.tenant.spoken(body.language) or moves.tenant.default_language)
    moves.set(channel="call")
    cut(moves)
    state = moves.state
    if state.status == "closed" and not state.lapsed:
        return
    agent = body.human_agent_id or UNKNOWN
    if state.lapsed or state.owner != "human" or state.human_agent_id != agent:
        _give_to(moves, agent, body.human_agent_name or UNKNOWN, at)
    keep_watch(moves, held=False)


def _take_as_call(moves: Moves, *, lives: bool = False) -> None:
    """A human agent has it, also where its beginning is not in the log. What `lives` though the watch had ended it goes on under its agent."""
    moves.set(channel="call")
    state = moves.state
    unowned = state.status == "open" and state.owner != "human"
    if unowned or (state.lapsed and lives):
        _give_to(moves, state.human_agent_id or UNKNOWN, state.human_agent_name or UNKNOWN)


def _give_to(moves: Moves, agent: str, name: str, at: datetime | None = None) -> None:
    """This human agent owns the call and all that was open in its conversation."""
    if moves.state.owner == "queue":
        moves.emit(QueueLeft(epoch=moves.state.epoch))
    lapsed = moves.state.lapsed
    moves.set(status="open", lapsed=False, held=False)
    moves.change_owner("human", "reopened" if lapsed else "claimed", agent, name, at)
    moves.end_turn("handed_over")
    begin_next_turn(moves)


def _moment(moves: Moves, started_at: datetime, milliseconds: int) -> datetime:
    """When something happened on a call; now, where a source counts beyond the calendar's end."""
    try:
        return (started_at + timedelta(milliseconds=milliseconds)).astimezone(UTC)
    except OverflowError:
        return moves.at


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
