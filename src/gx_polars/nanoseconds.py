"""Instants and durations of nanoseconds as Python values: `datetime` has microseconds only."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

import pandas as pd
import polars as pl

Instant: TypeAlias = dt.datetime | dt.timedelta  # pandas' own types, which have nanoseconds, are subclasses of these


def has_nanoseconds(dtype: pl.DataType) -> bool:
    """Whether the values of a type may be finer than microseconds."""
    return getattr(dtype, "time_unit", None) == "ns"


def exact(nanoseconds: int | None, dtype: pl.DataType) -> Instant | None:
    """Return an instant or a duration as Python has it, or as pandas has it where microseconds would round it.

    Args:
        nanoseconds: Since 1970 in UTC, or of a duration; None for a missing value.
        dtype: `pl.Datetime` or `pl.Duration` of nanoseconds.
    """
    if nanoseconds is None:
        return None
    if dtype == pl.Duration:
        span = pd.Timedelta(nanoseconds, unit="ns")
        return span if nanoseconds % 1000 else dt.timedelta(microseconds=nanoseconds // 1000)
    zone = getattr(dtype, "time_zone", None)
    instant: pd.Timestamp = pd.Timestamp(nanoseconds, unit="ns", tz="UTC").tz_convert(zone)
    plain: dt.datetime = instant.to_pydatetime(warn=False)
    return instant if nanoseconds % 1000 else plain


def exact_values(series: pl.Series) -> list[Instant | None]:
    """Return the values of a series of nanoseconds."""
    return [exact(value, series.dtype) for value in series.to_physical().to_list()]
