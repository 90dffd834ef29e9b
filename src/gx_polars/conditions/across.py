"""Conditions across columns: pairs and several."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from operator import add
from typing import Any

import polars as pl

from gx_polars.comparison import equal, sides
from gx_polars.domain import Column
from gx_polars.registry import polars_condition
from gx_polars.repeats import surplus
from gx_polars.values import members, require_order


@polars_condition("column_pair_values.equal", kind="pair")
def pair_equal(column_a: Column, column_b: Column) -> pl.Expr:
    """Both values are there and equal."""
    return equal(column_a, column_b) & column_a.present & column_b.present


@polars_condition("column_pair_values.a_greater_than_b", kind="pair")
def a_greater_than_b(column_a: Column, column_b: Column, *, or_equal: bool | None = None) -> pl.Expr:
    """Both values are there and the first is greater.

    Raises:
        TypeError: The values have no order, or are of two kinds.
    """
    for column in (column_a, column_b):
        require_order(column.dtype)
    a, b = sides(column_a, column_b)
    greater = a >= b if or_equal else a > b
    return greater.fill_null(value=False)


@polars_condition("column_pair_values.in_set", kind="pair")
def pair_in_set(
    column_a: Column, column_b: Column, *, value_pairs_set: Sequence[Sequence[Any]] | None = None
) -> pl.Expr:
    """The pair is one of a set; None in the set stands for a missing value."""
    if value_pairs_set is None:
        return pl.lit(value=True)
    pairs = [_is(column_a, a) & _is(column_b, b) for a, b in value_pairs_set]
    return pl.any_horizontal(pairs) if pairs else pl.lit(value=False)


def _is(column: Column, value: Any) -> pl.Expr:
    if value is None:
        return column.expr.is_null()
    held = members(column.dtype, [value])
    return column.compared.eq_missing(pl.lit(held).first()) if len(held) else pl.lit(value=False)


def _combined(columns: list[Column]) -> pl.Expr:
    """Return the values of a row as one; a column that is named twice counts once."""
    return pl.struct({column.name: column.expr for column in columns}.values())


def _surplus(columns: list[Column]) -> pl.Expr:
    return surplus(_combined(columns), hashed=True)


def _keys(columns: list[Column]) -> pl.Expr:
    return _combined(columns).hash()


@polars_condition("compound_columns.unique", kind="multicolumn", screen=_surplus, keys=_keys)
def compound_unique(columns: list[Column]) -> pl.Expr:
    """The combination of values occurs once in the frame."""
    return ~_combined(columns).is_duplicated()


@polars_condition("multicolumn_sum.equal", kind="multicolumn")
def multicolumn_sum(columns: list[Column], *, sum_total: float) -> pl.Expr:
    """The values of a row add up to a total.

    Raises:
        TypeError: A column has no numbers.
    """
    return (reduce(add, [_wide(column) for column in columns]) == sum_total).fill_null(value=False)


def _wide(column: Column) -> pl.Expr:
    """Return a column so wide that a sum of several does not wrap around."""
    if not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null)):
        msg = f'Column "{column.name}" is {column.dtype}: it has no numbers to add up.'
        raise TypeError(msg)
    if not column.dtype.is_integer() and column.dtype != pl.Boolean:
        return column.expr
    return column.expr.cast(pl.Int128 if column.dtype in (pl.Int64, pl.UInt64) else pl.Int64, strict=False)


@polars_condition("multicolumn_values.equal", kind="multicolumn")
def multicolumn_equal(columns: list[Column]) -> pl.Expr:
    """All values of a row are equal."""
    first, *others = columns
    return pl.all_horizontal([equal(first, other) for other in others])


@polars_condition("select_column_values.unique.within_record", kind="multicolumn")
def unique_within_record(columns: list[Column]) -> pl.Expr:
    """No two values of a row are equal."""
    return pl.all_horizontal([~equal(a, b) for a, b in combinations(columns, 2)])
