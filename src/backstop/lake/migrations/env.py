"""Run the ledger's migrations on the connection that `Ledger.connect` opened."""

from __future__ import annotations

from alembic import context

from backstop.lake.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="ledger_version",
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
