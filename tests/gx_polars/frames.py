"""Turns the data of a JSON case into a Polars frame, column by column, from the frame that the pandas engine is given.

The pandas frame is the source because GX's own harness has applied the dtype hints to it (dates, time zones, nullable
integers). A pandas dtype has one Polars dtype; an `object` column gets the type that all its values share. A column
whose values share no type cannot exist in Polars: `mixed_columns` names it and the caller decides what stands in for it.
"""

from __future__ import annotations

import datetime as dt
import decimal
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl

NUMPY_DTYPES: dict[str, pl.DataType] = {
    **{f"{kind}{width}": getattr(pl, f"{kind.title()}{width}")() for kind in ("int", "float") for width in (32, 64)},
    **{f"{kind}{width}": getattr(pl, f"{kind.title()}{width}")() for kind in ("int",) for width in (8, 16)},
    **{f"uint{width}": getattr(pl, f"UInt{width}")() for width in (8, 16, 32, 64)},
    "bool": pl.Boolean(),
    "boolean": pl.Boolean(),
    "str": pl.String(),
    "string": pl.String(),
}

# In this order: bool is an int and datetime is a date for `isinstance`, so the narrower one is asked first.
PYTHON_DTYPES: list[tuple[tuple[type, ...], pl.DataType]] = [
    ((bool, np.bool_), pl.Boolean()),
    ((int, np.integer), pl.Int64()),
    ((int, float, np.integer, np.floating), pl.Float64()),
    ((str,), pl.String()),
    ((bytes,), pl.Binary()),
    ((dt.datetime,), pl.Datetime("us")),
    ((dt.date,), pl.Date()),
    ((dt.timedelta,), pl.Duration("us")),
    ((dt.time,), pl.Time()),
]


def is_missing(value: Any) -> bool:
    """None, NaN, NaT and pandas' NA are one thing to the pandas engine."""
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and np.isnan(value))


def present(values: Iterable[Any]) -> list[Any]:
    return [value for value in values if not is_missing(value)]


def shared_dtype(values: Iterable[Any]) -> pl.DataType | None:
    """The Polars dtype of values that share a Python type, or None where they share none."""
    kept = present(values)
    if not kept:
        return pl.Null()
    if any(isinstance(value, (bool, np.bool_)) for value in kept) and not all(
        isinstance(value, (bool, np.bool_)) for value in kept
    ):
        return None
    for types, dtype in PYTHON_DTYPES:
        if all(isinstance(value, types) for value in kept):
            return _with_zone(dtype, kept)
    if all(isinstance(value, decimal.Decimal) for value in kept):
        return pl.Series(kept).dtype
    if all(isinstance(value, (list, tuple, np.ndarray)) for value in kept) or all(isinstance(v, dict) for v in kept):
        return _nested_dtype(kept)
    return None


def _with_zone(dtype: pl.DataType, values: list[Any]) -> pl.DataType | None:
    if not isinstance(dtype, pl.Datetime):
        return dtype
    aware = {value.tzinfo is not None for value in values}
    if len(aware) > 1:
        return None
    return pl.Datetime("us", "UTC") if aware == {True} else dtype


def _nested_dtype(values: list[Any]) -> pl.DataType | None:
    try:
        return pl.Series([list(v) if not isinstance(v, dict) else v for v in values], strict=True).dtype
    except (pl.exceptions.PolarsError, TypeError):
        return None


def column(series: pd.Series[Any]) -> pl.Series | None:
    """One pandas column as a Polars column with the same missing values, or None if Polars has no such column."""
    name, values = str(series.name), list(series)
    dtype = _dtype_of(series, values)
    if dtype is None:
        return None
    clean = [None if is_missing(value) else _plain(value, dtype) for value in values]
    return pl.Series(name, clean, dtype=dtype, strict=True)


def _dtype_of(series: pd.Series[Any], values: list[Any]) -> pl.DataType | None:
    if isinstance(series.dtype, pd.CategoricalDtype):
        inner = shared_dtype(values)
        return pl.Categorical() if isinstance(inner, pl.String) else inner
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        return pl.Datetime("us", str(series.dtype.tz))
    kind = getattr(series.dtype, "kind", "O")
    if kind == "M":
        return pl.Datetime("us")
    if kind == "m":
        return pl.Duration("us")
    return NUMPY_DTYPES.get(str(series.dtype).lower()) or shared_dtype(values)


def _plain(value: Any, dtype: pl.DataType) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # nanoseconds below Python's resolution: no case has any
            value = value.to_pydatetime() if isinstance(value, pd.Timestamp) else value.to_pytimedelta()
    if dtype.is_float() and isinstance(value, int):
        return float(value)
    if isinstance(dtype, pl.Datetime) and value.tzinfo is not None and dtype.time_zone is None:
        return value.replace(tzinfo=None)
    return value


def with_declared_instants(frame: pd.DataFrame, hints: dict[str, str]) -> pd.DataFrame:
    """The dates and instants that a SQL or Spark schema of a case declares; a JSON file can only write them as text."""
    for name, hint in hints.items():
        if name in frame.columns and str(hint).upper() in {"DATE", "DATETYPE"}:
            frame[name] = pd.to_datetime(frame[name]).dt.date.astype(object)
        elif name in frame.columns and str(hint).upper() in {"DATETIME", "TIMESTAMP", "TIMESTAMPTYPE"}:
            frame[name] = pd.to_datetime(frame[name])
    return frame


def as_written(data: dict[str, list[Any]]) -> pl.DataFrame:
    """The table as a reader of the JSON would build it: whole numbers stay whole beside missing values."""
    columns = {name: shared_dtype(values) for name, values in data.items()}
    return pl.DataFrame(
        [
            pl.Series(name, [None if is_missing(v) else _plain(v, dtype) for v in data[name]], dtype=dtype)
            for name, dtype in columns.items()
            if dtype is not None
        ]
    )


def mixed_columns(frame: pd.DataFrame) -> set[str]:
    """The columns whose values share no type."""
    return {str(name) for name in frame.columns if column(frame[name]) is None}


def polars_frame(frame: pd.DataFrame) -> pl.DataFrame:
    """The same table for Polars; every column must have one type."""
    columns = [column(frame[name]) for name in frame.columns]
    return pl.DataFrame([c for c in columns if c is not None])
