"""The store port: what deciders keep (states, outbox, offsets, timers), the read model, tenants, keys at the doors.

One SQL backend implements all of it on SQLite and PostgreSQL (`parley/backends/sql/`); one contract suite holds both.
Every method may raise `StoreUnavailable`, after which all of that call was written or nothing (the answer to a commit can be
lost); read again before going on. All are thread-safe.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from parley.codec import Outgoing
from parley.domain.readmodel import ConversationRow, DeliveryRow, FeedbackRow, Projection
from parley.ports.adapters import AdapterRegistry
from parley.ports.bus import TopicPartition
from parley.ports.channels import ChannelStore
from parley.ports.keys import Erasure
from parley.ports.links import LinkStore
from parley.ports.vault import ValueStore
from schemas.base import ConversationId, CustomerId, EventId, MessageId, TenantId
from schemas.tenant import TenantConfig, TenantContent


@dataclass(frozen=True, slots=True)
class Lease:
    """A partition as the new owner finds it. `clean` tells whether the last owner let go of it in good order."""

    fence: int
    next_offset: int | None
    clean: bool


@dataclass(frozen=True, slots=True)
class Advance:
    """Moves one partition's offset from `expected` to `next_offset`, if the fence still is ours.

    `expected` None means that no offset was ever stored.
    """

    partition: TopicPartition
    fence: int
    expected: int | None
    next_offset: int


@dataclass(frozen=True, slots=True)
class StoredState:
    """A key's state as the decider's codec made it; already sealed."""

    key: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Timer:
    """Wakes a key at `due_at`. `envelope` is the JSON envelope of the event that set it, from which `TimerFired` follows."""

    timer_id: EventId
    partition: TopicPartition
    key: str
    purpose: str
    epoch: int
    due_at: datetime
    envelope: str


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One `chat.outbound` event as it went out (sealed), under the conversation's `seq`: what a resume reads."""

    conversation_id: ConversationId
    seq: int
    epoch: int
    event_id: EventId
    type: str
    audience: str
    occurred_at: datetime
    headers: tuple[tuple[str, bytes], ...]
    value: bytes


class EntryId(NamedTuple):
    """Names what one batch left for the bus: the partition that was read, and the offset that the batch moved it to."""

    partition: TopicPartition
    next_offset: int


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one batch of decisions changes; written in one transaction or not at all.

    `outbox` holds what is to be published, by the partition that was read, each of which `advances`; `published` names outbox
    entries of earlier batches that the bus has acknowledged, deleted in passing. Of the keys in `erased` everything goes, state,
    timers and all rows: their customer was erased, and nothing of theirs is among what is written.
    """

    group: str
    advances: Sequence[Advance]
    seen: Collection[EventId] = ()
    states: Sequence[StoredState] = ()
    history: Sequence[HistoryRow] = ()
    projections: Sequence[Projection] = ()
    timers: Sequence[Timer] = ()
    timers_cancelled: Collection[EventId] = ()
    outbox: Mapping[TopicPartition, Sequence[Outgoing]] | None = None
    published: Collection[EntryId] = ()
    skipped: Sequence[tuple[TopicPartition, int]] = ()
    erased: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One batch's records for the bus, in order, as they were left for the partition's next owner."""

    entry_id: EntryId
    records: tuple[Outgoing, ...]


def left_behind(commit: Commit) -> list[OutboxEntry]:
    """The outbox entries of a batch, in the order of its partitions."""
    outbox = commit.outbox or {}
    return [
        OutboxEntry(EntryId(advance.partition, advance.next_offset), tuple(outbox[advance.partition]))
        for advance in commit.advances
        if outbox.get(advance.partition)
    ]


class DecisionStore(Protocol):
    """What a decider's loop needs. `group` is the decider's name."""

    def raise_fence(self, group: str, partitions: Sequence[TopicPartition]) -> dict[TopicPartition, Lease]:
        """Take the partitions: their fences grow by one, so that no predecessor can commit any more; marked unclean."""

    def release(self, group: str, fences: Mapping[TopicPartition, int]) -> None:
        """Mark as cleanly left those whose fence still is the one given."""

    def offsets(
        self, group: str, partitions: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int | None]: ...

    def seen(self, group: str, ids: Collection[EventId]) -> set[EventId]:
        """Those of the ids that a committed batch had."""

    def states(self, group: str, keys: Collection[str]) -> dict[str, bytes]: ...

    def commit(self, commit: Commit) -> None:
        """Write everything in one transaction.

        Raises `Superseded` when a fence or an offset is not as expected, `AlreadySeen` when one of `seen` was committed before;
        nothing is written then.
        """

    def outbox(self, group: str, partitions: Sequence[TopicPartition]) -> list[OutboxEntry]:
        """Entries not deleted yet, oldest first."""

    def delete_outbox(self, group: str, entries: Collection[EntryId]) -> None: ...

    def timers(self, group: str, partitions: Collection[TopicPartition], limit: int) -> list[Timer]:
        """Timers of these partitions, due or not, the earliest first."""

    def delete_timers(self, timer_ids: Collection[EventId]) -> None: ...

    def count_attempt(self, group: str, partition: TopicPartition, offset: int) -> int:
        """Note, durably, that this record is about to be handled by itself; returns how often that has been noted."""

    def clear_attempts(self, group: str, partition: TopicPartition, below: int) -> None:
        """Forget attempts of records with an offset below `below`."""

    def skips(self, group: str, topic: str) -> list[tuple[TopicPartition, int]]:
        """Records that were given up (`Commit.skipped`)."""

    def forget_seen(self, before: datetime, at_most: int) -> int:
        """Delete ids that were seen before `before`; returns how many. Keep them longer than the topics' retention."""


class ReadModel(Protocol):
    """What the doors and the console read; rebuilt from the log by `parley db rebuild`."""

    def conversation(self, conversation_id: ConversationId) -> ConversationRow | None: ...

    def conversations(
        self, tenant: TenantId | None, *, status: str | None = None, limit: int = 100
    ) -> list[ConversationRow]:
        """Newest change first."""

    def conversations_by_id(
        self,
        tenant: TenantId,
        *,
        after: ConversationId | None = None,
        since: datetime | None = None,
        channel: str | None = None,
        limit: int = 500,
    ) -> list[ConversationRow]:
        """In the order of their ids, in pages: `after` is the last id of the page before. With `since` those that changed then or later.

        What a conversation goes on with meanwhile moves none of them to another page.
        """

    def conversations_with(
        self, tenant: TenantId, customers: Collection[CustomerId]
    ) -> list[ConversationRow]:
        """All conversations of these customers, newest change first."""

    def history(
        self, conversation_id: ConversationId, *, after_seq: int = 0, limit: int = 500
    ) -> list[HistoryRow]:
        """In `seq` order."""

    def open_messages(self) -> dict[TenantId, int]:
        """Messages not settled yet, by tenant."""

    def feedback(self, conversation_id: ConversationId) -> list[FeedbackRow]: ...

    def deliveries(self, conversation_id: ConversationId) -> list[DeliveryRow]:
        """The state of everything sent that a channel has told one of (`parley.domain.readmodel.newest`)."""

    def rewrite(
        self,
        conversations: Iterable[ConversationId],
        history: Iterable[HistoryRow],
        projections: Iterable[Projection],
    ) -> None:
        """In one transaction: history, list row and delivery states of these conversations go, then what is given is written."""


@dataclass(frozen=True, slots=True)
class TenantVersion:
    tenant: TenantId
    version: str
    imported_at: datetime
    current: bool


class TenantStore(Protocol):
    """Immutable versions of tenants, and which is current. Raises `UnknownTenant` where there is none."""

    def put(self, version: str, config: TenantConfig, content: TenantContent, imported_at: datetime) -> bool:
        """Store a version and make it current; False when it was current already."""

    def current(self, tenant: TenantId) -> str: ...

    def config(self, tenant: TenantId, version: str) -> TenantConfig: ...

    def content(self, tenant: TenantId, version: str) -> TenantContent: ...

    def versions(self) -> list[TenantVersion]: ...


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A widget or API key as it is stored: only its SHA-256. `origins` empty means: as the tenant's file says."""

    key_hash: str
    tenant: TenantId
    kind: Literal["widget", "api"]
    label: str
    origins: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def key_id(self) -> str:
        """What people and tokens name the key by: the first 12 hexadecimal digits of its hash."""
        return self.key_hash[:12]


@dataclass(frozen=True, slots=True)
class Claim:
    """A client's message id within its conversation, with a keyed digest of the text it came with."""

    conversation_id: ConversationId
    client_message_id: str
    message_id: MessageId
    text_digest: str
    claimed_at: datetime


class DoorStore(Protocol):
    """What the doors keep: access keys, and which client's message ids were used for what."""

    def put_key(self, key: AccessKey) -> None: ...

    def key(self, key_hash: str) -> AccessKey | None: ...

    def keys(self, tenant: TenantId | None = None) -> list[AccessKey]: ...

    def revoke_key(self, key_hash: str, at: datetime) -> None: ...

    def claim(self, claims: Sequence[Claim]) -> list[Claim]:
        """Store each claim unless its (conversation, client id) is taken; returns, in order, the claim that holds.

        Many claims in one transaction: the gateway collects those that arrive together.
        """

    def forget_claims(self, before: datetime, at_most: int) -> int:
        """Delete claims that were made before `before`; returns how many."""


class AuditEntry(NamedTuple):
    """What somebody did, by ids and numbers: no text of a customer's is ever among them."""

    at: datetime
    actor: str
    action: str
    tenant: TenantId | None = None
    customer_id: CustomerId | None = None
    details: Mapping[str, Any] = {}


class PrivacyStore(Protocol):
    """What is held about a customer, wherever it lies, and the list of those who were erased."""

    def list_erasures(self, erasures: Iterable[Erasure]) -> None:
        """Put them on the list; whoever stands there already keeps the first time."""

    def erasures(self) -> list[Erasure]: ...

    def conversations_of(self, tenant: TenantId, customer: CustomerId) -> list[ConversationId]: ...

    def held(self, tenant: TenantId, customer: CustomerId) -> dict[str, list[dict[str, Any]]]:
        """By table, every row of the customer's and of the customer's conversations."""

    def purge(self, customers: Iterable[tuple[TenantId, CustomerId]]) -> dict[str, int]:
        """Delete what `held` finds; returns how many rows of each table. Each customer's rows go together or not at all."""

    def note(self, entry: AuditEntry) -> None:
        """Append to the audit log."""

    def noted(self, tenant: TenantId | None = None) -> list[AuditEntry]:
        """The audit log, the oldest first."""


class Store(DecisionStore, ReadModel, TenantStore, DoorStore, PrivacyStore, ValueStore, Protocol):
    """All of it; what `parley.backends.sql.open_store(url)` returns."""

    @property
    def adapters(self) -> AdapterRegistry: ...

    @property
    def channels(self) -> ChannelStore: ...

    @property
    def links(self) -> LinkStore: ...

    def ping(self) -> None:
        """Raises `StoreUnavailable`."""

    def close(self) -> None: ...
