"""A recorded stream as a replay needs it: what `parley.runtime.exports` has written, read back.

What cannot be decided again from the file alone is left out, and counted with its reason: it is no difference.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from parley.codec import explain
from parley.domain.deciding import Decider
from parley.errors import InvalidEvent, UnknownTenant
from schemas.base import AnyEvent, Envelope, Event, TenantId
from schemas.conversation_events import ConversationStarted, MessageFailed
from schemas.tenant import TenantConfig
from schemas.topics import BODY_OF, CONVERSATION_EVENTS, SOLE_WRITER, TOPIC_OF

FORMAT = 1
BODY = b',"body":'
EPOCH = "1970-01-01T00:00:00.000Z"

NO_EXPORT = "the file is no export: it must begin with a line that `parley events export` writes"
NOT_YET = "not decided yet when they were exported"
ERASED = "their customer was erased"
HEADLESS = "the beginning of their conversation has expired"


@dataclass(frozen=True, slots=True)
class Header:
    """What a replay has to know besides the records; `Topic` here is a topic that a decider reads.

    `complete_from`: by any exported topic, the RFC 3339 time before which records may have expired.
    `undecidable`: by topic, why its decisions cannot be taken again from this file.
    `decided_to`: by topic, for each partition the offset before which everything had been decided.
    `skipped`: by topic, partition and offset of each record that its decider gave up.
    `undelivered`: ids of events that were decided and may not have been sent yet.
    """

    complete_from: Mapping[str, str] = field(default_factory=dict)
    undecidable: Mapping[str, str] = field(default_factory=dict)
    decided_to: Mapping[str, Sequence[int]] = field(default_factory=dict)
    skipped: Mapping[str, Sequence[tuple[int, int]]] = field(default_factory=dict)
    undelivered: Sequence[str] = ()


HEADER = TypeAdapter(Header)


@dataclass(frozen=True, slots=True)
class Written:
    """An output as bytes: where it went, under which envelope, with which body."""

    topic: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class Export:
    """A file that was read.

    `inputs` are the events that can be decided again, in the file's order, `skipped` the ids of those that were given up.
    `recorded` is by id what deciders wrote, also where another decider reads it; `erased` are ids of events without a body.
    `left_out` counts, by topic and reason, events that a decider reads and that are not among `inputs`.
    """

    header: Header = field(default_factory=Header)
    configs: dict[tuple[str, str], TenantConfig | None] = field(default_factory=dict)
    inputs: list[AnyEvent] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    recorded: dict[str, Written] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)

    def config(self, tenant: TenantId, version: str) -> TenantConfig:
        """Raises `UnknownTenant` for a version that was never imported, `InvalidEvent` when the file should have it."""
        if (tenant, version) not in self.configs:
            raise InvalidEvent(f"the export lacks tenant {tenant} version {version}")
        found = self.configs[tenant, version]
        if found is None:
            raise UnknownTenant(f"tenant {tenant} has no version {version}")
        return found


def load(lines: Iterable[bytes], deciders: Iterable[Decider[Any]]) -> Export:
    """Read an export for these deciders. Raises `InvalidEvent` naming the line."""
    loader = _Loader(deciders)
    number = 0
    for number, line in enumerate(lines, start=1):
        try:
            loader.take(line.rstrip(b"\n"), first=number == 1)
        except ValidationError as error:
            raise InvalidEvent(f"line {number}: {explain(error)}") from error
        except KeyError as error:
            raise InvalidEvent(f"line {number}: lacks {error}") from error
        except (InvalidEvent, ValueError, IndexError) as error:
            raise InvalidEvent(f"line {number}: {error}") from error
    if not number:
        raise InvalidEvent(f"line 1: {NO_EXPORT}")
    return loader.finish()


def as_now(record: Written) -> Written:
    """An output that an earlier build wrote, in the version that this one writes: a contract's new version is no other decision."""
    kind = BODY_OF.get(record.headers["type"])
    if kind is None or int(record.headers["version"]) >= kind.version:
        return record
    headers = {**record.headers, "version": str(kind.version)}
    return Written(record.topic, headers, kind.model_validate_json(record.body).model_dump_json().encode())


def _object(line: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidEvent(f"not JSON ({error.msg})") from error
    if not isinstance(fields, dict):
        raise InvalidEvent("not a JSON object")
    return fields


class _Loader:
    def __init__(self, deciders: Iterable[Decider[Any]]) -> None:
        self._deciders = {decider.topic.name: decider for decider in deciders}
        self._names = {decider.name for decider in self._deciders.values()}
        self._export = Export()
        self._begun: set[str] = set()
        self._erased: set[tuple[str, str]] = set()

    def take(self, line: bytes, *, first: bool) -> None:
        if not line and not first:
            return
        head, mark, body = line.partition(BODY)
        fields = _object(head + b"}" if mark else head)
        if first:
            self._take_header(fields)
        elif mark:
            self._take_event(fields, body[:-1])
        elif "erased" in fields:
            self._take_erased(fields["topic"], fields["headers"])
        elif "config" in fields:
            config = fields["config"]
            self._export.configs[fields["tenant"], fields["version"]] = (
                None if config is None else TenantConfig.model_validate(config)
            )
        else:
            raise InvalidEvent("is neither an event nor a tenant's configuration")

    def finish(self) -> Export:
        """The export, without those events of erased customers that hold no text: the state that they belong to is gone."""
        kept = []
        for event in self._export.inputs:
            decider = self._deciders[TOPIC_OF[event.envelope.type].name]
            if (decider.name, decider.key(event.envelope)) in self._erased:
                self._export.left_out[decider.topic.name, ERASED] += 1
            else:
                kept.append(event)
        self._export.inputs = kept
        return self._export

    def _take_header(self, fields: dict[str, Any]) -> None:
        written = fields.pop("parley_export", None)
        if written is None:
            raise InvalidEvent(NO_EXPORT)
        if written != FORMAT:
            raise InvalidEvent(f"another format; this build reads {FORMAT}")
        self._export.header = HEADER.validate_python(fields)

    def _take_erased(self, topic: str, headers: dict[str, str]) -> None:
        envelope = Envelope.model_validate(headers)
        self._export.erased.add(envelope.event_id)
        decider = self._deciders.get(topic)
        if decider is not None:
            self._export.left_out[topic, ERASED] += 1
            if decider.state_is_sealed:
                self._erased.add((decider.name, decider.key(envelope)))

    def _take_event(self, fields: dict[str, Any], body: bytes) -> None:
        topic, headers = fields["topic"], fields["headers"]
        if SOLE_WRITER.get(headers["type"]) in self._names:
            self._export.recorded.setdefault(headers["event_id"], as_now(Written(topic, headers, body)))
        if topic not in self._deciders:
            return
        envelope = Envelope.model_validate(headers)
        kind = BODY_OF.get(envelope.type)
        if kind is None:
            raise InvalidEvent(f"unknown type {envelope.type}")
        place = fields["partition"], fields["offset"]
        reason = self._why_not(topic, *place, envelope)
        if reason is not None:
            self._export.left_out[topic, reason] += 1
            return
        event = Event(envelope, kind.model_validate_json(body))
        self._export.inputs.append(event)
        if place in self._export.header.skipped.get(topic, ()):
            self._export.skipped.add(envelope.event_id)
        if isinstance(event.body, MessageFailed):
            self._export.skipped.add(event.body.failed_event_id)

    def _why_not(self, topic: str, partition: int, offset: int, envelope: Envelope) -> str | None:
        """Why an event cannot be decided again from this file; None where it can."""
        header = self._export.header
        if topic in header.undecidable:
            return header.undecidable[topic]
        if topic in header.decided_to and offset >= header.decided_to[topic][partition]:
            return NOT_YET
        if topic != CONVERSATION_EVENTS.name or header.complete_from.get(topic, EPOCH) <= EPOCH:
            return None
        if envelope.type == ConversationStarted.event_type():
            self._begun.add(envelope.conversation_id)
        return None if envelope.conversation_id in self._begun else HEADLESS
