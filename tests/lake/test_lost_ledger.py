"""A ledger's database that was lost: the lake's own files tell how their days were closed."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.lake.closing import Closing
from backstop.lake.content import content_hash
from backstop.lake.entries import Counts
from backstop.lake.ledger import Ledger
from backstop.lake.notes import Note
from backstop.lake.quarantine import Quarantine
from backstop.lake.reconcile import reconcile
from backstop.lake.states import State
from tests.lake.conftest import DAY

KEY, TABLE = DAY.isoformat(), "core_games"
WRITTEN = dt.datetime(2025, 6, 20, 13, tzinfo=dt.UTC)


def games(count):
    rows = [dict.fromkeys(tables.GAMES.schema) | {"game_pk": pk, "game_date": DAY} for pk in range(count)]
    return pl.DataFrame(rows, schema=tables.GAMES.schema)


def noted(*counts, reason="", run="r1", at=WRITTEN):
    return Note(Closing(run, Counts(*counts), reason, content_hash(games(3)), "rules 7"), at)


NOTE = noted(5, 3, 1, 1)
LATE = noted(3, 3, reason="one answer is missing")


@pytest.fixture
def found(lake, tmp_path, clock):
    """Write three rows with a note, lose the ledger, and return what a repair makes of the day in a new one."""
    ledger = Ledger.connect(f"sqlite:///{tmp_path}/new.sqlite", clock)

    def found(*notes, **options):
        for note in notes:
            lake.write(TABLE, DAY, games(3), note)
        repairs = reconcile(lake, ledger, Quarantine(lake, clock), [TABLE], run_id="repair", **options)
        assert reconcile(lake, ledger, Quarantine(lake, clock), [TABLE], run_id="again", **options) == []
        return ledger.entry(TABLE, KEY), repairs

    yield found
    ledger.close()


def test_a_day_that_was_complete_is_complete_with_every_row_that_came_in(found, lake):
    entry, (repair,) = found(NOTE)
    assert (entry.state, repair.after, entry.reason) == (State.COMPLETE, State.COMPLETE, None)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined, entry.rows_failed) == (5, 3, 1, 1)
    assert entry.suite_version == "rules 7"
    assert entry.content_hash == lake.content_hash(TABLE, DAY)


def test_a_day_that_was_degraded_is_degraded_for_the_reason_that_it_had(found):
    entry, (repair,) = found(LATE)
    assert (entry.state, entry.reason, repair.after) == (State.DEGRADED, "one answer is missing", State.DEGRADED)


def test_the_same_rows_with_less_missing_are_noted_so(found, lake):
    entry, _ = found(LATE, NOTE)
    assert (entry.state, entry.rows_in) == (State.COMPLETE, 5)
    later = noted(5, 3, 1, 1, run="r2", at=WRITTEN + dt.timedelta(days=1))
    assert not lake.write(TABLE, DAY, games(3), later).changed
    assert lake.note(TABLE, DAY) == NOTE, "nothing new to say: the file is as it was"


@pytest.mark.parametrize(("hours", "state"), [(-1, State.COMPLETE), (0, State.COMPLETE), (1, State.STALE)])
def test_a_day_written_before_it_was_whole_is_done_again(found, hours, state):
    whole = WRITTEN + dt.timedelta(hours=hours)
    entry, (repair,) = found(NOTE, whole_at={TABLE: lambda day: whole if day == DAY else None})
    assert (entry.state, repair.after) == (state, state)
    if state is State.STALE:
        assert repair.reason.endswith("that were written before the day was whole")


def test_a_note_comes_back_from_its_file_as_it_was_and_other_writes_leave_none(lake):
    assert lake.note(TABLE, DAY) is None
    lake.write(TABLE, DAY, games(2))
    assert lake.note(TABLE, DAY) is None
    odd = noted(None, 2, 0, None, reason='a reason: é, \n, "')
    lake.write(TABLE, DAY, games(2), odd)
    assert lake.note(TABLE, DAY) == odd
