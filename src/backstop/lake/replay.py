"""Replay quarantined rows after a rule or a parser was mended: those that pass now join their partition.

The order makes a crash harmless: first the partition holds the rows, then the ledger counts them, then they leave the
quarantine. A replay that is repeated finds them in the partition already.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backstop.errors import SchemaDrift
from backstop.lake.tables import DECLARED

if TYPE_CHECKING:
    from collections.abc import Callable

    from backstop.lake.ledger import Ledger
    from backstop.lake.quarantine import Quarantine
    from backstop.lake.tables import Lake


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a replay did.

    Attributes:
        table: The table.
        day: Its partition.
        offered: Open rows before.
        moved: Rows that left the quarantine.
        changed: Whether the partition was replaced, so that what was computed from it is outdated.
    """

    table: str
    day: dt.date
    offered: int
    moved: int
    changed: bool


def replay(
    lake: Lake,
    quarantine: Quarantine,
    ledger: Ledger,
    table: str,
    day: dt.date,
    mend: Callable[[pl.DataFrame], pl.DataFrame],
    *,
    run_id: str,
) -> Replayed:
    """Offer a day's open rows to `mend` and load what it returns.

    Args:
        lake: Where the partition is.
        quarantine: Where the rows wait.
        ledger: Where both are counted.
        table: A declared table.
        day: Baseball day.
        mend: Gets the open rows (columns of the quarantine), returns those that pass today: the table's columns and
            `row_id`.
        run_id: The run that replays.

    Raises:
        SchemaDrift: the table is not declared, or `mend` returned other columns.
        LeaseHeld: a living run works on the day.
    """
    declared = DECLARED.get(table)
    if declared is None:
        raise SchemaDrift(f"{table} has no declared columns, so its rows cannot be replayed; fetch the day again.")
    waiting = quarantine.list(table, day)
    if waiting.is_empty():
        return Replayed(table, day, 0, 0, changed=False)
    outcome = {"changed": False}

    def accept(rows: pl.DataFrame) -> list[str]:
        good = mend(rows)
        if good.is_empty():
            return []
        there = lake.read(table, day) if day in lake.days(table) else declared.empty()
        fresh = good.select(declared.schema.keys()).join(there, on=declared.key, how="anti", nulls_equal=True)
        whole = pl.concat([there, fresh])
        ledger.begin(table, day.isoformat(), run_id=run_id)
        written = lake.write(table, day, whole)
        outcome["changed"] = written.changed
        left = waiting.height - good.height
        ledger.complete(
            table,
            day.isoformat(),
            run_id=run_id,
            rows_in=whole.height + left,
            rows_loaded=whole.height,
            rows_quarantined=left,
            content_hash=written.content_hash,
        )
        return good.get_column("row_id").to_list()

    moved = quarantine.replay(table, day, accept, run_id=run_id)
    return Replayed(table, day, waiting.height, moved, changed=outcome["changed"])


def outdate(ledger: Ledger, replayed: Replayed, dependents: tuple[str, ...]) -> int:
    """Mark what was computed from a replayed partition as stale, so that the next run redoes and publishes it."""
    if not replayed.changed:
        return 0
    key = replayed.day.isoformat()
    reason = f"{replayed.moved} rows of {replayed.table} came back from quarantine"
    marked = [ledger.stale(table, [key], reason=reason) for table in dependents]
    return sum(marked)
