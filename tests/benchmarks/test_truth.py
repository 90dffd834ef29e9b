"""True probabilities of the simulated league's props."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.demo import DEMO_DAY
from backstop.demo.league.calendar import season
from backstop.demo.league.cards import cards
from backstop.demo.league.opinions import opinions_of
from backstop.demo.league.people import FIRST_ID
from backstop.demo.league.world import SEED
from backstop.errors import UsageError
from benchmarks import truth

KEY = ["game_pk", "player_id_mlbam", "market"]


@pytest.fixture(scope="module")
def true() -> pl.DataFrame:
    return truth.distributions(DEMO_DAY, games=400)


def test_the_counts_of_every_starter_sum_to_one_in_every_market(true: pl.DataFrame):
    sums = true.group_by(KEY).agg(pl.col("probability").sum(), pl.col("games").sum())
    assert (sums["games"] == 400).all()
    assert ((sums["probability"] - 1).abs() < 1e-9).all()
    assert set(sums["market"]) == set(truth.MARKETS)
    games = sum(game.day == DEMO_DAY for game in season())
    hits, strikeouts = (sums.filter(market=market).height for market in ("batter_hits", "pitcher_strikeouts"))
    assert (hits, strikeouts) == (18 * games, 2 * games)


def test_counts_agree_with_each_other(true: pl.DataFrame):
    means = true.group_by(KEY).agg(mean=(pl.col("count") * pl.col("probability")).sum()).pivot("market", values="mean")
    batters = means.filter(pl.col("batter_hits").is_not_null())
    assert (batters["batter_total_bases"] >= batters["batter_hits"]).all()
    parts = batters["batter_hits"] + batters["batter_runs_scored"] + batters["batter_rbis"]
    assert ((batters["batter_hits_runs_rbis"] - parts).abs() < 1e-9).all()


def test_over_names_the_probability_of_more_than_the_line_with_its_error(true: pl.DataFrame):
    one = true.filter(market="batter_hits").row(0, named=True)
    mine = true.filter(game_pk=one["game_pk"], player_id_mlbam=one["player_id_mlbam"], market="batter_hits")
    props = pl.DataFrame([{name: one[name] for name in KEY} | {"line": line} for line in (0.5, 1.5)])
    found = truth.over(props, true).sort("line")
    for line, value in zip((0.5, 1.5), found["true_over"], strict=True):
        assert value == pytest.approx(mine.filter(pl.col("count") > line)["probability"].sum())
    assert (found["true_error"] < 0.026).all()


def test_the_same_seed_gives_the_same_truth(true: pl.DataFrame):
    assert truth.distributions(DEMO_DAY, games=400).equals(true)


def test_books_know_the_truth_about_as_well_as_their_formula_lets_them(true: pl.DataFrame):
    rows = [row for row, game in enumerate(season()) if game.day == DEMO_DAY]
    opinions = pl.concat(
        opinions_of(cards(SEED), row).with_columns(game_pk=pl.lit(season()[row].game_pk, pl.Int64())) for row in rows
    ).with_columns(player_id_mlbam=(pl.col("player") + FIRST_ID).cast(pl.Int64()), line="point")
    compared = truth.over(opinions, true)
    assert compared.height == opinions.height
    for market in ("batter_home_runs", "batter_strikeouts", "pitcher_strikeouts", "batter_hits"):
        pair = compared.filter(market=market)
        assert abs((pair["over"] - pair["true_over"]).mean()) < 0.02
        assert pair.select(pl.corr("over", "true_over")).item() > 0.7


def test_a_day_without_games_has_no_truth():
    with pytest.raises(UsageError, match="plays no game"):
        truth.distributions(dt.date(2025, 4, 21))
