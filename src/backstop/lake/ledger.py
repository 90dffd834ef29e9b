"""The ledger: per table and key how far it is, how many rows came in, and where they went.

A key is a date, a game or an event. Rows are conserved: what came in was loaded, quarantined, or failed with its batch.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from backstop.clock import Clock, SystemClock
from backstop.errors import ConservationBroken, LeaseHeld, UsageError
from backstop.lake import lease
from backstop.lake.database import READS, migrate, open_engine
from backstop.lake.schema import entries
from backstop.lake.states import CLOSING, DONE, State, may_follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEASE_S: Final = 15 * 60
"""A run that has not closed or renewed a key for this long is taken for dead; the longest stage takes minutes."""

CHUNK: Final = 500
"""Keys per statement: SQLite takes at most 32,766 variables, older builds 999."""


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


class Ledger:
    """The states of every (table, key).

    Args:
        engine: A database at the newest migration; `Ledger.connect` brings it there.
        clock: Tells the time of transitions and leases.
    """

    def __init__(self, engine: sa.Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self.clock = clock or SystemClock()

    @classmethod
    def connect(cls, url: str, clock: Clock | None = None) -> Ledger:
        """Open a ledger by SQLAlchemy URL and bring its table to the newest migration.

        Raises:
            ConfigurationError: the URL cannot be opened, or its driver is not installed.
        """
        engine = open_engine(url)
        migrate(engine)
        return cls(engine, clock)

    def close(self) -> None:
        """Return the connections."""
        self.engine.dispose()

    def expect(self, table: str, keys: Iterable[str]) -> int:
        """Note keys that should be there one day; known ones are left alone. Returns how many are new."""
        wanted = list(dict.fromkeys(keys))
        known = {entry.key for entry in self.entries(table, wanted)}
        now = self.clock.now()
        rows = [
            {
                "table_name": table,
                "entry_key": key,
                "state": State.EXPECTED.value,
                "expected_at": now,
                "changed_at": now,
                "attempts": 0,
            }
            for key in wanted
            if key not in known
        ]
        new = 0
        with self.engine.begin() as connection:
            for row in rows:
                new += _insert_absent(connection, row)
        return new

    def begin(self, table: str, key: str, *, run_id: str, lease_s: float = LEASE_S) -> Entry:
        """Take a key for a run.

        Raises:
            LeaseHeld: another run works on it and is neither dead nor silent for longer than its lease.
        """
        now = self.clock.now()
        values = {
            "state": State.RUNNING.value,
            "run_id": run_id,
            "lease_owner": lease.owner(),
            "lease_until": now + dt.timedelta(seconds=lease_s),
            "begun_at": now,
            "closed_at": None,
            "reason": None,
            "changed_at": now,
        }
        with self.engine.begin() as connection:
            fresh = {"table_name": table, "entry_key": key, "attempts": 1, **values}
            if _insert_absent(connection, fresh) == 0:
                before = _locked(connection, table, key)
                _refuse_held(before, run_id, now)
                connection.execute(_update(table, key).values(attempts=entries.c.attempts + 1, **values))
            return _locked(connection, table, key)

    def renew(self, table: str, key: str, *, run_id: str, lease_s: float = LEASE_S) -> None:
        """Keep a key for longer.

        Raises:
            LeaseHeld: another run has taken it over.
        """
        now = self.clock.now()
        with self.engine.begin() as connection:
            before = _locked(connection, table, key)
            _refuse_lost(before, run_id)
            until = now + dt.timedelta(seconds=lease_s)
            connection.execute(_update(table, key).values(lease_until=until, changed_at=now))

    def complete(
        self,
        table: str,
        key: str,
        *,
        run_id: str,
        rows_in: int,
        rows_loaded: int,
        rows_quarantined: int = 0,
        rows_failed: int = 0,
        content_hash: str | None = None,
        suite_version: str | None = None,
    ) -> Entry:
        """Close a key whose rows are all accounted for.

        Raises:
            ConservationBroken: `rows_in` is not loaded + quarantined + failed.
            LeaseHeld: another run has taken the key over.
        """
        counts = {
            "rows_in": rows_in,
            "rows_loaded": rows_loaded,
            "rows_quarantined": rows_quarantined,
            "rows_failed": rows_failed,
        }
        return self._close(
            table, key, State.COMPLETE, run_id, counts, content_hash=content_hash, suite_version=suite_version
        )

    def degrade(
        self,
        table: str,
        key: str,
        *,
        run_id: str,
        reason: str,
        rows_in: int,
        rows_loaded: int,
        rows_quarantined: int = 0,
        rows_failed: int = 0,
        content_hash: str | None = None,
        suite_version: str | None = None,
    ) -> Entry:
        """Close a key that can be used although something is missing; `reason` names what.

        Raises:
            ConservationBroken: `rows_in` is not loaded + quarantined + failed.
            LeaseHeld: another run has taken the key over.
        """
        counts = {
            "rows_in": rows_in,
            "rows_loaded": rows_loaded,
            "rows_quarantined": rows_quarantined,
            "rows_failed": rows_failed,
        }
        return self._close(
            table,
            key,
            State.DEGRADED,
            run_id,
            counts,
            content_hash=content_hash,
            suite_version=suite_version,
            reason=reason,
        )

    def empty(self, table: str, key: str, *, run_id: str, reason: str) -> Entry:
        """Close a key that honestly has no rows: no games that day."""
        self.expect(table, [key])
        counts = dict.fromkeys(("rows_in", "rows_loaded", "rows_quarantined", "rows_failed"), 0)
        return self._close(table, key, State.EMPTY_OK, run_id, counts, reason=reason)

    def fail(self, table: str, key: str, *, run_id: str, reason: str, rows_in: int | None = None) -> Entry:
        """Close a key whose batch failed; rows that had come in, if counted, failed with it."""
        counts = {"rows_in": rows_in, "rows_loaded": 0, "rows_quarantined": 0, "rows_failed": rows_in}
        return self._close(table, key, State.FAILED, run_id, counts, reason=reason)

    def stale(self, table: str, keys: Iterable[str], *, reason: str) -> int:
        """Mark done keys as outdated, so that the next run redoes them. Returns how many were done."""
        closed = [state.value for state in (State.COMPLETE, State.EMPTY_OK, State.DEGRADED)]
        marked = 0
        with self.engine.begin() as connection:
            for chunk in _chunks(list(keys)):
                where = (entries.c.table_name == table) & entries.c.entry_key.in_(chunk) & entries.c.state.in_(closed)
                change = {"state": State.STALE.value, "reason": reason, "changed_at": self.clock.now()}
                marked += connection.execute(sa.update(entries).where(where).values(**change)).rowcount
        return marked

    def entry(self, table: str, key: str) -> Entry | None:
        """Return what is known of a key, `None` when it was never heard of."""
        found = self.entries(table, [key])
        return found[0] if found else None

    def entries(
        self,
        table: str | None = None,
        keys: Sequence[str] | None = None,
        *,
        states: Iterable[State] | None = None,
        run_id: str | None = None,
    ) -> list[Entry]:
        """Return entries by table and key."""
        query = sa.select(entries).order_by(entries.c.table_name, entries.c.entry_key)
        if table is not None:
            query = query.where(entries.c.table_name == table)
        if states is not None:
            query = query.where(entries.c.state.in_([state.value for state in states]))
        if run_id is not None:
            query = query.where(entries.c.run_id == run_id)
        with self.engine.connect().execution_options(**{READS: True}) as connection:
            if keys is None:
                rows = connection.execute(query).all()
            else:
                chunks = [query.where(entries.c.entry_key.in_(chunk)) for chunk in _chunks(list(keys))]
                rows = [row for chunk in chunks for row in connection.execute(chunk)]
        return [_entry(row) for row in rows]

    def missing(self, table: str, keys: Iterable[str]) -> list[str]:
        """Return the keys that still need work, in the order given: all that are not complete or honestly empty.

        A key that a run is working on is among them: whether that run lives is decided by `begin`.
        """
        wanted = list(dict.fromkeys(keys))
        done = {entry.key for entry in self.entries(table, wanted, states=DONE)}
        return [key for key in wanted if key not in done]

    def _close(
        self,
        table: str,
        key: str,
        state: State,
        run_id: str,
        counts: Mapping[str, int | None],
        **known: Any,
    ) -> Entry:
        _refuse_lost_rows(table, key, counts)
        now = self.clock.now()
        with self.engine.begin() as connection:
            before = _locked(connection, table, key)
            _refuse_lost(before, run_id)
            if not may_follow(before.state, state) and not (before.state in CLOSING and before.run_id == run_id):
                raise UsageError(
                    f"{table} {key} is {before.state}, which cannot become {state}. Begin it first.", source=table
                )
            closing = {"state": state.value, "run_id": run_id, "closed_at": now, "changed_at": now}
            change = {"reason": None, **known, **counts, **closing}
            connection.execute(_update(table, key).values(lease_owner=None, lease_until=None, **change))
            return _locked(connection, table, key)


def _entry(row: sa.Row[Any]) -> Entry:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's documented accessor
    return Entry(
        table=values.pop("table_name"), key=values.pop("entry_key"), state=State(values.pop("state")), **values
    )


def _update(table: str, key: str) -> sa.Update:
    return sa.update(entries).where(entries.c.table_name == table, entries.c.entry_key == key)


def _locked(connection: sa.Connection, table: str, key: str) -> Entry:
    """Return an entry and keep others from changing it until the transaction ends."""
    where = (entries.c.table_name == table, entries.c.entry_key == key)
    row = connection.execute(sa.select(entries).where(*where).with_for_update()).one_or_none()
    if row is None:
        raise UsageError(f"{table} {key} is not in the ledger; begin it first.", source=table)
    return _entry(row)


def _insert_absent(connection: sa.Connection, row: dict[str, Any]) -> int:
    """Insert a row unless its key exists; returns how many were inserted."""
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - one of two dialects
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]  # noqa: PLC0415
    statement = insert(entries).values(**row).on_conflict_do_nothing().returning(entries.c.entry_key)
    return len(connection.execute(statement).all())


def _refuse_held(before: Entry, run_id: str, now: dt.datetime) -> None:
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


def _refuse_lost(before: Entry, run_id: str) -> None:
    if before.run_id != run_id and before.state is not State.EXPECTED:
        raise LeaseHeld(
            f"{before.table} {before.key} was taken over by run {before.run_id}; run {run_id} may not close it. "
            "The newer run's result counts.",
            source=before.table,
        )


def _refuse_lost_rows(table: str, key: str, counts: Mapping[str, int | None]) -> None:
    given = counts["rows_in"]
    if given is None:
        return
    found = sum(counts[name] or 0 for name in ("rows_loaded", "rows_quarantined", "rows_failed"))
    if found != given:
        raise ConservationBroken(
            f"{table} {key}: {given} rows came in, but {counts['rows_loaded']} were loaded, "
            f"{counts['rows_quarantined']} quarantined and {counts['rows_failed']} failed, together {found}. "
            "Rows went missing between the stages; run the day again and keep this message.",
            source=table,
        )


def _chunks(keys: list[str]) -> list[list[str]]:
    return [keys[start : start + CHUNK] for start in range(0, len(keys), CHUNK)]
