"""Rows in the order of their key, in slices that are serialised at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from backstop.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backstop.store.kinds import Kind

BLOCK_ROWS: Final = 65_536
"""Rows looked at and brought into order at once: a millisecond of queries is little beside it, and it is a few MB."""

ORDERED_ROWS: Final = 131_072
"""Rows compared at once in a few columns."""


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

    @classmethod
    def presumed(cls, kind: Kind, frame: pl.DataFrame) -> Rows:
        """Take a frame whose groups are in order to be in the order of its key; `is_ordered` tells whether it is."""
        groups = frame.get_column(kind.group)
        is_grouped = not groups.null_count() and groups.is_sorted()
        return cls(kind, frame, None) if is_grouped else cls.of(kind, frame)

    def is_ordered(self) -> bool:
        """Return whether the order is that of the key."""
        return self.order is not None or _is_ordered(self.frame, self.kind)

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

    def _slice(self, frame: pl.DataFrame, start: int, length: int) -> pl.DataFrame:
        return frame.slice(start, length) if self.order is None else frame[self.order.slice(start, length)]


def _order(frame: pl.DataFrame, kind: Kind) -> pl.Series | None:
    """Return the order of a key that begins with the group; one sort of all keys would take half the frame's memory."""
    if _is_ordered(frame, kind):
        return None
    key, groups = frame.select(kind.key), frame.get_column(kind.group)
    by_group = groups.arg_sort()
    parts = []
    for start, length in _cuts(groups.gather(by_group), ORDERED_ROWS):
        here = by_group.slice(start, length)
        some = key[here]
        parts.append(here if _ascends(some) else here.gather(some.select(pl.arg_sort_by(*kind.key)).to_series()))
    return pl.concat(parts)


def _is_ordered(frame: pl.DataFrame, kind: Kind) -> bool:
    key, groups = frame.select(kind.key), frame.get_column(kind.group)
    return groups.is_sorted() and all(_ascends(key.slice(*cut)) for cut in _cuts(groups, ORDERED_ROWS))


def _ascends(key: pl.DataFrame) -> bool:
    """Return whether every row's key is above that of the row before it; `False` if one is null."""
    columns = key.get_columns()
    if any(column.null_count() for column in columns):
        return False
    above, same = pl.Series(np.zeros(len(key) - 1, bool)), pl.Series(np.ones(len(key) - 1, bool))
    for column in columns:
        before, after = column.slice(0, len(above)), column.slice(1)
        above |= same & (before < after)
        if above.all():
            return True
        same &= before == after
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
