"""The ledger: per table and key how far it is, how many rows came in, and where they went.

A key is a date, a game or an event. Rows are conserved: what came in was loaded, quarantined, or failed with its batch.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from backstop.clock import Clock, SystemClock
from backstop.errors import UsageError
from backstop.lake import lease
from backstop.lake.database import READS, migrate, open_engine
from backstop.lake.entries import (
    Counts,
    Entry,
    chunks,
    entry_of,
    insert_absent,
    locked,
    refuse_held,
    refuse_lost,
    sentence,
    update_of,
)
from backstop.lake.schema import entries
from backstop.lake.states import CLOSING, DONE, WAS_DONE, State, may_follow

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from backstop.lake.closing import Closing

LEASE_S: Final = 15 * 60
"""A run that has not closed a key for this long is taken for dead: rows of a day are written within a second."""


__all__ = ["Counts", "Entry", "Ledger"]


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
            ConfigurationError: the URL cannot be opened, its driver is not installed, or a later release used it.
            LakeError: the database does not answer, refuses, or is none.
        """
        ledger = cls(open_engine(url), clock)
        try:
            migrate(ledger.engine)
        except BaseException:
            ledger.close()
            raise
        return ledger

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
                new += insert_absent(connection, row)
        return new

    def begin(
        self, table: str, key: str, *, run_id: str, lease_s: float = LEASE_S, was_done: Collection[State] = WAS_DONE
    ) -> Entry:
        """Take a key for a run.

        Args:
            table: Of the key.
            key: What is to be worked on.
            run_id: The run.
            lease_s: How long it may stay silent.
            was_done: States from which tries are counted anew.

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
            # null until the run renews with how it will close
            "rows_quarantined": None,
            "changed_at": now,
        }
        with self.engine.begin() as connection:
            fresh = {"table_name": table, "entry_key": key, "attempts": 1, **values}
            if insert_absent(connection, fresh) == 0:
                before = locked(connection, table, key)
                refuse_held(before, run_id, now)
                # tries of what was done once begin anew: the first that fails after thirty that did not is the first
                tries = 1 if before.state in was_done else before.attempts + 1
                connection.execute(update_of(table, key).values(attempts=tries, **values))
            return locked(connection, table, key)

    def renew(
        self,
        table: str,
        key: str,
        *,
        run_id: str,
        closing: Closing | None = None,
        lease_s: float = LEASE_S,
    ) -> None:
        """Make sure that a run holds its key still, and prolong its lease: to be called right before rows are replaced.

        Args:
            table: Of the key.
            key: What is worked on.
            run_id: The run that began it.
            closing: How the run will close the key; noted, so that `reconcile` knows it if the run dies after it wrote.
            lease_s: How long the run may stay silent from now on; a longer lease stays.

        Raises:
            ConservationBroken: the rows of `closing` do not add up.
            LeaseHeld: another run has taken the key over.
            UsageError: the key is not being worked on.
        """
        now = self.clock.now()
        with self.engine.begin() as connection:
            before = locked(connection, table, key)
            refuse_lost(before, run_id)
            if before.state is not State.RUNNING:
                raise UsageError(f"{table} {key} is {before.state}, not running. Begin it first.", source=table)
            until = max(before.lease_until or now, now + dt.timedelta(seconds=lease_s))
            change: dict[str, Any] = {"lease_until": until, "changed_at": now}
            if closing is not None:
                reason = sentence(closing.reason) or None
                change |= {**closing.counts.checked(table, key), "content_hash": closing.content_hash, "reason": reason}
                change["suite_version"] = closing.suite_version
            connection.execute(update_of(table, key).values(**change))

    def complete(
        self,
        table: str,
        key: str,
        *,
        run_id: str,
        content_hash: str | None = None,
        suite_version: str | None = None,
        **rows: int,
    ) -> Entry:
        """Close a key whose rows are all accounted for; `rows` are the fields of `Counts`.

        Raises:
            ConservationBroken: `rows_in` is not loaded + quarantined + failed.
            LeaseHeld: another run has taken the key over.
            UsageError: the key is not being worked on.
        """
        known = {"content_hash": content_hash, "suite_version": suite_version}
        return self._close(table, key, State.COMPLETE, run_id, Counts(**rows), **known)

    def degrade(
        self,
        table: str,
        key: str,
        *,
        run_id: str,
        reason: str,
        content_hash: str | None = None,
        suite_version: str | None = None,
        **rows: int,
    ) -> Entry:
        """Close a key that can be used although something is missing; `reason` names what.

        Raises:
            ConservationBroken: `rows_in` is not loaded + quarantined + failed.
            LeaseHeld: another run has taken the key over.
            UsageError: the key is not being worked on.
        """
        known = {"content_hash": content_hash, "suite_version": suite_version, "reason": reason}
        return self._close(table, key, State.DEGRADED, run_id, Counts(**rows), **known)

    def empty(self, table: str, key: str, *, run_id: str, reason: str) -> Entry:
        """Close a key that honestly has no rows: no games that day.

        Raises:
            LeaseHeld: another run has taken the key over.
            UsageError: the key is done, and nobody began it anew.
        """
        self.expect(table, [key])
        return self._close(table, key, State.EMPTY_OK, run_id, Counts(0), reason=reason)

    def fail(self, table: str, key: str, *, run_id: str, reason: str, rows_in: int | None = None) -> Entry:
        """Close a key whose batch failed; rows that had come in, if counted, failed with it.

        Raises:
            LeaseHeld: another run has taken the key over.
            UsageError: the key is not being worked on.
        """
        return self._close(table, key, State.FAILED, run_id, Counts(rows_in, rows_failed=rows_in), reason=reason)

    def stale(self, table: str, keys: Iterable[str], *, reason: str) -> int:
        """Mark done keys as outdated, so that the next run redoes them. Returns how many were done."""
        closed = [state.value for state in (State.COMPLETE, State.EMPTY_OK, State.DEGRADED)]
        marked = 0
        with self.engine.begin() as connection:
            for chunk in chunks(list(keys)):
                where = (entries.c.table_name == table) & entries.c.entry_key.in_(chunk) & entries.c.state.in_(closed)
                change = {"state": State.STALE.value, "reason": sentence(reason), "changed_at": self.clock.now()}
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
                parts = [query.where(entries.c.entry_key.in_(chunk)) for chunk in chunks(list(keys))]
                rows = [row for part in parts for row in connection.execute(part)]
        return [entry_of(row) for row in rows]

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
        counts: Counts,
        **known: Any,
    ) -> Entry:
        columns = counts.checked(table, key)
        now = self.clock.now()
        with self.engine.begin() as connection:
            before = locked(connection, table, key)
            refuse_lost(before, run_id)
            if not may_follow(before.state, state) and not (before.state in CLOSING and before.run_id == run_id):
                raise UsageError(
                    f"{table} {key} is {before.state}, which cannot become {state}. Begin it first.", source=table
                )
            closing = {"state": state.value, "run_id": run_id, "closed_at": now, "changed_at": now}
            reason = known.pop("reason", None)
            change = {**known, "reason": reason and sentence(reason), **columns, **closing}
            connection.execute(update_of(table, key).values(lease_owner=None, lease_until=None, **change))
            return locked(connection, table, key)
