"""Repair the ledger after a crash: a partition that is there is right, whatever the ledger says of it.

A partition is replaced whole, after its refused rows went to quarantine and before the ledger is closed. So a file
whose hash the ledger does not know is a finished day that nobody wrote down, and an entry whose file is gone is a day
to do again. A key that a dead run held is closed as that run had noted before it wrote (`Ledger.renew`), when the rows
are in the lake and the refused ones are settled; otherwise it is done again. What a slate's run left beside its rows
tells the same of it.

Where the ledger itself was lost, files tell how they were closed (`lake.notes`). One without a note is degraded: that
nothing was missing from it cannot be known.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop.errors import LakeError, LeaseHeld
from backstop.lake.closing import Closing
from backstop.lake.entries import Counts
from backstop.lake.states import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from backstop.lake.ledger import Entry, Ledger
    from backstop.lake.quarantine import Quarantine
    from backstop.lake.tables import Lake

CLOSED: Final = frozenset({State.FAILED, State.STALE, State.EMPTY_OK})
"""States that a file does not change: they were given on purpose."""


UNKNOWN: Final = "its rows are in the lake, but the ledger that knew whether something was missing from them is lost"


@dataclass(frozen=True, slots=True)
class Repair:
    """One entry that was changed, and why."""

    table: str
    key: str
    before: State | None
    after: State
    reason: str


def reconcile(
    lake: Lake,
    ledger: Ledger,
    quarantine: Quarantine,
    tables: Iterable[str],
    *,
    run_id: str,
    told: Mapping[str, Callable[[dt.date], Closing | None]] | None = None,
    whole_at: Mapping[str, Callable[[dt.date], dt.datetime]] | None = None,
) -> list[Repair]:
    """Bring the ledger's entries of tables that are kept by day into line with their partitions.

    Keys that a living run works on are left to it. Failed and degraded entries stay as they are when their file is as
    they left it: they were closed on purpose.

    Args:
        lake: Holds the partitions.
        ledger: Is repaired.
        quarantine: Holds the rows refused.
        tables: Names of the tables.
        run_id: Under which repairs are noted.
        told: Tables whose runs left how they close a day elsewhere, and where.
        whole_at: Tables whose days are not whole at once, and from when on they are: days that the ledger did not know
            and that were written before are done again.

    Raises:
        LakeError: a partition or the database cannot be read.
    """
    repairs: list[Repair] = []
    for table in tables:
        days = {day.isoformat() for day in lake.days(table)}
        known = {entry.key: entry for entry in ledger.entries(table)}
        for key in sorted(days | known.keys()):
            if not _is_day(key):
                continue
            entry, found = known.get(key), lake.content_hash(table, dt.date.fromisoformat(key))
            tells = (told or {}).get(table)
            if found is None:
                repair = _without_file(ledger, table, key, entry, run_id)
            elif tells is not None:
                repair = _as_told(ledger, table, key, entry, run_id, found, tells)
            elif entry is not None and entry.state is State.RUNNING:
                repair = _as_noted(lake, ledger, quarantine, entry, found, run_id)
            else:
                repair = _by_rows(lake, ledger, quarantine, table, key, entry, run_id, found)
                repair = repair and _done_when_whole(lake, ledger, repair, (whole_at or {}).get(table))
            if repair is not None:
                repairs.append(repair)
    return repairs


def _by_rows(
    lake: Lake,
    ledger: Ledger,
    quarantine: Quarantine,
    table: str,
    key: str,
    entry: Entry | None,
    run_id: str,
    found: str,
) -> Repair | None:
    """Repair a key by the file that is there: by its note, without one by its rows."""
    state = None if entry is None else entry.state
    if entry is not None and entry.content_hash == found:
        return None
    if state in {State.FAILED, State.STALE}:
        return None
    # read before the key is taken: one that was taken and cannot be read would be kept from whoever writes it anew
    day = dt.date.fromisoformat(key)
    rows, note = _rows(lake, table, day), lake.note(table, day)
    if note is not None:
        closing = note.closing.of(found)
    else:
        refused = quarantine.list(table, day).height
        is_known = state in {State.COMPLETE, State.EMPTY_OK}
        rules = None if entry is None else entry.suite_version
        closing = Closing(run_id, Counts(rows + refused, rows, refused), "" if is_known else UNKNOWN, found, rules)
    if not _begun(ledger, table, key, run_id):
        return None
    closing.close(ledger, table, key, run_id)
    return Repair(table, key, state, closing.state, f"the partition holds {rows} rows that the ledger did not know")


def _done_when_whole(
    lake: Lake, ledger: Ledger, repair: Repair, whole_at: Callable[[dt.date], dt.datetime] | None
) -> Repair:
    """Have a day done again that was written before it was whole: whether it was done again since is not known."""
    day = dt.date.fromisoformat(repair.key)
    note = lake.note(repair.table, day)
    if whole_at is None or note is None or note.at >= whole_at(day):
        return repair
    reason = f"{repair.reason}, and that were written before the day was whole"
    ledger.stale(repair.table, [repair.key], reason=reason)
    return replace(repair, after=State.STALE, reason=reason)


def _as_noted(
    lake: Lake, ledger: Ledger, quarantine: Quarantine, entry: Entry, found: str, run_id: str
) -> Repair | None:
    """Repair a key that a dead run held, by what it noted when it was about to write."""
    table, key, died = entry.table, entry.key, f"run {entry.run_id} died before"
    day = dt.date.fromisoformat(key)
    rows = _rows(lake, table, day)  # first: one that cannot be read is named, whatever was noted
    # without a number of refused rows nothing was noted: the hash is that of the run before
    if entry.rows_quarantined is None or entry.content_hash != found:
        return _failed(ledger, table, key, run_id, f"{died} its rows were in the lake")
    # rows that somebody dropped were refused as well
    refused = quarantine.list(table, day, state=None).filter(pl.col("state") != "replayed")
    if refused.height != entry.rows_quarantined:
        return _failed(ledger, table, key, run_id, f"{died} it settled the rows refused before")
    if not _begun(ledger, table, key, run_id):
        return None
    counts = Counts(entry.rows_in, rows, refused.height, entry.rows_failed)
    closing = Closing(str(entry.run_id), counts, entry.reason or "", found, entry.suite_version)
    closing.close(ledger, table, key, run_id)
    return Repair(table, key, entry.state, closing.state, f"run {closing.run_id} had written its rows")


def _as_told(
    ledger: Ledger,
    table: str,
    key: str,
    entry: Entry | None,
    run_id: str,
    found: str,
    tells: Callable[[dt.date], Closing | None],
) -> Repair | None:
    """Repair a key whose rows do not tell how it closes."""
    if entry is not None and _is_known(entry, found):
        return None
    died = entry if entry is not None and entry.state is State.RUNNING else None
    closing = tells(dt.date.fromisoformat(key))
    is_of_these_rows = closing is not None and closing.content_hash == found
    if closing is not None and is_of_these_rows and (died is None or closing.run_id == died.run_id):
        if not _begun(ledger, table, key, run_id):
            return None
        closing.close(ledger, table, key, run_id)
        before = None if entry is None else entry.state
        return Repair(table, key, before, closing.state, f"run {closing.run_id} had published it")
    if died is None:
        return None
    return _failed(ledger, table, key, run_id, f"run {died.run_id} died before its rows were in the lake")


def _begun(ledger: Ledger, table: str, key: str, run_id: str) -> bool:
    """Take a key for a repair; return false where a living run works on it."""
    try:
        ledger.begin(table, key, run_id=run_id)
    except LeaseHeld:
        return False
    return True


def _failed(ledger: Ledger, table: str, key: str, run_id: str, reason: str) -> Repair | None:
    if not _begun(ledger, table, key, run_id):
        return None
    ledger.fail(table, key, run_id=run_id, reason=reason)
    return Repair(table, key, State.RUNNING, State.FAILED, reason)


def _is_known(entry: Entry, found: str) -> bool:
    """Return whether an entry says how its key closes, for the rows that are there."""
    if entry.state in {State.COMPLETE, State.DEGRADED}:
        # without a hash: of a release that wrote none, nor left how the rows close
        return entry.content_hash in {None, found}
    return entry.state in CLOSED or (entry.state is not State.RUNNING and entry.content_hash == found)


def _without_file(ledger: Ledger, table: str, key: str, entry: Entry | None, run_id: str) -> Repair | None:
    if entry is None:
        return None
    if entry.state is State.RUNNING:
        return _failed(ledger, table, key, run_id, f"run {entry.run_id} died before anything was written")
    if entry.state in {State.COMPLETE, State.DEGRADED} and entry.content_hash is not None:
        ledger.stale(table, [key], reason="the partition is gone from the lake")
        return Repair(table, key, entry.state, State.STALE, "its partition is gone from the lake")
    return None


def _rows(lake: Lake, table: str, day: dt.date) -> int:
    try:
        return lake.read(table, day).height
    except LakeError as error:
        raise LakeError(f"{table} of {day} has a partition that cannot be read: {error}", source=table) from error


def _is_day(key: str) -> bool:
    try:
        return dt.date.fromisoformat(key).isoformat() == key
    except ValueError:
        return False
