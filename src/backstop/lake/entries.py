"""An entry of the ledger, its counts, and how entries are read from and written to the database."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa

from backstop.errors import ConservationBroken, LeaseHeld, UsageError
from backstop.lake import lease
from backstop.lake.schema import entries
from backstop.lake.states import State

CHUNK: Final = 500
"""Keys per statement: SQLite takes at most 32,766 variables, older builds 999."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of the rows of one key; null where nobody could count them."""

    rows_in: int | None
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_failed: int | None = 0

    def checked(self, table: str, key: str) -> dict[str, int | None]:
        """Return the counts as columns.

        Raises:
            ConservationBroken: `rows_in` is not loaded + quarantined + failed.
        """
        found = self.rows_loaded + self.rows_quarantined + (self.rows_failed or 0)
        if self.rows_in is not None and found != self.rows_in:
            raise ConservationBroken(
                f"{table} {key}: {self.rows_in} rows came in, but {self.rows_loaded} were loaded, "
                f"{self.rows_quarantined} quarantined and {self.rows_failed} failed, together {found}. "
                "Rows went missing between the stages; run the day again and keep this message.",
                source=table,
            )
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the ledger knows of one key. Counts, hash and times are null until a run closed the key."""

    table: str
    key: str
    state: State
    run_id: str | None
    rows_in: int | None
    rows_loaded: int | None
    rows_quarantined: int | None
    rows_failed: int | None
    content_hash: str | None
    suite_version: str | None
    reason: str | None
    attempts: int
    lease_owner: str | None
    lease_until: dt.datetime | None
    expected_at: dt.datetime | None
    begun_at: dt.datetime | None
    closed_at: dt.datetime | None
    changed_at: dt.datetime


def sentence(text: str) -> str:
    r"""Return a reason as every database stores it: feeds are quoted in it, and they hold what is no text.

    >>> sentence("speed is \x00 \ud800")
    'speed is \\x00 \\ud800'
    """
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")


def entry_of(row: sa.Row[Any]) -> Entry:
    """Return a row of the table as an entry."""
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented accessor
    return Entry(
        table=values.pop("table_name"), key=values.pop("entry_key"), state=State(values.pop("state")), **values
    )


def update_of(table: str, key: str) -> sa.Update:
    """Return an update of one entry."""
    return sa.update(entries).where(entries.c.table_name == table, entries.c.entry_key == key)


def locked(connection: sa.Connection, table: str, key: str) -> Entry:
    """Return an entry and keep others from changing it until the transaction ends.

    Raises:
        UsageError: the ledger has never heard of the key.
    """
    where = (entries.c.table_name == table, entries.c.entry_key == key)
    row = connection.execute(sa.select(entries).where(*where).with_for_update()).one_or_none()
    if row is None:
        raise UsageError(f"{table} {key} is not in the ledger; begin it first.", source=table)
    return entry_of(row)


def insert_absent(connection: sa.Connection, row: dict[str, Any]) -> int:
    """Insert a row unless its key exists; returns how many were inserted."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - one of two dialects
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    statement = insert(entries).values(**row).on_conflict_do_nothing().returning(entries.c.entry_key)
    return len(connection.execute(statement).all())


def refuse_held(before: Entry, run_id: str, now: dt.datetime) -> None:
    """Raise LeaseHeld when another run works on a key and is neither dead nor silent for longer than its lease."""
    if before.state is not State.RUNNING or before.run_id == run_id or before.lease_until is None:
        return
    if before.lease_until <= now or (before.lease_owner is not None and lease.is_gone(before.lease_owner)):
        return
    wait = (before.lease_until - now).total_seconds()
    raise LeaseHeld(
        f"{before.table} {before.key} is being worked on by run {before.run_id} ({before.lease_owner}) until "
        f"{before.lease_until:%H:%M:%S} UTC. Wait for it, or stop that run.",
        source=before.table,
        retry_after_s=wait,
    )


def refuse_lost(before: Entry, run_id: str) -> None:
    """Raise LeaseHeld when another run has taken a key over."""
    if before.run_id != run_id and before.state is not State.EXPECTED:
        raise LeaseHeld(
            f"{before.table} {before.key} was taken over by run {before.run_id}; run {run_id} may not close it. "
            "The newer run's result counts.",
            source=before.table,
        )


def chunks(keys: list[str]) -> list[list[str]]:
    """Return keys in lists that fit a statement."""
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
