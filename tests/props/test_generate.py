from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import UsageError
from backstop.props.generate import SCHEMA, generate
from backstop.props.markets import MARKETS
from tests.props.quoting import quote, quotes


@pytest.fixture(scope="module")
def props(features):
    return generate(features)


def test_every_player_has_every_default_line_of_his_markets(features, props):
    wanted = sum(len(m.lines) * features.filter(role=m.role).height for m in MARKETS.values())
    assert props.height == wanted
    assert dict(props.schema) == SCHEMA
    assert not props["prop_id"].is_duplicated().any()


def test_over_push_and_under_sum_to_one(props):
    total = props.select(pl.sum_horizontal("prob_over", "prob_push", "prob_under")).to_series()
    assert ((total - 1).abs() < 1e-12).all()


def test_over_falls_as_the_line_rises(props):
    key = ["game_pk", "player_id_mlbam", "market"]
    rises = props.sort(*key, "line").select(pl.col("prob_over").diff().over(key)).to_series().drop_nulls()
    assert (rises <= 0).all()


def test_no_probability_is_nan_or_outside_its_range(props):
    for column in ("prob_over", "prob_push", "prob_under"):
        assert props[column].is_finite().all()
        assert props[column].is_between(0, 1).all()


def test_the_mean_is_the_sum_of_the_tails(features):
    lines = {"batter_hits": [n + 0.5 for n in range(7)]}
    hits = generate(features, markets=["batter_hits"], lines=lines)
    summed = hits.group_by("player_id_mlbam").agg(pl.col("prob_over").sum(), pl.col("mean").first())
    assert ((summed["prob_over"] - summed["mean"]).abs() < 1e-12).all()


def test_a_whole_line_can_push_and_agrees_with_its_neighbours(features):
    lines = {"batter_hits": [1.0]}
    hits = generate(features, markets=["batter_hits"], lines=lines)
    for _, rows in hits.group_by("player_id_mlbam"):
        at = {row["line"]: row for row in rows.iter_rows(named=True)}
        assert at[1.0]["prob_push"] == pytest.approx(at[0.5]["prob_over"] - at[1.5]["prob_over"])
        assert at[1.0]["prob_over"] == at[1.5]["prob_over"]


def test_a_fair_price_is_worth_nothing(props):
    worth = props["prob_over"] * (props["fair_over_decimal"] - 1) - props["prob_under"]
    assert (worth.abs() < 1e-9).all()


def test_every_quoted_line_is_projected(features):
    hitter = features.filter(role="batter").row(0, named=True)
    asked = quotes(quote(hitter, "over", 1.9, line=4.5), quote(hitter, "over", 1.9, line=0.75))
    props = generate(features, lines=asked)
    own = props.filter(player_id_mlbam=hitter["player_id_mlbam"], market="batter_hits")
    assert own["line"].to_list() == [0.5, 1.5, 2.5, 4.5]
    assert props.filter(line=4.5, market="batter_hits").height == 1


def test_a_line_beyond_what_can_happen_has_no_price_for_the_over(features):
    impossible = generate(features, markets=["batter_hits"], lines={"batter_hits": [7.5]}).filter(line=7.5)
    assert (impossible["prob_over"] == 0).all()
    assert impossible["fair_over_decimal"].is_null().all()


def test_an_unknown_market_or_a_quarter_line_is_refused(features):
    with pytest.raises(UsageError, match="'batter_stumbles' is not a market"):
        generate(features, markets=["batter_stumbles"])
    with pytest.raises(UsageError, match=r"A line of batter_hits is 0\.75"):
        generate(features, lines={"batter_hits": [0.75]})


def test_a_market_asked_for_twice_comes_once(features):
    once = generate(features, markets=["batter_walks", "batter_hits"])
    assert generate(features, markets=["batter_walks", "batter_hits", "batter_walks"]).equals(once)


def test_lines_of_an_unknown_market_are_refused(features):
    with pytest.raises(UsageError, match="'batter_hit' is not a market that is projected"):
        generate(features, lines={"batter_hits": [3.5], "batter_hit": [4.5]})


def test_no_features_give_no_props(features):
    empty = generate(features.clear())
    assert empty.is_empty()
    assert dict(empty.schema) == SCHEMA


@settings(deadline=None, max_examples=15)  # other work on the machine must not fail it
@given(split=st.integers(min_value=1, max_value=39))
def test_batches_of_players_give_the_same_rows_as_all_at_once(features, props, split):
    parts = pl.concat([generate(features[:split]), generate(features[split:])])
    assert parts.sort("game_pk", "player_id_mlbam", "market", "line").equals(props)
