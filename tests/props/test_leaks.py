"""The four leak tests: truncation, canary, as-of dates, shuffled labels.

They run on the small simulated season, on the demo league and, where the recordings are, on a real month.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.errors import DataError
from backstop.features.tally import KEY, tally
from backstop.features.walk import walk
from backstop.props import backtest, calibration
from backstop.props.fitted import Fitted
from backstop.props.grade import log_loss
from backstop.tables import PITCHES
from tests.features.season import FIRST, pitches

ALARM_NATS = 0.003
"""A gain over the honest model larger than this is more than any honest model found: a leak until explained."""


@pytest.fixture(scope="module", params=["small season", "demo league"])
def simulated(request):
    """Tallies, and the first and last day to predict."""
    if request.param == "small season":
        return tally(pitches(24, seed=11)), FIRST + dt.timedelta(days=16), FIRST + dt.timedelta(days=23)
    tallies = request.getfixturevalue("demo_league")
    last = tallies["game_date"].max()
    return tallies, last - dt.timedelta(days=7), last


@pytest.fixture(scope="module")
def real_month(realdata):
    """Tallies of April to June 2025 and the season before, and a week of June to predict."""
    parts = []
    for season, last in ((2024, dt.date(2024, 12, 31)), (2025, dt.date(2025, 6, 30))):
        scan = pl.scan_parquet(realdata / "savant" / "pitches" / f"statcast_{season}_all_pitches_21cols.parquet")
        known = set(scan.collect_schema().names())
        columns = [
            (pl.col(c.upstream or c.name) if (c.upstream or c.name) in known else pl.lit(None))
            .cast(c.dtype)
            .alias(c.name)
            for c in PITCHES.columns
        ]
        parts.append(tally(scan.select(columns).filter(pl.col("game_date") <= last)))
    return pl.concat(parts), dt.date(2025, 6, 1), dt.date(2025, 6, 30)


def untrained():
    return calibration.Calibration(version="none", trained_on="nothing", last_day=dt.date(2000, 1, 1), markets={})


def predictions(tallies, first, last):
    return backtest.run(tallies, first, last, fitted=Fitted.shipped().uncalibrated())


def outcomes(tallies, first, last):
    """What happened: hits of each batter and strikeouts of each starter, by game."""
    days = tallies.filter(pl.col("game_date").is_between(first, last))
    hits = pl.sum_horizontal("n_single", "n_double", "n_triple", "n_home_run")
    batters = days.filter(pl.col("slot") > 0).group_by("game_pk", "batter_id_mlbam").agg(hits.sum().alias("value"))
    starters = (
        days.filter("pitcher_started").group_by("game_pk", "pitcher_id_mlbam").agg(value=pl.col("n_strikeout").sum())
    )
    parts = [
        batters.rename({"batter_id_mlbam": "player"}).with_columns(market=pl.lit("batter_hits")),
        starters.rename({"pitcher_id_mlbam": "player"}).with_columns(market=pl.lit("pitcher_strikeouts")),
    ]
    text = pl.col("game_pk", "player").cast(pl.String)
    return pl.concat(part.select(text, "market", "value") for part in parts).rename(
        {"game_pk": "game_id", "player": "player_id"}
    )


def gain(predicted, happened, market, line):
    """Log loss of the constant at the base rate minus that of the predictions; positive is skill."""
    rows = predicted.filter(market=market, line=line).join(happened, on=["game_id", "player_id", "market"])
    won = (rows["value"] > line).cast(pl.Float64).to_numpy()
    base = np.full(len(won), won.mean())
    return log_loss(base, won) - log_loss(rows["prob_over"].to_numpy(), won)


def check_truncation(tallies, first, last):
    whole = predictions(tallies, first, last)
    cut = predictions(tallies.filter(pl.col("game_date") <= first), first, first)
    assert cut.equals(whole.filter(game_date=first))
    noise = tallies.with_columns(
        n_strikeout=pl.when(pl.col("game_date") >= first).then(0).otherwise("n_strikeout"),
        n_single=pl.when(pl.col("game_date") >= first).then(1).otherwise("n_single"),
    ).cast({"n_strikeout": pl.Int32, "n_single": pl.Int32})
    assert predictions(noise, first, first).equals(cut)


def test_cutting_off_or_changing_what_came_later_changes_no_bit_of_a_prediction(simulated):
    check_truncation(*simulated)


def test_no_feature_saw_its_own_day(simulated):
    for day, features in walk(*simulated):
        assert (features["as_of"] < day).all()
        assert (features["as_of"] < features["game_date"]).all()


def test_a_calibration_that_saw_the_day_is_refused():
    fitted = calibration.Calibration(version="x", trained_on="", last_day=dt.date(2025, 5, 1), markets={})
    fitted.refuse_training_days(dt.date(2025, 5, 2))
    with pytest.raises(DataError, match="cannot judge 2025-05-01"):
        fitted.refuse_training_days(dt.date(2025, 5, 1))
    with pytest.raises(DataError, match="cannot judge"):
        backtest.run(
            pl.DataFrame(schema={"game_date": pl.Date}),
            dt.date(2025, 5, 1),
            dt.date(2025, 5, 2),
            fitted=dataclasses.replace(Fitted.shipped(), calibration=fitted),
        )


def leaking(tallies, first, last):
    """Put every day that is predicted into the history as well, dated before it: the canary."""
    future = tallies.filter(pl.col("game_date").is_between(first, last))
    copies = [
        future.with_columns(
            game_date=pl.lit(first - dt.timedelta(days=1), pl.Date), game_pk=pl.col("game_pk") + 10_000_000 * (n + 1)
        )
        for n in range(3)
    ]
    return pl.concat([*copies, tallies]).sort("game_date", *KEY)


def test_the_canary_fires_when_the_future_is_put_into_the_past(simulated):
    tallies, first, last = simulated
    happened = outcomes(tallies, first, last)
    honest = gain(predictions(tallies, first, last), happened, "batter_hits", 0.5)
    leaked = gain(predictions(leaking(tallies, first, last), first, last), happened, "batter_hits", 0.5)
    assert leaked > honest + ALARM_NATS


@pytest.mark.realdata
@pytest.mark.slow
def test_a_real_month_shows_no_leak_and_its_canary_fires(real_month):
    tallies, first, last = real_month
    check_truncation(tallies, first, first)
    for day, features in walk(tallies, first, first + dt.timedelta(days=2)):
        assert (features["as_of"] < day).all()
    happened = outcomes(tallies, first, last)
    honest = predictions(tallies, first, last)
    assert gain(honest, happened, "pitcher_strikeouts", 4.5) > 0.03
    assert gain(honest, happened, "batter_hits", 0.5) > 0.002
    leaked = predictions(leaking(tallies, first, last), first, last)
    assert gain(leaked, happened, "batter_hits", 0.5) > gain(honest, happened, "batter_hits", 0.5) + ALARM_NATS
    day = pl.col("game_id").replace_strict(
        dict(honest.select("game_id", "game_date").unique().iter_rows()), default=None
    )
    shuffled = (
        happened.with_columns(day=day)
        .sort("day", "market", "game_id", "player_id")
        .with_columns(value=pl.col("value").shuffle(seed=5).over("day", "market"))
    )
    for market, line in (("pitcher_strikeouts", 4.5), ("batter_hits", 0.5)):
        assert gain(honest, shuffled, market, line) < 0.0005, market


def test_shuffled_labels_leave_no_skill(simulated):
    tallies, first, last = simulated
    happened = outcomes(tallies, first, last)
    shuffled = happened.sort("market", "game_id", "player_id").with_columns(
        value=pl.col("value").shuffle(seed=5).over("market")
    )
    assert gain(predictions(tallies, first, last), shuffled, "batter_hits", 0.5) < ALARM_NATS


def test_predictions_are_unique_and_cover_every_starting_batter_and_pitcher(simulated):
    tallies, first, last = simulated
    predicted = predictions(tallies, first, last)
    assert not predicted.select("game_id", "player_id", "market", "line").is_duplicated().any()
    wanted = outcomes(tallies, first, last).select("game_id", "player_id", "market")
    assert wanted.join(predicted, on=wanted.columns, how="anti").is_empty()
