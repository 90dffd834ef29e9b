"""Python values of expectations (bounds, sets) as literals of a column's type."""

from __future__ import annotations

import datetime as dt
import decimal
import math
from collections.abc import Callable, Iterable
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from dateutil import parser as dateutil_parser

_TEXT = (pl.String, pl.Categorical, pl.Enum)
NUMBERS = (int, float, decimal.Decimal)
_TIMES = (dt.date, dt.time, dt.timedelta)


def is_text(dtype: pl.DataType) -> bool:
    """Whether the values of a type are text to Python: String, Categorical, Enum."""
    return dtype in _TEXT


def comparable(dtype: pl.DataType, value: Any) -> Any:
    """Return a value as a literal that compares with a column without loss.

    A date or time in text is parsed for a temporal column. Integers stay integers, whole floats too, so that no
    64-bit integer is compared as a float.

    Args:
        dtype: Type of the column.
        value: A number, text, date, datetime, time or timedelta.

    Raises:
        TypeError: Text against numbers, numbers against dates, dates against hours, or a zone against none.
    """
    if dtype == pl.Null:
        return value
    if dtype == pl.Time and not isinstance(value, (dt.time, str)):
        raise TypeError(_of_two_kinds(dtype, value))
    if dtype.is_temporal():
        return _temporal(dtype, value)
    require_order(dtype)
    if is_text(dtype) != isinstance(value, str):
        msg = f"the column is {dtype}, the value {value!r} is {type(value).__name__}: text compares with text only."
        raise TypeError(msg)
    if isinstance(value, _TIMES):  # to Polars a number may be the day that it stands for inside
        raise TypeError(_of_two_kinds(dtype, value))
    if isinstance(value, float) and dtype.is_integer() and value.is_integer():
        return int(value)
    if isinstance(value, float) and dtype.is_decimal() and math.isfinite(value):
        return decimal.Decimal(repr(value))
    if dtype == pl.Boolean and not isinstance(value, bool) and isinstance(value, NUMBERS):
        return pl.lit(value).cast(pl.Float64)
    return value


def _of_two_kinds(dtype: pl.DataType, value: Any) -> str:
    return (
        f"The column is {dtype}, the value {value!r} is {type(value).__name__}: they have no order; give a value of "
        "the column's kind."
    )


def require_order(dtype: pl.DataType) -> None:
    """Do nothing for a type whose values have an order.

    Raises:
        TypeError: They are lists, arrays or structs.
    """
    if dtype.is_nested():
        msg = f"the column is {dtype}, whose values are neither less nor greater than others."
        raise TypeError(msg)


def _temporal(dtype: pl.DataType, value: Any) -> Any:
    if dtype == pl.Time:
        return _read(dtype, value, dt.time.fromisoformat)
    if dtype == pl.Duration:
        if isinstance(value, dt.timedelta):
            return value
        msg = (
            f"The column is {dtype}, the value {value!r} is {type(value).__name__}. Great Expectations takes no "
            "timedelta as a bound: give the suite a column of seconds, `.dt.total_seconds(fractional=True)`."
        )
        raise TypeError(msg)
    value = _read(dtype, value, dateutil_parser.parse)
    if not isinstance(value, dt.date):
        msg = f"The column is {dtype}, the value {value!r} is {type(value).__name__}: give a date, datetime or text."
        raise TypeError(msg)
    if isinstance(value, dt.datetime):
        return _instant(dtype, value)
    return value if dtype == pl.Date else _instant(dtype, dt.datetime(value.year, value.month, value.day))  # noqa: DTZ001


def _read(dtype: pl.DataType, value: Any, parse: Callable[[str], Any]) -> Any:
    """Return what a text says, and anything else as it is."""
    try:
        return parse(value) if isinstance(value, str) else value
    except (ValueError, OverflowError) as error:
        msg = f"The column is {dtype}, and the text {value!r} does not read as one: {error}."
        raise ValueError(msg) from error


def _instant(dtype: pl.DataType, value: dt.datetime) -> dt.date:
    if dtype == pl.Date:
        return value.date() if value.time() == dt.time() and value.tzinfo is None else value.replace(tzinfo=None)
    zone = getattr(dtype, "time_zone", None)
    if zone is None and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if zone is not None and value.tzinfo is None:
        msg = f"The column has the time zone {zone}, the value {value} has none: give a value with a zone."
        raise TypeError(msg)
    return value if zone is None else value.astimezone(ZoneInfo(zone))


_NANOSECONDS_REACH = dt.timedelta(days=106_000)  # on both sides of 1970; 64 bits of them end some 750 days later


def in_one_unit(expr: pl.Expr, dtype: pl.DataType, *literals: Any) -> tuple[pl.Expr, list[Any]]:
    """Return a column of instants or durations and literals in the finer of their units.

    Polars compares different units in the coarser one, so that values that differ by less would be equal. Literals
    have microseconds, those of other types stay as they are.

    Args:
        expr: The column.
        dtype: Its type.
        literals: What `comparable` made for it; None for a missing bound.
    """
    unit = getattr(dtype, "time_unit", None)
    if unit == "ns":
        return expr, [_nanoseconds(dtype, literal) for literal in literals]
    if unit == "ms" and any(_microseconds(literal) % 1000 for literal in literals):
        finer = pl.Duration("us") if dtype == pl.Duration else pl.Datetime("us", getattr(dtype, "time_zone", None))
        return expr.cast(finer), list(literals)
    return expr, list(literals)


def _microseconds(literal: Any) -> int:
    return int(getattr(literal, "microseconds", getattr(literal, "microsecond", 0)))


def _nanoseconds(dtype: pl.DataType, literal: Any) -> Any:
    """Return a literal in nanoseconds; one that they do not reach stays, and compares right in any unit."""
    if literal is None:
        return None
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    reach = abs(literal if isinstance(literal, dt.timedelta) else literal.replace(tzinfo=dt.UTC) - epoch)
    return pl.lit(literal).cast(dtype) if reach < _NANOSECONDS_REACH else literal


def members(dtype: pl.DataType, values: Iterable[Any]) -> pl.Series:
    """Return those values of a set that a column of this type can hold, as a series that `is_in` accepts.

    Args:
        dtype: Type of the column.
        values: Any Python values; nulls are left out, since a null is never looked up in a set.

    Returns:
        A series of the column's type (text as String, decimals and floats as Float64). What cannot equal a value
        of the column (text for numbers, 1.5 for integers) is left out: it matches nothing.
    """
    wanted = [value for value in values if value is not None]
    if dtype == pl.Null:
        return pl.Series([], dtype=pl.Null)
    if is_text(dtype):
        return pl.Series([value for value in wanted if isinstance(value, str)], dtype=pl.String)
    if dtype.is_numeric() or dtype == pl.Boolean:
        return _numbers(dtype, [value for value in wanted if isinstance(value, NUMBERS)])
    if dtype.is_temporal():
        return _held(dtype, [_temporal(dtype, value) for value in wanted])
    return pl.Series([value for value in wanted if _is_whole(dtype, value)], dtype=dtype)


def _is_whole(dtype: pl.DataType, value: Any) -> bool:
    """Return whether a column of lists, arrays or structs can hold a value as it is."""
    try:
        held: bool = pl.Series([value], dtype=dtype).to_list() == [value]
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        return False
    return held


def not_held(dtype: pl.DataType, values: Iterable[Any]) -> list[Any]:
    """Return those values of a set, each once, that a column of this type never has; None is no value of a column."""
    wanted = list(values)
    if len(members(dtype, wanted)) == len(wanted):
        return []
    never = [value for value in wanted if value is None or not len(members(dtype, [value]))]
    return list({repr(value): value for value in never}.values())


def _held(dtype: pl.DataType, wanted: list[Any]) -> pl.Series:
    """Return the values that a type holds as they are: none that its scale or unit of time would round."""
    if dtype in (pl.Date, pl.Time):  # an hour of a day is neither, and Polars makes instants of both
        kind: type = dt.date if dtype == pl.Date else dt.time
        wanted = [value for value in wanted if isinstance(value, kind) and not isinstance(value, dt.datetime)]
    made = pl.Series(wanted, dtype=dtype, strict=False)
    same = [each is not None and each == value for each, value in zip(made.to_list(), wanted, strict=True)]
    return made.filter(pl.Series(same, dtype=pl.Boolean))


def _numbers(dtype: pl.DataType, wanted: list[Any]) -> pl.Series:
    if dtype == pl.Boolean:
        return pl.Series([bool(value) for value in wanted if value in (0, 1)], dtype=pl.Boolean)
    if dtype.is_integer():
        return _integers(dtype, wanted)
    if dtype.is_decimal():
        return _held(dtype, [exact for exact in (decimal.Decimal(str(v)) for v in wanted) if exact.is_finite()])
    return pl.Series([float(value) for value in wanted], dtype=pl.Float64).cast(dtype)


_BITS: dict[type[pl.DataType], int] = {
    pl.Int8: 8, pl.Int16: 16, pl.Int32: 32, pl.Int64: 64, pl.Int128: 128,
    pl.UInt8: 8, pl.UInt16: 16, pl.UInt32: 32, pl.UInt64: 64, pl.UInt128: 128,
}  # fmt: skip


def _integers(dtype: pl.DataType, wanted: list[Any]) -> pl.Series:
    bits = _BITS[dtype.base_type()]
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if dtype.is_signed_integer() else (0, 2**bits)
    whole = [int(v) for v in wanted if math.isfinite(v) and v == int(v)]
    return pl.Series([v for v in whole if low <= v < high], dtype=dtype)
