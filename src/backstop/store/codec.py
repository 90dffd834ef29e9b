"""Rows to bytes, vectorised: no Python touches a row on its way to Redis, only a player.

A player's rows of one kind are one value. Column names and types are kept once per version, next to the rows.

    u32 rows | u64 mask | record per row | u16 length per shared text | shared texts | texts of each row

A record holds a bitmap of nulls, numbers, dates and booleans in little-endian, and the lengths of the row's texts: a
float takes 8 bytes instead of the 18 digits that spell it, and costs nothing to write or parse. Texts are UTF-8 without
anything between; those that are the same in all rows of a player (bits of the mask, in the order of the text columns)
stand once.
"""

from __future__ import annotations

import io
import operator
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from backstop.errors import DataError
from backstop.store import queries
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
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from backstop.store.kinds import Kind

FORM: Final = b"2"
"""What a version's meta says of the form of its values: another form is not read as this one."""

TILE_BYTES: Final = 2 * 1024 * 1024
"""Bytes of records made at once: as records, values and commands they stay in the processor's cache."""

MANY: Final = 200
"""Numbers from which a query spells them faster than a loop does."""

GUESSED_ROWS: Final = 512
"""Rows that tell which texts are the same in all rows of a group; whether they are is asked of all."""

Filled = tuple[str, int, "NDArray[Any]"]
"""Field of a record, place in it, and the number of each row."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A block of rows as bytes.

    Attributes:
        ids: Group value per group, in order.
        heads: What stands before each value in a command: the group value as a field, and the size.
        parts: What values are joined of, part by part, each per group.
        sizes: Bytes of the value per group.
        counts: Rows per group.
        mask: Which text columns stand once per group.
        own: Bytes of each row's own texts, column by column; of a null `NULL_LENGTH`.
    """

    ids: NDArray[np.int64]
    heads: list[bytes]
    parts: list[list[bytes]]
    sizes: NDArray[np.uint32]
    counts: NDArray[np.uint32]
    mask: int
    own: list[NDArray[np.uint16]]

    @property
    def values(self) -> list[bytes]:
        """Value per group, joined anew."""
        return list(map(b"".join, zip(*self.parts, strict=True)))

    def members(self, rows: NDArray[np.int64]) -> list[bytes]:
        """Return rows, by their places, as members of sorted sets: each a value by itself, behind its group."""
        ends = np.cumsum(self.counts, dtype=np.int64)
        groups = np.searchsorted(ends, rows, side="right")
        first = ends[groups] - self.counts[groups]
        heads = [GROUP.pack(group) + HEADER.pack(1, self.mask) for group in self.ids[groups].tolist()]
        size = len(self.parts[1][0]) // int(self.counts[0])
        parts = [heads, _pieces(self.parts[1], groups, (rows - first) * size, (rows - first + 1) * size)]
        more = self.parts[2:]
        texts = more.pop() if self.own else None
        parts += [[part[group] for group in groups.tolist()] for part in more]
        if texts is not None:
            bounds = np.zeros(int(ends[-1]) + 1, np.int64)
            np.cumsum(sum(np.where(told == NULL_LENGTH, 0, told).astype(np.int64) for told in self.own), out=bounds[1:])
            parts.append(_pieces(texts, groups, bounds[rows] - bounds[first], bounds[rows + 1] - bounds[first]))
        return list(map(b"".join, zip(*parts, strict=True)))


def _pieces(
    parts: list[bytes], places: NDArray[np.int64], start: NDArray[np.int64], end: NDArray[np.int64]
) -> list[bytes]:
    """Return pieces of parts."""
    every = zip(places.tolist(), start.tolist(), end.tolist(), strict=True)
    return [parts[place][a:b] for place, a, b in every]


def encode(kind: Kind, columns: Columns, block: pl.DataFrame) -> Encoded:
    """Turn a block that is sorted by group into bytes.

    Raises:
        DataError: a text is too long.
    """
    return next(Block(kind, columns, block).tiles(sys.maxsize))


class Block:
    """Rows on their way to bytes: what Polars does takes longest, and may be done beside what the caller does.

    Args:
        kind: Of the rows.
        columns: Of the version.
        rows: The rows, sorted by group.
        beside: Where Polars does it; `None` for here, when it is waited for.
    """

    def __init__(self, kind: Kind, columns: Columns, rows: pl.DataFrame, beside: Executor | None = None) -> None:
        self.kind = kind
        self.beside = beside
        self.rows = rows
        groups = rows.get_column(kind.group).to_numpy()
        self.first = np.append(0, np.flatnonzero(np.diff(groups)) + 1)
        self.layout = Layout.of(columns, _mask(columns, rows, kind.group, len(self.first)))
        self._asked: list[queries.Answer] = []
        self._read: list[pl.DataFrame] = []

    def begin(self) -> None:
        """Begin with what takes longest; of two blocks at once each would wait for the other."""
        is_alone = len(self.first) == len(self.rows)
        by_group = queries.by_group(self.layout, self.rows, self.kind.group, self.beside, alone=is_alone)
        self._asked = [by_group, queries.by_row(self.layout, self.rows, self.kind.group, self.beside)]

    def wait(self) -> None:
        """Wait until that is done; once more, if a text that seemed to be the same in all rows of a group is not."""
        while not self._read:
            if not self._asked:
                self.begin()
            read = [answer() for answer in self._asked]
            differing = [name for name in self.layout.shared if read[1].item(0, f"{queries.DIFFERS}{name}")]
            if differing:
                self.layout, self._asked = self.layout.without(differing), []
            else:
                self._read = read

    def tiles(self, size: int = TILE_BYTES) -> Iterator[Encoded]:
        """Yield the rows as bytes, about so many at once; no part divides a group.

        Raises:
            DataError: a text is too long.
        """
        self.wait()
        told, read = self._read
        sizes, counts = (told.get_column(name).to_numpy() for name in (queries.SIZE, queries.ROWS))
        if (sizes - counts * self.layout.record.itemsize).max() >= NULL_LENGTH:
            _check_lengths(self.rows, self.layout, self.kind)
        filled = list(_filled(self.layout, self.rows, read))
        first, rows = self.first, max(1, size // max(1, self.layout.record.itemsize))
        start, buffer = 0, io.BytesIO()
        while start < len(first):
            # the groups that begin within so many rows, at least one
            stop = max(start + 1, int(np.searchsorted(first, first[start] + rows)))
            yield self._encoded(told.slice(start, stop - start), int(first[start]), filled, buffer)
            start = stop

    def _encoded(self, told: pl.DataFrame, start: int, filled: list[Filled], buffer: io.BytesIO) -> Encoded:
        """Return the values of neighbouring groups, whose rows begin at `start`."""
        layout, counts = self.layout, told.get_column(queries.ROWS).to_numpy()
        head_of = {count: HEADER.pack(count, layout.mask) for count in np.unique(counts).tolist()}
        parts = [list(map(head_of.__getitem__, counts.tolist())), _records(layout, filled, start, counts, buffer)]
        if layout.shared:
            lengths = np.empty((len(told), len(layout.shared)), LENGTH)
            for place, name in enumerate(layout.shared):
                lengths[:, place] = told.get_column(name).to_numpy()
            parts += [lengths.view(f"V{layout.lengths.size}").ravel().tolist(), told.get_column(queries.ONCE).to_list()]
        if layout.own:
            parts.append(told.get_column(queries.OWN).to_list())
        ids, sizes = told.get_column(self.kind.group).to_numpy(), told.get_column(queries.SIZE).to_numpy()
        own = [numbers[start : start + int(counts.sum())] for name, _, numbers in filled if name == LENGTHS]
        return Encoded(ids, told.get_column(queries.HEAD).to_list(), parts, sizes, counts, layout.mask, own)


def in_turn(blocks: Iterator[Block], meanwhile: Callable[[], bool]) -> Iterator[Block]:
    """Yield blocks that are ready, each while the one behind it is made ready.

    Args:
        blocks: At most two are held at once.
        meanwhile: What is to be done while the first is made ready; if it is false, none is yielded.
    """
    block = next(blocks, None)
    if block is not None:
        block.begin()
        if not meanwhile():
            return
    while block is not None:
        following = next(blocks, None)
        block.wait()
        if following is not None:
            following.begin()
        yield block
        block = following


def _records(
    layout: Layout, filled: list[Filled], start: int, counts: NDArray[np.uint32], buffer: io.BytesIO
) -> list[bytes]:
    """Return the records of neighbouring groups, those of a group as one; `buffer` is for those of a block in turn."""
    rows, size = int(counts.sum()), layout.record.itemsize
    if buffer.seek(0, io.SEEK_END) < rows * size:
        # zeros, and so they stay where nothing is filled in: bytes of the bitmap whose columns have no nulls
        buffer.write(bytes(rows * size))
    buffer.seek(0)
    records = np.frombuffer(buffer.getbuffer(), layout.record, rows) if size else np.empty(rows, layout.record)
    for name, place, numbers in filled:
        field = records[name]
        (field if field.ndim == 1 else field[:, place])[:] = numbers[start : start + rows]
    if rows == len(counts) and size:
        # one row per group: numpy cuts them faster
        alone: list[bytes] = records.view(f"V{size}").tolist()
        return alone
    # bytes, not views: of so many objects that may hold others Python would search for cycles again and again
    return list(map(buffer.read, (counts * size).tolist()))


def spelled(numbers: NDArray[Any]) -> list[bytes]:
    """Return numbers as text."""
    if len(numbers) < MANY:
        return ",".join(map(str, numbers.tolist())).encode().split(b",")
    text: str = pl.Series(numbers).cast(pl.String).str.join(",").item()
    return text.encode().split(b",")


def _mask(columns: Columns, block: pl.DataFrame, group: str, groups: int) -> int:
    """Return the mask of the text columns that seem to be the same in all rows of every group."""
    if groups == len(block):
        return 0
    some, mask = block.head(GUESSED_ROWS), 0
    ids = some.get_column(group)
    begins = ids.slice(0, len(ids) - 1) != ids.slice(1)
    for place, name in enumerate(text_columns(columns)[:MASK_BITS]):
        text = some.get_column(name)
        if (text.slice(0, len(text) - 1).eq_missing(text.slice(1)) | begins).all():
            mask |= 1 << place
    return mask


def _filled(layout: Layout, block: pl.DataFrame, read: pl.DataFrame) -> Iterator[Filled]:
    """Yield what fills the records: the bitmap of nulls, the columns, 0 for null, and the lengths of own texts."""
    schema, there = layout.columns.schema, set(read.columns)
    for byte in range((len(layout.fixed) + 7) // 8):
        name = f"{queries.NULLS_OF}{byte}"
        if name in there:
            yield NULLS, byte, read.get_column(name).to_numpy()
    for name in layout.fixed:
        yield name, 0, _number((read if name in there else block).get_column(name), schema[name])
    for place, name in enumerate(layout.own):
        yield LENGTHS, place, read.get_column(name).to_numpy()


def _number(column: pl.Series, dtype: pl.DataType) -> NDArray[Any]:
    """Return a column as the numbers that a record holds; those without a gap are not copied."""
    # a series asked for its physical numbers goes through a query plan, which costs more than a cast
    plain = column.cast(pl.Int32 if dtype == pl.Date() else pl.Int64) if column.dtype.is_temporal() else column
    numbers = plain.to_numpy()
    # instants travel as microseconds
    return numbers * 1000 if dtype == pl.Datetime("ms", "UTC") else numbers


def _check_lengths(block: pl.DataFrame, layout: Layout, kind: Kind) -> None:
    texts = (*layout.shared, *layout.own)
    longest = block.select(pl.col(name).str.len_bytes().max() for name in texts).row(0, named=True)
    name, size = max(((name, size or 0) for name, size in longest.items()), key=operator.itemgetter(1))
    if size >= NULL_LENGTH:
        raise DataError(
            f"{kind.name} holds a {name} of {size:,} bytes; expected fewer than {NULL_LENGTH:,}.", source=kind.name
        )
