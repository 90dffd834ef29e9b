"""Bytes back to rows: one player as dicts, many as a frame. `codec` tells how a value is made."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import orjson
import polars as pl

from backstop.store.codec import GROUP, HEADER, Columns, Layout, bitmap

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    rows = []
    schema = columns.schema
    for record, text in zip(layout.row.iter_unpack(value[HEADER.size : end]), texts, strict=True):
        nulls = int.from_bytes(record[0], "little")
        found: dict[str, Any] = dict(zip(layout.texts, text, strict=True))
        for place, (name, raw) in enumerate(zip(layout.fixed, record[1:], strict=True)):
            found[name] = None if nulls >> place & 1 else _python(schema[name], raw)
        found[columns.names[0]] = group
        rows.append({name: found[name] for name in columns.names})
    return rows


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


def _python(dtype: pl.DataType, raw: Any) -> Any:
    if isinstance(dtype, pl.Datetime):
        return EPOCH + dt.timedelta(microseconds=raw)
    if dtype == pl.Date():
        return EPOCH_DAY + dt.timedelta(days=raw)
    return bool(raw) if dtype == pl.Boolean() else raw


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
