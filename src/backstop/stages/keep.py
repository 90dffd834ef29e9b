"""Keep: rows that passed go to the lake, rows that did not to quarantine, the numbers to the ledger."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from backstop.errors import LeaseHeld, ValidationFailed
from backstop.lake.closing import Closing
from backstop.lake.content import content_hash
from backstop.lake.entries import Counts
from backstop.lake.notes import Note
from backstop.stages import turn
from backstop.stages.outcome import Gap, Outcome, Refused, worst

if TYPE_CHECKING:
    import polars as pl

    from backstop.errors import BackstopError
    from backstop.stages.house import House


@dataclass(frozen=True)
class Checked:
    """A table's rows of one key after its rules were applied.

    Attributes:
        table: Name of the table.
        day: Partition.
        rows_in: Rows that came in, with those that could not even be parsed.
        kept: Rows that passed.
        rejected: Columns `row` (JSON), `rule`, `reason`: rows that did not.
        blocked: Sentences of broken rules about the table that block it; nothing is kept then.
        degraded: Sentences of broken rules about the table that do not block it.
        rules: Rows by broken rule.
        drift: Column drift, in words.
        raw_ref: Content hash of the answer that the rows came from.
        suite_version: Version of the rules.
    """

    table: str
    day: dt.date
    rows_in: int
    kept: pl.DataFrame
    rejected: pl.DataFrame
    blocked: tuple[str, ...] = ()
    degraded: tuple[str, ...] = ()
    rules: Mapping[str, int] = field(default_factory=dict)
    drift: tuple[str, ...] = ()
    raw_ref: str = ""
    suite_version: str = ""


def keep(house: House, checked: Checked, run_id: str, *, whole: bool = True) -> Outcome:
    """Store what passed and account for what did not.

    How the day will be closed is noted before the rows are replaced, and the ledger is closed last: a run that is
    killed in between repeats the day and finds nothing changed, or `reconcile` closes it as noted. A blocked
    table keeps nothing: all of its rows count as failed, and the raw answer in the archive holds them.

    Args:
        house: The opened rooms.
        checked: The rows.
        run_id: Under which the ledger notes it.
        whole: Whether all of the day's answers were read anew: what they do not refuse any more is settled. Otherwise
            rows that other answers brought lie among the kept ones, and what those refused stays open.

    Raises:
        LeaseHeld: another run works on this day and does not come to an end, or took it over from this one.
        LakeError: the partition could not be replaced.
    """
    table, key = checked.table, checked.day.isoformat()
    turn.take(house, table, key, run_id)
    if checked.blocked:
        house.ledger.fail(table, key, run_id=run_id, reason="; ".join(checked.blocked), rows_in=checked.rows_in)
        return blocked(checked)
    house.quarantine.put(table, checked.day, checked.rejected, run_id=run_id, raw_ref=checked.raw_ref)
    kept = house.lake.ordered(table, checked.kept)
    counts = Counts(checked.rows_in, kept.height, checked.rejected.height)
    closing = Closing(run_id, counts, "; ".join(checked.degraded), content_hash(kept), checked.suite_version)
    house.ledger.renew(table, key, run_id=run_id, closing=closing)
    house.lake.write(table, checked.day, kept, Note(closing, house.clock.now()))
    if whole:
        house.quarantine.settle(table, checked.day, checked.rejected, run_id=run_id)
    try:
        closing.close(house.ledger, table, key, run_id)
    except LeaseHeld:
        # it stalled between the look at its lease and the write: whose rows these are nobody can tell
        house.ledger.stale(table, [key], reason=f"run {run_id}, which had lost its turn, replaced its rows")
        raise
    return passed(checked)


def unread(house: House, table: str, day: dt.date, error: BackstopError, run_id: str) -> Outcome:
    """Account for a day whose answer could not be turned into rows: failed in the ledger, named as a gap.

    Its rows could not be counted; the raw answer lies in the archive.
    """
    turn.take(house, table, day.isoformat(), run_id)
    house.ledger.fail(table, day.isoformat(), run_id=run_id, reason=error.message)
    return Outcome(table, keys=1, gaps=(Gap(table, day.isoformat(), error.message),))


def sift(house: House, checked: Checked, file: Path, run_id: str) -> Outcome:
    """Replace a staged file by the rows that passed; the others go to quarantine.

    Raises:
        ValidationFailed: a rule about the table is broken; the file is left as it was and must not be loaded.
    """
    if checked.blocked:
        raise ValidationFailed(
            f"{checked.table} of {checked.day}: {'; '.join(checked.blocked)}. The batch is not loaded.",
            source=checked.table,
        )
    house.quarantine.put(checked.table, checked.day, checked.rejected, run_id=run_id, raw_ref=checked.raw_ref)
    checked.kept.write_parquet(file)
    return passed(checked)


def passed(checked: Checked) -> Outcome:
    """Return the numbers of rows that were kept or quarantined one by one."""
    return Outcome(
        table=checked.table,
        keys=1,
        rows_in=checked.rows_in,
        loaded=checked.kept.height,
        quarantined=checked.rejected.height,
        gaps=tuple(Gap(checked.table, checked.day.isoformat(), sentence) for sentence in checked.degraded),
        rules=dict(checked.rules),
        drift=checked.drift,
        worst=worst(Refused(*each) for each in checked.rejected.select("rule", "reason", "row").iter_rows()),
        suite_version=checked.suite_version,
    )


def blocked(checked: Checked) -> Outcome:
    """Return the numbers of a table that was blocked as a whole."""
    return Outcome(
        table=checked.table,
        keys=1,
        rows_in=checked.rows_in,
        failed=checked.rows_in,
        gaps=(Gap(checked.table, checked.day.isoformat(), "; ".join(checked.blocked)),),
        rules=dict(checked.rules),
        drift=checked.drift,
    )
