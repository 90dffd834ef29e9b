"""Prices of a prop worked out book by book with plain numbers, and held against the columns."""

from __future__ import annotations

import math
from statistics import NormalDist, fmean

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import UsageError
from backstop.odds import decimal_of
from backstop.props.generate import generate
from backstop.props.markets import MARKETS
from backstop.props.price import price, unpriced
from backstop.tables import PROPS, QUOTES
from tests.props.quoting import quote, quotes

ODD_LINES = (math.nan, math.inf, -math.inf, 1e300, 64.0, -0.5, 0.25, 1e-9, None)


def power(a: float, b: float) -> float:
    """a^k where a^k + b^k is one, by halving."""
    low, high = 0.0, 200.0
    for _ in range(200):
        k = (low + high) / 2
        low, high = (k, high) if a**k + b**k > 1 else (low, k)
    return a**low


def fair(a: float, b: float) -> dict[str, float]:
    """The chance of the over by five methods, from the raw chances of both sides."""
    z = NormalDist()
    log_odds = (math.log(a / (1 - a)) - math.log(b / (1 - b))) / 2
    logit = 1 / (1 + math.exp(-log_odds))
    shin = a - (a + b - 1) / 2
    return {
        "multiplicative": a / (a + b), "power": power(a, b), "logit": logit,
        "probit": z.cdf((z.inv_cdf(a) - z.inv_cdf(b)) / 2), "shin": shin if 0 < shin < 1 else logit,
    }  # fmt: skip


def by_hand(over: float, under: float, books: dict[str, tuple[float | None, float | None]]) -> dict:
    """What the columns of one prop must be; its chances are those of a win of each side."""
    methods = [fair(1 / o, 1 / u) for o, u in books.values() if o and u]
    means = {name: fmean(m[name] for m in methods) for name in methods[0]} if methods else {}
    bets = []
    for side, wins, loses, place in (("over", over, under, 0), ("under", under, over, 1)):
        paid = {book: prices[place] for book, prices in books.items() if prices[place]}
        if paid:
            book = min(paid, key=lambda name: (-paid[name], name))
            bets.append((wins * (paid[book] - 1) - loses, side, book, paid[book]))
    found = dict.fromkeys(("market", "low", "high", "side", "book", "price", "ev", "edge", "band", "stake"))
    found["books"] = sum(any(prices) for prices in books.values())
    if bets:
        ev, side, book, paid = max(bets, key=lambda bet: (bet[0], bet[1] == "over"))
        found |= {"ev": ev, "side": side, "book": book, "price": paid, "stake": 0.0}
    if means:
        low, high = min(means.values()), max(means.values())
        chance = over / (over + under)
        edge = (chance - means["shin"]) * (1 if side == "over" else -1)
        band = high - means["shin"] if chance >= means["shin"] else means["shin"] - low
        stake = 0.25 * ev / ((paid - 1) * (over + under))
        found |= {"market": means["shin"], "low": low, "high": high, "edge": edge, "band": band}
        every_method = chance > high if side == "over" else chance < low
        found["stake"] = max(stake, 0.0) if every_method else 0.0
    return found


COLUMNS = {
    "books": "books", "market": "market_prob_over", "low": "market_prob_low", "high": "market_prob_high",
    "side": "best_side", "book": "best_book", "price": "best_price_decimal", "ev": "ev_per_unit", "edge": "edge",
    "band": "edge_band", "stake": "kelly_quarter",
}  # fmt: skip
AMERICAN = st.one_of(st.integers(100, 900), st.integers(-1200, -105))
PRICE = st.one_of(st.none(), AMERICAN.map(decimal_of))
BOOKS = st.dictionaries(st.sampled_from(["ada", "bob", "cyd"]), st.tuples(PRICE, PRICE), max_size=3)


@settings(max_examples=60)
@given(line=st.sampled_from([0.5, 1.0, 1.5, 2.0]), books=BOOKS)
def test_every_column_is_what_comes_out_by_hand(features: pl.DataFrame, line: float, books):
    hitter = features.filter(role="batter").row(0, named=True)
    asked = [
        quote(hitter, side, paid, line=line, book=book)
        for book, prices in books.items()
        for side, paid in zip(("over", "under"), prices, strict=True)
        if paid
    ]
    table = quotes(*asked) if asked else QUOTES.empty()
    props = generate(features.filter(role="batter").head(1), markets=["batter_hits"], lines={"batter_hits": [line]})
    row = price(props, table).filter(line=line).row(0, named=True)
    expected = by_hand(row["prob_over"], row["prob_under"], books)
    for name, column in COLUMNS.items():
        value = expected[name]
        assert row[column] == (pytest.approx(value, abs=1e-7) if isinstance(value, float) else value), column
    assert row["ev_per_unit"] is None or row["kelly_quarter"] * (row["ev_per_unit"] <= 0) == 0


def test_lines_that_cannot_be_get_no_row_and_every_quote_of_them_is_listed(features: pl.DataFrame):
    hitter = features.filter(role="batter").row(0, named=True)
    sound = quote(hitter, "over", 2.0, line=63.5)
    asked = quotes(sound, *(quote(hitter, "over", 2.0) | {"line": line} for line in ODD_LINES))
    props = generate(features, lines=asked)
    own = props.filter(player_id_mlbam=hitter["player_id_mlbam"], market="batter_hits")
    assert own["line"].to_list() == [0.5, 1.5, 2.5, 63.5]
    table = price(props, asked)
    assert table.filter(pl.col("books") > 0)["line"].to_list() == [63.5]
    left = unpriced(props, asked)
    assert left["reason"].to_list() == ["the player has no projection at this line"] * len(ODD_LINES)


@pytest.mark.parametrize("line", [line for line in ODD_LINES if line is not None])
def test_such_a_line_for_everybody_is_refused(features: pl.DataFrame, line: float):
    with pytest.raises(
        UsageError, match=r"A line of batter_walks is .*; expected a whole or half number from 0 to 63\.5"
    ):
        generate(features, lines={"batter_walks": [line]})


def test_every_ladder_of_lines_falls_and_its_parts_sum_to_one(features: pl.DataFrame):
    lines = {key: [n / 2 for n in range(2 * market.highest + 6)] for key, market in MARKETS.items()}
    props = generate(features, lines=lines)
    assert props["prop_id"].is_unique().all()
    assert set(props["market"]) == set(MARKETS)
    total = props["prob_over"] + props["prob_push"] + props["prob_under"]
    assert ((total - 1).abs() < 1e-12).all()
    for name in ("prob_over", "prob_push", "prob_under"):
        assert props[name].is_between(0, 1).all(), name
    assert (props.filter(pl.col("line") != pl.col("line").floor())["prob_push"] == 0).all()
    for (_, _, market), ladder in props.group_by("game_pk", "player_id_mlbam", "market", maintain_order=True):
        over, under = ladder["prob_over"], ladder["prob_under"]
        assert over.is_sorted(descending=True)
        assert under.is_sorted()
        assert under[0] == 0, "less than none"
        assert over[-1] == 0, market
        mean = sum(ladder.filter(pl.col("line") == pl.col("line").floor() + 0.5)["prob_over"])
        assert ladder["mean"].unique().to_list() == pytest.approx([mean])


def test_a_fair_price_is_worth_nothing(features: pl.DataFrame):
    props = generate(features, lines={"batter_hits": [0.0, 1.0, 2.0]})
    for side, other in (("over", "under"), ("under", "over")):
        own = props.filter(pl.col(f"fair_{side}_decimal").is_not_null())
        worth = own[f"prob_{side}"] * (own[f"fair_{side}_decimal"] - 1) - own[f"prob_{other}"]
        assert worth.abs().max() < 1e-9
        assert (props.filter(pl.col(f"fair_{side}_decimal").is_null())[f"prob_{side}"] <= 0).all()


def test_nobody_to_project_and_nothing_to_price_are_empty_tables(features: pl.DataFrame):
    nobody = generate(features.clear())
    assert dict(price(nobody, QUOTES.empty()).schema) == PROPS.schema
    assert generate(features.filter(role="batter"), markets=["pitcher_outs"]).is_empty()
    with pytest.raises(UsageError, match="'batter_sneezes' is not a market"):
        generate(features, markets=["batter_sneezes"])
