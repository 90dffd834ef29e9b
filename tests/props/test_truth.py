"""Projections against the simulated league, whose true probabilities are known."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.demo import DEMO_DAY, truth
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import PitchAsk
from backstop.features.tally import tally
from backstop.props import backtest
from backstop.tables import PITCHES

REPLAYS = 600
SAMPLING_NATS = 0.5 / REPLAYS
"""What the share of so many replays adds to the divergence on average: half a degree of freedom each."""


@pytest.fixture(scope="module")
def compared():
    """Predictions of the demo day from its first month, beside the true probabilities."""
    world = LeagueWorld(now=dt.datetime(2025, 5, 10, tzinfo=dt.UTC))
    raw = world.pitches(PitchAsk(last=DEMO_DAY))
    columns = [
        (pl.col(c.upstream or c.name) if (c.upstream or c.name) in raw.columns else pl.lit(None))
        .cast(c.dtype, strict=False)
        .alias(c.name)
        for c in PITCHES.columns
    ]
    predicted = backtest.run(tally(raw.select(columns)), DEMO_DAY, DEMO_DAY)
    props = predicted.select(
        "market",
        "line",
        "prob_over",
        game_pk=pl.col("game_id").cast(pl.Int64),
        player_id_mlbam=pl.col("player_id").cast(pl.Int64),
    )
    return truth.over(props, truth.distributions(DEMO_DAY, games=REPLAYS))


def expected_gap(rows: pl.DataFrame, p: np.ndarray) -> float:
    """Expected log loss of the forecast minus the truth's own, without what the replays' sampling adds."""
    q = np.clip(rows["true_over"].to_numpy(), 1e-6, 1 - 1e-6)
    gap = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
    return float(gap.mean()) - SAMPLING_NATS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("market", "line", "within"),
    [
        ("batter_hits", 0.5, 0.008),
        ("batter_total_bases", 1.5, 0.008),
        ("batter_home_runs", 0.5, 0.009),
        ("batter_strikeouts", 0.5, 0.018),
        ("batter_walks", 0.5, 0.013),
        ("pitcher_strikeouts", 4.5, 0.050),
    ],
)
def test_after_one_month_the_projection_is_closer_to_the_truth_than_the_league_is(compared, market, line, within):
    rows = compared.filter(market=market, line=line)
    own = expected_gap(rows, np.clip(rows["prob_over"].to_numpy(), 1e-6, 1 - 1e-6))
    league = expected_gap(rows, np.full(rows.height, rows["true_over"].mean()))
    assert own < within
    assert own < league
