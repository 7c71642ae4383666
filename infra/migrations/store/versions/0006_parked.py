"""Messages that wait to be sent, and until when their chats wait; names of channels as long as the contracts allow."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for table in ("chats", "deliveries", "conversations"):
        with op.batch_alter_table(table) as changed:
            changed.alter_column(
                "channel",
                existing_type=sa.String(length=16),
                type_=sa.String(length=32),
                existing_nullable=False,
            )
    op.add_column("chats", sa.Column("waits_until", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "chats_waiting",
        "chats",
        ["channel", "waits_until"],
        postgresql_where=sa.text("waits_until IS NOT NULL"),
        sqlite_where=sa.text("waits_until IS NOT NULL"),
    )
    op.create_table(
        "parked",
        sa.Column("outbound_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("headers", sa.LargeBinary(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("outbound_id"),
    )
    op.create_index("parked_in_order", "parked", ["conversation_id", "seq"])
    op.create_index("parked_of", "parked", ["tenant", "customer_id"])
