"""Running decisions again without any server: the same events in, the same bytes out, or the first difference shown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from parley.codec import header_fields
from parley.domain.deciding import Decider, Decision
from parley.errors import UnknownTenant
from parley.runtime.recorded import Export, Written
from schemas.base import AnyEvent, Event, TenantId
from schemas.conversation_events import MessageFailed
from schemas.tenant import TenantConfig
from schemas.topics import INFERENCE_CONTROL, SOLE_WRITER, TOPIC_OF

Configs = Callable[[TenantId, str], TenantConfig]

LOSSY = frozenset({INFERENCE_CONTROL.name})
"""Topics whose records may be lost, and are not compared."""
MOST_DIFFERENCES = 20
"""So many are kept; the first tells the most."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`expected` or `actual` is None where one side has no such event."""

    event_id: str
    cause: str
    expected: Written | None
    actual: Written | None


@dataclass(slots=True)
class Report:
    """What a replay came to; equal when `differences` is empty.

    `passed_over` counts what the live loop gave up or buried; `uncaused` what deciders wrote because of events that are not
    decided again.
    """

    events: int = 0
    repeated: int = 0
    passed_over: int = 0
    compared: int = 0
    uncaused: int = 0
    differences: list[Difference] = field(default_factory=list)


class Engine:
    """Feeds events to their decider, one at a time, and passes over what the live loop passes over."""

    def __init__(self, deciders: Iterable[Decider[Any]], configs: Configs) -> None:
        self._deciders = {decider.topic.name: decider for decider in deciders}
        self._configs = configs
        self._seen: set[str] = set()
        self._states: dict[tuple[str, str], Any] = {}
        self._customers: dict[tuple[str, str], str] = {}
        self.repeated = 0
        self.passed_over = 0

    def feed(self, event: AnyEvent, *, skipped: bool = False) -> Decision[Any] | None:
        """The decision, or None for a repeated event, one that was given up (`skipped`), and one that became a dead letter."""
        envelope = event.envelope
        if envelope.event_id in self._seen:
            self.repeated += 1
            return None
        self._seen.add(envelope.event_id)
        decision = None if skipped else self._decide(event)
        self.passed_over += decision is None
        return decision

    def _decide(self, event: AnyEvent) -> Decision[Any] | None:
        envelope = event.envelope
        decider = self._deciders[TOPIC_OF[envelope.type].name]
        key = (decider.name, decider.key(envelope))
        if decider.state_is_sealed and self._customers.get(key, envelope.customer_id) != envelope.customer_id:
            return None
        try:
            tenant = self._configs(envelope.tenant, envelope.tenant_version)
        except UnknownTenant:
            return None
        if isinstance(event.body, MessageFailed):
            decision = decider.settle_failed(self._states.get(key), Event(envelope, event.body), tenant)
        else:
            decision = decider.handle(self._states.get(key), event, tenant)
        self._states[key], self._customers[key] = decision.state, envelope.customer_id
        return decision


def written(event: AnyEvent) -> Written:
    body = event.body.model_dump_json().encode()
    return Written(TOPIC_OF[event.envelope.type].name, header_fields(event.envelope), body)


def replay(deciders: Sequence[Decider[Any]], export: Export) -> Report:
    """Run all decisions again and compare every event that leaves with what was recorded under its id.

    What a decider wrote because of an event that is decided again must be decided again too.
    """
    run = _Replay(deciders, export)
    for event in export.inputs:
        run.decide(event)
    run.look_for_missing()
    return run.finish()


class _Replay:
    def __init__(self, deciders: Sequence[Decider[Any]], export: Export) -> None:
        self._export = export
        self._engine = Engine(deciders, export.config)
        self._readers = {decider.topic.name: decider.name for decider in deciders}
        self._decided_by: dict[str, str] = {}
        self._produced: set[str] = set()
        self._unfound = export.erased.union(export.header.undelivered)
        self._report = Report(events=len(export.inputs))

    def decide(self, event: AnyEvent) -> None:
        event_id = event.envelope.event_id
        decision = self._engine.feed(event, skipped=event_id in self._export.skipped)
        if decision is None:
            return
        self._decided_by[event_id] = self._readers[TOPIC_OF[event.envelope.type].name]
        for output in decision.events:
            self._produced.add(output.envelope.event_id)
            self._compare(event, output)

    def look_for_missing(self) -> None:
        """Among what deciders wrote: everything that an event which was decided again has caused must have been produced."""
        for event_id, record in self._export.recorded.items():
            if event_id in self._produced or record.topic in LOSSY:
                continue
            cause = record.headers.get("cause_id", "?")
            if self._decided_by.get(cause) == SOLE_WRITER[record.headers["type"]]:
                self._differ(Difference(event_id, cause, record, None))
            else:
                self._report.uncaused += 1

    def finish(self) -> Report:
        self._report.repeated = self._engine.repeated
        self._report.passed_over = self._engine.passed_over
        return self._report

    def _compare(self, cause: AnyEvent, output: AnyEvent) -> None:
        actual = written(output)
        event_id = output.envelope.event_id
        complete_from = self._export.header.complete_from.get(actual.topic)
        if complete_from is None or actual.topic in LOSSY:
            return
        record = self._export.recorded.get(event_id)
        if record is None and (event_id in self._unfound or actual.headers["occurred_at"] < complete_from):
            return
        self._report.compared += 1
        if record != actual:
            where = f"{cause.envelope.type} {cause.envelope.event_id}"
            self._differ(Difference(event_id, where, record, actual))

    def _differ(self, difference: Difference) -> None:
        if len(self._report.differences) < MOST_DIFFERENCES:
            self._report.differences.append(difference)
