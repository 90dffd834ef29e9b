"""Aggregates of a column and facts about the table; importing registers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from gx_polars.domain import Column, Domain
from gx_polars.nanoseconds import exact, has_nanoseconds
from gx_polars.reduction import Reduction, plain
from gx_polars.registry import polars_aggregate
from gx_polars.values import members, not_held, require_order

LARGEST = 2**63 - 1  # of a signed 64-bit integer


def numeric(column: Column) -> pl.Expr:
    """Return a column as numbers to calculate with; decimals as floats.

    Raises:
        TypeError: The column is neither numeric, boolean nor temporal.
    """
    dtype = column.dtype
    if dtype == pl.Null or dtype.is_decimal():
        return column.expr.cast(pl.Float64)
    if not (dtype.is_numeric() or dtype.is_temporal() or dtype == pl.Boolean):
        msg = f'Column "{column.name}" is {dtype}: it has no numbers to calculate with.'
        raise TypeError(msg)
    return column.expr


def continuous(column: Column) -> pl.Expr:
    """Return a column as numbers to interpolate between, which Polars does not do with booleans.

    Raises:
        TypeError: The column is neither numeric, boolean nor temporal.
    """
    return column.expr.cast(pl.Float64) if column.dtype == pl.Boolean else numeric(column)


@polars_aggregate("column.mean")
def mean(column: Column) -> pl.Expr:
    """Return the mean."""
    return numeric(column).mean()


@polars_aggregate("column.median")
def median(column: Column) -> pl.Expr:
    """Return the median."""
    values = numeric(
        column
    )  # of floats by the mean of the two in the middle, which is a number beside infinite ones too
    return values.quantile(0.5, "midpoint") if column.dtype.is_float() else values.median()


@polars_aggregate("column.standard_deviation")
def standard_deviation(column: Column) -> pl.Expr:
    """Return the standard deviation of a sample (n - 1)."""
    return numeric(column).std()


@polars_aggregate("column.sum")
def total(column: Column) -> pl.Expr | Reduction:
    """Return the sum: of decimals exactly, and of integers too where 64 bits do not hold it."""
    if column.dtype.is_decimal():
        return column.expr.sum().cast(pl.Float64)
    values = numeric(column)
    if column.dtype not in (pl.Int64, pl.UInt64):
        return values.sum()

    def finish(summed: int, least: int | None, greatest: int | None, present: int) -> int | Reduction:
        if present * max(abs(least or 0), abs(greatest or 0)) < LARGEST:
            return summed
        return Reduction((values.cast(pl.Int128).sum(),), plain)

    return Reduction((values.sum(), values.min(), values.max(), values.count()), finish)


@polars_aggregate("column.min")
def least(column: Column) -> pl.Expr | Reduction:
    """Return the least value; of text the first in order, also of categories."""
    return _extreme(column, _comparable(column).min())


@polars_aggregate("column.max")
def greatest(column: Column) -> pl.Expr | Reduction:
    """Return the greatest value; of text the last in order, also of categories."""
    return _extreme(column, _comparable(column).max())


def _extreme(column: Column, expr: pl.Expr) -> pl.Expr | Reduction:
    if not has_nanoseconds(column.dtype):
        return expr
    return Reduction((expr.to_physical(),), lambda found: exact(found, column.dtype))


def _comparable(column: Column) -> pl.Expr:
    require_order(column.dtype)
    if column.dtype.is_decimal():  # bounds are floats, and a float is seldom equal to the decimal it was written as
        return column.expr.cast(pl.Float64)
    return column.compared


@polars_aggregate("column.non_null_count")
def non_null_count(column: Column) -> pl.Expr:
    """Return how many values there are."""
    return column.expr.count()


@polars_aggregate("column.non_null_proportion")
def non_null_proportion(column: Column) -> Reduction:
    """Return the share of rows that have a value; 0 of no rows."""
    return Reduction((column.expr.count(), pl.len()), lambda present, rows: present / rows if rows else 0)


@polars_aggregate("column.distinct_values.count")
def distinct_count(column: Column) -> pl.Expr:
    """Return how many distinct values there are."""
    return column.expr.drop_nulls().n_unique()


@polars_aggregate("column.unique_proportion")
def unique_proportion(column: Column) -> Reduction:
    """Return the share of distinct values in all values; 0 of no values."""
    exprs = (column.expr.drop_nulls().n_unique(), column.expr.count())
    return Reduction(exprs, lambda distinct, present: distinct / present if present else 0)


@polars_aggregate("column.distinct_values")
def distinct_values(column: Column) -> Reduction:
    """Return the distinct values as a set."""
    return Reduction((column.expr.drop_nulls().unique().implode(),), lambda values: set(values.to_list()))


def _outside(column: Column, value_set: Sequence[Any]) -> pl.Expr:
    expr = column.compared
    return expr.filter(~expr.is_in(members(column.dtype, value_set).implode())).unique()


@polars_aggregate("column.distinct_values.not_in_set.count")
def distinct_not_in_set_count(column: Column, *, value_set: Sequence[Any] = ()) -> pl.Expr:
    """Return how many distinct values are outside a set."""
    return _outside(column, value_set).len()


@polars_aggregate("column.distinct_values.not_in_set")
def distinct_not_in_set(column: Column, *, value_set: Sequence[Any] = (), limit: int = 20) -> pl.Expr:
    """Return the least distinct values outside a set, at most `limit`."""
    return _outside(column, value_set).sort().head(limit).implode()


def _missing(column: Column, value_set: Sequence[Any]) -> Reduction:
    wanted = members(column.dtype, value_set).unique().sort()
    expr = column.compared
    present = expr.filter(expr.is_in(wanted.implode())).unique().implode()
    never = not_held(column.dtype, value_set)
    return Reduction((present,), lambda found: [*wanted.filter(~wanted.is_in(found.implode())).to_list(), *never])


@polars_aggregate("column.distinct_values.missing_from_column")
def missing_from_column(column: Column, *, value_set: Sequence[Any] = (), limit: int = 20) -> Reduction:
    """Return the least members of a set that the column has not, at most `limit`."""
    found = _missing(column, value_set)
    return Reduction(found.exprs, lambda values: found.finish(values)[:limit])


@polars_aggregate("column.distinct_values.missing_from_column.count")
def missing_from_column_count(column: Column, *, value_set: Sequence[Any] = ()) -> Reduction:
    """Return how many members of a set the column has not."""
    found = _missing(column, value_set)
    return Reduction(found.exprs, lambda values: len(found.finish(values)))


@polars_aggregate("column_values.length.max")
def longest(column: Column) -> pl.Expr:
    """Return the length of the longest value."""
    return column.text.str.len_chars().max()


@polars_aggregate("column_values.length.min")
def shortest(column: Column) -> pl.Expr:
    """Return the length of the shortest value."""
    return column.text.str.len_chars().min()


@polars_aggregate("table.row_count", domain="table")
def row_count(_table: Domain) -> pl.Expr:
    """Return the number of rows."""
    return pl.len()


@polars_aggregate("table.columns", domain="table")
def table_columns(table: Domain) -> list[str]:
    """Return the names of the columns in order."""
    return list(table.schema)


@polars_aggregate("table.column_count", domain="table")
def column_count(table: Domain) -> int:
    """Return the number of columns."""
    return len(table.schema)


@polars_aggregate("table.column_types", domain="table")
def column_types(table: Domain, *, include_nested: bool = True) -> list[dict[str, Any]]:
    """Return name and Polars type of each column."""
    del include_nested
    return [{"name": name, "type": dtype} for name, dtype in table.schema.items()]
