"""The store's tables. `infra/migrations` makes them; a contract test compares the two."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    text,
)

metadata = MetaData()
keys_metadata = MetaData()

ID = String(64)
CHANNEL = String(32)
EVENT_ID = Uuid(as_uuid=False)
BIG = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column whose type is exactly INTEGER."""


class Utc(TypeDecorator[datetime]):
    """Aware in Python, always UTC: SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        aware: datetime = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC)


def _partition_key() -> list[Column[Any]]:
    return [
        Column("group_name", ID, primary_key=True),
        Column("topic", String(128), primary_key=True),
        Column("partition_number", Integer, primary_key=True, autoincrement=False),
    ]


partitions = Table(
    "partitions",
    metadata,
    *_partition_key(),
    Column("fence", BigInteger, nullable=False),
    Column("next_offset", BigInteger),
    Column("clean", Boolean, nullable=False),
)
# In the keys of these two the id comes first: with the group first, a planner without statistics reads the whole group.
seen = Table(
    "seen",
    metadata,
    Column("event_id", EVENT_ID, primary_key=True),
    Column("group_name", ID, primary_key=True),
    Column("seen_at", Utc, nullable=False),
    # In the order of time already: a summary of each range of blocks is enough to forget by, and costs an insert nothing.
    Index("ix_seen_seen_at", "seen_at", postgresql_using="brin"),
    sqlite_with_rowid=False,
)
states = Table(
    "states",
    metadata,
    Column("state_key", String(128), primary_key=True),
    Column("group_name", ID, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    # Sealed bytes of about 2 KB, replaced again and again: kept in the row, with room on its page for the next one.
    postgresql_with={"fillfactor": 70, "toast_tuple_target": 8160},
)
outbox = Table(
    "outbox",
    metadata,
    *_partition_key(),
    Column("next_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("payload", LargeBinary, nullable=False),
)
timers = Table(
    "timers",
    metadata,
    Column("timer_id", EVENT_ID, primary_key=True),
    Column("group_name", ID, nullable=False),
    Column("topic", String(128), nullable=False),
    Column("partition_number", Integer, nullable=False),
    Column("state_key", String(128), nullable=False),
    Column("purpose", ID, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("due_at", Utc, nullable=False),
    Column("envelope", Text, nullable=False),
    Index("timers_due", "group_name", "due_at"),
)
attempts = Table(
    "attempts",
    metadata,
    *_partition_key(),
    Column("record_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("attempts", Integer, nullable=False),
)
skips = Table(
    "skips",
    metadata,
    *_partition_key(),
    Column("record_offset", BigInteger, primary_key=True, autoincrement=False),
)
history = Table(
    "history",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("event_id", EVENT_ID, nullable=False),
    Column("type", ID, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("occurred_at", Utc, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
)
conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("customer_id", ID, nullable=False),
    Column("channel", CHANNEL, nullable=False),
    Column("language", String(16), nullable=False),
    Column("owner", String(16), nullable=False),
    Column("human_agent_id", String(128)),
    Column("status", String(16), nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("open_messages", Integer, nullable=False),
    Column("last_intent", String(128)),
    Column("started_at", Utc, nullable=False),
    Column("updated_at", Utc, nullable=False),
)
Index("conversations_of", conversations.c.tenant, conversations.c.customer_id)
Index("conversations_newest", conversations.c.tenant, conversations.c.updated_at)
Index(
    "conversations_open",
    conversations.c.tenant,
    conversations.c.open_messages,
    postgresql_where=text("open_messages > 0"),
    sqlite_where=text("open_messages > 0"),
)
feedback = Table(
    "feedback",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("reply_id", ID, primary_key=True),
    Column("by", String(16), primary_key=True),
    Column("tenant", ID, nullable=False, index=True),
    Column("customer_id", ID, nullable=False),
    Column("score", Integer, nullable=False),
    Column("comment", Text),
    Column("event_id", EVENT_ID, nullable=False),
    Column("given_at", Utc, nullable=False),
)
# A row for each state that was told: which one holds is a matter of reading, so that no order of reports can spoil it.
delivery_states = Table(
    "delivery_states",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("outbound_id", EVENT_ID, primary_key=True),
    Column("state", String(16), primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("customer_id", ID, nullable=False),
    Column("channel", CHANNEL, nullable=False),
    Column("reason", Text),
    Column("told_at", Utc, nullable=False),
    Index("delivery_states_of", "tenant", "customer_id"),
)
tenant_versions = Table(
    "tenant_versions",
    metadata,
    Column("tenant", ID, primary_key=True),
    Column("version", ID, primary_key=True),
    Column("config", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("imported_at", Utc, nullable=False),
)
tenants = Table(
    "tenants",
    metadata,
    Column("tenant", ID, primary_key=True),
    Column("version", ID, nullable=False),
)
access_keys = Table(
    "access_keys",
    metadata,
    Column("key_hash", ID, primary_key=True),
    Column("tenant", ID, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("label", String(200), nullable=False),
    Column("origins", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("revoked_at", Utc),
)
claims = Table(
    "claims",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("client_message_id", String(128), primary_key=True),
    Column("message_id", ID, nullable=False),
    Column("text_digest", String(128), nullable=False),
    Column("claimed_at", Utc, nullable=False, index=True),
    sqlite_with_rowid=False,
)
# The columns stand in the order of `Link`'s fields.
customer_links = Table(
    "customer_links",
    metadata,
    Column("tenant", ID, primary_key=True),
    Column("customer_id", ID, primary_key=True),
    Column("linked_id", ID, primary_key=True),
    Column("by", String(128), nullable=False),
    Column("at", Utc, nullable=False),
    Index("customer_links_back", "tenant", "linked_id"),
)
# Kept after an erasure, by ids: the list that a restored backup applies again, and who did it.
erased_customers = Table(
    "erased_customers",
    metadata,
    Column("tenant", ID, primary_key=True),
    Column("customer_id", ID, primary_key=True),
    Column("erased_at", Utc, nullable=False),
)
audit = Table(
    "audit",
    metadata,
    Column("audit_id", BIG, primary_key=True),
    Column("at", Utc, nullable=False, index=True),
    Column("actor", String(128), nullable=False),
    Column("action", ID, nullable=False),
    Column("tenant", ID),
    Column("customer_id", ID),
    Column("details", Text, nullable=False),
)

masked_values = Table(
    "masked_values",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("kind", ID, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("tenant", ID, nullable=False),
    Column("customer_id", ID, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("source", ID, nullable=False),
    Column("masked_at", Utc, nullable=False),
    Column("sealed", LargeBinary),
    Column("expires_at", Utc, index=True),
    Index("masked_values_of", "tenant", "customer_id"),
)
adapters = Table(
    "adapters",
    metadata,
    Column("tenant", ID, primary_key=True),
    Column("digest", ID, primary_key=True),
    Column("base_model", Text, nullable=False),
    Column("base_revision", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("uri", Text, nullable=False),
    Column("published_at", Utc, nullable=False),
    Column("retired_at", Utc),
)
# Where each tenant's pointer was moved to, NULL being the base model: the last row is where it stands.
adapter_pointers = Table(
    "adapter_pointers",
    metadata,
    Column("move_id", BIG, primary_key=True),
    Column("tenant", ID, nullable=False),
    Column("digest", ID),
    Column("moved_at", Utc, nullable=False),
    Index("adapter_pointers_of", "tenant", "move_id"),
)
# The columns of these four stand in the order of `Chat`'s, `Parked`'s, `Waiting`'s and `Delivery`'s fields.
chats = Table(
    "chats",
    metadata,
    Column("tenant", ID, primary_key=True),
    Column("channel", CHANNEL, primary_key=True),
    Column("address", String(255), primary_key=True),
    Column("conversation_id", ID, nullable=False, unique=True),
    Column("customer_id", ID, nullable=False),
    Column("opened_at", Utc, nullable=False),
    Column("language", String(16)),
    Column("closed", String(128)),
    Column("waits_until", Utc),
    Index("chats_of", "tenant", "customer_id"),
)
Index(
    "chats_waiting",
    chats.c.channel,
    chats.c.waits_until,
    postgresql_where=text("waits_until IS NOT NULL"),
    sqlite_where=text("waits_until IS NOT NULL"),
)
parked = Table(
    "parked",
    metadata,
    Column("outbound_id", EVENT_ID, primary_key=True),
    Column("conversation_id", ID, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("tenant", ID, nullable=False),
    Column("customer_id", ID, nullable=False),
    Column("channel", CHANNEL, nullable=False),
    Column("headers", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("parked_in_order", "conversation_id", "seq"),
    Index("parked_of", "tenant", "customer_id"),
)
waiting = Table(
    "waiting",
    metadata,
    Column("conversation_id", ID, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("tenant", ID, nullable=False),
    Column("customer_id", ID, nullable=False),
    Column("channel", CHANNEL, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Index("waiting_in", "tenant", "channel"),
    Index("waiting_of", "tenant", "customer_id"),
)
deliveries = Table(
    "deliveries",
    metadata,
    Column("outbound_id", EVENT_ID, primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("tenant", ID, nullable=False),
    Column("conversation_id", ID, nullable=False, index=True),
    Column("customer_id", ID, nullable=False),
    Column("channel", CHANNEL, nullable=False),
    Column("sender", ID, nullable=False),
    Column("state", String(16), nullable=False),
    Column("changed_at", Utc, nullable=False, index=True),
    Column("external_id", String(128)),
    Column("reason", Text),
    Index("deliveries_of", "tenant", "customer_id"),
)

customer_keys = Table(
    "customer_keys",
    keys_metadata,
    Column("tenant", ID, primary_key=True),
    Column("customer_id", ID, primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("created_at", Utc, nullable=False),
)
erasures = Table(
    "erasures",
    keys_metadata,
    Column("tenant", ID, primary_key=True),
    Column("customer_id", ID, primary_key=True),
    Column("erased_at", Utc, nullable=False),
)
