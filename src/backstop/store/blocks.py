"""Rows in the order of their key, in slices that are serialised at once, and the best of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from backstop.errors import DataError
from backstop.store.kinds import ALL_MARKETS, TOP_OF_ALL, TOP_PER_MARKET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from backstop.store.kinds import Kind

BLOCK_ROWS: Final = 65_536
"""Rows looked at and brought into order at once: a millisecond of queries is little beside it, and it is a few MB."""

RANKED_ROWS: Final = 131_072
"""Rows compared at once in a few columns."""

NO_CODE: Final = 0xFFFFFFFF
"""Stands for a market that is null."""


@dataclass(frozen=True)
class Rows:
    """A frame with the order of its key; the frame is never copied whole.

    Attributes:
        kind: What the rows are.
        frame: The rows.
        order: Row numbers in the order of the key, `None` when the frame is in it already, each key once.
    """

    kind: Kind
    frame: pl.DataFrame
    order: pl.Series | None

    @classmethod
    def of(cls, kind: Kind, frame: pl.DataFrame) -> Rows:
        """Find the order of a frame."""
        return cls(kind, frame, _order(frame, kind))

    def column(self, name: str) -> pl.Series:
        """Return a column in the order of the key."""
        column = self.frame.get_column(name)
        return column if self.order is None else column.gather(self.order)

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[pl.DataFrame]:
        """Yield the rows in slices; none divides a group.

        Raises:
            DataError: a key is null or occurs twice, or a number is not finite.
        """
        for start, length in _cuts(self.column(self.kind.group), rows):
            block = self._slice(self.frame, start, length)
            if self.order is not None:
                _check_key(self.kind, block.select(self.kind.key))
            _check_floats(self.kind, block)
            yield block

    def best(self) -> dict[str, pl.DataFrame]:
        """Return per order the rows to keep ready: `row`, `market` (or all), `score`; none without a score."""
        if not self.kind.orders:
            return {}
        markets = self.frame.get_column("market")
        # codes of this load alone: which number a market has does not matter
        codes = markets.cast(pl.Categorical).to_physical().cast(pl.UInt32).fill_null(NO_CODE)
        first, numbers = codes.arg_unique(), codes.to_numpy()
        rows_of = {
            name: np.flatnonzero(numbers == numbers[row])
            for name, row in zip(markets.gather(first), first.to_list(), strict=True)
        }
        place_of = None if self.order is None else self.order.arg_sort().to_numpy()
        return {order: self._ranked(column, rows_of, place_of) for order, column in self.kind.orders}

    def _ranked(
        self, column: str, rows_of: dict[str | None, NDArray[np.int64]], place_of: NDArray[np.int64] | None
    ) -> pl.DataFrame:
        # a null would be made a NaN on the way to numpy as well, number by number
        scores = self.frame.get_column(column).cast(pl.Float64).fill_null(math.nan).to_numpy()
        # whoever is among the best of all is among as many of his market
        leading = {market: _leading(rows, scores, TOP_OF_ALL) for market, rows in rows_of.items()}
        chosen = {
            market: _leading(rows, scores, TOP_PER_MARKET) for market, rows in leading.items() if market is not None
        }
        chosen[ALL_MARKETS] = _leading(np.concatenate([*leading.values()]), scores, TOP_OF_ALL)
        rows = np.concatenate([*chosen.values()])
        names = [market for market, some in chosen.items() for _ in some]
        places = rows if place_of is None else place_of[rows]
        return pl.DataFrame({"row": places, "market": pl.Series(names, dtype=pl.String), "score": scores[rows]})

    def _slice(self, frame: pl.DataFrame, start: int, length: int) -> pl.DataFrame:
        return frame.slice(start, length) if self.order is None else frame[self.order.slice(start, length)]


def _order(frame: pl.DataFrame, kind: Kind) -> pl.Series | None:
    """Return the order of a key that begins with the group; one sort of all keys would take half the frame's memory."""
    key, groups = frame.select(kind.key), frame.get_column(kind.group)
    by_group = None if groups.is_sorted() else groups.arg_sort()
    in_order = groups if by_group is None else groups.gather(by_group)
    parts, is_ordered = [], by_group is None
    for start, length in _cuts(in_order, RANKED_ROWS):
        some = key.slice(start, length) if by_group is None else key[by_group.slice(start, length)]
        places = pl.int_range(start, start + length, dtype=pl.UInt32, eager=True)
        here = places if by_group is None else by_group.slice(start, length)
        if not _ascends(some):
            here, is_ordered = here.gather(some.select(pl.arg_sort_by(*kind.key)).to_series()), False
        parts.append(here)
    return None if is_ordered else pl.concat(parts)


def _ascends(key: pl.DataFrame) -> bool:
    """Return whether every row's key is above that of the row before it; `False` if one is null."""
    columns = key.get_columns()
    if any(column.null_count() for column in columns):
        return False
    above, same = np.zeros(len(key) - 1, bool), np.ones(len(key) - 1, bool)
    for column in columns:
        before, after = column.slice(0, len(above)), column.slice(1)
        above |= same & (before < after).to_numpy()
        if above.all():
            return True
        same &= (before == after).to_numpy()
    return False


def _cuts(groups: pl.Series, rows: int) -> Iterator[tuple[int, int]]:
    """Yield start and length of slices of about so many rows of sorted groups; none divides a group."""
    start = 0
    while start < len(groups):
        end = min(start + rows, len(groups))
        if end < len(groups):
            end = int(groups.search_sorted(groups[end - 1], side="right"))
        yield start, end - start
        start = end


def _leading(rows: NDArray[np.int64], scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return those of the rows with the highest scores, at most so many; in no order."""
    score = scores[rows]
    if np.isnan(score).any():
        known = ~np.isnan(score)
        rows, score = rows[known], score[known]
    return rows if len(rows) <= count else rows[np.argpartition(score, -count)[-count:]]


def _check_key(kind: Kind, key: pl.DataFrame) -> None:
    if _ascends(key):
        return
    if any(key.null_count().row(0)):
        raise DataError(
            f"A row of {kind.name} has no {' or '.join(kind.key)}; expected one in each row.", source=kind.name
        )
    twice = key.filter(key.is_duplicated()).row(0, named=True)
    raise DataError(f"{kind.name} holds {twice} twice; expected each key once.", source=kind.name)


def _check_floats(kind: Kind, block: pl.DataFrame) -> None:
    floats = [column for column in block.get_columns() if column.dtype.is_float()]
    # a sum is not finite if a number is not: the cheap question first, for each column of each row
    odd = [column for column in floats if not math.isfinite(column.sum())]
    found = {column.name: count for column in odd if (count := int((~column.is_finite()).sum()))}
    if found:
        raise DataError(
            f"{kind.name} holds NaN or infinity: {found}. A value that cannot be computed must be null.",
            source=kind.name,
        )
