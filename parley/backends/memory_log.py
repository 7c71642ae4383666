"""Topics, records and groups in memory behind one lock. The bus around it is in `memory_bus`."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock

from parley.backends.local_log import Bell, Fetched, Member, Standing, share
from parley.errors import BusUnavailable, ConfigurationError, Superseded, UnknownTopic
from parley.ports.bus import Headers, Position, Record, TopicPartition, TopicSpec


class _Partition:
    """One partition: records in offset order, with gaps where compaction took some out."""

    def __init__(self) -> None:
        self.first = 0
        self.end = 0
        self.records: list[Record] = []

    def read(self, offset: int, max_records: int) -> list[Record]:
        at = bisect_left(self.records, offset, key=lambda record: record.offset)
        return self.records[at : at + max_records]

    def drop_before(self, timestamp_ms: int) -> None:
        kept = next(
            (i for i, r in enumerate(self.records) if r.timestamp_ms >= timestamp_ms), len(self.records)
        )
        self.records = self.records[kept:]
        self.first = self.records[0].offset if self.records else self.end

    def compact(self) -> None:
        last = {record.key: record.offset for record in self.records}
        self.records = [r for r in self.records if r.key is None or last[r.key] == r.offset]


class MemoryLog:
    """A `LogReader` and a `GroupLog`."""

    check_every_s = 0.02

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = RLock()
        self._up = True
        self._topics: dict[str, TopicSpec] = {}
        self._logs: dict[TopicPartition, _Partition] = {}
        self._bells: dict[Bell, frozenset[TopicPartition]] = {}
        self._members: dict[str, list[Member]] = {}
        self._owners: dict[tuple[str, TopicPartition], str] = {}
        self._offsets: dict[tuple[str, TopicPartition], int] = {}
        self._versions: dict[str, int] = {}

    # -- the simulated broker -----------------------------------------------------------------------------------------

    def set_up(self, up: bool) -> None:
        with self._lock:
            self._up = up
            for bell in self._all_bells():
                bell.ring()

    def _check_up(self) -> None:
        if not self._up:
            raise BusUnavailable("the bus in memory is stopped")

    def _all_bells(self) -> list[Bell]:
        return [*self._bells, *(member.bell for members in self._members.values() for member in members)]

    # -- topics and records -------------------------------------------------------------------------------------------

    def apply(self, topics: Iterable[TopicSpec]) -> list[str]:
        created = []
        with self._lock:
            self._check_up()
            for spec in topics:
                have = self._topics.get(spec.name)
                if have is None:
                    self._topics[spec.name] = spec
                    self._logs.update(
                        {TopicPartition(spec.name, n): _Partition() for n in range(spec.partitions)}
                    )
                    created.append(spec.name)
                elif have.partitions != spec.partitions:
                    raise ConfigurationError(
                        f"topic {spec.name} has {have.partitions} partitions, not {spec.partitions}; "
                        "a topic in use keeps its number"
                    )
        return created

    def topics(self) -> dict[str, int]:
        with self._lock:
            self._check_up()
            return {name: spec.partitions for name, spec in self._topics.items()}

    def partition_count(self, topic: str) -> int:
        """Also while the log is away: a producer knows its topics. Raises `UnknownTopic`."""
        with self._lock:
            spec = self._topics.get(topic)
        if spec is None:
            raise UnknownTopic(f"topic {topic} does not exist on the bus (parley topics apply creates it)")
        return spec.partitions

    def partitions(self, topics: Iterable[str]) -> list[TopicPartition]:
        self._check_up()
        return [TopicPartition(topic, n) for topic in topics for n in range(self.partition_count(topic))]

    def append(
        self,
        partition: TopicPartition,
        timestamp_ms: int,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
    ) -> Position:
        with self._lock:
            self._check_up()
            log = self._logs[partition]
            offset = log.end
            log.records.append(Record(*partition, offset, timestamp_ms, key, value, headers))
            log.end += 1
            for bell, wanted in self._bells.items():
                if partition in wanted:
                    bell.ring()
        return Position(*partition, offset)

    def sweep(self, now_ms: int) -> None:
        with self._lock:
            for partition, log in self._logs.items():
                spec = self._topics[partition.topic]
                if spec.compacted:
                    log.compact()
                elif spec.retention_ms is not None:
                    log.drop_before(now_ms - spec.retention_ms)

    # -- LogReader ----------------------------------------------------------------------------------------------------

    def listen(self, bell: Bell, partitions: Iterable[TopicPartition]) -> None:
        wanted = frozenset(partitions)
        with self._lock:
            if wanted:
                self._bells[bell] = wanted
            else:
                self._bells.pop(bell, None)

    def read(self, wanted: Sequence[tuple[TopicPartition, int]], max_records: int) -> Fetched:
        fetched = Fetched([], {})
        with self._lock:
            self._check_up()
            for partition, offset in wanted:
                room = max_records - len(fetched.records)
                log = self._logs[partition]
                if room <= 0 or offset >= log.end:
                    continue
                records = log.read(offset, room)
                fetched.records.extend(records)
                fetched.positions[partition] = records[-1].offset + 1 if len(records) == room else log.end
        return fetched

    def bounds(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
        with self._lock:
            self._check_up()
            return {
                partition: (self._logs[partition].first, self._logs[partition].end)
                for partition in partitions
            }

    def offset_at(self, partition: TopicPartition, timestamp_ms: int) -> int | None:
        with self._lock:
            self._check_up()
            records = self._logs[partition].records
            return next((record.offset for record in records if record.timestamp_ms >= timestamp_ms), None)

    def committed(self, group: str, partition: TopicPartition) -> int | None:
        with self._lock:
            self._check_up()
            return self._offsets.get((group, partition))

    def close(self, bell: Bell) -> None:
        with self._lock:
            self._bells.pop(bell, None)

    # -- GroupLog -----------------------------------------------------------------------------------------------------

    def now_s(self) -> float:
        return self._monotonic()

    def version(self, group: str) -> int:
        with self._lock:
            self._expel(group)
            return self._versions.get(group, 0)

    def join(self, member: Member) -> None:
        with self._lock:
            self._check_up()
            self._members.setdefault(member.group, []).append(member)
            self._changed(member.group)

    def leave(self, member: Member) -> None:
        with self._lock:
            self._check_up()
            self._remove(member)

    def standing(self, member: Member) -> Standing | None:
        with self._lock:
            self._check_up()
            members = self._members.get(member.group, [])
            if member not in members:
                return None
            counts = {topic: self._topics[topic].partitions for topic in member.topics}
            should = share(member.member_id, [(m.member_id, m.topics) for m in members], counts)
            owners = {tp: owner for (group, tp), owner in self._owners.items() if group == member.group}
            return Standing(
                should=should,
                free=frozenset(tp for tp in should if tp not in owners),
                held=frozenset(tp for tp, owner in owners.items() if owner == member.member_id),
            )

    def take(self, member: Member, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        with self._lock:
            self._check_up()
            if member not in self._members.get(member.group, []):
                return []
            got = []
            for partition in partitions:
                if self._owners.setdefault((member.group, partition), member.member_id) == member.member_id:
                    got.append(partition)
            return got

    def release(self, member: Member, partitions: Iterable[TopicPartition]) -> None:
        with self._lock:
            self._check_up()
            for partition in partitions:
                if self._owners.get((member.group, partition)) == member.member_id:
                    del self._owners[member.group, partition]
            self._changed(member.group)

    def commit(self, member: Member, offsets: Mapping[TopicPartition, int]) -> None:
        with self._lock:
            self._check_up()
            self._expel(member.group)
            for partition in offsets:
                if self._owners.get((member.group, partition)) != member.member_id:
                    raise Superseded(f"group {member.group} has another owner for {partition}")
            self._offsets.update({(member.group, partition): offset for partition, offset in offsets.items()})

    def _expel(self, group: str) -> None:
        now_s = self._monotonic()
        for member in [m for m in self._members.get(group, []) if not m.alive(now_s)]:
            self._remove(member)

    def _remove(self, member: Member) -> None:
        members = self._members.get(member.group, [])
        if member not in members:
            return
        members.remove(member)
        for key in [key for key, owner in self._owners.items() if owner == member.member_id]:
            del self._owners[key]
        self._changed(member.group)

    def _changed(self, group: str) -> None:
        self._versions[group] = self._versions.get(group, 0) + 1
        for member in self._members.get(group, []):
            member.bell.ring()

    # -- Admin --------------------------------------------------------------------------------------------------------

    def lag(self, group: str) -> dict[TopicPartition, int]:
        with self._lock:
            self._check_up()
            mine = {tp: offset for (name, tp), offset in self._offsets.items() if name == group}
            return {tp: max(0, self._logs[tp].end - offset) for tp, offset in mine.items()}

    def members(self, group: str) -> int:
        with self._lock:
            self._check_up()
            self._expel(group)
            return len(self._members.get(group, []))
