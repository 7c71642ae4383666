"""What deciders keep: fenced offsets, seen ids, states, outbox, timers, attempts."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

import orjson
from sqlalchemy import Connection, Engine, and_, bindparam, delete, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from parley.backends.sql import tables as t
from parley.backends.sql.engine import insert, insert_missing, reading, upsert, writing
from parley.backends.sql.rows import add_history, add_projections
from parley.codec import Outgoing
from parley.errors import Superseded
from parley.ports.bus import TopicPartition
from parley.ports.store import Commit, Lease, OutboxEntry, Timer
from schemas.base import EventId

P = t.partitions.c
THIS_PARTITION = (
    P.group_name == bindparam("b_group"),
    P.topic == bindparam("b_topic"),
    P.partition_number == bindparam("b_partition"),
    P.fence == bindparam("b_fence"),
)
RELEASE = update(t.partitions).where(*THIS_PARTITION).values(clean=True)
ADVANCE = (
    update(t.partitions)
    .where(*THIS_PARTITION, P.next_offset.is_not_distinct_from(bindparam("b_expected")))
    .values(next_offset=bindparam("b_next"))
)
SEEN = select(t.seen.c.event_id).where(
    t.seen.c.group_name == bindparam("b_group"), t.seen.c.event_id.in_(bindparam("b_ids", expanding=True))
)
STATES = select(t.states.c.state_key, t.states.c.value).where(
    t.states.c.group_name == bindparam("b_group"),
    t.states.c.state_key.in_(bindparam("b_keys", expanding=True)),
)


class Decisions:
    """The `DecisionStore` part. `_engine` is set by the store that it is mixed into."""

    _engine: Engine

    def raise_fence(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Lease]:
        if not partitions:
            return {}
        rows = [{**_place(group, p), "fence": 0, "next_offset": None, "clean": True} for p in partitions]
        with writing(self._engine) as connection:
            connection.execute(insert_missing(self._engine, t.partitions), rows)
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
        if not ids:
            return set()
        with reading(self._engine) as connection:
            found = connection.scalars(SEEN, {"b_group": group, "b_ids": list(ids)})
            return {EventId(event_id) for event_id in found}

    def states(self, group: str, keys: Collection[str]) -> dict[str, bytes]:
        if not keys:
            return {}
        columns = t.states.c
        query = select(columns.state_key, columns.value).where(
            columns.group_name == group, columns.state_key.in_(keys)
        )
        with reading(self._engine) as connection:
            return {key: bytes(value) for key, value in connection.execute(query)}

    def commit(self, commit: Commit) -> dict[TopicPartition, int]:
        with writing(self._engine) as connection:
            self._advance(connection, commit)
            entries = self._leave_outbox(connection, commit)
            self._write_decided(connection, commit)
            add_history(connection, self._engine, commit.history)
            add_projections(connection, self._engine, commit.projections)
            if commit.published:
                connection.execute(delete(t.outbox).where(t.outbox.c.entry_id.in_(commit.published)))
        return entries

    def _advance(self, connection: Connection, commit: Commit) -> None:
        """Compare-and-swap of every offset under its fence. Raises `Superseded`, which rolls everything back."""
        for advance in commit.advances:
            bound = {
                **_bound(commit.group, advance.partition),
                "b_fence": advance.fence,
                "b_expected": advance.expected,
                "b_next": advance.next_offset,
            }
            if connection.execute(ADVANCE, bound).rowcount != 1:
                raise Superseded(f"{advance.partition}: another worker was there first")

    def _leave_outbox(self, connection: Connection, commit: Commit) -> dict[TopicPartition, int]:
        entries: dict[TopicPartition, int] = {}
        statement = insert(self._engine, t.outbox).returning(t.outbox.c.entry_id)
        for partition, records in (commit.outbox or {}).items():
            if records:
                row = {**_place(commit.group, partition), "payload": pack(records)}
                entries[partition] = connection.execute(statement, row).scalar_one()
        return entries

    def _write_decided(self, connection: Connection, commit: Commit) -> None:
        group = commit.group
        if commit.seen:
            now = datetime.now(UTC)
            rows = [{"group_name": group, "event_id": event_id, "seen_at": now} for event_id in commit.seen]
            connection.execute(insert_missing(self._engine, t.seen), rows)
        if commit.states:
            states = [{"group_name": group, "state_key": s.key, "value": s.value} for s in commit.states]
            connection.execute(upsert(self._engine, t.states), states)
        if commit.timers:
            connection.execute(
                upsert(self._engine, t.timers), [_timer_row(group, timer) for timer in commit.timers]
            )
        if commit.timers_cancelled:
            connection.execute(delete(t.timers).where(t.timers.c.timer_id.in_(commit.timers_cancelled)))
        if commit.skipped:
            skips = [
                {**_place(group, partition), "record_offset": offset} for partition, offset in commit.skipped
            ]
            connection.execute(insert_missing(self._engine, t.skips), skips)

    def outbox(self, group: str, partitions: Sequence[TopicPartition]) -> list[OutboxEntry]:
        if not partitions:
            return []
        columns = t.outbox.c
        query = select(t.outbox).where(
            columns.group_name == group, tuple_(columns.topic, columns.partition_number).in_(list(partitions))
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(columns.entry_id)).all()
        return [
            OutboxEntry(row.entry_id, TopicPartition(row.topic, row.partition_number), unpack(row.payload))
            for row in rows
        ]

    def delete_outbox(self, entry_ids: Collection[int]) -> None:
        if entry_ids:
            with writing(self._engine) as connection:
                connection.execute(delete(t.outbox).where(t.outbox.c.entry_id.in_(entry_ids)))

    def due_timers(
        self, group: str, partitions: Collection[TopicPartition], now: datetime, limit: int
    ) -> list[Timer]:
        columns = t.timers.c
        query = (
            select(t.timers)
            .where(
                columns.group_name == group,
                columns.due_at <= now,
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
        statement: object = insert(self._engine, t.attempts).values(row)
        counted = statement.on_conflict_do_update(  # type: ignore[attr-defined]  # both dialects' INSERT has it
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

    def forget_seen(self, before: datetime) -> int:
        with writing(self._engine) as connection:
            return connection.execute(delete(t.seen).where(t.seen.c.seen_at < before)).rowcount


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


def _place(group: str, partition: TopicPartition) -> dict[str, object]:
    return {"group_name": group, "topic": partition.topic, "partition_number": partition.partition}


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
