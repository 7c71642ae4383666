"""From polled records to one `Commit`: decode, drop what was seen, load the states, handle in order, encode.

Reads from the store and writes nothing: the loop in `parley.runtime.decider` commits and publishes.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import perf_counter
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from parley.codec import Codec, Erased, Outgoing
from parley.domain.deciding import Decider, Decision, SetTimer
from parley.domain.events import follow
from parley.domain.readmodel import ConversationRow, FeedbackRow, Projection
from parley.errors import InvalidEvent, KeyErased, TransientError, UnknownTenant
from parley.ports.bus import Record, TopicPartition
from parley.ports.store import DecisionStore, HistoryRow, StoredState, Timer
from parley.runtime.deadletters import bury
from parley.runtime.tenants import TenantConfigs
from schemas.base import AnyEvent, CustomerId, Envelope, Event, EventId
from schemas.conversation_events import MessageFailed, MessageReceived
from schemas.outbound import Outbound, Typing
from schemas.topics import TOPIC_OF

S = TypeVar("S")
STATES_KEPT = 20_000
STATES_KEPT_S = 60.0
"""A state that nothing has happened to for so long is read again when it is needed: it holds texts, whose customer may be erased."""


@dataclass(slots=True)
class Verdict(Generic[S]):
    """What a batch comes to. Lists grow in the order of the records.

    `erased` are keys whose customer's key is gone, `strange` those whose state none of the records' customers can open.
    """

    seen: list[EventId] = field(default_factory=list)
    states: dict[str, tuple[S, Envelope]] = field(default_factory=dict)
    stored: list[StoredState] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    strange: set[str] = field(default_factory=set)
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
        self._kept: OrderedDict[str, tuple[S, CustomerId, float]] = OrderedDict()

    def judge(self, records: Sequence[Record], now: datetime, *, ask: bool = False) -> Verdict[S]:
        """Repeats within the batch are left out, and if `ask`, what the store has seen in earlier ones too: rare enough that it
        is asked only after it has refused a commit as `AlreadySeen`.

        Raises `NewerVersion`, `StoreUnavailable`, and whatever `handle` raises (a bug).
        """
        verdict: Verdict[S] = Verdict()
        events = self._read(records, verdict, now)
        ids = [event.envelope.event_id for _, event in events] if ask else []
        fresh = self._unseen(events, self._store.seen(self._decider.name, ids), verdict)
        self._load([event.envelope for _, event in fresh], verdict)
        for record, event in fresh:
            self._decide(record, event, verdict, now)
        self._store_states(verdict)
        return verdict

    def skip(self, record: Record, reason: str, now: datetime) -> Verdict[S]:
        """Give a record up without handling it: a dead letter, and a `MessageFailed` that settles its message.

        A repeat of what was decided before is only passed over: its message has its settlement.
        """
        verdict: Verdict[S] = Verdict()
        event = self._readable(record)
        if event is not None and self._store.seen(self._decider.name, [event.envelope.event_id]):
            verdict.outcomes.append((event.envelope.type, "repeated"))
            return verdict
        self._bury(record, reason, verdict, now)
        verdict.skipped.append((record.topic_partition, record.offset))
        if event is None:
            return verdict
        verdict.seen.append(event.envelope.event_id)
        settles = TOPIC_OF[MessageFailed.event_type()].name == record.topic
        if settles and isinstance(event, Event) and not isinstance(event.body, MessageFailed):
            verdict.outbox[record.topic_partition].append(self._codec.encode(_failure(record, event, now)))
        return verdict

    def _readable(self, record: Record) -> AnyEvent | Erased | None:
        """The record's event, or None where reading it may be the very thing that fails."""
        try:
            return self._codec.decode(record)
        except TransientError:
            raise
        except Exception:
            return None

    def keep(self, verdict: Verdict[S]) -> None:
        """After the commit: the new states are the ones to go on from."""
        for key, (state, envelope) in verdict.states.items():
            self._kept[key] = (state, envelope.customer_id, perf_counter())
            self._kept.move_to_end(key)
        for key in verdict.erased:
            self._kept.pop(key, None)
        while len(self._kept) > STATES_KEPT:
            self._kept.popitem(last=False)

    def forget(self) -> None:
        """Another worker may have changed anything: read all states again."""
        self._kept.clear()

    def forget_idle(self) -> None:
        """Let go of states that nothing has happened to for so long; they stand in the order of their last change."""
        before = perf_counter() - STATES_KEPT_S
        while self._kept and next(iter(self._kept.values()))[2] < before:
            self._kept.popitem(last=False)

    def _store_states(self, verdict: Verdict[S]) -> None:
        """Seal what is to be kept; what can no longer be sealed goes, with all that belongs to it."""
        for key, (state, envelope) in verdict.states.items():
            try:
                verdict.stored.append(StoredState(key, self._dump(key, state, envelope)))
            except KeyErased:
                verdict.erased.add(key)
        for key in verdict.erased:
            verdict.states.pop(key, None)
        if verdict.erased:
            gone = verdict.erased
            verdict.stored = [each for each in verdict.stored if each.key not in gone]
            verdict.history = [row for row in verdict.history if row.conversation_id not in gone]
            verdict.timers = {n: timer for n, timer in verdict.timers.items() if timer.key not in gone}
            verdict.projections = {
                n: row for n, row in verdict.projections.items() if row.conversation_id not in gone
            }

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
                self._erased(event.envelope, verdict)
            else:
                fresh.append((record, event))
        return fresh

    def _erased(self, envelope: Envelope, verdict: Verdict[S]) -> None:
        """The text is gone with its key, and with it the state that held it: what was still open can never be ended."""
        verdict.outcomes.append((envelope.type, "erased"))
        if self._decider.state_is_sealed:
            verdict.erased.add(self._decider.key(envelope))

    def _load(self, envelopes: Iterable[Envelope], verdict: Verdict[S]) -> None:
        missing: dict[str, dict[CustomerId, Envelope]] = {}
        for envelope in envelopes:
            key = self._decider.key(envelope)
            if key not in self._kept:
                missing.setdefault(key, {})[envelope.customer_id] = envelope
        if not missing:
            return
        for key, value in self._store.states(self._decider.name, list(missing)).items():
            self._open(key, value, list(missing[key].values()), verdict)

    def _open(self, key: str, value: bytes, envelopes: Sequence[Envelope], verdict: Verdict[S]) -> None:
        """Keep the state as the one customer sees it who can; the records of any other one are strangers'."""
        erased = 0
        for envelope in envelopes:
            try:
                state = self._parse(key, value, envelope)
                self._kept[key] = (state, envelope.customer_id, perf_counter())
                return
            except KeyErased:
                erased += 1
            except InvalidEvent:
                continue
        (verdict.erased if erased == len(envelopes) else verdict.strange).add(key)

    def _decide(self, record: Record, event: AnyEvent, verdict: Verdict[S], now: datetime) -> None:
        key = self._decider.key(event.envelope)
        if key in verdict.erased:
            verdict.outcomes.append((event.envelope.type, "erased"))
            return
        try:
            state = self._state(key, event.envelope, verdict)
            tenant = self._tenants.get(event.envelope.tenant, event.envelope.tenant_version)
        except (InvalidEvent, UnknownTenant) as error:
            self._bury(record, str(error), verdict, now)
            return
        try:
            if isinstance(event.body, MessageFailed):
                decision = self._decider.settle_failed(state, Event(event.envelope, event.body), tenant)
            else:
                decision = self._decider.handle(state, event, tenant)
            self._write(record, key, event.envelope, decision, verdict)
        except KeyErased:
            self._erased(event.envelope, verdict)
        else:
            verdict.outcomes.append((event.envelope.type, "handled"))

    def _state(self, key: str, envelope: Envelope, verdict: Verdict[S]) -> S | None:
        """Raises `InvalidEvent` for the record of a customer to whom the state does not belong."""
        if key in verdict.states:
            state, last = verdict.states[key]
            owner = last.customer_id
        elif key in self._kept:
            state, owner, _ = self._kept[key]
        elif key in verdict.strange:
            raise InvalidEvent("customer_id: is not that of the customer whose conversation this is")
        else:
            return None
        if self._decider.state_is_sealed and owner != envelope.customer_id:
            raise InvalidEvent("customer_id: is not that of the customer whose conversation this is")
        return state

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
            verdict.projections[row_key(row)] = sealed(row, envelope, self._codec)

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


def sealed(row: Projection, envelope: Envelope, codec: Codec) -> Projection:
    """The row as it is stored. Raises `KeyErased`."""
    if isinstance(row, FeedbackRow) and row.comment is not None:
        return replace(row, comment=codec.sealer(envelope).seal(row.comment, "comment"))
    return row


def row_key(row: Projection) -> object:
    """Rows with the same key replace each other; the last one counts."""
    if isinstance(row, ConversationRow):
        return row.conversation_id
    if isinstance(row, FeedbackRow):
        return (row.conversation_id, row.reply_id, row.by)
    return (row.conversation_id, row.outbound_id, row.state)


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
