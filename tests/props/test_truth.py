"""Projections against the simulated league, whose true probabilities are known.

The league plays a season and then two months and a half of the next: the third month is judged, from the line-ups and
starting pitchers that were posted.
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

DAYS = 246
SEASON = 165
"""Days of the season before."""

JUDGED = (231, 246)
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


def forget_calendar():
    calendar.season.cache_clear()
    cards.cache_clear()


@pytest.fixture(scope="module")
def longer():
    """The league's calendar, prolonged for this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calendar, "LAST_DAY", calendar.OPENING_DAY + dt.timedelta(days=DAYS))
        forget_calendar()
        yield
    forget_calendar()


@pytest.fixture(scope="module")
def compared(longer):
    """Predictions of two days beside the true probabilities."""
    tallies = league_tallies(calendar.LAST_DAY)
    before = pl.col("game_date") < calendar.OPENING_DAY + dt.timedelta(days=SEASON)
    date = pl.when(before).then(pl.col("game_date").dt.offset_by("-365d")).otherwise("game_date")
    season = pl.when(before).then(pl.col("season") - 1).otherwise("season")
    tallies = tallies.with_columns(game_date=date, season=season).sort("game_date")
    parts = []
    for number in JUDGED:
        day = calendar.OPENING_DAY + dt.timedelta(days=number)
        predicted = backtest.run(tallies, day, day, lines={})
        props = predicted.select(
            "market",
            "line",
            "prob_over",
            game_pk=pl.col("game_id").cast(pl.Int64),
            player_id_mlbam=pl.col("player_id").cast(pl.Int64),
        )
        parts.append(truth.over(props, truth.distributions(day, games=REPLAYS)))
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
def test_in_the_third_month_the_batters_headline_props_are_within_three_thousandths_of_the_truth(compared):
    gaps = [own_gap(compared.filter(market=market, line=line)) for market, line in HEADLINE]
    assert np.mean(gaps) < 0.003
