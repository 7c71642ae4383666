"""What deciders keep: fenced offsets, seen ids, states, outbox, timers, attempts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Select,
    and_,
    bindparam,
    delete,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.sql.elements import ColumnElement

from parley.backends.sql import tables as t
from parley.backends.sql.bulk import (
    NOW,
    WAS,
    Writes,
    bound_values,
    delete_older,
    in_parts,
    insert,
    one_of,
    put,
)
from parley.backends.sql.engine import reading, writing
from parley.backends.sql.privacy import conversation_columns
from parley.backends.sql.rows import add_history, add_projections
from parley.codec import Outgoing
from parley.errors import AlreadySeen, Superseded
from parley.ports.bus import TopicPartition
from parley.ports.store import Advance, Commit, EntryId, Lease, OutboxEntry, Timer, left_behind
from schemas.base import EventId

P = t.partitions.c
THIS_PARTITION = (
    P.group_name == bindparam("b_group"),
    P.topic == bindparam("b_topic"),
    P.partition_number == bindparam("b_partition"),
    P.fence == bindparam("b_fence"),
)
RELEASE = update(t.partitions).where(*THIS_PARTITION).values(clean=True)


class Decisions:
    """The `DecisionStore` part. `_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def raise_fence(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Lease]:
        if not partitions:
            return {}
        rows = [{**_place(group, p), "fence": 0, "next_offset": None, "clean": True} for p in partitions]
        with writing(self._engine) as connection:
            put(connection, t.partitions, rows, "keep")
            held = _leases(connection, group, partitions, lock=self._engine.dialect.name == "postgresql")
            connection.execute(
                update(t.partitions).where(_among(group, partitions)).values(fence=P.fence + 1, clean=False)
            )
        return {p: Lease(lease.fence + 1, lease.next_offset, lease.clean) for p, lease in held.items()}

    def release(self, group: str, fences: Mapping[TopicPartition, int]) -> None:
        if not fences:
            return
        with writing(self._engine) as connection:
            connection.execute(
                RELEASE, [{**_bound(group, p), "b_fence": fence} for p, fence in fences.items()]
            )

    def offsets(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        with reading(self._engine) as connection:
            held = _leases(connection, group, partitions)
        return {p: held[p].next_offset if p in held else None for p in partitions}

    def seen(self, group: str, ids: Collection[EventId]) -> set[EventId]:
        query = _seen(self._engine.dialect.name)
        return {EventId(row.event_id) for row in self._among(query, t.seen.c.event_id, group, ids)}

    def states(self, group: str, keys: Collection[str]) -> dict[str, bytes]:
        query = _states(self._engine.dialect.name)
        found = self._among(query, t.states.c.state_key, group, keys)
        return {row.state_key: bytes(row.value) for row in found}

    def _among(self, query: Select[Any], among: Column[Any], group: str, names: Collection[str]) -> list[Any]:
        rows: list[Any] = []
        for part in in_parts(names):
            values = bound_values(self._engine.dialect.name, among, part)
            with reading(self._engine) as connection:
                rows += connection.execute(query, {"b_group": group, "b_names": values}).all()
        return rows

    def commit(self, commit: Commit) -> None:
        writes = Writes()
        _decided(writes, commit)
        add_history(writes, commit.history)
        add_projections(writes, commit.projections)
        expected = {"move_partitions": len(commit.advances), "keep_seen": len(commit.seen)}
        if writes.commit_at_once(self._engine, expected):
            return
        with writing(self._engine) as connection:
            changed = writes.run(connection)
            # Raised within the transaction, which rolls everything back.
            if changed["move_partitions"] != expected["move_partitions"]:
                raise Superseded(f"{commit.group}: another worker was there first")
            if changed["keep_seen"] != expected["keep_seen"]:
                raise AlreadySeen(f"{commit.group}: an event of this batch was decided before")

    def outbox(self, group: str, partitions: Sequence[TopicPartition]) -> list[OutboxEntry]:
        if not partitions:
            return []
        columns = t.outbox.c
        query = select(t.outbox).where(
            columns.group_name == group, tuple_(columns.topic, columns.partition_number).in_(list(partitions))
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(columns.next_offset)).all()
        return [
            OutboxEntry(
                EntryId(TopicPartition(row.topic, row.partition_number), row.next_offset), unpack(row.payload)
            )
            for row in rows
        ]

    def delete_outbox(self, group: str, entries: Collection[EntryId]) -> None:
        writes = Writes()
        writes.drop(t.outbox, (_entry(group, key) for key in entries))
        with writing(self._engine) as connection:
            writes.run(connection)

    def timers(self, group: str, partitions: Collection[TopicPartition], limit: int) -> list[Timer]:
        columns = t.timers.c
        query = (
            select(t.timers)
            .where(
                columns.group_name == group,
                tuple_(columns.topic, columns.partition_number).in_(list(partitions)),
            )
            .order_by(columns.due_at)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return [
            Timer(
                timer_id=EventId(row.timer_id),
                partition=TopicPartition(row.topic, row.partition_number),
                key=row.state_key,
                purpose=row.purpose,
                epoch=row.epoch,
                due_at=row.due_at,
                envelope=row.envelope,
            )
            for row in rows
        ]

    def delete_timers(self, timer_ids: Collection[EventId]) -> None:
        if timer_ids:
            with writing(self._engine) as connection:
                connection.execute(delete(t.timers).where(t.timers.c.timer_id.in_(timer_ids)))

    def count_attempt(self, group: str, partition: TopicPartition, offset: int) -> int:
        row = {**_place(group, partition), "record_offset": offset, "attempts": 1}
        statement = insert(self._engine.dialect.name, t.attempts).values(row)
        counted = statement.on_conflict_do_update(
            index_elements=[column.name for column in t.attempts.primary_key],
            set_={"attempts": t.attempts.c.attempts + 1},
        ).returning(t.attempts.c.attempts)
        with writing(self._engine) as connection:
            count: int = connection.execute(counted).scalar_one()
        return count

    def clear_attempts(self, group: str, partition: TopicPartition, below: int) -> None:
        columns = t.attempts.c
        statement = delete(t.attempts).where(
            columns.group_name == group,
            columns.topic == partition.topic,
            columns.partition_number == partition.partition,
            columns.record_offset < below,
        )
        with writing(self._engine) as connection:
            connection.execute(statement)

    def skips(self, group: str, topic: str) -> list[tuple[TopicPartition, int]]:
        columns = t.skips.c
        query = select(t.skips).where(columns.group_name == group, columns.topic == topic)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(columns.partition_number, columns.record_offset)).all()
        return [(TopicPartition(row.topic, row.partition_number), row.record_offset) for row in rows]

    def forget_seen(self, before: datetime, at_most: int) -> int:
        with writing(self._engine) as connection:
            return connection.execute(delete_older(t.seen.c.seen_at, before, at_most)).rowcount


def pack(records: Sequence[Outgoing]) -> bytes:
    """JSON: a list of [topic, key, value, [[header, value], …], partition]; everything in a record is UTF-8, dead letters' bytes
    excepted, which are written as Latin-1 under a mark.
    """
    return orjson.dumps([_packed(record) for record in records])


def unpack(payload: bytes) -> tuple[Outgoing, ...]:
    return tuple(
        Outgoing(
            topic,
            key.encode(encoding),
            value.encode(encoding),
            tuple((name, header.encode(encoding)) for name, header in headers),
            partition,
        )
        for topic, key, value, headers, partition, encoding in orjson.loads(payload)
    )


def _packed(record: Outgoing) -> list[object]:
    try:
        return _decoded(record, "utf-8")
    except UnicodeDecodeError:
        return _decoded(record, "latin-1")


def _decoded(record: Outgoing, encoding: str) -> list[object]:
    headers = [(name, value.decode(encoding)) for name, value in record.headers]
    return [
        record.topic,
        record.key.decode(encoding),
        record.value.decode(encoding),
        headers,
        record.partition,
        encoding,
    ]


def _decided(writes: Writes, commit: Commit) -> None:
    group, now = commit.group, datetime.now(UTC)
    writes.move(P.next_offset, (_advance_row(group, advance) for advance in commit.advances))
    leaving = ((entry.entry_id, pack(entry.records)) for entry in left_behind(commit))
    writes.put(t.outbox, ({**_entry(group, key), "payload": payload} for key, payload in leaving), "keep")
    writes.drop(t.outbox, (_entry(group, key) for key in commit.published))
    seen = ({"event_id": event_id, "group_name": group, "seen_at": now} for event_id in commit.seen)
    writes.put(t.seen, seen, "keep")
    states = ({"state_key": s.key, "group_name": group, "value": s.value} for s in commit.states)
    writes.put(t.states, states, "replace")
    writes.put(t.timers, (_timer_row(group, timer) for timer in commit.timers), "replace")
    writes.drop(t.timers, ({"timer_id": timer_id} for timer_id in commit.timers_cancelled))
    skips = ({**_place(group, partition), "record_offset": offset} for partition, offset in commit.skipped)
    writes.put(t.skips, skips, "keep")
    for table, column in conversation_columns().items():
        writes.drop(table, ({column.name: key} for key in commit.erased))


@cache
def _seen(dialect: str) -> Select[Any]:
    columns = t.seen.c
    return select(columns.event_id).where(
        one_of(dialect, columns.event_id, "b_names"), columns.group_name == bindparam("b_group")
    )


@cache
def _states(dialect: str) -> Select[Any]:
    columns = t.states.c
    return select(columns.state_key, columns.value).where(
        one_of(dialect, columns.state_key, "b_names"), columns.group_name == bindparam("b_group")
    )


def _place(group: str, partition: TopicPartition) -> dict[str, object]:
    return {"group_name": group, "topic": partition.topic, "partition_number": partition.partition}


def _entry(group: str, entry_id: EntryId) -> dict[str, object]:
    return {**_place(group, entry_id.partition), "next_offset": entry_id.next_offset}


def _advance_row(group: str, advance: Advance) -> dict[str, object]:
    return {
        **_place(group, advance.partition),
        "fence": advance.fence,
        WAS: advance.expected,
        NOW: advance.next_offset,
    }


def _bound(group: str, partition: TopicPartition) -> dict[str, object]:
    return {"b_group": group, "b_topic": partition.topic, "b_partition": partition.partition}


def _among(group: str, partitions: Sequence[TopicPartition]) -> ColumnElement[bool]:
    places = [and_(P.topic == p.topic, P.partition_number == p.partition) for p in partitions]
    return and_(P.group_name == group, or_(*places))


def _leases(
    connection: Connection, group: str, partitions: Sequence[TopicPartition], lock: bool = False
) -> dict[TopicPartition, Lease]:
    if not partitions:
        return {}
    query = select(t.partitions).where(_among(group, partitions))
    rows = connection.execute(query.with_for_update() if lock else query)
    return {
        TopicPartition(row.topic, row.partition_number): Lease(row.fence, row.next_offset, row.clean)
        for row in rows
    }


def _timer_row(group: str, timer: Timer) -> dict[str, object]:
    return {
        **_place(group, timer.partition),
        "timer_id": timer.timer_id,
        "state_key": timer.key,
        "purpose": timer.purpose,
        "epoch": timer.epoch,
        "due_at": timer.due_at,
        "envelope": timer.envelope,
    }
