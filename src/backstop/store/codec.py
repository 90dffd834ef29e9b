"""Rows to bytes, vectorised: no Python touches a row on its way to Redis, only a player.

A player's rows of one kind are one value. Column names and types are kept once per version, next to the rows.

    u32 rows | u64 mask | record per row | u16 length per shared text | shared texts | texts of each row

A record holds a bitmap of nulls, numbers, dates and booleans in little-endian, and the lengths of the row's texts: a
float takes 8 bytes instead of the 18 digits that spell it, and costs nothing to write or parse. Texts are UTF-8 without
anything between; those that are the same in all rows of a player (bits of the mask, in the order of the text columns)
stand once.
"""

from __future__ import annotations

import operator
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

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
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from backstop.store.kinds import Kind

FORM: Final = b"2"
"""What a version's meta says of the form of its values: another form is not read as this one."""

TILE_BYTES: Final = 2 * 1024 * 1024
"""Bytes of records made at once: as records, values and commands they stay in the processor's cache."""

MANY: Final = 2000
"""Numbers from which a query spells them faster than a loop does."""

FIRST_ROWS: Final = 512
"""Rows that are looked at before all of a block."""

NO_TEXT: Final = 0xFFFFFFFF
"""Length of a null before it is cut to `NULL_LENGTH`."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of rows, one behind the other.

    Attributes:
        text: All of them.
        bounds: Where each row's begins, and where the last one ends.
    """

    text: bytes
    bounds: NDArray[np.int64]

    def part(self, start: int, stop: int) -> Texts:
        """Return those of some neighbouring rows."""
        return Texts(self.text, self.bounds[start : stop + 1])

    def sizes(self, first: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the bytes of those from each first row up to each end."""
        return self.bounds[end] - self.bounds[first]

    def slices(self, first: NDArray[np.int64], end: NDArray[np.int64]) -> list[bytes]:
        """Return those from each first row up to each end."""
        text, bounds = self.text, zip(self.bounds[first].tolist(), self.bounds[end].tolist(), strict=True)
        return [text[a:b] for a, b in bounds]


NO_TEXTS: Final = Texts(b"", np.zeros(1, np.int64))


@dataclass(frozen=True, slots=True)
class Encoded:
    """A block of rows as bytes.

    Attributes:
        ids: Group value per group, in order.
        names: The same as text: fields of a hash.
        parts: What values are joined of, part by part, each per group.
        sizes: Bytes of the value per group.
        groups: Group value per row, in order.
        mask: Which text columns stand once per group.
        records: All records, one behind the other.
        shared: Texts that stand once per group, of all groups.
        shared_lengths: Their lengths per group; empty without such texts.
        own: Other texts per row.
        group_of: Place of each row's group.
    """

    ids: NDArray[np.int64]
    names: list[bytes]
    parts: list[list[Any]]
    sizes: NDArray[np.int64]
    groups: NDArray[np.int64]
    mask: int
    records: memoryview[int]
    shared: Texts
    shared_lengths: list[bytes]
    own: Texts
    group_of: NDArray[np.int64]

    @property
    def values(self) -> list[bytes]:
        """Value per group, joined anew."""
        return list(map(b"".join, zip(*self.parts, strict=True)))

    def member(self, row: int) -> bytes:
        """Return a row with its group as a value of its own: a member of a sorted set."""
        return self.members(np.array([row]))[0]

    def members(self, rows: NDArray[np.int64]) -> list[bytes]:
        """Return rows as members of sorted sets."""
        size, head = len(self.records) // len(self.groups), HEADER.pack(1, self.mask)
        heads = [GROUP.pack(group) + head for group in self.groups[rows].tolist()]
        records = [self.records[start : start + size] for start in (rows * size).tolist()]
        parts: list[list[Any]] = [heads, records]
        if self.shared_lengths:
            places = self.group_of[rows]
            parts += [[self.shared_lengths[place] for place in places.tolist()], self.shared.slices(places, places + 1)]
        return list(map(b"".join, zip(*parts, self.own.slices(rows, rows + 1), strict=True)))


def encode(kind: Kind, columns: Columns, block: pl.DataFrame) -> Encoded:
    """Turn a block that is sorted by group into bytes.

    Raises:
        DataError: a text is too long.
    """
    return next(tiles(kind, columns, block, sys.maxsize))


def tiles(kind: Kind, columns: Columns, block: pl.DataFrame, size: int = TILE_BYTES) -> Iterator[Encoded]:
    """Turn a block that is sorted by group into bytes, about so many at once; no part divides a group.

    Raises:
        DataError: a text is too long.
    """
    groups = block.get_column(kind.group).to_numpy()
    first = np.append(0, np.flatnonzero(np.diff(groups)) + 1)
    layout = Layout.of(columns, _mask(columns, block, kind.group, len(first)))
    lengths, own = _texts(block, layout.own, kind)
    shared_lengths, shared = _shared(block, first, layout, kind)
    filled = [*_numbers(layout, block), (LENGTHS, lengths)]
    names = spelled(groups[first])
    end = np.append(first[1:], len(groups))
    known = _Block(layout, groups, names, first, end, filled, shared, shared_lengths, own)
    start, rows = 0, max(1, size // max(1, layout.record.itemsize))
    while start < len(first):
        # the groups that begin within so many rows, at least one
        stop = max(start + 1, int(np.searchsorted(first, first[start] + rows)))
        yield known.encoded(slice(start, stop))
        start = stop


@dataclass(frozen=True, slots=True)
class _Block:
    """What is known of the rows of a block before they are bytes."""

    layout: Layout
    groups: NDArray[np.int64]
    names: list[bytes]
    first: NDArray[np.int64]
    end: NDArray[np.int64]
    filled: list[tuple[str, NDArray[Any]]]
    shared: Texts
    shared_lengths: list[bytes]
    own: Texts

    def encoded(self, some: slice) -> Encoded:
        """Return the values of neighbouring groups."""
        first, end, told = self.first[some], self.end[some], self.shared_lengths[some]
        start, stop = int(first[0]), int(end[-1])
        shared, own = self.shared.part(some.start, some.stop), self.own.part(start, stop)
        records, counts = np.empty(stop - start, self.layout.record), end - first
        for name, numbers in self.filled:
            records[name] = numbers[start:stop]
        head_of = {count: HEADER.pack(count, self.layout.mask) for count in np.unique(counts).tolist()}
        heads = list(map(head_of.__getitem__, counts.tolist()))
        parts: list[list[Any]] = [heads, _cut(records, first - start, end - start)]
        sizes = HEADER.size + counts * records.itemsize + own.sizes(first - start, end - start)
        if told:
            every = np.arange(len(told))
            parts += [told, shared.slices(every, every + 1)]
            sizes += self.layout.lengths.size + shared.sizes(every, every + 1)
        if self.layout.own:
            parts.append(own.slices(first - start, end - start))
        ids, raw = self.groups[first], records.view(np.uint8).data
        group_of = np.repeat(np.arange(len(ids)), counts)
        mask, groups = self.layout.mask, self.groups[start:stop]
        return Encoded(ids, self.names[some], parts, sizes, groups, mask, raw, shared, told, own, group_of)


def _cut(
    records: NDArray[np.void], first: NDArray[np.int64], end: NDArray[np.int64]
) -> list[bytes] | list[memoryview[int]]:
    """Return each group's records; nothing is copied before values are joined of it."""
    size = records.dtype.itemsize
    if len(first) == len(records) and size:
        # one row per group: numpy cuts them faster than a loop does
        rows: list[bytes] = records.view(f"V{size}").tolist()
        return rows
    raw = records.view(np.uint8).data
    return [raw[a:b] for a, b in zip((first * size).tolist(), (end * size).tolist(), strict=True)]


def spelled(ids: NDArray[np.int64]) -> list[bytes]:
    """Return numbers as text."""
    if len(ids) < MANY:
        return ",".join(map(str, ids.tolist())).encode().split(b",")
    text: str = pl.Series(ids).cast(pl.String).str.join(",").item()
    return text.encode().split(b",")


def _mask(columns: Columns, block: pl.DataFrame, group: str, groups: int) -> int:
    """Return the mask of the text columns that are the same in all rows of every group."""
    if groups == len(block):
        return 0
    texts = names = text_columns(columns)[:MASK_BITS]
    # most columns that differ within a group differ among the first rows
    for some in (block.head(FIRST_ROWS), block):
        begins = ~_as_before(some.get_column(group))
        names = tuple(name for name in names if (_as_before(some.get_column(name)) | begins).all())
    return sum(1 << place for place, name in enumerate(texts) if name in names)


def _as_before(column: pl.Series) -> NDArray[np.bool_]:
    """Return which values but the first are those of the row before; a null is a null's equal."""
    before, after = column.slice(0, len(column) - 1), column.slice(1)
    return (before.eq_missing(after) if column.null_count() else before == after).to_numpy()


def _numbers(layout: Layout, block: pl.DataFrame) -> list[tuple[str, NDArray[Any]]]:
    """Return what fills the records, by name: the columns, 0 for null, and the bitmap that tells which are."""
    columns = {name: block.get_column(name) for name in layout.fixed}
    gaps = [name for name, column in columns.items() if column.null_count()]
    nulls = np.zeros((len(block), (len(columns) + 7) // 8), np.uint8)
    if gaps:
        zero = {name: False if columns[name].dtype == pl.Boolean() else 0 for name in gaps}
        read = block.select(
            *(pl.col(name).to_physical().fill_null(zero[name]) for name in gaps),
            *(pl.col(name).is_null().alias(f"{name}\0") for name in gaps),
        )
        columns |= {name: read.get_column(name) for name in gaps}
        for name in gaps:
            byte, bit = divmod(layout.fixed.index(name), 8)
            nulls[:, byte] |= read.get_column(f"{name}\0").to_numpy().view(np.uint8) << bit
    schema = layout.columns.schema
    return [(NULLS, nulls), *((name, _number(column, schema[name])) for name, column in columns.items())]


def _number(column: pl.Series, dtype: pl.DataType) -> NDArray[Any]:
    """Return a column as the numbers that a record holds; those without a gap are not copied."""
    # a series asked for its physical numbers goes through a query plan, which costs more than a cast
    plain = column.cast(pl.Int32 if dtype == pl.Date() else pl.Int64) if column.dtype.is_temporal() else column
    numbers = plain.to_numpy()
    # instants travel as microseconds
    return numbers * 1000 if dtype == pl.Datetime("ms", "UTC") else numbers


def _texts(block: pl.DataFrame, names: tuple[str, ...], kind: Kind) -> tuple[NDArray[np.uint16], Texts]:
    """Return the lengths of text columns and the texts of each row.

    Raises:
        DataError: a text is too long for its length.
    """
    if not names:
        return np.empty((len(block), 0), LENGTH), Texts(b"", np.zeros(len(block) + 1, np.int64))
    lengths = np.empty((len(block), len(names)), LENGTH)
    for place, name in enumerate(names):
        # column by column: a query of many would wait for Polars' own threads
        told = block.get_column(name).str.len_bytes()
        # of the length that stands for null the lower half is what a record holds
        lengths[:, place] = (told.fill_null(NO_TEXT) if told.null_count() else told).to_numpy()
    whole = block.select(pl.concat_str(names, ignore_nulls=True).alias("text")).to_series()
    bounds = np.zeros(len(block) + 1, dtype=np.int64)
    np.cumsum(whole.str.len_bytes().to_numpy(), out=bounds[1:])
    if np.diff(bounds).max() >= NULL_LENGTH:
        _check_lengths(block, names, kind)
    return lengths, Texts(whole.str.join("").cast(pl.Binary).item(), bounds)


def _check_lengths(block: pl.DataFrame, names: tuple[str, ...], kind: Kind) -> None:
    longest = block.select(pl.col(name).str.len_bytes().max() for name in names).row(0, named=True)
    name, size = max(((name, size or 0) for name, size in longest.items()), key=operator.itemgetter(1))
    if size >= NULL_LENGTH:
        raise DataError(
            f"{kind.name} holds a {name} of {size:,} bytes; expected fewer than {NULL_LENGTH:,}.", source=kind.name
        )


def _shared(block: pl.DataFrame, first: NDArray[np.int64], layout: Layout, kind: Kind) -> tuple[list[bytes], Texts]:
    """Return the lengths of the texts that stand once, per group, and the texts; neither without such texts."""
    if not layout.shared:
        return [], NO_TEXTS
    lengths, texts = _texts(block.select(layout.shared)[first], layout.shared, kind)
    packed: list[bytes] = lengths.view(f"V{layout.lengths.size}").ravel().tolist()
    return packed, texts
