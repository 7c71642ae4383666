"""The store in dictionaries: for tests that need no database and for conversations that nobody keeps. One lock guards it all."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import wraps
from threading import RLock
from typing import Any, TypeVar, cast

from parley.backends.memory_adapters import MemoryAdapters
from parley.backends.memory_channels import MemoryChannels
from parley.backends.memory_links import MemoryLinks
from parley.backends.memory_values import MemoryValues
from parley.domain.readmodel import ConversationRow, DeliveryRow, FeedbackRow, Projection, newest
from parley.errors import AlreadySeen, Superseded, UnknownTenant
from parley.ports.bus import TopicPartition
from parley.ports.keys import Erasure
from parley.ports.store import (
    AccessKey,
    AuditEntry,
    Claim,
    Commit,
    EntryId,
    HistoryRow,
    Lease,
    OutboxEntry,
    TenantVersion,
    Timer,
    left_behind,
)
from schemas.base import ConversationId, CustomerId, EventId, TenantId
from schemas.tenant import TenantConfig, TenantContent

F = TypeVar("F", bound=Callable[..., Any])


def locked(method: F) -> F:
    @wraps(method)
    def under_lock(self: "MemoryStore", *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return cast(F, under_lock)


class MemoryStore(MemoryValues):
    """Implements `parley.ports.store.Store`."""

    def __init__(self) -> None:
        super().__init__()
        self.lock = RLock()
        self.adapters = MemoryAdapters()
        self.channels = MemoryChannels()
        self.links = MemoryLinks()
        self._leases: dict[tuple[str, TopicPartition], Lease] = {}
        self._seen: dict[tuple[str, EventId], datetime] = {}
        self._states: dict[tuple[str, str], bytes] = {}
        self._history: dict[ConversationId, dict[int, HistoryRow]] = {}
        self._conversations: dict[ConversationId, ConversationRow] = {}
        self._feedback: dict[tuple[str, str, str], FeedbackRow] = {}
        self._deliveries: dict[tuple[str, str, str], DeliveryRow] = {}
        self._timers: dict[EventId, tuple[str, Timer]] = {}
        self._outbox: dict[tuple[str, EntryId], OutboxEntry] = {}
        self._attempts: dict[tuple[str, TopicPartition, int], int] = {}
        self._skips: list[tuple[str, TopicPartition, int]] = []
        self._tenants: dict[tuple[str, str], tuple[TenantConfig, TenantContent, datetime]] = {}
        self._current: dict[str, str] = {}
        self._keys: dict[str, AccessKey] = {}
        self._claims: dict[tuple[str, str], Claim] = {}
        self._erasures: dict[tuple[str, str], Erasure] = {}
        self._audit: list[AuditEntry] = []

    def ping(self) -> None:
        """Always there."""

    def close(self) -> None:
        """Nothing is open."""

    # -- decisions ----------------------------------------------------------------------------------------------------

    @locked
    def raise_fence(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Lease]:
        taken = {}
        for partition in partitions:
            held = self._leases.get((group, partition), Lease(0, None, True))
            taken[partition] = replace(held, fence=held.fence + 1)
            self._leases[group, partition] = replace(held, fence=held.fence + 1, clean=False)
        return taken

    @locked
    def release(self, group: str, fences: Mapping[TopicPartition, int]) -> None:
        for partition, fence in fences.items():
            held = self._leases[group, partition]
            if held.fence == fence:
                self._leases[group, partition] = replace(held, clean=True)

    @locked
    def offsets(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, int | None]:
        held = {partition: self._leases.get((group, partition)) for partition in partitions}
        return {partition: None if lease is None else lease.next_offset for partition, lease in held.items()}

    @locked
    def seen(self, group: str, ids: Collection[EventId]) -> set[EventId]:
        return {event_id for event_id in ids if (group, event_id) in self._seen}

    @locked
    def states(self, group: str, keys: Collection[str]) -> dict[str, bytes]:
        return {key: self._states[group, key] for key in keys if (group, key) in self._states}

    @locked
    def commit(self, commit: Commit) -> None:
        group = commit.group
        for advance in commit.advances:
            held = self._leases.get((group, advance.partition))
            if held is None or (held.fence, held.next_offset) != (advance.fence, advance.expected):
                raise Superseded(f"{advance.partition}: another worker was there first")
        if self.seen(group, commit.seen):
            raise AlreadySeen("an event of this batch was decided before")
        for advance in commit.advances:
            held = self._leases[group, advance.partition]
            self._leases[group, advance.partition] = replace(held, next_offset=advance.next_offset)
        now = datetime.now(UTC)
        self._seen.update({(group, event_id): now for event_id in commit.seen})
        self._states.update({(group, state.key): state.value for state in commit.states})
        self._write_rows(commit.history, commit.projections)
        self._timers.update({timer.timer_id: (group, timer) for timer in commit.timers})
        self.delete_timers(commit.timers_cancelled)
        self.delete_outbox(group, commit.published)
        self._skips += [(group, partition, offset) for partition, offset in commit.skipped]
        self._drop_conversations(commit.erased)
        self._outbox.update({(group, entry.entry_id): entry for entry in left_behind(commit)})

    @locked
    def outbox(self, group: str, partitions: Sequence[TopicPartition]) -> list[OutboxEntry]:
        held = [entry for (owner, _), entry in self._outbox.items() if owner == group]
        return [entry for entry in held if entry.entry_id.partition in partitions]

    @locked
    def delete_outbox(self, group: str, entries: Collection[EntryId]) -> None:
        for entry_id in entries:
            self._outbox.pop((group, entry_id), None)

    @locked
    def timers(self, group: str, partitions: Collection[TopicPartition], limit: int) -> list[Timer]:
        held = [t for owner, t in self._timers.values() if owner == group and t.partition in partitions]
        return sorted(held, key=lambda timer: timer.due_at)[:limit]

    @locked
    def delete_timers(self, timer_ids: Collection[EventId]) -> None:
        for timer_id in timer_ids:
            self._timers.pop(timer_id, None)

    @locked
    def count_attempt(self, group: str, partition: TopicPartition, offset: int) -> int:
        count = self._attempts.get((group, partition, offset), 0) + 1
        self._attempts[group, partition, offset] = count
        return count

    @locked
    def clear_attempts(self, group: str, partition: TopicPartition, below: int) -> None:
        for key in [k for k in self._attempts if k[:2] == (group, partition) and k[2] < below]:
            del self._attempts[key]

    @locked
    def skips(self, group: str, topic: str) -> list[tuple[TopicPartition, int]]:
        return [
            (partition, offset)
            for held, partition, offset in self._skips
            if (held, partition.topic) == (group, topic)
        ]

    @locked
    def forget_seen(self, before: datetime, at_most: int) -> int:
        old = [key for key, at in self._seen.items() if at < before][:at_most]
        for key in old:
            del self._seen[key]
        return len(old)

    # -- read model ---------------------------------------------------------------------------------------------------

    def _write_rows(self, history: Iterable[HistoryRow], projections: Iterable[Projection]) -> None:
        for row in history:
            self._history.setdefault(row.conversation_id, {})[row.seq] = row
        for projected in projections:
            if isinstance(projected, ConversationRow):
                self._conversations[projected.conversation_id] = projected
            elif isinstance(projected, FeedbackRow):
                self._feedback[projected.conversation_id, projected.reply_id, projected.by] = projected
            else:
                self._deliveries[projected.conversation_id, projected.outbound_id, projected.state] = (
                    projected
                )

    @locked
    def conversation(self, conversation_id: ConversationId) -> ConversationRow | None:
        return self._conversations.get(conversation_id)

    @locked
    def conversations(
        self, tenant: TenantId | None, *, status: str | None = None, limit: int = 100
    ) -> list[ConversationRow]:
        found = [
            row
            for row in self._conversations.values()
            if tenant in (None, row.tenant) and status in (None, row.status)
        ]
        return sorted(found, key=lambda row: row.updated_at, reverse=True)[:limit]

    @locked
    def conversations_by_id(
        self,
        tenant: TenantId,
        *,
        after: ConversationId | None = None,
        since: datetime | None = None,
        channel: str | None = None,
        limit: int = 500,
    ) -> list[ConversationRow]:
        found = [
            row
            for row in self._conversations.values()
            if row.tenant == tenant
            and (after is None or row.conversation_id > after)
            and (since is None or row.updated_at >= since)
            and channel in (None, row.channel)
        ]
        return sorted(found, key=lambda row: row.conversation_id)[:limit]

    @locked
    def conversations_with(
        self, tenant: TenantId, customers: Collection[CustomerId]
    ) -> list[ConversationRow]:
        rows = self._conversations.values()
        found = [row for row in rows if row.tenant == tenant and row.customer_id in customers]
        return sorted(found, key=lambda row: (row.updated_at, row.conversation_id), reverse=True)

    @locked
    def history(
        self, conversation_id: ConversationId, *, after_seq: int = 0, limit: int = 500
    ) -> list[HistoryRow]:
        rows = self._history.get(conversation_id, {})
        return [rows[seq] for seq in sorted(rows) if seq > after_seq][:limit]

    @locked
    def open_messages(self) -> dict[TenantId, int]:
        counts: dict[TenantId, int] = {}
        for row in self._conversations.values():
            if row.open_messages:
                counts[row.tenant] = counts.get(row.tenant, 0) + row.open_messages
        return counts

    @locked
    def feedback(self, conversation_id: ConversationId) -> list[FeedbackRow]:
        return [row for row in self._feedback.values() if row.conversation_id == conversation_id]

    @locked
    def deliveries(self, conversation_id: ConversationId) -> list[DeliveryRow]:
        return newest(row for row in self._deliveries.values() if row.conversation_id == conversation_id)

    @locked
    def rewrite(
        self,
        conversations: Iterable[ConversationId],
        history: Iterable[HistoryRow],
        projections: Iterable[Projection],
    ) -> None:
        for conversation in conversations:
            self._history.pop(conversation, None)
            self._conversations.pop(conversation, None)
            self._deliveries = {at: row for at, row in self._deliveries.items() if at[0] != conversation}
        self._write_rows(history, projections)

    # -- tenants ------------------------------------------------------------------------------------------------------

    @locked
    def put(self, version: str, config: TenantConfig, content: TenantContent, imported_at: datetime) -> bool:
        self._tenants.setdefault((config.id, version), (config, content, imported_at))
        changed = self._current.get(config.id) != version
        self._current[config.id] = version
        return changed

    @locked
    def current(self, tenant: TenantId) -> str:
        if tenant not in self._current:
            raise UnknownTenant(f"tenant {tenant} was never imported")
        return self._current[tenant]

    def config(self, tenant: TenantId, version: str) -> TenantConfig:
        return self._version(tenant, version)[0]

    def content(self, tenant: TenantId, version: str) -> TenantContent:
        return self._version(tenant, version)[1]

    @locked
    def _version(self, tenant: TenantId, version: str) -> tuple[TenantConfig, TenantContent, datetime]:
        if (tenant, version) not in self._tenants:
            raise UnknownTenant(f"tenant {tenant} has no version {version}")
        return self._tenants[tenant, version]

    @locked
    def versions(self) -> list[TenantVersion]:
        return [
            TenantVersion(TenantId(tenant), version, at, self._current[tenant] == version)
            for (tenant, version), (_, _, at) in self._tenants.items()
        ]

    # -- privacy ------------------------------------------------------------------------------------------------------

    @locked
    def list_erasures(self, erasures: Iterable[Erasure]) -> None:
        for each in erasures:
            self._erasures.setdefault((each.tenant, each.customer_id), each)

    @locked
    def erasures(self) -> list[Erasure]:
        return sorted(self._erasures.values(), key=lambda each: each.erased_at)

    @locked
    def conversations_of(self, tenant: TenantId, customer: CustomerId) -> list[ConversationId]:
        rows: list[Projection] = [
            *self._conversations.values(),
            *self._feedback.values(),
            *self._deliveries.values(),
        ]
        named = {r.conversation_id for r in rows if (r.tenant, r.customer_id) == (tenant, customer)}
        return sorted(named | self.channels.conversations_of(tenant, customer))

    @locked
    def held(self, tenant: TenantId, customer: CustomerId) -> dict[str, list[dict[str, Any]]]:
        names = set(self.conversations_of(tenant, customer))
        held = {
            table: [row for row in rows if row.get("conversation_id", row.get("state_key")) in names]
            for table, rows in self._rows().items()
        }
        return {
            **held,
            "masked_values": [asdict(each) for each in self.values_of(tenant, customer)],
            "customer_links": self.links.rows(tenant, customer),
        }

    def _rows(self) -> dict[str, list[dict[str, Any]]]:
        """As a database's tables would have them."""
        states = self._states.items()
        timers = [(group, asdict(timer)) for group, timer in self._timers.values()]
        return {
            "states": [
                {"state_key": key, "group_name": group, "value": held} for (group, key), held in states
            ],
            "timers": [{"group_name": group, "state_key": row.pop("key"), **row} for group, row in timers],
            "history": [asdict(row) for rows in self._history.values() for row in rows.values()],
            "claims": [asdict(claim) for claim in self._claims.values()],
            "conversations": [asdict(row) for row in self._conversations.values()],
            "feedback": [asdict(row) for row in self._feedback.values()],
            "delivery_states": [asdict(row) for row in self._deliveries.values()],
            **self.channels.rows(),
        }

    @locked
    def purge(self, customers: Iterable[tuple[TenantId, CustomerId]]) -> dict[str, int]:
        gone: dict[str, int] = {}
        for tenant, customer in customers:
            for table, rows in self.held(tenant, customer).items():
                gone[table] = gone.get(table, 0) + len(rows)
            self._drop_conversations(self.conversations_of(tenant, customer))
            self.drop_values(self.values_of(tenant, customer))
            self.links.drop(tenant, customer)
        return gone

    def _drop_conversations(self, names: Collection[str]) -> None:
        if not names:
            return
        for key in names:
            self._history.pop(ConversationId(key), None)
            self._conversations.pop(ConversationId(key), None)
            self.drop_values(self.values(ConversationId(key)))
        self._states = {at: value for at, value in self._states.items() if at[1] not in names}
        self._feedback = {at: row for at, row in self._feedback.items() if at[0] not in names}
        self._deliveries = {at: row for at, row in self._deliveries.items() if at[0] not in names}
        self._claims = {at: claim for at, claim in self._claims.items() if at[0] not in names}
        self._timers = {at: held for at, held in self._timers.items() if held[1].key not in names}
        self.channels.drop(names)

    @locked
    def note(self, entry: AuditEntry) -> None:
        self._audit.append(entry)

    @locked
    def noted(self, tenant: TenantId | None = None) -> list[AuditEntry]:
        return [entry for entry in self._audit if tenant in (None, entry.tenant)]

    # -- doors --------------------------------------------------------------------------------------------------------

    @locked
    def put_key(self, key: AccessKey) -> None:
        self._keys[key.key_hash] = key

    @locked
    def key(self, key_hash: str) -> AccessKey | None:
        return self._keys.get(key_hash)

    @locked
    def keys(self, tenant: TenantId | None = None) -> list[AccessKey]:
        return [key for key in self._keys.values() if tenant in (None, key.tenant)]

    @locked
    def revoke_key(self, key_hash: str, at: datetime) -> None:
        if key_hash in self._keys:
            self._keys[key_hash] = replace(self._keys[key_hash], revoked_at=at)

    @locked
    def claim(self, claims: Sequence[Claim]) -> list[Claim]:
        return [self._claims.setdefault((c.conversation_id, c.client_message_id), c) for c in claims]

    @locked
    def forget_claims(self, before: datetime, at_most: int) -> int:
        old = [key for key, claim in self._claims.items() if claim.claimed_at < before][:at_most]
        for key in old:
            del self._claims[key]
        return len(old)
