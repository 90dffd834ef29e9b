"""Compares projections with quotes: the market's de-vigged probability, the best price, expected value, stake.

    edge = p - p_market;  EV per unit = p_win (d - 1) - p_lose;  Kelly f* = EV / ((d - 1) (p_win + p_lose))

An edge smaller than the band over the de-vig methods is none: its stake is zero. No profit is claimed.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from backstop.props.board import LINE_KEY, Board, board, possible
from backstop.props.devig import METHODS, every_method
from backstop.props.kernel import Floats
from backstop.props.markets import MARKETS
from backstop.tables import PROPS

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
    market, low, high = _consensus(prices)
    best = {name: _best(prices, name) for name in ("over", "under")}
    worth = {
        "over": over * (best["over"][1] - 1) - under,
        "under": under * (best["under"][1] - 1) - over,
    }
    takes_under = ~np.isnan(worth["under"]) & ~(worth["over"] >= worth["under"])
    quoted = takes_under | ~np.isnan(worth["over"])
    book = np.where(takes_under, best["under"][0], best["over"][0])
    paid = np.where(takes_under, best["under"][1], best["over"][1])
    value = np.where(takes_under, worth["under"], worth["over"])
    edge = (over / (over + under) - market) * np.where(takes_under, -1.0, 1.0)
    band = (high - low) / 2
    stake = np.where(edge > band, np.maximum(KELLY_FRACTION * value / ((paid - 1) * (over + under)), 0.0), 0.0)
    quotes_there = np.isfinite(prices.over) | np.isfinite(prices.under)
    side = np.where(quoted, takes_under.astype(np.int8), -1)
    columns = {
        "books": quotes_there.sum(axis=1).astype(np.int16),
        "market_prob_over": _nullable(market),
        "market_prob_low": _nullable(low),
        "market_prob_high": _nullable(high),
        "best_side": _named(side, ["over", "under"]),
        "best_book": _named(np.where(quoted, book, -1), prices.books),
        "best_price_decimal": _nullable(paid),
        "ev_per_unit": _nullable(value),
        "edge": _nullable(np.where(quoted, edge, np.nan)),
        "edge_band": _nullable(band),
        "kelly_quarter": _nullable(np.where(quoted, stake, np.nan)),
    }
    return props.with_columns(**columns).select(pl.col(name).cast(dtype) for name, dtype in PROPS.schema.items())


def unpriced(props: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    """Return the quotes that stand against no row of `props`, with `reason`."""
    known = props.select(LINE_KEY).unique().with_columns(found=pl.lit(value=True))
    reason = (
        pl.when(pl.col("market").is_in(list(MARKETS)).not_())
        .then(pl.lit("the market is not projected"))
        .when(pl.col("game_pk").is_null())
        .then(pl.lit("the event matches no game"))
        .when(pl.col("player_id_mlbam").is_null())
        .then(pl.lit("the name matches no player, or two"))
        .when(~possible(pl.col("price_decimal")))
        .then(pl.lit("the price is not above 1"))
        .when(pl.col("found").is_null())
        .then(pl.lit("the player has no projection at this line"))
    )
    listed = quotes.join(known, on=LINE_KEY, how="left", maintain_order="left").with_columns(reason=reason)
    return listed.filter(pl.col("reason").is_not_null()).drop("found")


def _consensus(prices: Board) -> tuple[Floats, Floats, Floats]:
    """Return per prop the mean over books of the de-vigged probability of the over, and its range over the methods.

    A book that quotes one side only has no fair probability; NaN where no book quotes both.
    """
    count = len(prices.over)
    over, under = prices.over.ravel(), prices.under.ravel()
    cells = np.flatnonzero(np.isfinite(over) & np.isfinite(under))
    fair = every_method(1 / over[cells], 1 / under[cells])
    rows = cells // max(len(prices.books), 1)
    means = np.stack([_mean_per_prop(p, rows, count) for p in fair])
    return means[list(METHODS).index("shin")], np.fmin.reduce(means), np.fmax.reduce(means)


def _mean_per_prop(p: Floats, rows: np.ndarray[tuple[int], np.dtype[np.int64]], count: int) -> Floats:
    """Return the mean of the books' probabilities, NaN where none has one."""
    known = np.isfinite(p)
    if not known.all():
        p, rows = p[known], rows[known]
    books = np.bincount(rows, minlength=count)
    summed = np.bincount(rows, p, count)
    return np.asarray(np.divide(summed, books, out=np.full(count, np.nan), where=books > 0))


def _best(prices: Board, side: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Floats]:
    """Return per prop the book with the best price of a side, the first by name where books tie, and that price."""
    offered = prices.over if side == "over" else prices.under
    if not prices.books:
        nothing = np.full(len(offered), np.nan)
        return np.zeros(len(offered), dtype=np.int64), nothing
    book = np.argmax(np.nan_to_num(offered, nan=0.0), axis=1)
    return book, offered[np.arange(len(offered)), book]


def _nullable(values: Floats) -> pl.Series:
    return pl.Series(values).fill_nan(None)


def _named(index: np.ndarray[tuple[int], np.dtype[np.int64]], names: list[str]) -> pl.Series:
    """Return the names at the indices; -1 has none."""
    table = pl.Series([*names, None], dtype=pl.String)
    return table.gather(np.where(index < 0, len(names), index))
