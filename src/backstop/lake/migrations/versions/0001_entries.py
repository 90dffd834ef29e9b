"""Create the table of entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "ledger_entries",
        sa.Column("table_name", sa.String(64), primary_key=True),
        sa.Column("entry_key", sa.String(128), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("run_id", sa.String(64)),
        sa.Column("rows_in", sa.BigInteger),
        sa.Column("rows_loaded", sa.BigInteger),
        sa.Column("rows_quarantined", sa.BigInteger),
        sa.Column("rows_failed", sa.BigInteger),
        sa.Column("content_hash", sa.String(64)),
        sa.Column("suite_version", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_owner", sa.String(255)),
        sa.Column("lease_until", instant),
        sa.Column("expected_at", instant),
        sa.Column("begun_at", instant),
        sa.Column("closed_at", instant),
        sa.Column("changed_at", instant, nullable=False),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("ledger_entries")
