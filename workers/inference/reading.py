"""What was read ahead of the preparing thread, and which of it is still this worker's to do.

A partition may be given up while records of it wait here, and may come back, to be read anew from what was committed: so each batch is
numbered by how often anything was given up before it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from queue import SimpleQueue

from parley.ports.bus import Record, TopicPartition


@dataclass(frozen=True, slots=True)
class Reading:
    """Records that were read together."""

    records: Sequence[Record]
    number: int

    def parts(self, at_once: int) -> Iterator["Reading"]:
        for at in range(0, len(self.records), at_once):
            yield replace(self, records=self.records[at : at + at_once])


class ReadAhead:
    """`put` and `drop` belong to the polling thread, `take` to the preparing one; `is_ours` may be asked by any."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Reading] = SimpleQueue()
        self._drops = 0
        self._dropped: dict[TopicPartition, int] = {}

    def put(self, records: Sequence[Record]) -> None:
        self._queue.put(Reading(records, self._drops))

    def drop(self, partitions: Collection[TopicPartition]) -> None:
        """What was read of these until now is not ours any more."""
        self._drops += 1
        self._dropped.update(dict.fromkeys(partitions, self._drops))

    def end(self) -> None:
        """The next reading that is taken after all others is an empty one."""
        self._queue.put(Reading((), self._drops))

    def take(self) -> Reading:
        return self._queue.get()

    def is_ours(self, record: Record, reading: Reading) -> bool:
        return self._dropped.get(record.topic_partition, 0) <= reading.number

    def ours(self, reading: Reading) -> list[Record]:
        """What is left of a reading."""
        return [record for record in reading.records if self.is_ours(record, reading)]
