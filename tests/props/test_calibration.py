from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from backstop.features.tally import tally
from backstop.lake.tables import Lake
from backstop.props import calibration, refit
from backstop.props.calibration import Calibration, Platt, fit
from backstop.props.fitted import Fitted
from tests.features.season import FIRST, pitches


@given(st.floats(0.3, 2.0), st.floats(-1.0, 1.0), st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_calibration_keeps_the_order_and_the_ends(slope, intercept, values):
    p = np.sort(np.array(values))
    q = Platt(slope=slope, intercept=intercept).apply(p)
    assert (np.diff(q) >= 0).all()
    assert ((q >= 0) & (q <= 1)).all()
    assert (q[p == 0] == 0).all()
    assert (q[p == 1] == 1).all()


def test_a_falling_calibration_does_not_exist():
    with pytest.raises(ValidationError):
        Platt(slope=-0.1)


def test_the_fit_finds_the_distortion():
    random = np.random.default_rng(5)
    truth = random.uniform(0.1, 0.9, 20_000)
    log_odds = np.log(truth / (1 - truth))
    told = 1 / (1 + np.exp(-(log_odds - 0.3) / 0.8))
    rows = pl.DataFrame({"market": "m", "prob_over": told, "outcome": random.random(20_000) < truth})
    found = fit(rows, version="v", trained_on="simulated", last_day=dt.date(2024, 1, 1)).markets["m"]
    assert found.slope == pytest.approx(0.8, abs=0.04)
    assert found.intercept == pytest.approx(0.3, abs=0.04)


def test_too_few_predictions_are_left_alone():
    rows = pl.DataFrame({"market": ["m"] * 9, "prob_over": [0.5] * 9, "outcome": [True] * 9})
    assert fit(rows, version="v", trained_on="few", last_day=dt.date(2024, 1, 1)).markets == {}


def test_outcomes_that_fall_as_the_chances_rise_give_no_calibration():
    told = np.linspace(0.1, 0.9, 900)
    rows = pl.DataFrame({"market": "m", "prob_over": told, "outcome": told < 0.5})
    noisy = rows.with_columns(outcome=pl.col("outcome") ^ (pl.int_range(pl.len()) % 4 == 0))
    assert fit(noisy, version="v", trained_on="upside down", last_day=dt.date(2024, 1, 1)).markets == {}


def test_the_shipped_fit_saw_nothing_of_the_season_that_is_scored():
    assert calibration.default().last_day < dt.date(2025, 1, 1)
    assert calibration.default().or_none(dt.date(2024, 6, 1)).markets == {}


def test_a_day_uses_the_newest_fit_that_saw_only_earlier_days(tmp_path):
    lake = Lake(tmp_path)
    for day in (1, 5, 9):
        fitted = Calibration(
            version=f"v{day}", trained_on="t", last_day=dt.date(2025, 5, day), markets={"m": Platt(slope=0.9)}
        )
        refit.keep(lake, dataclasses.replace(Fitted.shipped(), calibration=fitted))
    assert refit.latest(lake, dt.date(2025, 5, 9)).calibration.version == "v5"
    assert refit.latest(lake, dt.date(2025, 5, 10)).calibration.markets == {"m": Platt(slope=0.9)}
    assert refit.latest(lake, dt.date(2025, 5, 1)) == Fitted.shipped()


def test_a_refit_on_the_lake_names_its_window():
    tallies = tally(pitches(20))
    first, last = FIRST + dt.timedelta(days=10), FIRST + dt.timedelta(days=19)
    fitted = refit.calibrate(tallies, first, last, version="x", in_use=Fitted.shipped()).calibration
    assert fitted.last_day == last
    assert "batter_hits" in fitted.markets
    assert str(first) in fitted.trained_on


def test_what_was_observed_adds_up():
    tallies = tally(pitches(5))
    seen = refit.observed(tallies)
    strikeouts = seen.filter(market="batter_strikeouts")["value"].sum()
    assert strikeouts == tallies["n_strikeout"].sum()
    started = seen.filter(market="pitcher_strikeouts")["value"].sum()
    assert started == tallies.filter("pitcher_started")["n_strikeout"].sum()
    outs = seen.filter(market="pitcher_outs")["value"].sum()
    assert outs == tallies.filter("pitcher_started")["outs_recorded"].sum()
