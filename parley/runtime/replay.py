"""Running decisions again without any server: the same events in, the same bytes out, or the first difference shown."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from parley.codec import header_fields
from parley.domain.deciding import Decider, Decision
from schemas.base import AnyEvent, Event, TenantId
from schemas.conversation_events import MessageFailed
from schemas.tenant import TenantConfig
from schemas.topics import INFERENCE_CONTROL, TOPIC_OF

Configs = Callable[[TenantId, str], TenantConfig]

LOSSY = frozenset({INFERENCE_CONTROL.name})
"""Topics whose records may be lost, and are not compared."""


@dataclass(frozen=True, slots=True)
class Written:
    """An output as bytes: where it went, under which envelope, with which body."""

    topic: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Difference:
    """`expected` or `actual` is None where one side has no such event."""

    event_id: str
    cause: str
    expected: Written | None
    actual: Written | None


@dataclass(slots=True)
class Report:
    """What a replay came to; equal when `differences` is empty."""

    events: int = 0
    repeated: int = 0
    skipped: int = 0
    compared: int = 0
    differences: list[Difference] = field(default_factory=list)


class Engine:
    """Feeds events to their decider, one at a time, dropping repeats and skips as the live loop does."""

    def __init__(
        self, deciders: Iterable[Decider[Any]], configs: Configs, skipped: frozenset[str] = frozenset()
    ) -> None:
        self._deciders = {decider.topic.name: decider for decider in deciders}
        self._configs = configs
        self._skipped = skipped
        self._seen: set[str] = set()
        self.states: dict[tuple[str, str], Any] = {}
        self.repeated = 0
        self.passed_over = 0

    def reads(self, topic: str) -> bool:
        return topic in self._deciders

    def feed(self, event: AnyEvent) -> Decision[Any] | None:
        """The decision, or None for a repeated or a skipped event."""
        envelope = event.envelope
        if envelope.event_id in self._seen:
            self.repeated += 1
            return None
        self._seen.add(envelope.event_id)
        if envelope.event_id in self._skipped:
            self.passed_over += 1
            return None
        decider = self._deciders[TOPIC_OF[envelope.type].name]
        key = (decider.name, decider.key(envelope))
        tenant = self._configs(envelope.tenant, envelope.tenant_version)
        if isinstance(event.body, MessageFailed):
            decision = decider.settle_failed(self.states.get(key), Event(envelope, event.body), tenant)
        else:
            decision = decider.handle(self.states.get(key), event, tenant)
        self.states[key] = decision.state
        return decision


def skipped_ids(events: Iterable[AnyEvent]) -> frozenset[str]:
    """The ids of events that the live loop gave up."""
    return frozenset(event.body.failed_event_id for event in events if isinstance(event.body, MessageFailed))


def written(event: AnyEvent) -> Written:
    body = event.body.model_dump_json().encode()
    return Written(TOPIC_OF[event.envelope.type].name, header_fields(event.envelope), body)


def replay(
    deciders: Sequence[Decider[Any]],
    configs: Configs,
    inputs: Sequence[AnyEvent],
    expected: Mapping[str, Written],
    complete_from: Mapping[str, str] | None = None,
    recorded_inputs: Mapping[str, Written] | None = None,
    most_differences: int = 20,
) -> Report:
    """Run all decisions again and compare every event that leaves with what was recorded under its id.

    `expected` are records that only deciders write: each must be decided again. `recorded_inputs` are those that were read, among
    them what one decider writes for another.

    `complete_from` tells, by topic, the RFC 3339 time before which records may be missing because they have expired.
    """
    engine = Engine(deciders, configs, skipped_ids(inputs))
    report = Report()
    produced: set[str] = set()
    inputs_as_written = recorded_inputs or {}
    for event in inputs:
        decision = engine.feed(event)
        if decision is None:
            continue
        for output in decision.events:
            produced.add(output.envelope.event_id)
            record = expected.get(output.envelope.event_id) or inputs_as_written.get(output.envelope.event_id)
            _compare(report, event, output, record, complete_from or {}, most_differences)
    for event_id, record in expected.items():
        if (
            event_id not in produced
            and record.topic not in LOSSY
            and len(report.differences) < most_differences
        ):
            report.differences.append(Difference(event_id, _cause(record), record, None))
    report.events = len(inputs)
    report.repeated = engine.repeated
    report.skipped = engine.passed_over
    return report


def _compare(
    report: Report,
    cause: AnyEvent,
    output: AnyEvent,
    record: Written | None,
    complete_from: Mapping[str, str],
    most: int,
) -> None:
    actual = written(output)
    if actual.topic in LOSSY or actual.topic not in complete_from:
        return
    if record is None and actual.headers["occurred_at"] < complete_from[actual.topic]:
        return
    report.compared += 1
    if record != actual and len(report.differences) < most:
        where = f"{cause.envelope.type} {cause.envelope.event_id}"
        report.differences.append(Difference(output.envelope.event_id, where, record, actual))


def _cause(record: Written) -> str:
    return record.headers.get("cause_id", "?")
