"""Projections against the simulated league, whose true probabilities are known.

Three seasons are played, as many as the rates remember, and of the fourth two months and a half: its third month is
judged, from the line-ups and starting pitchers that were posted.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.demo.league import calendar
from backstop.demo.league.cards import cards
from backstop.fitting.model import fit
from backstop.fitting.rows import Window
from backstop.props import backtest
from backstop.props.fitted import Fitted
from backstop.props.markets import MARKETS
from benchmarks import truth
from tests.props.conftest import league_tallies

SEASON = 165
"""Days of a season that is over."""

SO_FAR = 81
BEFORE = (3, 2, 1)
"""Seasons that were played before this one, years back."""

JUDGED = (65, 80)
"""Days of the third month on which every club plays."""

FITTED_ON = dt.timedelta(days=75)
"""Up to the end of the season before."""

REPLAYS = 800
SAMPLING_NATS = 0.5 / REPLAYS
"""What the share of so many replays adds to the divergence on average: half a degree of freedom each."""

HEADLINE = (
    ("batter_hits", 0.5),
    ("batter_total_bases", 1.5),
    ("batter_home_runs", 0.5),
    ("batter_strikeouts", 0.5),
    ("batter_walks", 0.5),
)


def open_season(patch: pytest.MonkeyPatch, opening: dt.date, days: int):
    """Let the league play from a day on, without rain."""
    patch.setattr(calendar, "OPENING_DAY", opening)
    patch.setattr(calendar, "LAST_DAY", opening + dt.timedelta(days=days))
    patch.setattr(calendar, "FIRST_GAME_PK", opening.year * 10_000)
    for name in ("RAIN", "SPLITS"):
        patch.setattr(calendar, name, {})
    forget_calendar()


def forget_calendar():
    calendar.season.cache_clear()
    cards.cache_clear()


@pytest.fixture(scope="module")
def league():
    """Tallies of all seasons, what happened in the season before this one, and the truth of the judged days."""
    this = calendar.OPENING_DAY
    with pytest.MonkeyPatch.context() as patch:
        history = []
        for opening in [*(this.replace(year=this.year - n) for n in BEFORE), this]:
            open_season(patch, opening, SEASON if opening < this else SO_FAR)
            history.append(league_tallies(calendar.LAST_DAY, seed=opening.year))
            if opening.year == this.year - 1:
                results, over = truth.happened(opening.year), calendar.LAST_DAY
        days = [this + dt.timedelta(days=number) for number in JUDGED]
        truths = {day: truth.distributions(day, games=REPLAYS, seed=day.year) for day in days}
    forget_calendar()
    tallies = pl.concat(history)
    before = tallies.filter(pl.col("game_date") <= over)
    return tallies, truths, Window(before, over - FITTED_ON, over, results)


@pytest.fixture(scope="module")
def compared(league):
    """Predictions of two days beside the true probabilities, as the model ships."""
    tallies, truths, _ = league
    return beside_truth(tallies, truths, None)


@pytest.fixture(scope="module")
def own(league):
    """The same with everything fitted on the end of the league's season before."""
    tallies, truths, window = league
    fitted = fit([window], base=Fitted.shipped(), version="own", trained_on="the league")
    return beside_truth(tallies, truths, fitted)


def beside_truth(tallies: pl.DataFrame, truths: dict[dt.date, pl.DataFrame], fitted: Fitted | None) -> pl.DataFrame:
    parts = []
    for day, known in truths.items():
        predicted = backtest.run(tallies, day, day, lines={}, fitted=fitted)
        props = predicted.select(
            "market",
            "line",
            "prob_over",
            game_pk=pl.col("game_id").cast(pl.Int64),
            player_id_mlbam=pl.col("player_id").cast(pl.Int64),
        )
        parts.append(truth.over(props, known))
    return pl.concat(parts)


def expected_gap(rows: pl.DataFrame, p: np.ndarray) -> float:
    """Expected log loss of the forecast minus the truth's own, without what the replays' sampling adds."""
    q = np.clip(rows["true_over"].to_numpy(), 1e-6, 1 - 1e-6)
    gap = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
    return float(gap.mean()) - SAMPLING_NATS


def own_gap(rows: pl.DataFrame) -> float:
    return expected_gap(rows, np.clip(rows["prob_over"].to_numpy(), 1e-6, 1 - 1e-6))


@pytest.mark.slow
@pytest.mark.parametrize(("market", "line"), [*HEADLINE, ("pitcher_strikeouts", 4.5)])
def test_in_the_third_month_the_projection_is_far_closer_to_the_truth_than_the_league_is(compared, market, line):
    rows = compared.filter(market=market, line=line)
    league = expected_gap(rows, np.full(rows.height, rows["true_over"].mean()))
    assert own_gap(rows) < league / 2.5


@pytest.mark.slow
def test_in_the_third_month_the_batters_headline_props_are_within_two_thousandths_of_the_truth(compared):
    gaps = {market: own_gap(compared.filter(market=market, line=line)) for market, line in HEADLINE}
    assert np.mean(list(gaps.values())) < 0.002, gaps


@pytest.mark.slow
def test_with_a_past_of_its_own_all_markets_with_the_starters_are_within_two_thousandths_of_the_truth(own):
    """Every market that is projected without box scores, every default line."""
    assert own["market"].n_unique() == len(MARKETS) - 1
    by_market = {market: own_gap(rows) for (market,), rows in own.group_by("market")}
    assert own_gap(own) < 0.002, by_market


@pytest.mark.slow
@pytest.mark.parametrize(("market", "line"), HEADLINE)
def test_with_a_past_of_its_own_each_headline_market_is_within_two_thousandths_of_the_truth(own, market, line):
    assert own_gap(own.filter(market=market, line=line)) < 0.002


@pytest.mark.slow
def test_a_fit_on_the_leagues_own_past_is_closer_to_the_truth_than_what_ships(own, compared):
    assert own_gap(own) < own_gap(compared) - 0.0003
    for market in ("pitcher_outs", "batter_runs_scored", "batter_hits_runs_rbis"):
        assert own_gap(own.filter(market=market)) < own_gap(compared.filter(market=market)), market
