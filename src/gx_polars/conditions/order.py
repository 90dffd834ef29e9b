"""Increasing and decreasing values."""

from __future__ import annotations

import polars as pl

from gx_polars.domain import Column
from gx_polars.registry import polars_condition
from gx_polars.values import require_order


def _with_previous(column: Column) -> tuple[pl.Expr, pl.Expr]:
    """Return the values and the last ones before them; categories are in the order of their text, as elsewhere.

    Raises:
        TypeError: The values have no order.
    """
    require_order(column.dtype)
    return column.compared, column.compared.forward_fill().shift(1)


@polars_condition("column_values.increasing", nulls="propagate")
def increasing(column: Column, *, strictly: bool | None = None) -> pl.Expr:
    """The value is not less than the last value before it (strictly: greater); the first one always is."""
    values, previous = _with_previous(column)
    return values > previous if strictly else values >= previous


@polars_condition("column_values.decreasing", nulls="propagate")
def decreasing(column: Column, *, strictly: bool | None = None) -> pl.Expr:
    """The value is not greater than the last value before it (strictly: less)."""
    values, previous = _with_previous(column)
    return values < previous if strictly else values <= previous
