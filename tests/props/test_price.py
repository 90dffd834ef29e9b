from __future__ import annotations

import polars as pl
import pytest

from backstop.props.generate import generate
from backstop.props.price import price, unpriced
from backstop.tables import PROPS, QUOTES
from tests.props.quoting import quote, quotes


@pytest.fixture(scope="module")
def hitter(features):
    return features.filter(role="batter").row(0, named=True)


def priced(features, hitter, *rows):
    asked = quotes(*rows)
    table = price(generate(features, lines=asked), asked)
    assert dict(table.schema) == PROPS.schema
    own = table.filter(player_id_mlbam=hitter["player_id_mlbam"], market="batter_hits", line=0.5)
    return own.row(0, named=True)


def test_without_quotes_the_price_columns_are_empty(features):
    table = price(generate(features), QUOTES.empty())
    assert dict(table.schema) == PROPS.schema
    assert (table["books"] == 0).all()
    assert table["best_side"].is_null().all()
    assert table["kelly_quarter"].is_null().all()


def test_the_best_price_over_books_is_taken(features, hitter):
    row = priced(
        features,
        hitter,
        quote(hitter, "over", 1.7, book="one"),
        quote(hitter, "under", 2.1, book="one"),
        quote(hitter, "over", 9.0, book="two"),
        quote(hitter, "under", 1.02, book="two"),
    )
    assert (row["books"], row["best_side"], row["best_book"], row["best_price_decimal"]) == (2, "over", "two", 9.0)
    assert row["ev_per_unit"] == pytest.approx(row["prob_over"] * 8 - row["prob_under"])


def test_the_under_is_chosen_when_it_is_worth_more(features, hitter):
    row = priced(features, hitter, quote(hitter, "over", 1.1), quote(hitter, "under", 8.0))
    assert row["best_side"] == "under"
    assert row["edge"] == pytest.approx(row["market_prob_over"] - row["prob_over"])
    assert row["kelly_quarter"] == pytest.approx(0.25 * row["ev_per_unit"] / 7.0)


def test_a_one_sided_market_has_a_price_but_no_edge_and_no_stake(features, hitter):
    row = priced(features, hitter, quote(hitter, "over", 5.0))
    assert row["best_price_decimal"] == 5.0
    assert row["market_prob_over"] is None
    assert row["edge"] is None
    assert row["kelly_quarter"] == 0


def test_an_edge_inside_its_band_has_no_stake_whatever_the_bet_is_worth(features, hitter):
    chance = priced(features, hitter, quote(hitter, "over", 5.0))["prob_over"]
    margin = 0.08
    row = priced(
        features,
        hitter,
        quote(hitter, "over", 1 / (chance + margin / 2), book="two-sided"),
        quote(hitter, "under", 1 / (1 - chance + margin / 2), book="two-sided"),
        quote(hitter, "over", 1.02 / chance, book="generous"),
    )
    assert row["best_book"] == "generous"
    assert row["ev_per_unit"] == pytest.approx(0.02)
    assert abs(row["edge"]) < row["edge_band"]
    assert row["kelly_quarter"] == 0


def test_the_market_is_inside_the_range_of_the_methods(features, hitter):
    row = priced(features, hitter, quote(hitter, "over", 4.0), quote(hitter, "under", 1.2))
    assert row["market_prob_low"] <= row["market_prob_over"] <= row["market_prob_high"]


LONG_SHOT = {"multiplicative": 0.09502, "shin": 0.07381}
"""Chances of the over at +900 and -2000, by hand: .1 / 1.05238 and .1 - .05238 / 2. Shin's is not the middle of the range."""


@pytest.mark.parametrize(
    ("side", "chance", "staked"),
    [("over", 0.0945, False), ("over", 0.0949, False), ("over", 0.0951, True), ("over", 0.0735, False),
     ("under", 0.0945, False), ("under", 0.0739, False), ("under", 0.0583, True)],
)  # fmt: skip
def test_an_edge_that_one_method_takes_away_is_none_on_either_side(features, hitter, side, chance, staked):
    sides = {"over": 10.0, "under": 1.05} | {side: 1.2 / (chance if side == "over" else 1 - chance)}
    asked = quotes(
        quote(hitter, "over", 10.0, book="two-sided"),
        quote(hitter, "under", 1.05, book="two-sided"),
        quote(hitter, side, sides[side], book="generous"),
    )
    props = generate(features, lines=asked).filter(
        player_id_mlbam=hitter["player_id_mlbam"], market="batter_hits", line=0.5
    )
    props = props.with_columns(prob_over=pl.lit(chance), prob_under=pl.lit(1 - chance))
    row = price(props, asked).row(0, named=True)
    assert row["market_prob_over"] == pytest.approx(LONG_SHOT["shin"], abs=1e-5)
    assert row["market_prob_high"] == pytest.approx(LONG_SHOT["multiplicative"], abs=1e-5)
    assert row["best_side"] == side
    assert row["ev_per_unit"] == pytest.approx(0.2)
    assert (row["edge"] > row["edge_band"]) is staked
    assert (row["kelly_quarter"] > 0) is staked
    inside = row["market_prob_low"] <= chance <= row["market_prob_high"]
    assert (abs(row["edge"]) <= row["edge_band"]) is inside


def test_an_impossible_price_is_left_out_and_listed(features, hitter):
    for wrong in (1.0, 0.0, -110.0, float("nan"), float("inf")):
        asked = quotes(quote(hitter, "over", wrong), quote(hitter, "over", 2.0, book="two"))
        props = generate(features, lines=asked)
        table = price(props, asked)
        assert table["books"].max() == 1
        assert table["best_price_decimal"].max() == 2.0
        assert unpriced(props, asked)["reason"].to_list() == ["the price is not above 1"]


def test_quotes_that_cannot_be_placed_are_listed_with_the_reason(features, hitter):
    fine = quote(hitter, "over", 2.0)
    asked = quotes(
        fine,
        fine | {"market": "batter_stumbles"},
        fine | {"game_pk": None},
        fine | {"player_id_mlbam": None},
        fine | {"player_id_mlbam": 424242},
        fine | {"line": 0.25},
    )
    assert unpriced(generate(features, lines=asked), asked)["reason"].to_list() == [
        "the market is not projected",
        "the event matches no game",
        "the name matches no player, or two",
        "the player is not projected",
        "the player has no projection at this line",
    ]


def test_a_price_never_changes_the_projection(features, hitter):
    asked = quotes(quote(hitter, "over", 2.0), quote(hitter, "under", 1.8))
    props = generate(features, lines=asked)
    assert price(props, asked).select(props.columns).equals(props)


def test_every_quoted_line_is_priced(features, hitter):
    lines = (0.5, 1.0, 1.5, 3.5)
    asked = quotes(*(quote(hitter, side, 2.0, line=line) for line in lines for side in ("over", "under")))
    table = price(generate(features, lines=asked), asked)
    assert table.filter(pl.col("books") > 0)["line"].sort().to_list() == list(lines)
