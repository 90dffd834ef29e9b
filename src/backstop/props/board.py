"""The quotes of a slate as two arrays, prices of the over and of the under: one row per prop, one column per book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.errors import DataError
from backstop.props.kernel import Floats
from backstop.props.markets import MARKETS

LINE_KEY: Final = ("game_pk", "player_id_mlbam", "market", "line")

ID_BITS: Final = 25
"""Room for ids up to 33 million; MLB's have six or seven digits."""

MARKET_BITS: Final = 5
LINE_BITS: Final = 6
"""Room for whole lines up to 63, and one more bit for the half."""


@dataclass(frozen=True, slots=True)
class Board:
    """Prices by prop and book.

    Attributes:
        books: Names of the columns, in alphabetical order.
        over: Decimal price of the over, NaN where a book quotes none.
        under: Decimal price of the under, likewise.
    """

    books: list[str]
    over: Floats
    under: Floats


def possible(price: pl.Expr) -> pl.Expr:
    """Say whether a decimal price can exist: finite and above 1; a null is not."""
    return (price.is_finite() & (price > 1)).fill_null(value=False)


def board(props: pl.DataFrame, quotes: pl.DataFrame) -> Board:
    """Place the quotes on the props; what fits no prop or has an impossible price is left out.

    Args:
        props: Rows with `LINE_KEY`.
        quotes: QUOTES. When a book quotes a side twice the better price counts.

    Raises:
        DataError: an id is larger than the key has room for.
    """
    usable = quotes.lazy().filter(
        possible(pl.col("price_decimal")) & ((pl.col("side") == "over") | (pl.col("side") == "under"))
    )
    names = quotes["bookmaker"].drop_nulls().unique().sort().to_list()
    column = pl.col("bookmaker").cast(pl.Enum(names)).to_physical().cast(pl.Int64)
    over = pl.col("side") == "over"
    keyed = usable.select(_key(), "price_decimal", column=column, over=over).drop_nulls(["key", "column"])
    rows = props.lazy().select(_key(), *LINE_KEY[:2]).with_row_index("row")
    by_key = rows.drop_nulls("key").select("key", pl.col("row").cast(pl.Int64))
    placed, ids = pl.collect_all(
        [keyed.join(by_key, on="key", how="inner"), rows.select(pl.max_horizontal(*LINE_KEY[:2]).max())]
    )
    _refuse_large_ids(ids.item())
    cell = (placed["row"] * max(len(names), 1) + placed["column"]).to_numpy()
    price, is_over = placed["price_decimal"].to_numpy(), placed["over"].to_numpy()
    shape = (len(props), len(names))
    return Board(names, *(_filled(cell[side], price[side], shape) for side in (is_over, ~is_over)))


def _filled(cell: np.ndarray[tuple[int], np.dtype[np.int64]], price: Floats, shape: tuple[int, int]) -> Floats:
    """Return the array of prices; the better one where a cell is quoted twice."""
    prices = np.zeros(shape[0] * shape[1])
    prices[cell] = price
    if np.any(prices[cell] != price):
        np.maximum.at(prices, cell, price)
    prices[prices == 0.0] = np.nan
    return prices.reshape(shape)


def _key() -> pl.Expr:
    """Return game, player, market and line as one integer; null when one is null or unknown, or no half point."""
    market = pl.col("market").cast(pl.Enum(list(MARKETS)), strict=False).to_physical().cast(pl.Int64)
    halves = (pl.col("line") * 2).cast(pl.Int64, strict=False)
    fits = (halves == pl.col("line") * 2) & halves.is_between(0, 2 ** (LINE_BITS + 1) - 1)
    line = pl.when(fits).then(halves)
    person = pl.col("game_pk") * 2**ID_BITS + pl.col("player_id_mlbam")
    key: pl.Expr = (person * 2**MARKET_BITS + market) * 2 ** (LINE_BITS + 1) + line
    return key.alias("key")


def _refuse_large_ids(largest: int | None) -> None:
    if largest is not None and largest >= 2**ID_BITS:
        raise DataError(
            f"An id of the slate is {largest}; ids up to {2**ID_BITS - 1} fit the key of a prop. Raise ID_BITS in "
            "props.board and shorten another part.",
            source="out_props",
        )
