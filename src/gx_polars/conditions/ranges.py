"""Values and lengths between bounds, z-scores and outliers."""

from __future__ import annotations

from typing import Any

import polars as pl

from gx_polars.aggregates import continuous, numeric
from gx_polars.domain import Column
from gx_polars.registry import polars_condition
from gx_polars.values import comparable, in_one_unit, is_text


def within(expr: pl.Expr, low: Any, high: Any, *, strict_min: bool | None, strict_max: bool | None) -> pl.Expr:
    """Return whether an expression lies between two bounds, of which one may be missing."""
    checks: list[pl.Expr] = []
    if low is not None:
        checks.append(expr > low if strict_min else expr >= low)
    if high is not None:
        checks.append(expr < high if strict_max else expr <= high)
    return checks[0] if len(checks) == 1 else checks[0] & checks[1]


def _require_bounds(low: Any, high: Any) -> None:
    if low is None and high is None:
        msg = "min_value and max_value cannot both be None"
        raise ValueError(msg)


def _bound(column: Column, value: Any) -> Any:
    try:
        return None if value is None else comparable(column.dtype, value)
    except TypeError as error:
        if not is_text(column.dtype) and not isinstance(value, str):
            raise
        msg = f"Column values, min_value, and max_value must either be None or of the same type: {error}"
        raise TypeError(msg) from error


@polars_condition("column_values.between", nulls="propagate")
def between(
    column: Column,
    *,
    min_value: Any = None,
    max_value: Any = None,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    """The value lies between two bounds; text bounds of a temporal column are parsed.

    Raises:
        TypeError: A bound cannot be compared with the column.
        ValueError: No bound, or the lower one above the upper one.
    """
    _require_bounds(min_value, max_value)
    low, high = _bound(column, min_value), _bound(column, max_value)
    bounds = (min_value, max_value) if isinstance(low, pl.Expr) or isinstance(high, pl.Expr) else (low, high)
    if None not in bounds and bounds[0] > bounds[1]:
        msg = "min_value cannot be greater than max_value"
        raise ValueError(msg)
    expr = column.compared
    expr, (low, high) = in_one_unit(expr, column.dtype, low, high)
    return within(expr, low, high, strict_min=strict_min, strict_max=strict_max)


@polars_condition("column_values.value_length.between", nulls="propagate")
def length_between(
    column: Column,
    *,
    min_value: int | None = None,
    max_value: int | None = None,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    """The value's length in characters (of other types: of their text) lies between two bounds."""
    _require_bounds(min_value, max_value)
    return within(column.text.str.len_chars(), min_value, max_value, strict_min=strict_min, strict_max=strict_max)


@polars_condition("column_values.value_length.equals", nulls="propagate")
def length_equals(column: Column, *, value: int) -> pl.Expr:
    """The value has this many characters."""
    return column.text.str.len_chars() == value


@polars_condition("column_values.z_score.under_threshold", nulls="propagate")
def z_score_under_threshold(column: Column, *, double_sided: bool = True, threshold: float) -> pl.Expr:
    """The value is less than so many standard deviations (of the sample) from the mean.

    Raises:
        TypeError: The column is not numeric.
    """
    if not column.dtype.is_numeric() and column.dtype not in (pl.Null, pl.Boolean):
        msg = f"Cannot complete Z-score calculations on a non-numerical column: {column.name!r} is {column.dtype}."
        raise TypeError(msg)
    values = numeric(column).cast(pl.Float64)
    score = ((values - values.mean()) / values.std()).fill_nan(None)
    return score.abs() < abs(threshold) if double_sided else score < threshold


@polars_condition("column_values.not_outliers", nulls="propagate")
def not_outliers(column: Column, *, method: str = "iqr", multiplier: float = 1.5) -> pl.Expr:
    """The value is no outlier: within the quartiles by `multiplier` times their range, or near the mean ("std").

    A spread that is not finite, as the deviation is beside an infinite value, calls no value an outlier.

    Raises:
        TypeError: The column is not numeric.
        ValueError: The method is neither "iqr" nor "std".
    """
    if column.dtype.is_temporal():
        msg = f"Cannot detect outliers in a non-numerical column: {column.name!r} is {column.dtype}."
        raise TypeError(msg)
    expr = continuous(column)
    if method == "iqr":
        first, third = expr.quantile(0.25, "linear"), expr.quantile(0.75, "linear")
        reach = (third - first) * multiplier
        return _where_finite(reach, (expr >= first - reach) & (expr <= third + reach))
    if method != "std":
        msg = f"The method of outliers is {method!r}; expected 'iqr' or 'std'."
        raise ValueError(msg)
    reach = expr.std() * multiplier
    near = pl.when(reach <= 0).then(expr == expr.mean()).otherwise((expr - expr.mean()).abs() < reach)
    return _where_finite(reach, near)


def _where_finite(reach: pl.Expr, inside: pl.Expr) -> pl.Expr:
    return pl.when(reach.is_finite()).then(inside)
