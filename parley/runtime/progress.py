"""Which records of each partition are done: what may be committed is the prefix without a gap."""

from collections import OrderedDict
from collections.abc import Mapping
from enum import Enum
from threading import Lock

from parley.ports.bus import TopicPartition


class _State(Enum):
    BEGUN = "begun"
    DONE = "done"
    LEFT = "left"


class Progress:
    """Thread-safe. A partition that was given up and comes back begins anew: old records no longer count."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._open: dict[TopicPartition, OrderedDict[int, _State]] = {}
        self._ready: dict[TopicPartition, int] = {}
        self._undone = 0

    def own(self, partition: TopicPartition) -> None:
        self.forget(partition)
        with self._lock:
            self._open[partition] = OrderedDict()

    def forget(self, partition: TopicPartition) -> None:
        with self._lock:
            left = self._open.pop(partition, OrderedDict())
            self._undone -= sum(state is _State.BEGUN for state in left.values())
            self._ready.pop(partition, None)

    def begin(self, partition: TopicPartition, offset: int) -> None:
        with self._lock:
            if partition in self._open and offset not in self._open[partition]:
                self._open[partition][offset] = _State.BEGUN
                self._undone += 1

    def finish(self, partition: TopicPartition, offset: int) -> None:
        """Note a record as done, and move the partition's commit over all that is done before it."""
        with self._lock:
            records = self._open.get(partition)
            if records is None or records.get(offset) is not _State.BEGUN:
                return
            records[offset] = _State.DONE
            self._undone -= 1
            while records:
                first = next(iter(records))
                if records[first] is not _State.DONE:
                    return
                del records[first]
                self._ready[partition] = first + 1

    def leave(self, partition: TopicPartition, offset: int) -> None:
        """A record that will not be done here: nobody waits for it any more, and no commit passes it by."""
        with self._lock:
            records = self._open.get(partition)
            if records is not None and records.get(offset) is _State.BEGUN:
                records[offset] = _State.LEFT
                self._undone -= 1

    def take_commits(self) -> dict[TopicPartition, int]:
        """Next offsets that moved since the last call."""
        with self._lock:
            ready, self._ready = self._ready, {}
            return ready

    def give_back(self, offsets: Mapping[TopicPartition, int]) -> None:
        """These could not be committed; try again with the next ones, unless those are further already."""
        with self._lock:
            for partition, offset in offsets.items():
                if partition in self._open:
                    self._ready[partition] = max(offset, self._ready.get(partition, 0))

    def open_count(self) -> int:
        """Records begun, and neither done nor left."""
        return self._undone

    def next_offsets(self) -> dict[TopicPartition, int]:
        """The first record that is not done, of each partition that has one."""
        with self._lock:
            return {partition: next(iter(records)) for partition, records in self._open.items() if records}
