"""What channels have told of everything sent, for the read model."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "delivery_states",
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column("outbound_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id", "outbound_id", "state"),
    )
    op.create_index("delivery_states_of", "delivery_states", ["tenant", "customer_id"])
