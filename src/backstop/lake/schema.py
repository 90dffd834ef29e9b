"""The ledger's one table, as SQLAlchemy Core sees it. Migrations in `migrations/versions` bring a database to it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData()


class Instant(sa.types.TypeDecorator[dt.datetime]):
    """An instant in UTC: SQLite forgets the zone, so it is put back when read."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:  # noqa: ARG002
        """Turn any instant to UTC before it is stored."""
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Any) -> dt.datetime | None:  # noqa: ARG002
        """Return an instant that knows its zone."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


entries = sa.Table(
    "ledger_entries",
    metadata,
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
    sa.Column("lease_until", Instant),
    sa.Column("expected_at", Instant),
    sa.Column("begun_at", Instant),
    sa.Column("closed_at", Instant),
    sa.Column("changed_at", Instant, nullable=False),
)
