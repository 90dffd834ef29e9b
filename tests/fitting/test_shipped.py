"""The shipped numbers beside the fit that anyone can run (`python -m scripts.fit`), where the recordings are.

The whole fit takes minutes; here is the part of it that needs no walk through the seasons: how often each place in the
order comes up, fitted on 2024, and the tables that the rest is fitted on.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.features.sums import add_up
from backstop.features.tally import SCHEMA, tally
from backstop.fitting import turns
from backstop.props.fitted import Fitted
from backstop.tables import PITCHES
from scripts import fit as scripted

TOLERANCE = 0.002
"""Log-odds of two to five plate appearances: what the fit's own steadiness moves."""

RARE = 0.1
"""Of six and seven, which happen in 3 % and .2 % of games."""


@pytest.fixture(scope="module")
def fitted(realdata):
    scan = pl.scan_parquet(realdata / "savant" / "pitches" / "statcast_2024_all_pitches_21cols.parquet")
    known = set(scan.collect_schema().names())
    columns = [
        (pl.col(c.upstream or c.name) if (c.upstream or c.name) in known else pl.lit(None)).cast(c.dtype).alias(c.name)
        for c in PITCHES.columns
    ]
    return turns.fit(add_up(tally(scan.select(columns))).turns, scripted.origin().parameters, scripted.STEADY)


def test_the_shipped_plate_appearances_by_slot_are_what_the_fit_on_2024_gives(fitted):
    shipped = Fitted.shipped().parameters
    apart = np.abs(np.array(fitted["turns_by_slot"]) - np.array(shipped.turns_by_slot))
    assert apart[:4].max() < TOLERANCE
    assert apart[4:].max() < RARE
    assert np.abs(np.array(fitted["turns_home"]) - np.array(shipped.turns_home)).max() < 0.01


def test_the_shipped_weights_and_stabilisation_points_are_those_that_the_fit_takes_as_given():
    shipped = Fitted.shipped().parameters
    assert {name: getattr(shipped, name) for name in scripted.ORIGIN} == scripted.ORIGIN


@pytest.fixture(scope="module")
def window(realdata):
    return scripted._retrosheet(realdata / "backtest", (2019, 2020), dt.date(2020, 8, 8), dt.date(2020, 9, 27))


def test_retrosheets_plate_appearances_become_tallies_that_add_up(window, realdata):
    """League totals of 2019 as the record has them: 186,517 plate appearances, 42,823 strikeouts, 6,776 home runs."""
    season = window.tallies.filter(season=2019)
    totals = season.select(pl.col("plate_appearances", "n_strikeout", "n_home_run").sum()).row(0)
    assert totals == (186_517, 42_823, 6_776)
    assert dict(window.tallies.schema) == SCHEMA
    outcomes = season.select(pl.sum_horizontal(pl.col("^n_.*$")).sum()).item()
    assert outcomes == 186_517


def test_the_results_of_a_window_are_of_its_days_and_its_players(window):
    played = window.played
    assert window.played["game_date"].min() >= window.first
    games = set(played["game_pk"].cast(pl.String))
    assert set(window.results["game_id"]) <= games
    assert set(window.results["market"]) == {*scripted.BATTERS, *scripted.STARTERS}
    starts = window.results.filter(market="pitcher_earned_runs")
    assert starts.height == 2 * len(games)
    runs = window.results.filter(market="batter_runs_scored")["value"]
    assert 4 < runs.sum() / len(games) / 2 < 5.2


def test_pitchers_who_batted_are_left_out_of_a_season_without_the_designated_hitter(realdata):
    old = scripted._retrosheet(realdata / "backtest", (2019, 2020), dt.date(2019, 6, 1), dt.date(2019, 6, 7))
    assert old.left_out.height > 200
    assert old.batted.height < old.played.height


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ({"a": [1.0, 2.0]}, {"a": [1.0, 2.5]}, 0.5),
        ({"a": "x"}, {"a": "x"}, 0.0),
        ({"a": "x"}, {"a": "y"}, float("inf")),
        ({"a": 1}, {"b": 1}, float("inf")),
        ([1, 2], [1, 2, 3], float("inf")),
        ({}, {}, 0.0),
    ],
)
def test_how_far_apart_two_fits_are(one, other, difference):
    assert scripted.apart(one, other) == difference
