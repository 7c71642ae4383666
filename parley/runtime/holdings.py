"""The partitions that a decider owns: their leases, where each goes on, and how careful one has to be with them."""

from collections.abc import Iterable, Sequence

from parley.errors import ConfigurationError
from parley.ports.bus import Consumer, Record, TopicPartition
from parley.ports.store import Advance, DecisionStore, Lease

CAREFUL_RECORDS = 500
"""After a predecessor that did not leave in good order, so many records of the partition are handled one at a time."""


class Holdings:
    """Belongs to the loop's thread."""

    def __init__(self, store: DecisionStore, group: str) -> None:
        self._store = store
        self._group = group
        self._leases: dict[TopicPartition, Lease] = {}
        self._next: dict[TopicPartition, int | None] = {}
        self._careful: dict[TopicPartition, int] = {}
        self._last_fences: dict[TopicPartition, int] = {}
        self._interrupted: dict[TopicPartition, tuple[int, int]] = {}

    def __contains__(self, partition: TopicPartition) -> bool:
        return partition in self._leases

    def partitions(self) -> frozenset[TopicPartition]:
        return frozenset(self._leases)

    def next_offsets(self) -> dict[TopicPartition, int]:
        return {p: offset for p, offset in self._next.items() if offset is not None and p in self._leases}

    def take(self, leases: dict[TopicPartition, Lease], consumer: Consumer) -> None:
        """Begin at SQL's offsets. Raises `ConfigurationError` where the log ends before the offset: it is another log."""
        beginnings = consumer.beginning_offsets(leases)
        ends = consumer.end_offsets(leases)
        for partition, lease in leases.items():
            at = beginnings[partition] if lease.next_offset is None else lease.next_offset
            if at > ends[partition]:
                raise ConfigurationError(
                    f"{partition.topic}/{partition.partition} ends at {ends[partition]}, but {self._group} has read up to {at}: "
                    "the log was lost or made anew while the database was kept. Bring the log back, or begin with an empty database"
                )
            consumer.seek(partition, at)
            nobody_between = lease.fence == self._last_fences.get(partition, 0) + 1
            if not lease.clean and not nobody_between:
                self._careful[partition] = CAREFUL_RECORDS
            self._leases[partition] = lease
            self._next[partition] = lease.next_offset
            self._last_fences[partition] = lease.fence

    def fences(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {p: self._leases[p].fence for p in partitions if p in self._leases}

    def drop(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._leases.pop(partition, None)
            self._next.pop(partition, None)
            self._careful.pop(partition, None)

    def advances(self, records: Sequence[Record]) -> list[Advance]:
        """From where each partition stands to behind the last of these records."""
        last = {record.topic_partition: record.offset for record in records}
        return [
            Advance(partition, self._leases[partition].fence, self._next[partition], offset + 1)
            for partition, offset in last.items()
        ]

    def advanced(self, advances: Iterable[Advance]) -> None:
        for advance in advances:
            self._next[advance.partition] = advance.next_offset

    # -- one record at a time -----------------------------------------------------------------------------------------

    def is_careful(self, partition: TopicPartition) -> bool:
        return self._careful.get(partition, 0) > 0

    def calm_down(self, partition: TopicPartition) -> None:
        """One more record went well."""
        if partition in self._careful:
            self._careful[partition] = max(0, self._careful[partition] - 1)

    def attempt(self, record: Record) -> int:
        """Which attempt at this record begins now, noted in SQL first, so that one that kills the process counts too."""
        offset, attempt = self._interrupted.pop(record.topic_partition, (-1, 0))
        if offset == record.offset:
            return attempt
        return self._store.count_attempt(self._group, record.topic_partition, record.offset)

    def interrupted(self, record: Record, attempt: int) -> None:
        """The world was not there: that attempt is no fault of the record's, and is made again under the same number."""
        self._interrupted[record.topic_partition] = (record.offset, attempt)
