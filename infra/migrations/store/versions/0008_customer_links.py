"""Which customers are one person, as human agents have told."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "customer_links",
        sa.Column("tenant", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("linked_id", sa.String(length=64), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant", "customer_id", "linked_id"),
    )
    op.create_index("conversations_of", "conversations", ["tenant", "customer_id"])
    op.create_index("customer_links_back", "customer_links", ["tenant", "linked_id"])
