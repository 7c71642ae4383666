"""The consumer of the logs on this machine: positions, pauses, membership and the listener. Storage is in `local_log`.

Kafka's consumer is not here; what this one does is what that one does, and the contract suite holds both to it.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from time import monotonic

from parley.backends.local_log import Bell, GroupLog, LogReader, Member
from parley.errors import BusUnavailable, Superseded
from parley.ports.bus import RebalanceListener, Record, Start, TopicPartition

log = logging.getLogger(__name__)

RETRY_S = 0.1
"""How long a poll waits before it asks again a log that is away."""


class LocalConsumer:
    """A `Consumer`: with a member it takes its share of the topics, without one it reads every partition."""

    def __init__(
        self,
        reader: LogReader,
        topics: Sequence[str],
        start: Start,
        *,
        groups: GroupLog,
        member: Member | None = None,
        listener: RebalanceListener | None = None,
    ) -> None:
        self._reader = reader
        self._topics = tuple(topics)
        self._start: Start = start
        self._groups = groups
        self._member = member
        self._listener = listener
        self._bell = member.bell if member is not None else Bell()
        self._positions: dict[TopicPartition, int] = {}
        self._paused: set[TopicPartition] = set()
        self._version: int | None = None
        self._joined = False
        self._turn = 0
        self._closed = False
        if member is None:
            self._own(reader.partitions(topics))

    # -- reading ------------------------------------------------------------------------------------------------------

    def poll(self, timeout_s: float, max_records: int = 500) -> list[Record]:
        member = self._member
        if member is None:
            return self._poll(timeout_s, max_records)
        stalled = self._stalled(member)
        member.seen_s = self._groups.now_s()
        member.polling = True
        try:
            if stalled:
                self._lapse(member)
            return self._poll(timeout_s, max_records)
        finally:
            member.seen_s = self._groups.now_s()
            member.polling = False

    def _poll(self, timeout_s: float, max_records: int) -> list[Record]:
        until = monotonic() + timeout_s
        while True:
            self._bell.quiet()
            if self._bell.take_wake() or self._closed:
                return []
            patience = self._groups.check_every_s
            try:
                if self._member is not None:
                    self._keep_membership(self._member)
                records = self._fetch(max_records)
                if records:
                    return records
            except BusUnavailable as error:
                log.debug("waiting for the log: %s", error)
                patience = RETRY_S
            left = until - monotonic()
            if left <= 0:
                return []
            self._bell.wait(min(patience, left))

    def _fetch(self, max_records: int) -> list[Record]:
        wanted = [(p, offset) for p, offset in self._positions.items() if p not in self._paused]
        if not wanted:
            return []
        # Begin elsewhere each time, so that one partition's backlog does not keep the others waiting.
        self._turn = (self._turn + 1) % len(wanted)
        fetched = self._reader.read(wanted[self._turn :] + wanted[: self._turn], max_records)
        self._positions.update(fetched.positions)
        return fetched.records

    # -- membership ---------------------------------------------------------------------------------------------------

    def _keep_membership(self, member: Member) -> None:
        version = self._groups.version(member.group)
        if version == self._version:
            return
        standing = self._groups.standing(member)
        if standing is None:
            self._lose()
            self._reader.partitions(self._topics)
            self._joined = True
            self._groups.join(member)
            standing = self._groups.standing(member)
        if standing is None:
            return  # expelled at once: the next turn joins again
        owned = set(self._positions)
        self._revoke(member, owned - standing.should)
        abandoned = standing.held - owned - standing.should
        if abandoned:
            self._groups.release(member, abandoned)
        self._take(member, (standing.free | (standing.held & standing.should)) - owned)
        self._version = version

    def _lapse(self, member: Member) -> None:
        """This member stalled past its session, whether or not anybody has noticed: it begins anew."""
        self._version = None
        try:
            self._groups.leave(member)
        except BusUnavailable as error:
            log.debug("waiting for the log: %s", error)
        self._lose()

    def _lose(self) -> None:
        lost = sorted(self._positions)
        self._disown(lost)
        if lost and self._listener is not None:
            self._listener.lost(lost)

    def _revoke(self, member: Member, partitions: Iterable[TopicPartition]) -> None:
        leaving = sorted(partitions)
        if not leaving:
            return
        if self._listener is not None:
            self._listener.revoked(leaving)
        self._disown(leaving)
        self._groups.release(member, leaving)

    def _take(self, member: Member, partitions: Iterable[TopicPartition]) -> None:
        wanted = sorted(partitions)
        taken = self._groups.take(member, wanted) if wanted else []
        if not taken:
            return
        self._own(taken)
        if self._listener is not None:
            self._listener.assigned(taken)

    def _own(self, partitions: Sequence[TopicPartition]) -> None:
        positions: dict[TopicPartition, int] = {}
        for partition, (first, end) in self._reader.bounds(partitions).items():
            committed = self.committed(partition)
            fresh = first if self._start == "earliest" else end
            positions[partition] = fresh if committed is None else committed
        self._positions.update(positions)
        self._reader.listen(self._bell, self._positions)

    def _disown(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._positions.pop(partition, None)
            self._paused.discard(partition)
        self._reader.listen(self._bell, self._positions)

    # -- offsets ------------------------------------------------------------------------------------------------------

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if not offsets:
            return
        member = self._member
        if member is None:
            raise Superseded("a reader belongs to no group and commits nothing")
        strangers = sorted(set(offsets) - set(self._positions))
        if strangers:
            raise Superseded(f"group {member.group} does not own {strangers[0]} here")
        if self._stalled(member):
            raise Superseded(f"no poll for more than {member.session_timeout_s:g} s: the partitions are lost")
        self._groups.commit(member, offsets)

    def _stalled(self, member: Member) -> bool:
        return bool(self._positions) and not member.alive(self._groups.now_s())

    def committed(self, partition: TopicPartition) -> int | None:
        return None if self._member is None else self._reader.committed(self._member.group, partition)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._check(partition)
        self._positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        self._check(partition)
        return self._positions[partition]

    def _check(self, partition: TopicPartition) -> None:
        if partition not in self._positions:
            raise ValueError(f"{partition.topic}/{partition.partition} is not assigned to this consumer")

    def beginning_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: first for partition, (first, _) in self._reader.bounds(partitions).items()}

    def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: end for partition, (_, end) in self._reader.bounds(partitions).items()}

    def offsets_for_time(
        self, partitions: Iterable[TopicPartition], timestamp_ms: int
    ) -> dict[TopicPartition, int | None]:
        return {partition: self._reader.offset_at(partition, timestamp_ms) for partition in partitions}

    # -- flow, end ----------------------------------------------------------------------------------------------------

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            self._check(partition)
            self._paused.add(partition)

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._paused.difference_update(list(partitions))

    def paused(self) -> frozenset[TopicPartition]:
        return frozenset(self._paused)

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._positions)

    def wakeup(self) -> None:
        self._bell.wake()

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            if self._member is not None and self._joined:
                self._leave(self._member)
        finally:
            self._reader.close(self._bell)

    def _leave(self, member: Member) -> None:
        owned = sorted(self._positions)
        if owned and self._listener is not None:
            (self._listener.revoked if self._still_ours(member) else self._listener.lost)(owned)
        self._disown(owned)
        try:
            self._groups.leave(member)
        except BusUnavailable as error:
            log.warning("group %s learns only by its time-out that a member left: %s", member.group, error)

    def _still_ours(self, member: Member) -> bool:
        try:
            return not self._stalled(member) and self._groups.standing(member) is not None
        except BusUnavailable:
            return False  # nothing can be committed any more
