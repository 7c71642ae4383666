"""Exported streams: one JSON line a record, texts readable, with the tenant versions that the decisions were made under.

    {"parley_export": 1, "complete_from": {TOPIC: TIME}}
    {"tenant": …, "version": …, "config": {…}}
    {"topic": …, "partition": …, "offset": …, "timestamp_ms": …, "headers": {…}, "body": {…}}

The body is written last and byte for byte as the codec has it, so that a replay compares bytes. An event whose customer was
erased has `"erased": true` and no body. A file holds customers' (masked) texts in clear: it is created for its owner's eyes only.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import orjson
from pydantic import ValidationError

from parley.codec import Codec, Erased, explain, header_fields
from parley.errors import InvalidEvent
from parley.ports.bus import Bus, Record
from parley.runtime.replay import Written
from schemas.base import AnyEvent, Envelope, Event, TenantId, rfc3339
from schemas.tenant import TenantConfig
from schemas.topics import BODY_OF

FORMAT = 1
BODY = b',"body":'


@dataclass(slots=True)
class Export:
    """A file that was read. `inputs` are the events of decided topics, in the file's order, `recorded` those as bytes:
    what one decider writes may be what another one reads. `outputs` are the records of all other topics.
    """

    complete_from: dict[str, str] = field(default_factory=dict)
    configs: dict[tuple[str, str], TenantConfig] = field(default_factory=dict)
    inputs: list[AnyEvent] = field(default_factory=list)
    outputs: dict[str, Written] = field(default_factory=dict)
    recorded: dict[str, Written] = field(default_factory=dict)

    def config(self, tenant: TenantId, version: str) -> TenantConfig:
        """Raises `InvalidEvent` when the file lacks the version."""
        found = self.configs.get((tenant, version))
        if found is None:
            raise InvalidEvent(f"the export lacks tenant {tenant} version {version}")
        return found


def read_records(bus: Bus, topics: Sequence[str]) -> Iterator[Record]:
    """Everything that the topics hold now, each partition in order."""
    reader = bus.reader(topics, start="earliest")
    try:
        ends = reader.end_offsets(reader.assignment())
        first = reader.beginning_offsets(ends)
        left = {partition for partition, end in ends.items() if first[partition] < end}
        while left:
            for record in reader.poll(1.0, 1000):
                if record.offset < ends[record.topic_partition]:
                    yield record
            left = {partition for partition in left if reader.position(partition) < ends[partition]}
    finally:
        reader.close()


def write(
    records: Iterable[Record],
    codec: Codec,
    configs: Iterable[tuple[str, str, TenantConfig]],
    complete_from: Mapping[str, str],
    out: IO[bytes],
) -> int:
    """Write an export to `out`; returns the number of records. What cannot be read is left out (it is a dead letter)."""
    out.write(json_line({"parley_export": FORMAT, "complete_from": dict(complete_from)}))
    for tenant, version, config in configs:
        out.write(json_line({"tenant": tenant, "version": version, "config": config.model_dump(mode="json")}))
    count = 0
    for record in records:
        try:
            event = codec.decode(record)
        except InvalidEvent:
            continue
        out.write(record_line(record, event))
        count += 1
    return count


def record_line(record: Record, event: "AnyEvent | Erased") -> bytes:
    head: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp_ms": record.timestamp_ms,
        "headers": header_fields(event.envelope),
    }
    if isinstance(event, Erased):
        return json_line({**head, "erased": True})
    return json_line(head)[:-2] + BODY + event.body.model_dump_json().encode() + b"}\n"


def create(path: Path) -> IO[bytes]:
    """A new file that only its owner can read; an existing one is replaced."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def load(lines: Iterable[bytes], decided: frozenset[str]) -> Export:
    """Read an export. Raises `InvalidEvent` naming the line."""
    export = Export()
    for number, line in enumerate(lines, start=1):
        try:
            _take(export, line.rstrip(b"\n"), decided)
        except (InvalidEvent, ValidationError, ValueError, KeyError) as error:
            reason = explain(error) if isinstance(error, ValidationError) else str(error)
            raise InvalidEvent(f"line {number}: {reason}") from error
    return export


def _take(export: Export, line: bytes, decided: frozenset[str]) -> None:
    if not line:
        return
    head, mark, body = line.partition(BODY)
    fields = orjson.loads(head + b"}" if mark else head)
    if "parley_export" in fields:
        if fields["parley_export"] != FORMAT:
            raise InvalidEvent(f"format {fields['parley_export']}; this build reads {FORMAT}")
        export.complete_from = fields["complete_from"]
    elif "config" in fields:
        export.configs[fields["tenant"], fields["version"]] = TenantConfig.model_validate(fields["config"])
    elif mark:
        _take_record(export, fields["topic"], fields["headers"], body[:-1], decided)


def _take_record(
    export: Export, topic: str, headers: dict[str, str], body: bytes, decided: frozenset[str]
) -> None:
    if topic not in decided:
        export.outputs[headers["event_id"]] = Written(topic, headers, body)
        return
    envelope = Envelope.model_validate(headers)
    kind = BODY_OF.get(envelope.type)
    if kind is None:
        raise InvalidEvent(f"unknown type {envelope.type}")
    export.inputs.append(Event(envelope, kind.model_validate_json(body)))
    export.recorded[envelope.event_id] = Written(topic, headers, body)


def complete_since(bus: Bus, topics: Sequence[str]) -> dict[str, str]:
    """By topic, the time from which nothing has expired yet: the epoch's beginning where nothing ever has."""
    found: dict[str, str] = {}
    for topic in topics:
        reader = bus.reader([topic], start="earliest")
        try:
            first = reader.beginning_offsets(reader.assignment())
            moved = {partition for partition, offset in first.items() if offset > 0}
            oldest = 0
            while moved:
                records = reader.poll(0.5, 100)
                oldest = max([oldest, *(r.timestamp_ms for r in records if r.topic_partition in moved)])
                moved -= {record.topic_partition for record in records}
                if not records:
                    break
        finally:
            reader.close()
        found[topic] = rfc3339(datetime.fromtimestamp(oldest / 1000, UTC))
    return found


def json_line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
