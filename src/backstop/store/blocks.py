"""Rows in the order of their key, in slices that are serialised at once, and the best of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop.errors import DataError
from backstop.store.kinds import ALL_MARKETS, TOP_OF_ALL, TOP_PER_MARKET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.store.kinds import Kind

BLOCK_ROWS: Final = 16_384
"""Rows looked at and brought into order at once: work enough for a query, and a few MB to hold."""


@dataclass(frozen=True)
class Rows:
    """A frame with the order of its key; the frame is never copied whole.

    Attributes:
        kind: What the rows are.
        frame: The rows.
        order: Row numbers in the order of the key, `None` when the frame is in it already.
    """

    kind: Kind
    frame: pl.DataFrame
    order: pl.Series | None

    @classmethod
    def of(cls, kind: Kind, frame: pl.DataFrame) -> Rows:
        """Find the order of a frame."""
        if frame.select(_ascending(kind.key)).item():
            return cls(kind, frame, None)
        return cls(kind, frame, frame.select(pl.arg_sort_by(*kind.key)).to_series())

    def column(self, name: str) -> pl.Series:
        """Return a column in the order of the key."""
        column = self.frame.get_column(name)
        return column if self.order is None else column.gather(self.order)

    def blocks(self, rows: int = BLOCK_ROWS) -> Iterator[pl.DataFrame]:
        """Yield the rows in slices; none divides a group.

        Raises:
            DataError: a key is null or occurs twice, or a number is not finite.
        """
        groups = self.column(self.kind.group)
        start = 0
        while start < len(groups):
            end = min(start + rows, len(groups))
            if end < len(groups):
                end = int(groups.search_sorted(groups[end - 1], side="right"))
            length = end - start
            block = (
                self.frame.slice(start, length) if self.order is None else self.frame[self.order.slice(start, length)]
            )
            _check(self.kind, block)
            yield block
            start = end

    def best(self) -> dict[str, pl.DataFrame]:
        """Return per order the rows to keep ready: `row`, `market` (or all), `score`; none without a score."""
        found = {}
        for order, column in self.kind.orders:
            scored = (
                pl.LazyFrame({"market": self.column("market"), "score": self.column(column).cast(pl.Float64)})
                .with_row_index("row")
                .filter(pl.col("score").is_not_null())
            )
            of_all = scored.top_k(TOP_OF_ALL, by="score").with_columns(market=pl.lit(ALL_MARKETS))
            of_each = scored.group_by("market").agg(pl.col("row", "score").top_k_by("score", TOP_PER_MARKET))
            chosen = [part.select("row", "market", "score") for part in (of_all, of_each.explode("row", "score"))]
            found[order] = pl.concat(chosen).collect()
        return found


def _ascending(key: tuple[str, ...]) -> pl.Expr:
    """Return whether rows never go down by a key of several columns; a null compares as unknown and is found later."""
    pairs = [(pl.col(name).shift(1), pl.col(name)) for name in key]
    before, after = pairs[-1]
    expression = before <= after
    for before, after in reversed(pairs[:-1]):
        expression = (before < after) | ((before == after) & expression)
    return expression.all()


def _check(kind: Kind, block: pl.DataFrame) -> None:
    key = block.select(kind.key)
    if any(key.null_count().row(0)):
        raise DataError(
            f"A row of {kind.name} has no {' or '.join(kind.key)}; expected one in each row.", source=kind.name
        )
    if block.select(pl.all_horizontal(pl.col(name) == pl.col(name).shift(1) for name in kind.key).any()).item():
        twice = key.filter(key.is_duplicated()).row(0, named=True)
        raise DataError(f"{kind.name} holds {twice} twice; expected each key once.", source=kind.name)
    floats = [column for column in block.get_columns() if column.dtype.is_float()]
    # a sum is not finite if a number is not: the cheap question first, for each column of each row
    odd = [column for column in floats if not math.isfinite(column.sum())]
    found = {column.name: count for column in odd if (count := int((~column.is_finite()).sum()))}
    if found:
        raise DataError(
            f"{kind.name} holds NaN or infinity: {found}. A value that cannot be computed must be null.",
            source=kind.name,
        )
