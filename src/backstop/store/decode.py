"""Bytes back to rows: one player as dicts, many as a frame. `codec` tells how a value is made."""

from __future__ import annotations

import datetime as dt
import functools
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from backstop.store.columns import GROUP, HEADER, LENGTHS, NULL_LENGTH, NULLS, Columns, Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
EPOCH_DAY: Final = dt.date(1970, 1, 1)


def member_of(member: bytes) -> tuple[int, bytes]:
    """Return the group and the value of a sorted set's member."""
    return GROUP.unpack_from(member)[0], member[GROUP.size :]


def stands_in(columns: Columns, member: bytes, value: bytes) -> bool:
    """Return whether a member's row is one of the rows of a value."""
    row = member[GROUP.size :]
    layout = Layout.of(columns, HEADER.unpack_from(row)[1])
    start = HEADER.size + layout.row.size
    record = row[HEADER.size : start]
    own = sum(length for length in _own_lengths(layout, layout.row.unpack(record)) if length != NULL_LENGTH)
    end = len(row) - own
    return record in value and row[start:end] in value and row[end:] in value


def rows_of(columns: Columns, group: int, value: bytes) -> list[dict[str, Any]]:
    """Return a player's rows as dicts, his id first; dates, instants and booleans as such."""
    count, mask = HEADER.unpack_from(value)
    layout = Layout.of(columns, mask)
    pick, converted = _plan(columns, mask)
    end = HEADER.size + count * layout.row.size
    place = end + layout.lengths.size
    shared, place = _cut(value, place, layout.lengths.unpack_from(value, end))
    last = 1 + len(layout.fixed)
    rows = []
    for record in layout.row.iter_unpack(value[HEADER.size : end]):
        own, place = _cut(value, place, record[last:])
        found = [group, *record[1:last], *shared, *own]
        for where, convert in converted:
            found[where] = convert(found[where])
        nulls = int.from_bytes(record[0], "little")
        while nulls:
            lowest = nulls & -nulls
            found[lowest.bit_length()] = None
            nulls ^= lowest
        rows.append(dict(zip(columns.names, pick(found), strict=True)))
    return rows


def _cut(value: bytes, start: int, lengths: tuple[int, ...]) -> tuple[list[str | None], int]:
    """Return texts that stand one behind the other, and where the last one ends."""
    texts: list[str | None] = []
    for length in lengths:
        if length == NULL_LENGTH:
            texts.append(None)
        else:
            texts.append(value[start : start + length].decode())
            start += length
    return texts, start


def _own_lengths(layout: Layout, record: tuple[Any, ...]) -> tuple[int, ...]:
    return record[1 + len(layout.fixed) :]


@functools.lru_cache(maxsize=1024)
def _plan(
    columns: Columns, mask: int
) -> tuple[Callable[[list[Any]], tuple[Any, ...]], list[tuple[int, Callable[[int], Any]]]]:
    """Return what puts group, record and texts into the order of the columns, and the places that need converting."""
    layout = Layout.of(columns, mask)
    order = {name: n for n, name in enumerate((columns.names[0], *layout.fixed, *layout.shared, *layout.own))}
    places = [order[name] for name in columns.names]
    # of a single place an itemgetter returns the bare value
    pick = operator.itemgetter(*places) if len(places) > 1 else lambda found: (found[0],)
    schema = columns.schema
    converted = [(order[name], convert) for name in layout.fixed if (convert := _converter(schema[name]))]
    return pick, converted


def _converter(dtype: pl.DataType) -> Callable[[int], Any] | None:
    if isinstance(dtype, pl.Datetime):
        return _instant
    if dtype == pl.Date():
        return _day
    return bool if dtype == pl.Boolean() else None


@functools.lru_cache(maxsize=1024)
def _day(raw: int) -> dt.date:
    return EPOCH_DAY + dt.timedelta(days=raw)


@functools.lru_cache(maxsize=1024)
def _instant(raw: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=raw)


def frame_of(columns: Columns, values: Iterable[tuple[int, bytes]]) -> pl.DataFrame:
    """Return players' values as one frame with the types that it was stored with."""
    by_mask: dict[int, list[tuple[int, int, bytes]]] = {}
    places: dict[int, list[NDArray[np.int64]]] = {}
    rows = 0
    for group, value in values:
        count, mask = HEADER.unpack_from(value)
        by_mask.setdefault(mask, []).append((group, count, value))
        places.setdefault(mask, []).append(np.arange(rows, rows + count))
        rows += count
    parts = [_part(columns, Layout.of(columns, mask), some) for mask, some in by_mask.items()]
    if not parts:
        return pl.DataFrame(schema=columns.schema)
    if len(parts) == 1:
        return parts[0]
    # blocks that were written with other masks come back in the order of the values all the same
    order = np.argsort(np.concatenate([place for mask in by_mask for place in places[mask]]))
    return pl.concat(parts)[order]


def _part(columns: Columns, layout: Layout, values: list[tuple[int, int, bytes]]) -> pl.DataFrame:
    """Return values of one mask as a frame."""
    groups, counts = [group for group, _, _ in values], [count for _, count, _ in values]
    ends = [HEADER.size + count * layout.record.itemsize for count in counts]
    records = [value[HEADER.size : end] for (_, _, value), end in zip(values, ends, strict=True)]
    table = np.frombuffer(b"".join(records), layout.record)
    tails = [value[end:] for (_, _, value), end in zip(values, ends, strict=True)]
    nulls = np.unpackbits(np.ascontiguousarray(table[NULLS]), axis=1, bitorder="little")
    found = {columns.names[0]: pl.Series(np.repeat(groups, counts), dtype=pl.Int64)}
    schema = columns.schema
    for place, name in enumerate(layout.fixed):
        found[name] = _series(schema[name], np.ascontiguousarray(table[name]), nulls[:, place].astype(bool))
    once, own = _texts(layout, table, tails)
    for place, name in enumerate(layout.shared):
        found[name] = pl.Series([texts[place] for texts in once], dtype=pl.String).gather(
            np.repeat(np.arange(len(counts)), counts)
        )
    for name, texts in zip(layout.own, own, strict=True):
        found[name] = pl.Series(texts, dtype=pl.String)
    return pl.DataFrame({name: found[name] for name in columns.names})


def _texts(
    layout: Layout, table: NDArray[np.void], tails: list[bytes]
) -> tuple[list[list[str | None]], list[list[str | None]]]:
    """Return the shared texts per value, and per column the own texts of all rows."""
    once, owns = [], []
    for tail in tails:
        texts, start = _cut(tail, layout.lengths.size, layout.lengths.unpack_from(tail))
        once.append(texts)
        owns.append(tail[start:])
    lengths = table[LENGTHS].astype(np.int64)
    gone = lengths == NULL_LENGTH
    ends = np.cumsum(np.where(gone, 0, lengths)).reshape(lengths.shape)
    whole = b"".join(owns)
    starts = ends - np.where(gone, 0, lengths)
    columns = []
    for place in range(len(layout.own)):
        places = zip(starts[:, place].tolist(), ends[:, place].tolist(), gone[:, place].tolist(), strict=True)
        columns.append([None if missing else whole[a:b].decode() for a, b, missing in places])
    return once, columns


def _series(dtype: pl.DataType, values: NDArray[Any], nulls: NDArray[np.bool_]) -> pl.Series:
    instants = isinstance(dtype, pl.Datetime)
    series = pl.Series(values).cast(pl.Datetime("us", "UTC") if instants else dtype).cast(dtype)
    if not nulls.any():
        return series
    return series.to_frame("v").select(pl.when(pl.Series(~nulls)).then("v")).to_series()
