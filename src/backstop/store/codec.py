"""Rows to bytes and back, vectorised: no Python touches a row on its way to Redis.

A player's rows of one kind are one value. Column names and types are kept once per version, next to the rows.

    u32 rows | u64 mask | fixed record per row | [shared texts] LF [texts],LF[texts]...

Numbers, dates and booleans stand in little-endian records behind a bitmap of their nulls: a float takes 8 bytes instead
of the 18 digits that spell it, and costs nothing to write or parse. Texts are JSON arrays; those that are the same in
all rows of a player (bits of the mask, in the order of the text columns) stand once.

The arrays come from Polars' CSV writer, which is four to six times faster than its JSON writer: with strings in quotes
and null spelled `null` a line of CSV is the inside of a JSON array, provided that no string holds a quote, a backslash
or a control character. Columns that do are escaped first.
"""

from __future__ import annotations

import functools
import io
import itertools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import orjson
import polars as pl

from backstop.errors import DataError, SchemaDrift

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from backstop.store.kinds import Kind

BLOCK_ROWS: Final = 25_000
"""Rows serialised at once: about 10 MB, small beside the frame."""

NEEDS_ESCAPE: Final = r'["\\\x00-\x1f]'
ESCAPES: Final = {character: f"\\u{ord(character):04x}" for character in ('"', "\\", *map(chr, range(32)))}
"""No escape holds a quote, which CSV would double."""

NEWLINE: Final = 10
ROW_ENDS: Final = "],\n["

TYPES: Final[dict[str, pl.DataType]] = {
    str(dtype): dtype
    for dtype in (
        pl.Int8(), pl.Int16(), pl.Int32(), pl.Int64(), pl.UInt8(), pl.UInt16(), pl.UInt32(), pl.UInt64(),
        pl.Float32(), pl.Float64(), pl.String(), pl.Boolean(), pl.Date(),
        pl.Datetime("us", "UTC"), pl.Datetime("ms", "UTC"),
    )
}  # fmt: skip
"""Types that survive the way to Redis and back. Instants travel as microseconds."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names and types of a kind's columns, the group column first."""

    names: tuple[str, ...]
    types: tuple[str, ...]

    @classmethod
    def of(cls, kind: Kind, frame: pl.DataFrame) -> Columns:
        """Read columns off a frame.

        Raises:
            SchemaDrift: a key column is missing, or a column has a type that cannot be brought back.
        """
        missing = [name for name in (*kind.key, *(column for _, column in kind.orders)) if name not in frame.columns]
        odd = [f"{name} {dtype}" for name, dtype in frame.schema.items() if str(dtype) not in TYPES]
        if frame.schema.get(kind.group) not in {None, pl.Int64()}:
            odd.append(f"{kind.group} {frame.schema[kind.group]} (expected Int64)")
        if missing or odd:
            raise SchemaDrift(
                f"{kind.name} cannot be stored: missing columns {missing or 'none'}, types that cannot be stored "
                f"{odd or 'none'}. Expected the columns {kind.key} and types {', '.join(TYPES)}.",
                source=kind.name,
            )
        names = (kind.group, *(name for name in frame.columns if name != kind.group))
        return cls(names, tuple(str(frame.schema[name]) for name in names))

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Names with Polars types."""
        return {name: TYPES[text] for name, text in zip(self.names, self.types, strict=True)}

    def dump(self) -> bytes:
        """Return the columns as JSON."""
        return orjson.dumps([self.names, self.types])

    @classmethod
    def parse(cls, text: bytes) -> Columns:
        """Read the columns back."""
        names, types = orjson.loads(text)
        return cls(tuple(names), tuple(types))


@dataclass(frozen=True)
class Layout:
    """Where the parts of a row stand in a value.

    Attributes:
        columns: Names and types.
        fixed: Names of the columns in the record.
        texts: Names of the text columns.
        record: The record as numpy sees it, the bitmap of nulls first.
        row: The record as `struct` sees it.
    """

    columns: Columns
    fixed: tuple[str, ...]
    texts: tuple[str, ...]
    record: np.dtype[np.void]
    row: struct.Struct

    @classmethod
    @functools.lru_cache(maxsize=256)
    def of(cls, columns: Columns) -> Layout:
        """Return the layout of columns; the group column stands in the hash field, not in the value."""
        schema = dict(list(columns.schema.items())[1:])
        texts = tuple(name for name, dtype in schema.items() if dtype == pl.String())
        codes = {name: _code(dtype) for name, dtype in schema.items() if name not in texts}
        nulls = (len(codes) + 7) // 8
        record = np.dtype([("", "u1", (nulls,)), *((name, f"<{code[0]}") for name, code in codes.items())])
        row = struct.Struct(f"<{nulls}s" + "".join(code[1] for code in codes.values()))
        return cls(columns, tuple(codes), texts, record, row)


def _code(dtype: pl.DataType) -> tuple[str, str]:
    """Return the codes of numpy and `struct` for a type."""
    if isinstance(dtype, pl.Datetime):
        return "i8", "q"
    if dtype == pl.Date():
        return "i4", "i"
    if dtype == pl.Boolean():
        return "u1", "B"
    kind = "f" if dtype.is_float() else "u" if dtype.is_unsigned_integer() else "i"
    size = int("".join(filter(str.isdigit, str(dtype)))) // 8
    code = {("f", 4): "f", ("f", 8): "d"}.get((kind, size)) or "bhiq"[size.bit_length() - 1]
    return f"{kind}{size}", code.upper() if kind == "u" else code


HEADER: Final = struct.Struct("<IQ")
MASK_BITS: Final = 64
GROUP: Final = struct.Struct("<q")


@dataclass(frozen=True, slots=True)
class Encoded:
    """A block of rows as bytes.

    Attributes:
        ids: Group value per group, in order.
        values: Value per group.
        groups: Group value per row, in order.
        mask: Which text columns stand once per group.
        records: All records.
        size: Bytes in a record.
        shared: Shared texts per group.
        lines: Other texts per row.
        group_of: Place of each row's group.
    """

    ids: NDArray[np.int64]
    values: list[bytes]
    groups: NDArray[np.int64]
    mask: int
    records: bytes
    size: int
    shared: Lines
    lines: Lines
    group_of: NDArray[np.int64]

    def member(self, row: int) -> bytes:
        """Return a row with its group as a value of its own: a member of a sorted set."""
        record = self.records[row * self.size : (row + 1) * self.size]
        head = GROUP.pack(int(self.groups[row])) + HEADER.pack(1, self.mask)
        shared, own = self.shared.of(int(self.group_of[row])), self.lines.of(row)
        return b"%b%b%b\n%b" % (head, record, shared, own)


@dataclass(frozen=True, slots=True)
class Lines:
    """Texts of rows as JSON arrays, one per line."""

    text: bytes
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    def of(self, row: int) -> bytes:
        """Return one array."""
        return self.text[self.starts[row] : self.ends[row]]

    def slices(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> list[bytes]:
        """Return the arrays from each first to each last row, commas between."""
        return [self.text[a:b] for a, b in zip(self.starts[first].tolist(), self.ends[last].tolist(), strict=True)]


def blocks(kind: Kind, frame: pl.DataFrame, rows: int = BLOCK_ROWS) -> Iterator[pl.DataFrame]:
    """Yield a frame in slices sorted by the kind's key that never divide a group.

    Only row numbers are sorted, so that the frame is never copied whole.

    Raises:
        DataError: a key is null or occurs twice, or a number is not finite.
    """
    order = frame.select(pl.arg_sort_by(*kind.key)).to_series()
    groups = frame.get_column(kind.group).gather(order)
    start = 0
    while start < len(groups):
        end = min(start + rows, len(groups))
        if end < len(groups):
            end = int(groups.search_sorted(groups[end - 1], side="right"))
        block = frame[order.slice(start, end - start)]
        _check(kind, block)
        yield block
        start = end


def _check(kind: Kind, block: pl.DataFrame) -> None:
    key = list(kind.key)
    if block.select(pl.any_horizontal(pl.col(key).is_null()).any()).item():
        raise DataError(f"A row of {kind.name} has no {' or '.join(key)}; expected one in each row.", source=kind.name)
    again = block.select(pl.all_horizontal(pl.col(key) == pl.col(key).shift(1)).any()).item()
    if again:
        twice = block.filter(block.select(key).is_duplicated()).select(key).row(0, named=True)
        raise DataError(f"{kind.name} holds {twice} twice; expected each key once.", source=kind.name)
    floats = [name for name, dtype in block.schema.items() if dtype.is_float()]
    if not floats:
        return
    odd = block.select((~pl.col(floats).is_finite()).sum()).row(0, named=True)
    found = {name: count for name, count in odd.items() if count}
    if found:
        raise DataError(
            f"{kind.name} holds NaN or infinity: {found}. A value that cannot be computed must be null.",
            source=kind.name,
        )


def encode(kind: Kind, columns: Columns, block: pl.DataFrame) -> Encoded:
    """Turn a block that is sorted by group into bytes."""
    layout = Layout.of(columns)
    groups = block.get_column(kind.group).to_numpy()
    first = np.append(0, np.flatnonzero(np.diff(groups)) + 1)
    last = np.append(first[1:], len(groups)) - 1
    shared = _shared(layout, block, kind.group, len(first))
    mask = sum(1 << place for place, name in enumerate(layout.texts) if name in shared)
    once = _lines(block[first].select(shared), len(first))
    each = _lines(block.select(name for name in layout.texts if name not in shared), len(block))
    records, size = _records(layout, block).tobytes(), layout.record.itemsize
    counts = last - first + 1
    head_of = {count: HEADER.pack(count, mask) for count in np.unique(counts).tolist()}
    heads = map(head_of.__getitem__, counts.tolist())
    fixed = [records[a:b] for a, b in zip((first * size).tolist(), ((last + 1) * size).tolist(), strict=True)]
    every = np.arange(len(first))
    ones = once.slices(every, every) if shared else itertools.repeat(b"", len(first))
    line_feeds = itertools.repeat(b"\n", len(first))
    # joined in C: one value per player is the only loop that is left
    values = list(map(b"".join, zip(heads, fixed, ones, line_feeds, each.slices(first, last), strict=True)))
    group_of = np.repeat(every, counts)
    return Encoded(groups[first], values, groups, mask, records, size, once, each, group_of)


def _shared(layout: Layout, block: pl.DataFrame, group: str, groups: int) -> list[str]:
    """Return the text columns that are the same in all rows of every group."""
    if groups == len(block):
        return []
    changes = block.select(
        (pl.col(name).ne_missing(pl.col(name).shift(1)) & (pl.col(group) == pl.col(group).shift(1))).any()
        for name in layout.texts[:MASK_BITS]
    )
    return [name for name in changes.columns if not changes.item(0, name)]


def _records(layout: Layout, block: pl.DataFrame) -> NDArray[np.void]:
    """Return one record per row."""
    records = np.zeros(len(block), layout.record)
    nulls = np.zeros((len(block), len(layout.fixed)), dtype=bool)
    for place, name in enumerate(layout.fixed):
        series = block.get_column(name)
        if series.null_count():
            nulls[:, place] = series.is_null().to_numpy()
        if isinstance(series.dtype, pl.Datetime):
            series = series.dt.epoch("us")
        elif series.dtype == pl.Boolean():
            series = series.cast(pl.UInt8)
        records[name] = series.to_physical().fill_null(0).to_numpy()
    records[bitmap(layout)] = np.packbits(nulls, axis=1, bitorder="little")
    return records


def bitmap(layout: Layout) -> str:
    """Return numpy's name for the first field of a record."""
    return (layout.record.names or ("",))[0]


def _lines(texts: pl.DataFrame, count: int) -> Lines:
    """Return text columns as so many JSON arrays; empty texts when there is no column."""
    if not texts.width:
        nothing = np.zeros(count, dtype=np.int64)
        return Lines(b"", nothing, nothing)
    dirty = texts.select(pl.all().str.contains(NEEDS_ESCAPE).any()).row(0)
    unclean = [name for name, found in zip(texts.columns, dirty, strict=True) if found]
    body = io.BytesIO(b"[")
    body.seek(1)
    texts.with_columns(pl.col(unclean).str.replace_many(ESCAPES)).write_csv(
        body, include_header=False, quote_style="non_numeric", null_value="null", line_terminator=ROW_ENDS
    )
    # the last row's terminator opens a row that does not come
    text = body.getvalue()[: -len(ROW_ENDS) + 1]
    ends = np.append(np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == NEWLINE) - 1, len(text))
    return Lines(text, np.append(0, ends[:-1] + 2), ends)
