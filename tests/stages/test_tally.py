"""Tallies follow the pitches they were made of, whatever a run died of in between."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

import polars as pl

from backstop import tables
from backstop.features import tally
from backstop.lake.states import State
from backstop.sources.parsed import REJECTED
from backstop.stages import project, turn
from backstop.stages.keep import Checked, keep
from tests.stages.rows import DAY

BEFORE = DAY + dt.timedelta(days=1)


def pitches(events: str) -> pl.DataFrame:
    row = {
        "game_pk": 1, "game_date": DAY, "at_bat_number": 1, "pitch_number": 1, "game_type": "R", "season": DAY.year,
        "home_team": "NYY", "away_team": "BOS", "batter_id_mlbam": 10, "pitcher_id_mlbam": 20, "stand": "R",
        "p_throws": "R", "inning": 1, "inning_topbot": "Top", "events": events,
    }  # fmt: skip
    return pl.DataFrame([{name: row.get(name) for name in tables.PITCHES.schema}], schema=tables.PITCHES.schema)


def kept(house, events: str, run: str) -> None:
    rows = pitches(events)
    checked = Checked(tables.PITCHES.name, DAY, rows.height, rows, pl.DataFrame(schema=REJECTED))
    keep(house, replace(checked, suite_version="v"), run)


def test_a_day_that_a_killed_run_kept_without_tallying_it_is_found(house):
    kept(house, "single", "killed")
    assert project.untallied(house, BEFORE) == [DAY]
    project.tally_days(house, [DAY], "next")
    assert project.untallied(house, BEFORE) == []


def test_a_day_whose_pitches_changed_is_tallied_again(house):
    kept(house, "single", "first")
    project.tally_days(house, [DAY], "first")
    before = house.lake.content_hash(project.TALLIES, DAY)
    kept(house, "double", "second")
    assert project.untallied(house, BEFORE) == [DAY]
    project.tally_days(house, [DAY], "second")
    assert house.lake.content_hash(project.TALLIES, DAY) != before


def test_the_slates_own_day_is_not_history(house):
    kept(house, "single", "run")
    assert project.untallied(house, DAY) == []


def test_of_two_runs_at_once_the_second_waits_for_the_first_and_uses_its_tally(house):
    kept(house, "single", "fetched")
    pitched = house.lake.content_hash(tables.PITCHES.name, DAY)
    house.ledger.begin(project.TALLIES, DAY.isoformat(), run_id="first")
    with ThreadPoolExecutor() as pool:
        second = pool.submit(project.tally_days, house, [DAY], "second")
        assert not wait([second], timeout=0.3).done
        house.lake.write(project.TALLIES, DAY, tally.tally(house.lake.read(tables.PITCHES.name, DAY)))
        house.ledger.complete(project.TALLIES, DAY.isoformat(), run_id="first", content_hash=pitched, rows_in=0)
        assert second.result(timeout=60) == project.Tallied(rows=0)
    assert house.ledger.entry(project.TALLIES, DAY.isoformat()).run_id == "first"
    assert project.untallied(house, BEFORE) == []


def test_a_tally_that_the_first_run_made_of_older_pitches_is_made_again(house):
    kept(house, "single", "fetched")
    house.ledger.begin(project.TALLIES, DAY.isoformat(), run_id="first")
    kept(house, "double", "corrected")
    with ThreadPoolExecutor() as pool:
        second = pool.submit(project.tally_days, house, [DAY], "second")
        house.ledger.complete(project.TALLIES, DAY.isoformat(), run_id="first", content_hash="older", rows_in=0)
        assert second.result(timeout=60).rows == 1
    assert house.lake.read(project.TALLIES, DAY)["n_double"].sum() == 1


def test_a_day_that_is_never_let_go_is_named_and_leaves_the_others(house, monkeypatch):
    monkeypatch.setattr(turn, "PATIENCE_S", 0.1)
    kept(house, "single", "fetched")
    house.ledger.begin(project.TALLIES, DAY.isoformat(), run_id="stuck")
    done = project.tally_days(house, [DAY], "second")
    assert [(gap.table, gap.key) for gap in done.held] == [(project.TALLIES, DAY.isoformat())]
    assert "run stuck" in done.held[0].reason


def test_many_runs_at_once_come_to_the_same_tally_and_none_is_refused(house):
    kept(house, "single", "fetched")
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda n: project.tally_days(house, [DAY], f"run-{n}"), range(8)))
    assert all(not each.held for each in runs)
    assert sum(each.rows for each in runs) >= 1
    assert house.lake.read(project.TALLIES, DAY).height == 1
    assert house.ledger.entry(project.TALLIES, DAY.isoformat()).state is State.COMPLETE
    assert project.untallied(house, BEFORE) == []
