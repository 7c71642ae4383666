"""From polled records to one `Commit`: decode, drop what was seen, load the states, handle in order, encode.

Reads from the store and writes nothing: the loop in `parley.runtime.decider` commits and publishes.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from parley.codec import Codec, Erased, Outgoing
from parley.domain.deciding import Decider, Decision, SetTimer
from parley.domain.events import follow
from parley.domain.readmodel import ConversationRow, FeedbackRow, Projection
from parley.errors import InvalidEvent, KeyErased, UnknownTenant
from parley.ports.bus import Record, TopicPartition
from parley.ports.store import DecisionStore, HistoryRow, StoredState, Timer
from parley.runtime.deadletters import bury
from parley.runtime.tenants import TenantConfigs
from schemas.base import AnyEvent, Envelope, Event, EventId
from schemas.conversation_events import MessageFailed, MessageReceived
from schemas.outbound import Outbound, Typing
from schemas.topics import TOPIC_OF

S = TypeVar("S")
STATES_KEPT = 20_000


@dataclass(slots=True)
class Verdict(Generic[S]):
    """What a batch comes to. Lists grow in the order of the records."""

    seen: list[EventId] = field(default_factory=list)
    states: dict[str, tuple[S, Envelope]] = field(default_factory=dict)
    history: list[HistoryRow] = field(default_factory=list)
    projections: dict[object, Projection] = field(default_factory=dict)
    timers: dict[EventId, Timer] = field(default_factory=dict)
    timers_cancelled: list[EventId] = field(default_factory=list)
    outbox: dict[TopicPartition, list[Outgoing]] = field(default_factory=dict)
    skipped: list[tuple[TopicPartition, int]] = field(default_factory=list)
    outcomes: list[tuple[str, str]] = field(default_factory=list)
    invalid: int = 0


class Judge(Generic[S]):
    """Applies a decider to records. Belongs to one thread; keeps the states of the partitions that its worker owns."""

    def __init__(
        self, decider: Decider[S], codec: Codec, store: DecisionStore, tenants: TenantConfigs
    ) -> None:
        self._decider = decider
        self._codec = codec
        self._store = store
        self._tenants = tenants
        self._adapter: TypeAdapter[S] = TypeAdapter(decider.state_type)
        self._kept: OrderedDict[str, S] = OrderedDict()

    def judge(self, records: Sequence[Record], now: datetime, *, ask: bool = False) -> Verdict[S]:
        """Repeats within the batch are left out, and if `ask`, what the store has seen in earlier ones too: rare enough that it
        is asked only after it has refused a commit as `AlreadySeen`.

        Raises `NewerVersion`, `StoreUnavailable`, and whatever `handle` raises (a bug).
        """
        verdict: Verdict[S] = Verdict()
        events = self._read(records, verdict, now)
        ids = [event.envelope.event_id for _, event in events] if ask else []
        fresh = self._unseen(events, self._store.seen(self._decider.name, ids), verdict)
        self._load(event for _, event in fresh)
        for record, event in fresh:
            self._decide(record, event, verdict, now)
        return verdict

    def skip(self, record: Record, reason: str, now: datetime) -> Verdict[S]:
        """Give a record up without handling it: a dead letter, and a `MessageFailed` that settles its message."""
        verdict: Verdict[S] = Verdict()
        self._bury(record, reason, verdict, now)
        verdict.skipped.append((record.topic_partition, record.offset))
        try:
            event = self._codec.decode(record)
        except InvalidEvent:
            return verdict
        event_id = event.envelope.event_id
        if not self._store.seen(self._decider.name, [event_id]):
            verdict.seen.append(event_id)
        settles = TOPIC_OF[MessageFailed.event_type()].name == record.topic
        if settles and isinstance(event, Event) and not isinstance(event.body, MessageFailed):
            verdict.outbox[record.topic_partition].append(self._codec.encode(_failure(record, event, now)))
        return verdict

    def keep(self, verdict: Verdict[S]) -> None:
        """After the commit: the new states are the ones to go on from."""
        for key, (state, _) in verdict.states.items():
            self._kept[key] = state
            self._kept.move_to_end(key)
        while len(self._kept) > STATES_KEPT:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Another worker may have changed anything: read all states again."""
        self._kept.clear()

    def stored_states(self, verdict: Verdict[S]) -> list[StoredState]:
        return [
            StoredState(key, self._dump(key, state, envelope))
            for key, (state, envelope) in verdict.states.items()
        ]

    def _read(
        self, records: Sequence[Record], verdict: Verdict[S], now: datetime
    ) -> list[tuple[Record, AnyEvent | Erased]]:
        events: list[tuple[Record, AnyEvent | Erased]] = []
        for record in records:
            try:
                events.append((record, self._codec.decode(record)))
            except InvalidEvent as error:
                self._bury(record, str(error), verdict, now)
        return events

    def _unseen(
        self,
        events: Sequence[tuple[Record, AnyEvent | Erased]],
        known: set[EventId],
        verdict: Verdict[S],
    ) -> list[tuple[Record, AnyEvent]]:
        """What is handled: neither known nor earlier in this batch, and not erased."""
        fresh: list[tuple[Record, AnyEvent]] = []
        for record, event in events:
            event_id = event.envelope.event_id
            if event_id in known:
                verdict.outcomes.append((event.envelope.type, "repeated"))
                continue
            known.add(event_id)
            verdict.seen.append(event_id)
            if isinstance(event, Erased):
                verdict.outcomes.append((event.envelope.type, "erased"))
            else:
                fresh.append((record, event))
        return fresh

    def _load(self, events: Iterable[AnyEvent]) -> None:
        missing = {self._decider.key(event.envelope): event.envelope for event in events}
        missing = {key: envelope for key, envelope in missing.items() if key not in self._kept}
        if not missing:
            return
        for key, value in self._store.states(self._decider.name, list(missing)).items():
            try:
                self._kept[key] = self._parse(key, value, missing[key])
            except KeyErased:
                continue  # the text is gone with the key: whatever is still to be decided begins anew

    def _decide(self, record: Record, event: AnyEvent, verdict: Verdict[S], now: datetime) -> None:
        key = self._decider.key(event.envelope)
        state = verdict.states[key][0] if key in verdict.states else self._kept.get(key)
        try:
            tenant = self._tenants.get(event.envelope.tenant, event.envelope.tenant_version)
        except UnknownTenant as error:
            self._bury(record, str(error), verdict, now)
            return
        try:
            if isinstance(event.body, MessageFailed):
                decision = self._decider.settle_failed(state, Event(event.envelope, event.body), tenant)
            else:
                decision = self._decider.handle(state, event, tenant)
            self._write(record, key, event.envelope, decision, verdict)
        except KeyErased:
            verdict.outcomes.append((event.envelope.type, "erased"))
        else:
            verdict.outcomes.append((event.envelope.type, "handled"))

    def _write(
        self, record: Record, key: str, envelope: Envelope, decision: Decision[S], verdict: Verdict[S]
    ) -> None:
        encoded = [(event, self._codec.encode(event)) for event in decision.events]
        verdict.states[key] = (decision.state, envelope)
        if encoded:
            leaving = verdict.outbox.setdefault(record.topic_partition, [])
            leaving.extend(outgoing for _, outgoing in encoded)
            verdict.history.extend(
                history_row(event, event.body, outgoing)
                for event, outgoing in encoded
                if isinstance(event.body, Outbound) and not isinstance(event.body, Typing)
            )
        for timer in decision.timers:
            verdict.timers[timer.timer_id] = stored_timer(record.topic_partition, key, timer)
        for timer_id in decision.timers_cancelled:
            if verdict.timers.pop(timer_id, None) is None:
                verdict.timers_cancelled.append(timer_id)
        for row in decision.projections:
            verdict.projections[row_key(row)] = self._sealed(row, envelope)

    def _sealed(self, row: Projection, envelope: Envelope) -> Projection:
        if isinstance(row, FeedbackRow) and row.comment is not None:
            return replace(row, comment=self._codec.sealer(envelope).seal(row.comment, "comment"))
        return row

    def _bury(self, record: Record, reason: str, verdict: Verdict[S], now: datetime) -> None:
        verdict.invalid += 1
        verdict.outcomes.append(("unreadable", "dead_letter"))
        letter = bury(record, reason, self._decider.name, now)
        verdict.outbox.setdefault(record.topic_partition, []).append(letter)

    def _dump(self, key: str, state: S, envelope: Envelope) -> bytes:
        plain = self._adapter.dump_json(state)
        if not self._decider.state_is_sealed:
            return plain
        return self._codec.seal_bytes(envelope, plain, self._decider.name, key)

    def _parse(self, key: str, value: bytes, envelope: Envelope) -> S:
        if self._decider.state_is_sealed:
            value = self._codec.unseal_bytes(envelope, value, self._decider.name, key)
        return self._adapter.validate_json(value)


def row_key(row: Projection) -> object:
    """Rows with the same key replace each other; the last one counts."""
    return (
        row.conversation_id
        if isinstance(row, ConversationRow)
        else (row.conversation_id, row.reply_id, row.by)
    )


def history_row(event: AnyEvent, body: Outbound, outgoing: Outgoing) -> HistoryRow:
    return HistoryRow(
        conversation_id=event.envelope.conversation_id,
        seq=body.seq,
        epoch=body.epoch,
        event_id=event.envelope.event_id,
        type=event.envelope.type,
        audience=body.audience,
        occurred_at=event.envelope.occurred_at,
        headers=outgoing.headers,
        value=outgoing.value,
    )


def stored_timer(partition: TopicPartition, key: str, timer: SetTimer) -> Timer:
    return Timer(
        timer_id=timer.timer_id,
        partition=partition,
        key=key,
        purpose=timer.purpose,
        epoch=timer.epoch,
        due_at=timer.due_at,
        envelope=timer.cause.model_dump_json(),
    )


def _failure(record: Record, event: AnyEvent, now: datetime) -> Event[MessageFailed]:
    body = MessageFailed(
        failed_event_id=event.envelope.event_id,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        message_id=event.body.message_id if isinstance(event.body, MessageReceived) else None,
    )
    return follow(event.envelope, body, "message_failed", now)
