"""Compares projections with quotes: the market's de-vigged probability, the best price, expected value, stake.

    edge = p - p_market;  EV per unit = p_win (d - 1) - p_lose;  Kelly f* = EV / ((d - 1) (p_win + p_lose))

An edge that some de-vig method takes away is none: its stake is zero. The market's probability is Shin's, seldom the
middle of the methods' range, so the band reaches from it to the end of the range on the model's side:

    band = high - p_market where p >= p_market, else p_market - low

No profit is claimed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.props import blocks
from backstop.props.board import LINE_KEY, board, possible
from backstop.props.devig import METHODS, every_method
from backstop.props.kernel import Floats
from backstop.props.markets import MARKETS
from backstop.tables import PROPS

COMPARED: Final = (
    "books", "market_prob_over", "market_prob_low", "market_prob_high", "best_side", "best_book", "best_price_decimal",
    "ev_per_unit", "edge", "edge_band", "kelly_quarter",
)  # fmt: skip
"""The columns that are added."""

CELLS: Final = 8_192
"""Quotes of a block: a dozen arrays of 64 KiB stay in the second-level cache."""

KELLY_FRACTION: Final = 0.25
"""A quarter of the stake that maximises growth: full Kelly ruins whoever overrates his numbers."""


def price(props: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Add the price columns: PROPS exactly, one row per row of `props`, in its order.

    Args:
        props: Result of `generate`, which was given the quotes as `lines` so that every quoted line is there.
        quotes: QUOTES matched to games and players; those without either, or at an impossible price, are left out here
            and listed by `unpriced`.

    Returns:
        PROPS. Without a quote `books` is 0 and the other price columns are null; a one-sided market has a best price
        but no market probability, and therefore no edge and no stake.

    Raises:
        DataError: an id is larger than the key of a prop has room for.
    """
    prices = board(props, quotes)
    over, under = props["prob_over"].to_numpy(), props["prob_under"].to_numpy()
    found = np.empty((len(COMPARED), len(props)))

    def compare(rows: slice) -> None:
        found[:, rows] = _compared(over[rows], under[rows], prices.over[rows], prices.under[rows])

    blocks.each(compare, len(props), max(CELLS // max(len(prices.books), 1), 1))
    columns = {name: pl.Series(values).fill_nan(None) for name, values in zip(COMPARED, found, strict=True)}
    columns["best_side"] = _named(found[COMPARED.index("best_side")], ["over", "under"])
    columns["best_book"] = _named(found[COMPARED.index("best_book")], prices.books)
    return props.with_columns(**columns).select(pl.col(name).cast(dtype) for name, dtype in PROPS.schema.items())


def _compared(over: Floats, under: Floats, over_prices: Floats, under_prices: Floats) -> list[Floats]:
    """Return the columns `COMPARED` of some props, NaN for none.

    Args:
        over: Probability of the over, one a prop.
        under: Probability of the under.
        over_prices: Decimal prices of the over, (props, books), NaN where a book has none.
        under_prices: Likewise of the under.
    """
    market, low, high = _consensus(over_prices, under_prices)
    over_book, over_price = _best(over_prices)
    under_book, under_price = _best(under_prices)
    over_value = over * (over_price - 1) - under
    under_value = under * (under_price - 1) - over
    takes_under = ~np.isnan(under_value) & ~(over_value >= under_value)
    paid = np.where(takes_under, under_price, over_price)
    value = np.where(takes_under, under_value, over_value)
    nothing = np.where(np.isnan(value), np.nan, 0.0)
    above = over / (over + under) - market
    edge = above * np.where(takes_under, -1.0, 1.0) + nothing
    band = np.where(above >= 0, high - market, market - low)
    stake = np.maximum(KELLY_FRACTION * value / ((paid - 1) * (over + under)), 0.0)
    books = (np.isfinite(over_prices) | np.isfinite(under_prices)).sum(axis=1)
    side, book = takes_under + nothing, np.where(takes_under, under_book, over_book) + nothing
    return [books, market, low, high, side, book, paid, value, edge, band, np.where(edge > band, stake, nothing)]


def unpriced(props: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Return the quotes that stand against no row of `props`, with `reason`."""
    known = props.select(LINE_KEY).unique().with_columns(found=pl.lit(value=True))
    projected = pl.struct("game_pk", "player_id_mlbam").is_in(
        props.select(pl.struct("game_pk", "player_id_mlbam").unique()).to_series().implode()
    )
    reason = (
        pl.when(pl.col("market").is_in(list(MARKETS)).not_())
        .then(pl.lit("the market is not projected"))
        .when(pl.col("game_pk").is_null())
        .then(pl.lit("the event matches no game"))
        .when(pl.col("player_id_mlbam").is_null())
        .then(pl.lit("the name matches no player, or two"))
        .when(~possible(pl.col("price_decimal")))
        .then(pl.lit("the price is not above 1"))
        .when(~projected)
        .then(pl.lit("the player is not projected"))
        .when(pl.col("found").is_null())
        .then(pl.lit("the player has no projection at this line"))
    )
    listed = quotes.join(known, on=LINE_KEY, how="left", maintain_order="left").with_columns(reason=reason)
    return listed.filter(pl.col("reason").is_not_null()).drop("found")


def _consensus(over_prices: Floats, under_prices: Floats) -> tuple[Floats, Floats, Floats]:
    """Return per prop the mean over books of the de-vigged probability of the over, and its range over the methods.

    A book that quotes one side only has no fair probability; NaN where no book quotes both.
    """
    count = len(over_prices)
    both = np.isfinite(over_prices) & np.isfinite(under_prices)
    rows = np.nonzero(both)[0]
    fair = every_method(1 / over_prices[both], 1 / under_prices[both])
    means = [_mean_per_prop(p, rows, count) for p in fair]
    return means[list(METHODS).index("shin")], np.fmin.reduce(means), np.fmax.reduce(means)


def _mean_per_prop(p: Floats, rows: np.ndarray[tuple[int], np.dtype[np.int64]], count: int) -> Floats:
    """Return the mean of the books' probabilities, NaN where none has one."""
    known = np.isfinite(p)
    if not known.all():
        p, rows = p[known], rows[known]
    books = np.bincount(rows, minlength=count)
    summed = np.bincount(rows, p, count)
    return np.asarray(np.divide(summed, books, out=np.full(count, np.nan), where=books > 0))


def _best(prices: Floats) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
    """Return per prop the book with the best price, the first by name where books tie, and that price."""
    if not prices.shape[1]:
        return np.zeros(len(prices), dtype=np.int64), np.full(len(prices), np.nan)
    book = np.argmax(np.where(np.isnan(prices), 0.0, prices), axis=1)
    return book, prices[np.arange(len(prices)), book]


def _named(index: Floats, names: list[str]) -> pl.Series:
    """Return the names at the indices; NaN has none."""
    known = ~np.isnan(index)
    table = pl.Series([*names, None], dtype=pl.String)
    return table.gather(np.where(known, index, len(names)).astype(np.int64))
