"""The call worker, a decider: of what a connector says of a call it makes what its conversation is told.

A call that is heard while it runs and is imported once more afterwards is one call: what was heard live counts. The other way round, what is
heard live while an import is on its way is taken in until the import's last part, which ends the call: then its transcript is whole, and what
was heard live stands in it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from parley.domain.calls import message_of
from parley.domain.deciding import Decision
from parley.domain.events import follow
from parley.domain.evolving import evolve
from parley.ids import derived_id
from schemas.base import AnyEvent, Body, Envelope, Event, MessageId
from schemas.call_events import (
    CallProgressed,
    CallSegmentHeard,
    CallStarted,
    TranscriptImported,
    TranscriptTurn,
)
from schemas.conversation_events import CallStateReported, MessageFailed, SpeechTranscribed, SpokenTurn
from schemas.parts import CallOrigin, Spoken
from schemas.tenant import TenantConfig
from schemas.topics import CALL_EVENTS, Topic

UNNAMED = "unknown"
"""The human agent of a call whose source names none."""
LATE = timedelta(minutes=10)
"""So long after the hang-up a recogniser's last words are still the call's."""


@dataclass(frozen=True)
class Call:
    """`part` is the last one that was imported, of the version that has `grown` so often, of which `missing` parts are still to come; `live` tells
    that it was heard while it ran, `ended_at` when its end was told.
    """

    started_at: datetime
    live: bool
    ended_at: datetime | None = None
    part: int = 0
    grown: int = 0
    missing: int = 0

    @property
    def ended(self) -> bool:
        return self.ended_at is not None


class CallDecider:
    """Implements `parley.domain.deciding.Decider`."""

    name = "calls"
    topic: Topic = CALL_EVENTS
    state_type = Call
    state_is_sealed = False

    def key(self, envelope: Envelope) -> str:
        return envelope.conversation_id

    def handle(self, state: Call | None, event: AnyEvent, tenant: TenantConfig) -> Decision[Call]:
        match event.body:
            case CallStarted() as body:
                return _started(state, event, body)
            case CallSegmentHeard() as body:
                return _heard(state or _unannounced(event), event, body)
            case CallProgressed() as body:
                return _progressed(state or _unannounced(event), event, body)
            case TranscriptImported() as body:
                return _imported(state, event, body)
            case _:
                raise TypeError(f"{event.envelope.type} does not belong to {self.topic.name}")

    def settle_failed(
        self, state: Call | None, event: Event[MessageFailed], tenant: TenantConfig
    ) -> Decision[Call]:
        return Decision(state or Call(event.envelope.occurred_at, live=True))


def _started(state: Call | None, event: AnyEvent, body: CallStarted) -> Decision[Call]:
    if state is not None:
        return Decision(state)
    report = CallStateReported(
        started_at=body.started_at,
        kind="started",
        at_ms=0,
        language=body.language,
        human_agent_id=body.human_agent_id,
        human_agent_name=body.human_agent_name,
    )
    return Decision(Call(body.started_at, live=True), _following(event, [report]))


def _heard(call: Call, event: AnyEvent, body: CallSegmentHeard) -> Decision[Call]:
    """A partial text is shown by whoever listens, and decides nothing; noise is nothing that anybody said."""
    if not body.final or not body.text or not _hears(call, event.envelope.occurred_at):
        return Decision(call)
    turn = SpokenTurn(
        message_id=message_of(event.envelope.conversation_id, body.segment_id),
        speaker=body.speaker,
        text=body.text,
        spoken=_spoken(body),
    )
    speech = SpeechTranscribed(started_at=call.started_at, turns=(turn,), live=True)
    return Decision(call, _following(event, [speech]))


def _hears(call: Call, at: datetime) -> bool:
    return call.ended_at is None or (call.live and at - call.ended_at <= LATE)


def _progressed(call: Call, event: AnyEvent, body: CallProgressed) -> Decision[Call]:
    """An import brings its own end."""
    ends = body.kind == "hang_up"
    if call.ended or (ends and not call.live):
        return Decision(call)
    after = evolve(call, ended_at=event.envelope.occurred_at) if ends else call
    return Decision(after, _following(event, [_report(call.started_at, body)]))


def _imported(state: Call | None, event: AnyEvent, body: TranscriptImported) -> Decision[Call]:
    """Parts follow each other without a gap; what does not is a repetition. What a later version has more is told after the call's end."""
    call = state or Call(body.started_at or event.envelope.occurred_at, live=False)
    if call.live or not _is_next(call, body):
        return Decision(call)
    bodies: list[Body] = []
    if body.part == 1:
        bodies += _told_before(call, body)
    bodies += _in_time(call, event, body)
    ended_at = call.ended_at
    if ended_at is None and body.part == body.parts:
        ended_at = event.envelope.occurred_at
        bodies.append(_end(call, body))
    missing = body.parts - body.part
    after = evolve(call, part=body.part, grown=body.grown, missing=missing, ended_at=ended_at)
    return Decision(after, _following(event, bodies))


def _is_next(call: Call, body: TranscriptImported) -> bool:
    if body.grown == call.grown:
        return body.part == call.part + 1 and call.ended == (body.grown > 0)
    return call.ended and call.missing == 0 and body.grown == call.grown + 1 and body.part == 1


def _told_before(call: Call, body: TranscriptImported) -> Iterator[CallStateReported]:
    if not body.grown:
        yield _opened(call, body)
    # What a version without a signature adds is not to count as signed with what was there before.
    if body.origin is not None or body.grown:
        origin = body.origin or CallOrigin()
        first = min([turn.start_ms for turn in body.turns], default=0)
        at_ms = first if body.grown else 0
        yield CallStateReported(started_at=call.started_at, kind="imported", at_ms=at_ms, origin=origin)


def _end(call: Call, body: TranscriptImported) -> CallStateReported:
    last = max([0, *(turn.end_ms for turn in body.turns), *(each.at_ms for each in body.events)])
    by = next((each.by for each in body.events if each.kind == "hang_up"), None)
    return CallStateReported(started_at=call.started_at, kind="hang_up", at_ms=last, by=by)


def _opened(call: Call, body: TranscriptImported) -> CallStateReported:
    return CallStateReported(
        started_at=call.started_at,
        kind="started",
        at_ms=0,
        language=body.language,
        human_agent_id=body.human_agent_id or UNNAMED,
        human_agent_name=body.human_agent_name or UNNAMED,
    )


def _in_time(call: Call, event: AnyEvent, body: TranscriptImported) -> Iterator[Body]:
    """What was said, in as few events as what happened between lets be."""
    turns = [
        (turn.start_ms, _turn(event.envelope, body.part, number, turn))
        for number, turn in enumerate(body.turns)
        if turn.text
    ]
    begun = 0
    for happened in sorted(body.events, key=lambda each: each.at_ms):
        until = next((n for n in range(begun, len(turns)) if turns[n][0] >= happened.at_ms), len(turns))
        yield from _speech(call, [turn for _, turn in turns[begun:until]])
        if happened.kind != "hang_up":  # the end of the whole is told at its end
            yield _report(call.started_at, happened)
        begun = until
    yield from _speech(call, [turn for _, turn in turns[begun:]])


def _speech(call: Call, turns: Sequence[SpokenTurn]) -> Iterator[Body]:
    if turns:
        yield SpeechTranscribed(started_at=call.started_at, turns=tuple(turns), live=False)


def _turn(envelope: Envelope, part: int, number: int, turn: TranscriptTurn) -> SpokenTurn:
    return SpokenTurn(
        message_id=MessageId(derived_id(envelope.event_id, f"turn:{part}:{number}")),
        speaker=turn.speaker,
        text=turn.text,
        spoken=_spoken(turn),
        human_agent_name=turn.name,
    )


def _spoken(said: CallSegmentHeard | TranscriptTurn) -> Spoken:
    return Spoken(
        start_ms=said.start_ms, end_ms=said.end_ms, confidence=said.confidence, original=said.original
    )


def _report(started_at: datetime, body: CallProgressed) -> CallStateReported:
    return CallStateReported(
        started_at=started_at,
        kind=body.kind,
        at_ms=body.at_ms,
        by=body.by,
        human_agent_id=body.human_agent_id,
        human_agent_name=body.human_agent_name,
        detail=body.detail,
    )


def _unannounced(event: AnyEvent) -> Call:
    """A call whose beginning is not in the log any more, or never was."""
    return Call(event.envelope.occurred_at, live=True)


def _following(event: AnyEvent, bodies: Iterable[Body]) -> list[AnyEvent]:
    return [follow(event.envelope, body, number) for number, body in enumerate(bodies)]
