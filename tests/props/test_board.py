"""Placing quotes on props: against the plain way, row by row, on quotes of every kind of defect."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.props import blocks
from backstop.props.board import LINE_KEY, board
from backstop.tables import QUOTES

GAMES, PLAYERS = (7, 8, None), (100, 101, None)
MARKETS = ("batter_hits", "batter_walks", "corner_kicks", None)
LINES = (0.5, 1.0, 1.5, 0.7, -0.5, 64.0, math.nan, math.inf, None)
PRICES = (1.9, 2.1, 1.0, 0.0, -3.0, math.nan, math.inf, None)

quote = st.tuples(
    st.sampled_from(GAMES),
    st.sampled_from(PLAYERS),
    st.sampled_from(MARKETS),
    st.sampled_from(LINES),
    st.sampled_from(("ada", "bob", None)),
    st.sampled_from(("over", "under", "draw", None)),
    st.sampled_from(PRICES),
)
COLUMNS = (*LINE_KEY, "bookmaker", "side", "price_decimal")


def props_frame() -> pl.DataFrame:
    rows = [(g, p, m, line) for g in GAMES[:2] for p in PLAYERS[:2] for m in MARKETS[:2] for line in (0.5, 1.0, 1.5)]
    return pl.DataFrame(rows, schema={name: QUOTES.schema[name] for name in LINE_KEY}, orient="row")


def plainly(props: pl.DataFrame, rows: list[tuple]) -> dict[tuple, float]:
    places = {key: place for place, key in enumerate(props.iter_rows())}
    best: dict[tuple, float] = {}
    for game, player, market, line, book, side, price in rows:
        place = places.get((game, player, market, line))
        sound = price is not None and math.isfinite(price) and price > 1
        if place is not None and book and side in {"over", "under"} and sound:
            best[side, place, book] = max(best.get((side, place, book), 0.0), price)
    return best


@settings(max_examples=60, deadline=None)
@given(st.lists(quote, max_size=60))
def test_a_quote_stands_where_its_names_say_or_nowhere(rows):
    props = props_frame()
    quotes = pl.DataFrame(rows, schema={name: QUOTES.schema[name] for name in COLUMNS}, orient="row")
    found = board(props, quotes)
    placed = {
        (side, int(place), found.books[int(book)]): prices[place, book]
        for side, prices in (("over", found.over), ("under", found.under))
        for place, book in np.argwhere(~np.isnan(prices))
    }
    assert placed == plainly(props, rows)


@pytest.mark.parametrize("length", [0, 1, 9, 10, 11, 95])
def test_blocks_come_back_in_order_whatever_their_number(length):
    found = blocks.each(lambda block: list(range(length))[block], length, 10)
    assert [number for block in found for number in block] == list(range(length))
