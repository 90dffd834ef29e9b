"""The type of values: in Polars that of their column, so all of them have it or none."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from gx_polars.domain import Column
from gx_polars.registry import polars_condition
from gx_polars.type_names import is_type


@polars_condition("column_values.of_type", nulls="skip")
def of_type(column: Column, *, type_: str) -> pl.Expr:
    """The value is of a type: a Polars name or a generic one."""
    return pl.lit(is_type(column.dtype, type_))


@polars_condition("column_values.in_type_list", nulls="skip")
def in_type_list(column: Column, *, type_list: Sequence[str]) -> pl.Expr:
    """The value is of one of several types."""
    return pl.lit(any(is_type(column.dtype, name) for name in type_list))
