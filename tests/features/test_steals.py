from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl
import pytest

from backstop.features import steals

DAY = dt.date(2025, 6, 1)
MEAN, K, TURNS = 0.02, 40.0, 300


def box(seed=1, runners=600, day=DAY - dt.timedelta(days=1)):
    """Runners whose true rates are Gamma distributed with known mean and strength."""
    random = np.random.default_rng(seed)
    true = random.gamma(K * MEAN, 1 / K, runners)
    rows = {
        "player_id_mlbam": np.arange(runners),
        "plate_appearances": TURNS,
        "stolen_bases": random.poisson(true * TURNS),
    }
    return pl.DataFrame(rows).with_columns(game_date=pl.lit(day)), true


def test_the_strength_of_the_prior_is_found_in_the_box_scores_themselves():
    scores, _ = box()
    league = steals.rates(scores, DAY).filter(pl.col("player_id_mlbam").is_null())
    assert league["steals_pa"].item() == pytest.approx(K, rel=0.25)
    assert (league["steals_shape"] / league["steals_pa"]).item() == pytest.approx(MEAN, rel=0.1)


def test_a_shrunken_rate_is_closer_to_the_true_one_than_the_share_seen_and_than_the_leagues():
    scores, true = box()
    rates = steals.rates(scores, DAY).drop_nulls()
    own = (rates["steals_shape"] / rates["steals_pa"]).to_numpy()
    seen = (scores["stolen_bases"] / scores["plate_appearances"]).to_numpy()
    error = [float(((guess - true) ** 2).mean()) for guess in (own, seen, np.full_like(true, MEAN))]
    assert error[0] < min(error[1:])


def test_the_day_itself_and_what_follows_are_not_seen():
    before, _ = box()
    later, _ = box(seed=2, day=DAY)
    assert steals.rates(pl.concat([before, later]), DAY).equals(steals.rates(before, DAY))


@pytest.mark.parametrize("change", ["few", "no steals told", "none stolen"])
def test_without_enough_box_scores_there_is_no_rate(change):
    scores, _ = box(runners=10 if change == "few" else 600)
    told = {"few": pl.col("stolen_bases"), "no steals told": pl.lit(None, pl.Int64), "none stolen": pl.lit(0)}
    assert steals.rates(scores.with_columns(stolen_bases=told[change]), DAY).is_empty()
