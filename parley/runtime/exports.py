"""Exported streams: one JSON line a record, texts readable, with the tenant versions that the decisions were made under.

    {"parley_export": 1, "complete_from": {TOPIC: TIME}, …}
    {"tenant": …, "version": …, "config": {…}}
    {"topic": …, "partition": …, "offset": …, "timestamp_ms": …, "headers": {…}, "body": {…}}

The first line is a `parley.runtime.recorded.Header`. A version stands before the first record that names it; one that was
never imported has null for its config, as its records became dead letters. The body is written last and byte for byte as the
codec has it, so that a replay compares bytes. An event whose customer was erased has `"erased": true` and no body.

A file holds customers' (masked) texts in clear: it is created for its owner's eyes only.
"""

import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from parley.codec import Codec, Erased, Outgoing, header_fields
from parley.domain.deciding import Decider
from parley.errors import ConfigurationError, InvalidEvent, UnknownTenant
from parley.ports.bus import Bus, Consumer, Record, TopicPartition
from parley.ports.store import DecisionStore
from parley.runtime.recorded import BODY, EPOCH, FORMAT, HEADER, Header
from schemas.base import AnyEvent, TenantId, rfc3339
from schemas.tenant import TenantConfig
from schemas.topics import Topic

AT_ONCE = 1000

SELECTED = "those of other conversations are left out"
EXPIRED = "the topic's beginning has expired"


# -- reading the log -----------------------------------------------------------------------------------------------------


def read_records(bus: Bus, topics: Sequence[str], *, since_ms: int | None = None) -> Iterator[Record]:
    """Everything that the topics hold now, one partition after the other, each in order.

    With `since_ms`, each partition from its first record that is not older.
    """
    with _reading(bus, topics) as reader:
        partitions = sorted(reader.assignment(), key=lambda each: (topics.index(each.topic), each.partition))
        ends = reader.end_offsets(partitions)
        starts: dict[TopicPartition, int | None] = {**reader.beginning_offsets(partitions)}
        if since_ms is not None:
            starts = reader.offsets_for_time(partitions, since_ms)
        for partition in partitions:
            start = starts[partition]
            if start is not None and start < ends[partition]:
                reader.seek(partition, start)
                yield from _records_of(reader, partition, ends[partition])


def complete_since(bus: Bus, topics: Sequence[str], now: datetime) -> dict[str, str]:
    """By topic, the time from which nothing has expired yet: the epoch's beginning where nothing ever has."""
    found = {}
    for topic in topics:
        with _reading(bus, [topic]) as reader:
            starts = reader.beginning_offsets(reader.assignment())
            ends = reader.end_offsets(starts)
            oldest_ms = [0]
            for partition in [partition for partition, offset in starts.items() if offset > 0]:
                first = next(_records_of(reader, partition, ends[partition]), None)
                oldest_ms.append(int(now.timestamp() * 1000) if first is None else first.timestamp_ms)
        found[topic] = rfc3339(datetime.fromtimestamp(max(oldest_ms) / 1000, UTC))
    return found


@contextmanager
def _reading(bus: Bus, topics: Sequence[str]) -> Iterator[Consumer]:
    """A reader that reads nothing until a partition is resumed."""
    reader = bus.reader(topics, start="earliest")
    try:
        reader.pause(reader.assignment())
        yield reader
    finally:
        reader.close()


def _records_of(reader: Consumer, partition: TopicPartition, end: int) -> Iterator[Record]:
    reader.resume([partition])
    try:
        while reader.position(partition) < end:
            for record in reader.poll(1.0, AT_ONCE):
                if record.offset < end:
                    yield record
    finally:
        reader.pause([partition])


# -- what a replay has to know -------------------------------------------------------------------------------------------


def header(
    bus: Bus,
    store: DecisionStore,
    deciders: Collection[Decider[Any]],
    topics: Sequence[str],
    now: datetime,
    *,
    selected: bool,
) -> Header:
    """What stands in the first line. `selected`: not all conversations are exported.

    Make it before the records are read: what is decided meanwhile then counts as not decided yet.
    """
    complete_from = complete_since(bus, topics, now)
    undecidable, decided_to, skipped, undelivered = {}, {}, {}, []
    for decider in [each for each in deciders if each.topic.name in topics]:
        name = decider.topic.name
        partitions = _partitions(bus, name)
        offsets = store.offsets(decider.name, partitions)
        decided_to[name] = [offsets[partition] or 0 for partition in partitions]
        skipped[name] = [(place.partition, offset) for place, offset in store.skips(decider.name, name)]
        for entry in store.outbox(decider.name, partitions):
            undelivered += [_event_id(record) for record in entry.records]
        reason = _why_undecidable(decider.topic, complete_from[name], selected)
        if reason is not None:
            undecidable[name] = reason
    return Header(complete_from, undecidable, decided_to, skipped, undelivered)


def _event_id(record: Outgoing) -> str:
    """Empty where a dead letter of the outbox never had one."""
    return next((value.decode(errors="replace") for name, value in record.headers if name == "event_id"), "")


def _partitions(bus: Bus, topic: str) -> list[TopicPartition]:
    with _reading(bus, [topic]) as reader:
        return sorted(reader.assignment())


def _why_undecidable(topic: Topic, complete_from: str, selected: bool) -> str | None:
    """A conversation's decisions need its own records only; a tenant's need all of the tenant's, from the first on."""
    if topic.key == "conversation":
        return None
    if selected:
        return SELECTED
    return EXPIRED if complete_from > EPOCH else None


# -- writing -------------------------------------------------------------------------------------------------------------


def write(
    about: Header,
    records: Iterable[Record],
    codec: Codec,
    configs: Callable[[TenantId, str], TenantConfig],
    out: IO[bytes],
) -> int:
    """Write an export to `out` as the records come; returns their number. `configs` raises `UnknownTenant`."""
    out.write(json_line({"parley_export": FORMAT, **HEADER.dump_python(about, mode="json")}))
    told: set[tuple[TenantId, str]] = set()
    count = 0
    for record, event in readable(records, codec):
        version = event.envelope.tenant, event.envelope.tenant_version
        if version not in told:
            told.add(version)
            out.write(_version_line(*version, configs))
        out.write(record_line(record, event))
        count += 1
    return count


def readable(records: Iterable[Record], codec: Codec) -> Iterator[tuple[Record, "AnyEvent | Erased"]]:
    """The records that can be read; any other one is a dead letter."""
    for record in records:
        try:
            yield record, codec.decode(record)
        except InvalidEvent:
            continue


def _version_line(tenant: TenantId, version: str, configs: Callable[[TenantId, str], TenantConfig]) -> bytes:
    try:
        config = configs(tenant, version).model_dump(mode="json")
    except UnknownTenant:
        config = None
    return json_line({"tenant": tenant, "version": version, "config": config})


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


def without_texts(
    lines: Iterable[bytes], erased: Collection[tuple[str, str]]
) -> Iterator[tuple[bytes, bool]]:
    """An export's lines, those of erased customers (tenant, id) as if they had been exported now; and whether each was changed.

    Raises `InvalidEvent` naming the line.
    """
    for number, line in enumerate(lines, start=1):
        head, mark, _ = line.partition(BODY)
        try:
            fields = json.loads(head + b"}" if mark else head)
            headers = fields["headers"] if mark else {}
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidEvent(f"line {number}: is no line of an export") from error
        theirs = (headers.get("tenant"), headers.get("customer_id")) in erased
        yield (json_line({**fields, "erased": True}), True) if theirs else (line, False)


@contextmanager
def created(path: Path) -> Iterator[IO[bytes]]:
    """A new file that only its owner can read. It appears under its name, in place of an older one, once it is whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        opened = os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise ConfigurationError(f"cannot write to {path}: {error.strerror}") from error
    try:
        with opened as out:
            yield out
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def json_line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
