"""Python predicates over a column, called once for each distinct value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl


def each_distinct(expr: pl.Expr, predicate: Callable[[Any], bool]) -> pl.Expr:
    """Return the boolean expression of a Python predicate; null for a missing value.

    Polars calls Python once for a column. The predicate sees each distinct value once, so that its price depends on
    the number of distinct values and not on the number of rows.
    """

    def judge(values: pl.Series) -> pl.Series:
        values = values.alias("")  # a column's name may look like a pattern, which methods of a series would apply
        distinct = values.drop_nulls().unique()
        wrong = distinct.filter(pl.Series([not predicate(value) for value in distinct.to_list()], dtype=pl.Boolean))
        return ~values.is_in(wrong.implode())

    return expr.map_batches(judge, return_dtype=pl.Boolean, is_elementwise=True)


def unless_certain(expr: pl.Expr, certain: pl.Expr, predicate: Callable[[Any], bool]) -> pl.Expr:
    """Return a Python predicate that is known to hold for some values; only the others are put to it.

    Args:
        expr: The values.
        certain: True for values of which it is known that the predicate holds; null for a missing value.
        predicate: Asked once for each other distinct value.
    """
    asked = each_distinct(pl.when(~certain).then(expr), predicate)
    return certain | asked.fill_null(value=False)
