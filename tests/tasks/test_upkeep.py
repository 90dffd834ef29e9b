"""The nightly round and the look at what is due: what is cleared away, what stays, and what is said of it."""

from __future__ import annotations

import datetime as dt
import os

import polars as pl
import pytest

from backstop import tables
from backstop.clock import FixedClock
from backstop.lake.closing import Closing
from backstop.lake.entries import Counts
from backstop.lake.notes import Note
from backstop.lake.states import State
from backstop.sources.savant import pitches
from backstop.stages import refitting
from backstop.stages.due import Due
from backstop.stages.schedules import SEASON_OPENS
from tasks import maintenance, upkeep
from tests.operations.publishing import DAY, publish
from tests.stages.rows import games

PROPS = tables.PROPS.name
FIRST_PITCH = dt.datetime.combine(DAY, dt.time(17), dt.UTC)


def at(hours: float) -> dt.datetime:
    return FIRST_PITCH + dt.timedelta(hours=hours)


# which instant, which day


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        (dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC), dt.date(2025, 6, 15)),
        (dt.datetime(2025, 7, 1, 3, 30, tzinfo=dt.UTC), dt.date(2025, 6, 30)),  # still the evening in the east
        (dt.datetime(2025, 12, 31, 23, tzinfo=dt.timezone(dt.timedelta(hours=-5))), dt.date(2025, 12, 31)),
        (dt.datetime(2026, 1, 1, 5, tzinfo=dt.timezone(dt.timedelta(hours=9))), dt.date(2025, 12, 31)),
    ],
)
def test_a_run_works_for_the_baseball_day_of_its_instant_wherever_that_was_written(instant, day):
    assert upkeep.day_of(instant) == day
    assert upkeep.present(instant) == instant
    assert upkeep.present(instant).tzinfo is dt.UTC


def test_without_an_instant_it_is_now_by_the_houses_clock(house):
    house.clock = FixedClock(at(0))
    assert (upkeep.present(None), upkeep.day_of(None)) == (at(0), DAY)


# folders of runs, raw answers, quarantine


def run_folder(house, name, days_old):
    folder = house.run_dir(name)
    (folder / "props.parquet").write_bytes(b"x")
    then = dt.datetime.now(dt.UTC).timestamp() - days_old * 86_400
    os.utime(folder, (then, then))
    return folder


def test_folders_of_old_runs_go_and_those_of_runs_at_work_stay_whatever_their_age(house, told):
    old, young, at_work = (run_folder(house, name, age) for name, age in (("old", 15), ("young", 13), ("held", 400)))
    house.ledger.begin(PROPS, str(DAY), run_id="held")
    note = old.parent / "note.txt"
    note.touch()
    os.utime(note, (0, 0))
    assert maintenance.clear_runs.fn(14) == 1
    assert [each.exists() for each in (old, young, at_work, note)] == [False, True, True, True]
    assert told[-1].startswith("1 folders of runs before ")
    assert maintenance.clear_runs.fn(0) == 1
    assert [each.exists() for each in (young, at_work)] == [False, True]


def test_a_home_in_which_nothing_ran_has_nothing_to_clear(house):
    assert maintenance.clear_runs.fn(0) == 0
    assert maintenance.prune_archive.fn(0) == (0, 0)
    assert maintenance.compact_quarantine.fn() == 0
    assert maintenance.check_redis.fn(14) == []


def test_old_answers_go_but_for_the_newest_to_each_request(house, told):
    now = dt.datetime.now(dt.UTC)
    (item,) = pitches.plan([DAY])
    for age in (500, 450, 10):
        house.archive.put(
            item, f"answer of {age}".encode(), fetched_at=now - dt.timedelta(days=age), headers=(), status=200
        )
    assert maintenance.prune_archive.fn(470)[0] == 1
    assert maintenance.prune_archive.fn(400)[0] == 1
    assert maintenance.prune_archive.fn(0)[0] == 0, "replays need the newest"
    assert told[-1].startswith("0 answers before ")
    assert house.archive.latest(item).body == b"answer of 10"


def test_files_of_quarantined_rows_are_put_together_for_each_table_and_day_and_no_row_is_lost(house):
    for number in range(3):
        for table, day in (("core_quotes", DAY), ("core_quotes", DAY + dt.timedelta(days=1)), ("core_pitches", DAY)):
            row = pl.DataFrame({"row": [f'{{"n": {number}}}'], "rule": ["r"], "reason": ["why"]})
            house.quarantine.put(table, day, row, run_id="r", raw_ref=None)
    before = house.quarantine.list().sort("row_id")
    assert maintenance.compact_quarantine.fn() == 9 - 3
    assert house.quarantine.list().sort("row_id").equals(before)
    assert maintenance.compact_quarantine.fn() == 0


# what is due, and what is late


@pytest.fixture
def announced(monkeypatch):
    events = []
    monkeypatch.setattr(upkeep, "tell", lambda *event: events.append(event))
    return events


@pytest.fixture
def listed(house):
    """A house that knows the day's game, not begun, and that the days before had none."""
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, status="Scheduled", abstract_status="Preview"))
    for back in range(1, 8):
        house.ledger.empty(tables.GAMES.name, str(DAY - dt.timedelta(days=back)), run_id="r", reason="no games")
    return house


@pytest.mark.parametrize(("hours", "late"), [(-0.6, 0), (-0.4, 1), (0, 1), (0.9, 1), (1.1, 0)])
def test_a_slate_is_late_from_half_an_hour_before_its_first_game_until_an_hour_after(
    listed, announced, told, hours, late
):
    assert upkeep.what_is_due.fn(at(hours)) == []
    assert len(announced) == late
    assert told[0] == f"Nothing is due at {at(hours):%Y-%m-%d %H:%M} UTC."
    if late:
        said = f"The slate of {DAY} is missing; its first game begins at 13:00 Eastern."
        assert announced == [("late", DAY, said)]
        assert told[-1] == f"! {said}"


def test_a_late_slate_of_games_without_a_start_is_told_without_one(listed, announced):
    preview = {"status": "Scheduled", "abstract_status": "Preview"}
    listed.lake.write(tables.GAMES.name, DAY, games(DAY, 1, start_is_tbd=True, **preview))
    upkeep.what_is_due.fn(at(14.6))  # shortly before the end of the day, which stands for its start
    assert [said for *_, said in announced] == [
        f"The slate of {DAY} is missing; the start of its first game is to be determined."
    ]


def test_a_published_slate_and_one_without_games_are_not_late(listed, announced):
    publish(listed, DAY, players=2)
    upkeep.what_is_due.fn(at(0))
    upkeep.what_is_due.fn(at(48))
    assert announced == []


def test_a_slate_that_failed_is_late_and_due_once_its_pause_is_over(listed, announced, told):
    listed.clock = listed.ledger.clock = FixedClock(at(-0.4))
    listed.ledger.begin(PROPS, str(DAY), run_id="r")
    listed.ledger.fail(PROPS, str(DAY), run_id="r", reason="the feed was down")
    assert upkeep.what_is_due.fn(at(-0.4) + dt.timedelta(minutes=4)) == []
    (due,) = upkeep.what_is_due.fn(at(-0.4) + dt.timedelta(minutes=5))
    assert due == Due("slate-refresh", DAY, "try-2-after-r", f"{DAY} failed: the feed was down")
    assert f"slate-refresh {DAY} is due: {DAY} failed: the feed was down." in told
    assert [event[0] for event in announced] == ["late", "late"]


# Redis beside the lake


@pytest.fixture
def shown(monkeypatch):
    pages = []
    monkeypatch.setattr(maintenance.artifacts, "markdown", lambda *page: pages.append(page))
    return pages


def test_only_the_newest_slates_are_compared(house, shown, monkeypatch):
    days = [DAY - dt.timedelta(days=back) for back in range(4)]
    house.lake.days = lambda _: set(days)
    asked = []
    monkeypatch.setattr(maintenance.rebuild, "verify", lambda _, wanted: asked.append(wanted) or [])
    assert maintenance.check_redis.fn(2) == []
    assert asked == [[days[1], days[0]]]
    assert shown == [
        ("redis-check", "# Redis against the lake: 2 slates\n\nBoth hold the same rows.", "0 slates differed")
    ]


# the model, the calendar


def test_no_refit_is_due_while_the_lake_has_no_games_and_that_is_said(house, told):
    assert maintenance.refit_model.fn() is False
    assert told == [f"No refit is due: it takes {refitting.REFIT_AFTER} days with games that the last one did not see."]


@pytest.mark.parametrize(
    ("today", "first"),
    [
        (dt.date(2025, 6, 15), dt.date(2025, *SEASON_OPENS)),
        (dt.date(2026, 5, 1), dt.date(2026, *SEASON_OPENS)),
        (dt.date(2025, 1, 15), None),  # before the season
        (dt.date(2024, 6, 15), None),  # before the first one that is kept
    ],
)
def test_the_calendar_is_of_this_years_season_and_absent_before_it(house, monkeypatch, today, first):
    drawn = []
    monkeypatch.setattr(upkeep.calendar, "show", lambda _, *span: drawn.append(span))
    upkeep.show_calendar.fn(dt.datetime.combine(today, dt.time(16), dt.UTC))
    assert drawn == ([] if first is None else [(first, today)])


def test_pitches_that_were_fetched_before_savant_had_settled_them_are_asked_for_again(house, told):
    day = dt.date(2025, 6, 10)
    house.clock = house.ledger.clock = FixedClock(dt.datetime(2025, 6, 11, 12, tzinfo=dt.UTC))
    house.lake.write(tables.PITCHES.name, day, tables.PITCHES.empty())
    found = house.lake.content_hash(tables.PITCHES.name, day)
    house.ledger.begin(tables.PITCHES.name, str(day), run_id="r")
    house.ledger.complete(tables.PITCHES.name, str(day), run_id="r", content_hash=found, rows_in=0, rows_loaded=0)
    assert upkeep.repair_ledger.fn(dt.datetime(2025, 6, 12, 12, tzinfo=dt.UTC)) == []
    assert house.ledger.entry(tables.PITCHES.name, str(day)).state is State.COMPLETE
    upkeep.repair_ledger.fn(dt.datetime(2025, 6, 16, 16, tzinfo=dt.UTC))
    assert house.ledger.missing(tables.PITCHES.name, [str(day)]) == [str(day)]
    assert told == [f"The pitches of {day} are asked for again: they were fetched before Savant had settled them."]


@pytest.mark.parametrize(
    ("hours", "last", "state"),
    [(0, "Final", State.STALE), (100, "Final", State.COMPLETE), (100, "Live", State.STALE)],
)
def test_of_a_lost_ledger_days_come_back_as_they_were_closed_and_those_that_were_not_whole_are_done_again(
    house, told, hours, last, state
):
    """Before the day was whole, after it, and after it with a suspended game that is not over."""
    rows = games(DAY, 1).vstack(games(DAY, 2, abstract_status=last))
    house.lake.write(tables.GAMES.name, DAY, rows, Note(Closing("r", Counts(3, 2, 1), "", None), at(hours)))
    upkeep.repair_ledger.fn(at(200))
    entry = house.ledger.entry(tables.GAMES.name, str(DAY))
    assert (entry.state, entry.rows_in, entry.rows_quarantined) == (state, 3, 1)
    assert upkeep.repair_ledger.fn(at(201)) == []
