"""Missing values, sets and uniqueness within one column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from gx_polars.domain import Column
from gx_polars.registry import polars_condition
from gx_polars.repeats import surplus
from gx_polars.values import members


@polars_condition("column_values.nonnull", nulls="judge")
def nonnull(column: Column) -> pl.Expr:
    """A value is there."""
    return column.expr.is_not_null()


@polars_condition("column_values.null", nulls="judge")
def null(column: Column) -> pl.Expr:
    """No value is there."""
    return column.expr.is_null()


def inside(column: Column, value_set: Sequence[Any]) -> pl.Expr:
    """Return whether a value is one of a set; null for a missing value."""
    expr = column.compared
    return expr.is_in(members(column.dtype, value_set).implode())


@polars_condition("column_values.in_set", nulls="propagate")
def in_set(column: Column, *, value_set: Sequence[Any] | None = None) -> pl.Expr:
    """The value is one of a set; without a set every value is."""
    return pl.lit(value=True) if value_set is None else inside(column, value_set)


@polars_condition("column_values.not_in_set", nulls="propagate")
def not_in_set(column: Column, *, value_set: Sequence[Any] | None = None) -> pl.Expr:
    """The value is none of a set."""
    return pl.lit(value=True) if value_set is None else ~inside(column, value_set)


def _surplus(column: Column) -> pl.Expr:
    return surplus(column.expr.drop_nulls(), hashed=column.dtype == pl.String)


def _keys(column: Column) -> pl.Expr:
    ordered = column.dtype.is_integer() or column.dtype.is_float() or column.dtype.is_temporal()
    return column.expr if ordered else column.expr.hash()


@polars_condition("column_values.unique", screen=_surplus, keys=_keys)
def unique(column: Column) -> pl.Expr:
    """The value occurs once in the column."""
    return ~column.expr.is_duplicated()
