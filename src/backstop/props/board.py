"""The quotes of a slate as two arrays, prices of the over and of the under: one row per prop, one column per book."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.errors import DataError
from backstop.props import blocks
from backstop.props.kernel import Floats
from backstop.props.markets import MARKETS

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
LINE_KEY: Final = ("game_pk", "player_id_mlbam", "market", "line")

ID_BITS: Final = 25
"""Room for ids up to 33 million; MLB's have six or seven digits."""

MARKET_BITS: Final = 5
LINE_BITS: Final = 6
"""Room for whole lines up to 63, and one more bit for the half."""

LARGEST_LINE: Final = 2**LINE_BITS - 0.5

QUOTES_AT_ONCE: Final = 131_072
"""Rows of a block: a slate has fewer, and Polars shares out its columns among threads already."""

UNKNOWN: Final = -1
"""Stands for what a row does not name, or names as nobody knows it."""


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


def on_offer(line: pl.Expr) -> pl.Expr:
    """Say whether a line can exist: a whole or half number from 0 to `LARGEST_LINE`; a null cannot."""
    return (line.is_between(0, LARGEST_LINE) & (line * 2 == (line * 2).floor())).fill_null(value=False)


def board(props: pl.DataFrame, quotes: pl.DataFrame) -> Board:
    """Place the quotes on the props; what fits no prop or has an impossible price is left out.

    Args:
        props: Rows with `LINE_KEY`.
        quotes: QUOTES. When a book quotes a side twice the better price counts.

    Raises:
        DataError: an id is larger than the key has room for.
    """
    _refuse_large_ids(props)
    names = quotes["bookmaker"].drop_nulls().unique().sort().to_list()
    keys = _keys(props.select(_parts()))
    order = np.argsort(keys, kind="stable")
    in_order = keys[order]

    def place(block: slice) -> tuple[Ints, Floats]:
        part = quotes[block].select(
            *_parts(),
            price=pl.when(possible(pl.col("price_decimal"))).then("price_decimal").otherwise(0.0),
            column=_code("bookmaker", names),
            side=pl.when(side="over").then(0).when(side="under").then(1).otherwise(UNKNOWN).cast(pl.Int64),
        )
        price, column, side = (part[name].to_numpy() for name in ("price", "column", "side"))
        row = _rows(order, in_order, _keys(part))
        usable = ((row | column | side) >= 0) & (price > 0)
        cell = (side * len(props) + row) * len(names) + column
        return cell[usable], price[usable]

    placed = blocks.each(place, len(quotes), QUOTES_AT_ONCE)
    shape = (2, len(props), len(names))
    over, under = _filled(np.concatenate([c for c, _ in placed]), np.concatenate([p for _, p in placed]), shape)
    return Board(names, over, under)


def _filled(cell: Ints, price: Floats, shape: tuple[int, ...]) -> Floats:
    """Return the array of prices; the better one where a cell is quoted twice."""
    prices = np.zeros(int(np.prod(shape)))
    prices[cell] = price
    if np.any(prices[cell] != price):
        np.maximum.at(prices, cell, price)
    prices[prices == 0.0] = np.nan
    return prices.reshape(shape)


def _rows(order: Ints, in_order: Ints, wanted: Ints) -> Ints:
    """Return the place of each wanted key; `UNKNOWN` for one that is not there, or unknown itself.

    Args:
        order: Places of the keys by rising key.
        in_order: The keys, rising.
        wanted: Keys.
    """
    if not len(order):
        return np.full(len(wanted), UNKNOWN, dtype=np.int64)
    place = np.minimum(np.searchsorted(in_order, wanted), len(order) - 1)
    return np.where((in_order[place] == wanted) & (wanted >= 0), order[place], UNKNOWN)


def _parts() -> list[pl.Expr]:
    """Return what a key is made of: no nulls, `UNKNOWN` for what is not known."""
    ids = (pl.col(name).fill_null(UNKNOWN) for name in LINE_KEY[:2])
    return [*ids, _code("market", list(MARKETS)), pl.col("line").fill_null(UNKNOWN)]


def _code(column: str, names: list[str]) -> pl.Expr:
    """Return the place of a text among names; `UNKNOWN` for another one and for null."""
    code = pl.col(column).cast(pl.Enum(names), strict=False).to_physical()
    return code.cast(pl.Int64).fill_null(UNKNOWN).alias("column" if column == "bookmaker" else column)


def _keys(parts: pl.DataFrame) -> Ints:
    """Return game, player, market and line as one integer; negative when one is unknown, or the line no half point."""
    game, player, market, line = (parts[name].to_numpy() for name in LINE_KEY)
    doubled = line * 2
    with np.errstate(invalid="ignore"):
        halves = doubled.astype(np.int64)
    fits = (halves == doubled) & (halves >> (LINE_BITS + 1) == 0)
    key = game << ID_BITS
    for part, bits in ((player, MARKET_BITS), (market, LINE_BITS + 1)):
        key += part
        key <<= bits
    key += halves
    # a negative part makes the bitwise or negative
    return np.where(fits & ((game | player | market) >= 0), key, UNKNOWN)


def _refuse_large_ids(props: pl.DataFrame) -> None:
    largest = props.select(pl.max_horizontal(pl.col(LINE_KEY[:2]).max())).item()
    if largest is not None and largest >= 2**ID_BITS:
        raise DataError(
            f"An id of the slate is {largest}; ids up to {2**ID_BITS - 1} fit the key of a prop. Raise ID_BITS in "
            "props.board and shorten another part.",
            source="out_props",
        )
