"""Rows to bytes, vectorised: no Python touches a row on its way to Redis, only a player.

A player's rows of one kind are one value. Column names and types are kept once per version, next to the rows.

    u32 rows | u64 mask | record per row | u16 length per shared text | shared texts | texts of each row

A record holds a bitmap of nulls, numbers, dates and booleans in little-endian, and the lengths of the row's texts: a
float takes 8 bytes instead of the 18 digits that spell it, and costs nothing to write or parse. Texts are UTF-8 without
anything between; those that are the same in all rows of a player (bits of the mask, in the order of the text columns)
stand once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from backstop.errors import DataError
from backstop.store.columns import (
    GROUP,
    HEADER,
    LENGTH,
    LENGTHS,
    MASK_BITS,
    NULL_LENGTH,
    NULLS,
    Columns,
    Layout,
    text_columns,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from backstop.store.kinds import Kind

FORM: Final = b"2"
"""What a version's meta says of the form of its values: another form is not read as this one."""

NO_TEXT: Final = 0xFFFFFFFF
"""Length of a null before it is cut to `NULL_LENGTH`."""

TILE_ROWS: Final = 1024
"""Records filled at once, column by column: they stay in the processor's cache until all columns are in."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of rows, one behind the other.

    Attributes:
        text: All of them.
        bounds: Where each row's begins, and where the last one ends.
    """

    text: bytes
    bounds: NDArray[np.int64]

    def of(self, row: int) -> bytes:
        """Return one row's."""
        return self.text[self.bounds[row] : self.bounds[row + 1]]

    def slices(self, first: NDArray[np.int64], end: NDArray[np.int64]) -> list[bytes]:
        """Return those from each first row up to each end."""
        bounds = zip(self.bounds[first].tolist(), self.bounds[end].tolist(), strict=True)
        return [self.text[a:b] for a, b in bounds]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A block of rows as bytes.

    Attributes:
        ids: Group value per group, in order.
        names: The same as text: fields of a hash.
        values: Value per group.
        groups: Group value per row, in order.
        mask: Which text columns stand once per group.
        records: All records, one behind the other.
        size: Bytes in a record.
        shared: Lengths and shared texts per group.
        own: Other texts per row.
        group_of: Place of each row's group.
    """

    ids: NDArray[np.int64]
    names: list[bytes]
    values: list[bytes]
    groups: NDArray[np.int64]
    mask: int
    records: memoryview[int]
    size: int
    shared: list[bytes]
    own: Texts
    group_of: NDArray[np.int64]

    def member(self, row: int) -> bytes:
        """Return a row with its group as a value of its own: a member of a sorted set."""
        record = self.records[row * self.size : (row + 1) * self.size]
        head = GROUP.pack(int(self.groups[row])) + HEADER.pack(1, self.mask)
        shared = self.shared[self.group_of[row]] if self.shared else b""
        return b"".join((head, record, shared, self.own.of(row)))


def encode(kind: Kind, columns: Columns, block: pl.DataFrame) -> Encoded:
    """Turn a block that is sorted by group into bytes.

    Raises:
        DataError: a text is too long.
    """
    groups = block.get_column(kind.group).to_numpy()
    first = np.append(0, np.flatnonzero(np.diff(groups)) + 1)
    end = np.append(first[1:], len(groups))
    mask = _mask(columns, block, kind.group, len(first))
    layout = Layout.of(columns, mask)
    lengths, own = _texts(block, layout.own, kind)
    filled = _records(layout, block, lengths)
    records, size = filled.view(np.uint8).data, layout.record.itemsize
    shared = _shared(block[first], layout, kind) if layout.shared else []
    counts = end - first
    head_of = {count: HEADER.pack(count, mask) for count in np.unique(counts).tolist()}
    heads: Iterable[bytes] = map(head_of.__getitem__, counts.tolist())
    fixed = _cut(filled, records, first, end)
    parts = (heads, fixed, *([shared] if shared else []), own.slices(first, end))
    # joined in C: one value per player is the only loop that is left
    values = list(map(b"".join, zip(*parts, strict=True)))
    group_of = np.repeat(np.arange(len(first)), counts)
    ids = groups[first]
    return Encoded(ids, _spelled(ids), values, groups, mask, records, size, shared, own, group_of)


def _cut(
    filled: NDArray[np.void], records: memoryview[int], first: NDArray[np.int64], end: NDArray[np.int64]
) -> list[bytes] | list[memoryview[int]]:
    """Return each group's records; nothing is copied before values are joined of it."""
    size = filled.dtype.itemsize
    if len(first) == len(filled) and size:
        # one row per group: numpy cuts them faster than a loop does
        rows: list[bytes] = filled.view(f"V{size}").tolist()
        return rows
    return [records[a:b] for a, b in zip((first * size).tolist(), (end * size).tolist(), strict=True)]


def _spelled(ids: NDArray[np.int64]) -> list[bytes]:
    """Return numbers as text."""
    text: str = pl.Series(ids).cast(pl.String).str.join(",").item()
    return text.encode().split(b",")


def _mask(columns: Columns, block: pl.DataFrame, group: str, groups: int) -> int:
    """Return the mask of the text columns that are the same in all rows of every group."""
    if groups == len(block):
        return 0
    changes = block.select(
        (pl.col(name).ne_missing(pl.col(name).shift(1)) & (pl.col(group) == pl.col(group).shift(1))).any()
        for name in text_columns(columns)[:MASK_BITS]
    )
    return sum(1 << place for place, name in enumerate(changes.columns) if not changes.item(0, name))


def _records(layout: Layout, block: pl.DataFrame, lengths: NDArray[np.uint16]) -> NDArray[np.void]:
    """Return one record per row; 0 stands for null, the bitmap tells."""
    records = np.empty(len(block), layout.record)
    gaps = {name: count > 0 for name, count in block.null_count().row(0, named=True).items()}
    numbers = block.select(_number(name, block.schema[name], gaps=gaps[name]) for name in layout.fixed)
    columns = [(records[name], numbers.get_column(name).to_numpy()) for name in layout.fixed]
    columns += [(records[NULLS], _nulls(layout, block, gaps)), (records[LENGTHS], lengths)]
    for start in range(0, len(block), TILE_ROWS):
        tile = slice(start, start + TILE_ROWS)
        for target, values in columns:
            target[tile] = values[tile]
    return records


def _number(name: str, dtype: pl.DataType, *, gaps: bool) -> pl.Expr:
    """Return a column as the number that a record holds."""
    if isinstance(dtype, pl.Datetime):
        number = pl.col(name).dt.epoch("us")
    elif dtype == pl.Boolean():
        number = pl.col(name).cast(pl.UInt8)
    else:
        number = pl.col(name).to_physical()
    return number.fill_null(0) if gaps else number


def _nulls(layout: Layout, block: pl.DataFrame, gaps: dict[str, bool]) -> NDArray[np.uint8]:
    """Return a bitmap per row, a bit per column of the record that is null there."""
    names = [name for name in layout.fixed if gaps[name]]
    if not names:
        return np.zeros((len(block), (len(layout.fixed) + 7) // 8), dtype=np.uint8)
    nulls = np.zeros((len(block), len(layout.fixed)), dtype=bool)
    nulls[:, [layout.fixed.index(name) for name in names]] = block.select(pl.col(names).is_null()).to_numpy()
    return np.packbits(nulls, axis=1, bitorder="little")


def _texts(block: pl.DataFrame, names: tuple[str, ...], kind: Kind) -> tuple[NDArray[np.uint16], Texts]:
    """Return the lengths of text columns and the texts of each row.

    Raises:
        DataError: a text is too long for its length.
    """
    if not names:
        return np.empty((len(block), 0), LENGTH), Texts(b"", np.zeros(len(block) + 1, dtype=np.int64))
    columns = [pl.col(name) for name in names]
    read = block.select(
        *(column.str.len_bytes().fill_null(NO_TEXT).alias(str(n)) for n, column in enumerate(columns)),
        pl.concat_str(column.fill_null("") for column in columns).alias("text"),
    )
    sizes = read.drop("text").to_numpy()
    counted = np.where(sizes == NO_TEXT, 0, sizes)
    if counted.max() >= NULL_LENGTH:
        longest = int(counted.max())
        name = names[int(counted.max(axis=0).argmax())]
        raise DataError(
            f"{kind.name} holds a {name} of {longest:,} bytes; expected fewer than {NULL_LENGTH:,}.", source=kind.name
        )
    bounds = np.zeros(len(block) + 1, dtype=np.int64)
    np.cumsum(counted.sum(axis=1), out=bounds[1:])
    # of the length that stands for null the lower half is what a record holds
    return sizes.astype(LENGTH), Texts(read.get_column("text").str.join("").item().encode(), bounds)


def _shared(firsts: pl.DataFrame, layout: Layout, kind: Kind) -> list[bytes]:
    """Return lengths and texts that stand once, per group."""
    lengths, texts = _texts(firsts, layout.shared, kind)
    packed, size = np.ascontiguousarray(lengths, LENGTH).tobytes(), layout.lengths.size
    every = np.arange(len(firsts))
    told = [packed[start : start + size] for start in range(0, len(packed), size)]
    return list(map(b"".join, zip(told, texts.slices(every, every + 1), strict=True)))
