"""Increasing and decreasing values."""

from __future__ import annotations

import polars as pl

from gx_polars.domain import Column
from gx_polars.registry import polars_condition


def _previous(column: Column) -> pl.Expr:
    return column.expr.forward_fill().shift(1)


@polars_condition("column_values.increasing", nulls="propagate")
def increasing(column: Column, *, strictly: bool | None = None) -> pl.Expr:
    """The value is not less than the last value before it (strictly: greater); the first one always is."""
    previous = _previous(column)
    return column.expr > previous if strictly else column.expr >= previous


@polars_condition("column_values.decreasing", nulls="propagate")
def decreasing(column: Column, *, strictly: bool | None = None) -> pl.Expr:
    """The value is not greater than the last value before it (strictly: less)."""
    previous = _previous(column)
    return column.expr < previous if strictly else column.expr <= previous
