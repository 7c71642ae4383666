"""The watch over a call: when it has ended without anybody saying so, and when its end is read again because more was said after it."""

from datetime import datetime, timedelta

from schemas.conversation_events import TimerFired
from schemas.work import AnalysisRequested
from workers.dialogue.ending import close
from workers.dialogue.moves import Moves, follow_id

SILENT = timedelta(hours=1)
"""A call of which nothing has been heard for so long has ended without anybody saying so."""
HELD = timedelta(hours=4)
"""The same of a call on hold, where nobody is expected to say anything."""
LATE = timedelta(minutes=2)
"""So long after the first words that come behind the end it is analysed once more, with all that came by then."""
ANALYSED_WITHIN = timedelta(days=1)
"""Nobody waits for it, and of a night's import thousands may stand before it."""


def keep_watch(moves: Moves, *, held: bool | None = None) -> None:
    """Something was heard now, and the call is on hold from now on, is not, or is as it was. One timer, however much is said."""
    before = moves.state
    moves.set(heard_at=moves.at, held=before.held if held is None else held)
    if before.watch_id is None or (before.held and not moves.state.held):
        _watch_until(moves, moves.at + _patience(moves))


def time_is_up(moves: Moves, body: TimerFired) -> None:
    """One of a call's timers: the watch's, or the one for late words. Any other was replaced and decides nothing."""
    if body.timer_id == moves.state.late_id:
        moves.set(late_id=None)
        if moves.state.status == "closed":
            analyse(moves)
    elif body.timer_id == moves.state.watch_id:
        _look(moves)


def late_words(moves: Moves) -> None:
    """The first set the timer, and those that come until then are read with them."""
    if moves.state.late_id is None:
        late_id = follow_id(moves.event, "late")
        moves.set(late_id=late_id)
        moves.set_timer(late_id, moves.at + LATE, "idle_close")


def analyse(moves: Moves) -> None:
    moves.emit(
        AnalysisRequested(
            up_to_seq=moves.state.seq, language=moves.state.language, deadline=moves.at + ANALYSED_WITHIN
        )
    )


def _look(moves: Moves) -> None:
    """The watch that was set when something was last known to be heard is over: the call is too, unless more was heard since."""
    moves.set(watch_id=None)
    state = moves.state
    if state.status == "closed":
        return
    if state.heard_at is not None and moves.at < (until := state.heard_at + _patience(moves)):
        _watch_until(moves, until)
    else:
        close(moves, "system")
        moves.set(lapsed=True)
        analyse(moves)


def _patience(moves: Moves) -> timedelta:
    return HELD if moves.state.held else SILENT


def _watch_until(moves: Moves, at: datetime) -> None:
    watch_id = follow_id(moves.event, "watch")
    moves.set(watch_id=watch_id)
    moves.set_timer(watch_id, at, "idle_close")
