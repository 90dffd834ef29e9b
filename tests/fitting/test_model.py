"""A whole fit: every part moves where something is seen, what is given stays, and a verdict adds up."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.errors import DataError
from backstop.fitting import model
from backstop.fitting.rows import Window
from backstop.props.fitted import Fitted
from tests.features.season import FIRST

SHIPPED = Fitted.shipped()
GIVEN = {
    "season_weights": (1.0, 0.9, 0.8, 0.7),
    "batter_k": (77.0,) * 7 + (0.0,),
    "pitcher_k": (88.0,) * 7 + (0.0,),
    "turns_home": (0.1,) * 6,
}


def runs(window: Window) -> pl.DataFrame:
    """What box scores might say: a run for every home run, two batted in, an earned run for each that was allowed."""
    played = window.played
    batters = (
        played.filter(pl.col("slot") > 0)
        .group_by("game_pk", player="batter_id_mlbam")
        .agg(n=pl.col("n_home_run").sum())
    )
    starters = (
        played.filter("pitcher_started")
        .group_by("game_pk", player="pitcher_id_mlbam")
        .agg(n=pl.col("n_home_run").sum())
    )
    markets = (
        (batters, "batter_runs_scored", 1), (batters, "batter_rbis", 2), (batters, "batter_hits_runs_rbis", 3),
        (starters, "pitcher_earned_runs", 1),
    )  # fmt: skip
    return pl.concat(
        frame.select(
            game_id=pl.col("game_pk").cast(pl.String), player_id=pl.col("player").cast(pl.String), market=pl.lit(market),
            value=(pl.col("n") * times).cast(pl.Int64),
        )
        for frame, market, times in markets
    )  # fmt: skip


@pytest.fixture(scope="module")
def fitted(window):
    from backstop.fitting import ladders

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ladders, "FEWEST", 100)
        patch.setattr(ladders, "FEWEST_PER_BIN", 30)
        told = dataclasses.replace(window, results=runs(window))
        return model.fit([told], base=SHIPPED, version="v", trained_on="the small season", given=GIVEN)


def test_what_is_given_is_taken_and_the_rest_is_fitted(fitted):
    parameters = fitted.parameters
    assert {name: getattr(parameters, name) for name in GIVEN} == GIVEN
    for name in ("turns_by_slot", "workload"):
        assert getattr(parameters, name) != getattr(SHIPPED.parameters, name), name
    # nobody described a pitch of the small season
    for name in ("starter_role", "times_through", "home", "workload_prior", "strikeouts"):
        assert getattr(parameters, name) == getattr(SHIPPED.parameters, name), name
    assert fitted.version == "v+v"
    assert fitted.ladders.trained_on == "the small season"
    assert fitted.calibration.last_day == parameters.last_day == FIRST + dt.timedelta(days=39)


def test_four_plate_appearances_in_every_game_are_learnt(fitted):
    """Nobody of the small season comes up less often than four times or more often than four."""
    four, five = (np.array(fitted.parameters.turns_by_slot[number]) for number in (2, 3))
    assert (four > np.array(SHIPPED.parameters.turns_by_slot[2])).all()
    assert (five < np.array(SHIPPED.parameters.turns_by_slot[3])).all()


def test_ladders_follow_the_results_of_the_window(fitted, window):
    results = runs(window)
    for market, ladder in fitted.ladders.markets.items():
        assert ladder != SHIPPED.ladders.markets[market], market
        assert list(ladder.rungs) == sorted(ladder.rungs, reverse=True), market
        assert set(ladder.terms) == set(SHIPPED.ladders.markets[market].terms)
    scored = results.filter(market="batter_runs_scored")["value"]
    assert 0 < (scored > 0).mean() < 0.3


def test_outs_are_distributions_around_rising_centres(fitted):
    outs = fitted.ladders.outs
    assert outs != SHIPPED.ladders.outs
    assert list(outs.centres) == sorted(outs.centres)
    for shares in outs.shares:
        assert sum(shares) == pytest.approx(1, abs=1e-3)
        assert min(shares) >= 0
        assert len(shares) == 28


def test_a_fit_does_not_depend_on_the_order_of_the_windows(window):
    middle = window.first + dt.timedelta(days=15)
    parts = [window.until(middle), dataclasses.replace(window, first=middle)]
    one, other = (
        model.fit(each, base=SHIPPED, version="v", trained_on="t", given=GIVEN) for each in (parts, parts[::-1])
    )
    assert one.parameters.workload == other.parameters.workload
    assert one.calibration == other.calibration


def test_old_seasons_do_not_speak_for_how_long_starters_are_left_in(window):
    old = dataclasses.replace(window.until(window.first + dt.timedelta(days=20)), usage=False)
    new = dataclasses.replace(window, first=window.first + dt.timedelta(days=20))
    both = model.fit([old, new], base=SHIPPED, version="v", trained_on="t", given=GIVEN)
    alone = model.fit([new], base=SHIPPED, version="v", trained_on="t", given=GIVEN)
    assert both.parameters.workload == alone.parameters.workload
    assert both.parameters.workload_residuals == alone.parameters.workload_residuals
    assert both.parameters.turns_by_slot != alone.parameters.turns_by_slot


def test_a_fit_beside_itself_is_no_better(window):
    verdict = model.compare(
        dataclasses.replace(window, first=FIRST + dt.timedelta(days=34)), new=SHIPPED, in_use=SHIPPED
    )
    assert (verdict.difference, verdict.error) == (0.0, 0.0)
    assert not verdict.better
    assert verdict.markets["log_loss"].to_list() == verdict.markets["log_loss_in_use"].to_list()


@pytest.mark.parametrize("part", ["parameters", "ladders"])
def test_a_verdict_names_the_days_that_the_one_in_use_had_seen(window, part):
    week = dataclasses.replace(window, first=FIRST + dt.timedelta(days=36))
    assert model.compare(week, new=SHIPPED, in_use=SHIPPED).seen_until == dt.date(2024, 9, 30)
    before = week.first - dt.timedelta(days=1)
    older = {name: getattr(SHIPPED, name).model_copy(update={"last_day": before}) for name in ("parameters", "ladders")}
    assert model.compare(week, new=SHIPPED, in_use=dataclasses.replace(SHIPPED, **older)).seen_until is None
    older[part] = older[part].model_copy(update={"last_day": week.first})
    assert model.compare(week, new=SHIPPED, in_use=dataclasses.replace(SHIPPED, **older)).seen_until == week.first


def test_results_bring_more_markets_to_the_verdict(window):
    week = dataclasses.replace(window, first=FIRST + dt.timedelta(days=36))
    bare = model.compare(week, new=SHIPPED, in_use=SHIPPED).markets
    told = model.compare(dataclasses.replace(week, results=runs(week)), new=SHIPPED, in_use=SHIPPED).markets
    assert set(told["market"]) - set(bare["market"]) == {
        "batter_runs_scored", "batter_rbis", "batter_hits_runs_rbis", "pitcher_earned_runs",
    }  # fmt: skip
    assert told.join(bare, on=["market", "props", "log_loss", "log_loss_in_use"]).height == bare.height


def test_without_games_there_is_nothing_to_judge(window):
    nowhere = dataclasses.replace(window, first=dt.date(2030, 1, 1), last=dt.date(2030, 1, 9))
    with pytest.raises(DataError, match="nothing to judge a fit on; choose days with games"):
        model.compare(nowhere, new=SHIPPED, in_use=SHIPPED)


def test_a_window_of_few_days_is_refused_with_its_number(window):
    short = dataclasses.replace(window, first=window.last - dt.timedelta(days=6))
    with pytest.raises(DataError, match=r"7 days with games, too few.*at least 30, at best a whole season"):
        model.refit(short, in_use=lambda _day: SHIPPED, version="v", trained_on="t")
