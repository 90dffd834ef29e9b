"""Tallies follow the pitches they were made of, whatever a run died of in between."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import polars as pl

from backstop import tables
from backstop.sources.parsed import REJECTED
from backstop.stages import project
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
