"""Two columns on one scale, so that comparing them loses nothing.

Left to itself Polars compares a 64-bit integer with a float as floats (2**53 + 1 equals 2.0**53), and instants or
durations of different units in the coarser one (a value and the same value and 5 µs are equal in milliseconds), a day
beyond the year 2262 with nanoseconds as one long ago, and [1] with ["1"] as text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from gx_polars.values import is_text

if TYPE_CHECKING:
    from polars.datatypes import DataTypeClass

    from gx_polars.domain import Column

NANOSECONDS_OF_A_DAY = 86_400 * 10**9
BEYOND_INTEGERS = 2.0**100  # greater than any 64-bit integer, and doubled still within 128 bits
PER_MILLISECOND = {"ms": 1, "us": 10**3, "ns": 10**6}


def sides(a: Column, b: Column) -> tuple[pl.Expr, pl.Expr]:
    """Return two columns as expressions that compare exactly, by any sign; categories compare as text.

    Raises:
        TypeError: Their values are of two kinds, as text and numbers, or instants with and without a zone.
    """
    if not _alike(a.dtype, b.dtype):
        msg = (
            f'Column "{a.name}" is {a.dtype} and column "{b.name}" is {b.dtype}: values of two kinds have no order; '
            "give one of them the type of the other."
        )
        raise TypeError(msg)
    kinds = (a.dtype, b.dtype)
    if all(map(is_text, kinds)):
        return a.compared, b.compared
    if any(map(_is_wide, kinds)) and any(dtype.is_float() for dtype in kinds):
        return _halves(a), _halves(b)
    if pl.Boolean in kinds and any(dtype.is_decimal() for dtype in kinds):  # which Polars does not compare
        return a.expr.cast(pl.Float64), b.expr.cast(pl.Float64)
    if _of_two_units(a.dtype, b.dtype) or _of_two_zones(a.dtype, b.dtype) or _of_days_and_instants(a.dtype, b.dtype):
        return _ticks(a), _ticks(b)
    return a.expr, b.expr


def equal(a: Column, b: Column) -> pl.Expr:
    """Return whether two values are equal or both missing; values of two kinds, as text and a number, never are."""
    if not _alike(a.dtype, b.dtype):
        return a.expr.is_null() & b.expr.is_null()
    one, other = sides(a, b)
    return one.eq_missing(other)


def _alike(a: pl.DataType, b: pl.DataType) -> bool:
    """Return whether values of two types may be equal; the type of no values holds none that could not."""
    if isinstance(a, pl.Struct) and isinstance(b, pl.Struct):
        one, other = ({name: _made(dtype) for name, dtype in struct} for struct in (a, b))
        return one.keys() == other.keys() and all(_alike(one[name], other[name]) for name in one)
    if isinstance(a, (pl.List, pl.Array)) and isinstance(b, (pl.List, pl.Array)):
        return _alike(_made(a.inner), _made(b.inner))
    return pl.Null in (a, b) or _kind(a) == _kind(b)


def _made(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else dtype()


def _kind(dtype: pl.DataType) -> str:
    """Return what the values of a type are: to Polars a number may equal the day that it stands for inside."""
    if is_text(dtype):
        return "text"
    if dtype.is_numeric() or dtype == pl.Boolean:
        return "number"
    if dtype in (pl.Date, pl.Datetime):
        return "instant" if getattr(dtype, "time_zone", None) is None else "instant with a zone"
    return str(dtype.base_type())


def _is_wide(dtype: pl.DataType) -> bool:
    return dtype in (pl.Int64, pl.UInt64, pl.Int128, pl.UInt128)


def _halves(column: Column) -> pl.Expr:
    """Return a number doubled, plus one if it has a fraction: the order among integers and floats, in integers."""
    if not column.dtype.is_float():
        return column.expr.cast(pl.Int128, strict=False) * 2
    value = column.expr.cast(pl.Float64).fill_nan(float("inf")).clip(-BEYOND_INTEGERS, BEYOND_INTEGERS)
    return value.floor().cast(pl.Int128) * 2 + (value != value.floor()).cast(pl.Int128)


def _of_two_units(a: pl.DataType, b: pl.DataType) -> bool:
    units = [getattr(dtype, "time_unit", None) for dtype in (a, b)]
    zoned = [getattr(dtype, "time_zone", None) is not None for dtype in (a, b)]
    return a.base_type() == b.base_type() and None not in units and units[0] != units[1] and zoned[0] == zoned[1]


def _of_two_zones(a: pl.DataType, b: pl.DataType) -> bool:
    return getattr(a, "time_zone", None) != getattr(b, "time_zone", None)


def _of_days_and_instants(a: pl.DataType, b: pl.DataType) -> bool:
    return {a.base_type(), b.base_type()} == {pl.Date, pl.Datetime}


def _ticks(column: Column) -> pl.Expr:
    """Return a day, an instant or a duration as a whole number of nanoseconds, as many as there are."""
    if column.dtype == pl.Date:
        return column.expr.to_physical().cast(pl.Int128) * NANOSECONDS_OF_A_DAY
    unit: str = getattr(column.dtype, "time_unit", "ns")
    return column.expr.to_physical().cast(pl.Int128) * (PER_MILLISECOND["ns"] // PER_MILLISECOND[unit])
