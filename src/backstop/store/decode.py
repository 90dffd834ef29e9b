"""Bytes back to rows: one player as dicts, many as a frame. `codec` tells how a value is made."""

from __future__ import annotations

import datetime as dt
import functools
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import polars as pl

from backstop.store.codec import GROUP, HEADER, Columns, Layout, bitmap

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
    size = Layout.of(columns).record.itemsize
    row = member[GROUP.size + HEADER.size :]
    return row[:size] in value and all(part in value for part in row[size:].split(b"\n"))


def rows_of(columns: Columns, group: int, value: bytes) -> list[dict[str, Any]]:
    """Return a player's rows as dicts, his id first; dates, instants and booleans as such."""
    layout = Layout.of(columns)
    count, mask = HEADER.unpack_from(value)
    end = HEADER.size + count * layout.row.size
    texts = _texts(layout, count, mask, value[end:])
    pick, converted = _plan(columns)
    rows = []
    for record, text in zip(layout.row.iter_unpack(value[HEADER.size : end]), texts, strict=True):
        found = [group, *record[1:], *text]
        for place, convert in converted:
            found[place] = convert(found[place])
        nulls = int.from_bytes(record[0], "little")
        while nulls:
            lowest = nulls & -nulls
            found[lowest.bit_length()] = None
            nulls ^= lowest
        rows.append(dict(zip(columns.names, pick(found), strict=True)))
    return rows


@functools.lru_cache(maxsize=256)
def _plan(columns: Columns) -> tuple[Callable[[list[Any]], tuple[Any, ...]], list[tuple[int, Callable[[int], Any]]]]:
    """Return what puts group, record and texts into the order of the columns, and the places that need converting."""
    layout = Layout.of(columns)
    order = {name: place for place, name in enumerate((columns.names[0], *layout.fixed, *layout.texts))}
    places = [order[name] for name in columns.names]
    # of a single place an itemgetter returns the bare value
    pick = operator.itemgetter(*places) if len(places) > 1 else lambda found: (found[0],)
    converted = [(order[name], convert) for name in layout.fixed if (convert := _converter(columns.schema[name]))]
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


def _texts(layout: Layout, count: int, mask: int, tail: bytes) -> list[list[str | None]]:
    """Return the texts of each row, in the order of the text columns."""
    once, _, each = tail.partition(b"\n")
    if not layout.texts:
        return [[]] * count
    shared = orjson.loads(once) if once else []
    own: list[list[str | None]] = orjson.loads(b"[%b]" % each) if each else [[]] * count
    if not mask:
        return own
    places = [mask >> place & 1 for place in range(len(layout.texts))]
    woven = []
    for row in own:
        ours, theirs = iter(shared), iter(row)
        woven.append([next(ours) if is_shared else next(theirs) for is_shared in places])
    return woven


def frame_of(columns: Columns, values: Iterable[tuple[int, bytes]]) -> pl.DataFrame:
    """Return players' values as one frame with the types that it was stored with."""
    layout = Layout.of(columns)
    groups: list[int] = []
    counts: list[int] = []
    records: list[bytes] = []
    texts: list[list[str | None]] = []
    for group, value in values:
        count, mask = HEADER.unpack_from(value)
        end = HEADER.size + count * layout.record.itemsize
        groups.append(group)
        counts.append(count)
        records.append(value[HEADER.size : end])
        texts += _texts(layout, count, mask, value[end:])
    if not groups:
        return pl.DataFrame(schema=columns.schema)
    table = np.frombuffer(b"".join(records), layout.record)
    packed = np.ascontiguousarray(table[bitmap(layout)])
    nulls = np.unpackbits(packed, axis=1, bitorder="little")
    found = {columns.names[0]: pl.Series(np.repeat(groups, counts), dtype=pl.Int64)}
    for place, name in enumerate(layout.fixed):
        found[name] = _series(columns.schema[name], np.ascontiguousarray(table[name]), nulls[:, place].astype(bool))
    for place, name in enumerate(layout.texts):
        found[name] = pl.Series([row[place] for row in texts], dtype=pl.String)
    return pl.DataFrame({name: found[name] for name in columns.names})


def _series(dtype: pl.DataType, values: NDArray[Any], nulls: NDArray[np.bool_]) -> pl.Series:
    instants = isinstance(dtype, pl.Datetime)
    series = pl.Series(values).cast(pl.Datetime("us", "UTC") if instants else dtype).cast(dtype)
    if not nulls.any():
        return series
    return series.to_frame("v").select(pl.when(pl.Series(~nulls)).then("v")).to_series()
