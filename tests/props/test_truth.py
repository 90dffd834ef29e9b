"""Projections against the simulated league, whose true probabilities are known.

Three seasons are played, as many as the rates remember, and of the fourth two months and a half: its third month is
judged, from the line-ups and starting pitchers that were posted.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.demo import truth
from backstop.demo.league import calendar
from backstop.demo.league.cards import cards
from backstop.props import backtest
from tests.props.conftest import league_tallies

SEASON = 165
"""Days of a season that is over."""

SO_FAR = 81
BEFORE = (3, 2, 1)
"""Seasons that were played before this one, years back."""

JUDGED = (65, 80)
"""Days of the third month on which every club plays."""

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
def compared():
    """Predictions of two days beside the true probabilities."""
    this = calendar.OPENING_DAY
    with pytest.MonkeyPatch.context() as patch:
        history = []
        for opening in [*(this.replace(year=this.year - n) for n in BEFORE), this]:
            open_season(patch, opening, SEASON if opening < this else SO_FAR)
            history.append(league_tallies(calendar.LAST_DAY, seed=opening.year))
        tallies = pl.concat(history)
        parts = [beside_truth(tallies, this + dt.timedelta(days=number)) for number in JUDGED]
    forget_calendar()
    return pl.concat(parts)


def beside_truth(tallies: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    predicted = backtest.run(tallies, day, day, lines={})
    props = predicted.select(
        "market",
        "line",
        "prob_over",
        game_pk=pl.col("game_id").cast(pl.Int64),
        player_id_mlbam=pl.col("player_id").cast(pl.Int64),
    )
    return truth.over(props, truth.distributions(day, games=REPLAYS, seed=day.year))


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
