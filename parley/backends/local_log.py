"""What a log on this machine offers to `LocalConsumer`: the memory backend and the SQLite backend fill it in.

A group works without a leader: who should own a partition follows from the members alone (`share`), who does own it is
stored. A member gives up what it should not have, takes what is free, and is told by its bell when either may have changed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import NamedTuple, Protocol

from parley.ports.bus import Record, TopicPartition


class Bell:
    """Wakes the one thread that waits in `poll`. What rings between `quiet` and `wait` is not missed."""

    def __init__(self) -> None:
        self._event = Event()
        self._lock = Lock()
        self._woken = False

    def ring(self) -> None:
        self._event.set()

    def wake(self) -> None:
        """Ring, and make the poll in progress, or the next one, return."""
        with self._lock:
            self._woken = True
        self._event.set()

    def take_wake(self) -> bool:
        with self._lock:
            woken, self._woken = self._woken, False
        return woken

    def quiet(self) -> None:
        self._event.clear()

    def wait(self, timeout_s: float) -> None:
        self._event.wait(timeout_s)


@dataclass(eq=False, slots=True)
class Member:
    """One group consumer. `seen_s` is the monotonic time of its last poll; inside `poll` it counts as seen."""

    member_id: str
    group: str
    topics: tuple[str, ...]
    session_timeout_s: float
    bell: Bell = field(default_factory=Bell)
    seen_s: float = 0.0
    polling: bool = False

    def alive(self, now_s: float) -> bool:
        return self.polling or now_s - self.seen_s <= self.session_timeout_s


class Standing(NamedTuple):
    """Where a member stands: `should` by the present members, `free` of those to be had, `held` by it as stored."""

    should: frozenset[TopicPartition]
    free: frozenset[TopicPartition]
    held: frozenset[TopicPartition]


class Fetched(NamedTuple):
    """Records, each partition's in order, and the position after each partition that was read to what is there."""

    records: list[Record]
    positions: dict[TopicPartition, int]


class LogReader(Protocol):
    """One consumer's view of the log. Belongs to one thread. Everything raises `BusUnavailable`."""

    def partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        """All partitions of the topics. Raises `UnknownTopic`."""

    def listen(self, bell: Bell, partitions: Iterable[TopicPartition]) -> None:
        """Ring the bell when one of exactly these partitions grows (those of an earlier call no longer count)."""

    def read(self, wanted: Sequence[tuple[TopicPartition, int]], max_records: int) -> Fetched:
        """Records from the wanted positions on, the first partitions first."""

    def bounds(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        """(first offset that may exist, offset of the next record) of each."""

    def offset_at(self, partition: TopicPartition, timestamp_ms: int) -> int | None: ...

    def committed(self, group: str, partition: TopicPartition) -> int | None: ...

    def close(self, bell: Bell) -> None:
        """Ring that bell no more; opens nothing."""


class GroupLog(Protocol):
    """The groups of the log. Everything but `version` and `now_s` raises `BusUnavailable`."""

    @property
    def check_every_s(self) -> float:
        """How often a waiting member has to ask for the version by itself: where nothing rings when a session runs out."""

    def now_s(self) -> float:
        """The monotonic clock that sessions are measured by."""

    def version(self, group: str) -> int:
        """Changes whenever some member may stand otherwise than before. Cheap."""

    def join(self, member: Member) -> None: ...

    def leave(self, member: Member) -> None: ...

    def standing(self, member: Member) -> Standing | None:
        """None when the member is not (or no longer) one of the group."""

    def take(self, member: Member, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        """Become the owner of what is free; returns what was got."""

    def release(self, member: Member, partitions: Iterable[TopicPartition]) -> None: ...

    def commit(self, member: Member, offsets: Mapping[TopicPartition, int]) -> None:
        """Raises `Superseded`, storing nothing, unless the member owns all of the partitions."""


def share(
    member_id: str, members: Sequence[tuple[str, Sequence[str]]], partitions: Mapping[str, int]
) -> frozenset[TopicPartition]:
    """What one member should own: of each of its topics one range, as Kafka's range assignor cuts them.

    `members` are (id, topics) in the order in which they joined.
    """
    mine: set[TopicPartition] = set()
    for topic, count in partitions.items():
        subscribed = [name for name, topics in members if topic in topics]
        if member_id in subscribed:
            place = subscribed.index(member_id)
            each, more = divmod(count, len(subscribed))
            first = place * each + min(place, more)
            last = first + each + (1 if place < more else 0)
            mine.update(TopicPartition(topic, number) for number in range(first, last))
    return frozenset(mine)
