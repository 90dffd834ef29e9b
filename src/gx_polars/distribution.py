"""Metrics of how a column's values are distributed; importing registers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
import polars as pl
from great_expectations.expectations.metrics.column_aggregate_metrics.column_outlier_statistics import (
    OutlierStatistics,
)
from great_expectations.expectations.metrics.column_aggregate_metrics.column_partition import (
    _get_column_partition_using_metrics,
)
from great_expectations.expectations.metrics.util import (
    _scipy_distribution_positional_args_from_dict,
    validate_distribution_parameters,
)
from great_expectations.metrics.column.descriptive_stats import DescriptiveStats
from scipy import stats

from gx_polars.aggregates import continuous, numeric
from gx_polars.conditions.ranges import between
from gx_polars.domain import Column
from gx_polars.failing import shown
from gx_polars.reduction import Reduction, plain
from gx_polars.registry import polars_aggregate

Interpolation = Literal["nearest", "higher", "lower", "midpoint", "linear"]
BOX = (0.0, 0.25, 0.75, 1.0)


@polars_aggregate("column.quantile_values")
def quantile_values(
    column: Column, *, quantiles: Sequence[float], allow_relative_error: Interpolation | bool | None = None
) -> Reduction:
    """Return quantiles; of no values, NaN. `allow_relative_error` is the interpolation, as with the pandas engine.

    "nearest", the default, rounds a position half to even, as numpy does and Polars' own "nearest" does not.
    """
    values = numeric(column).drop_nulls()
    interpolation = "nearest" if not allow_relative_error or allow_relative_error is True else allow_relative_error
    if interpolation == "nearest":
        exprs = tuple(_nearest(values, quantile) for quantile in quantiles)
    else:
        values = continuous(column).drop_nulls()
        exprs = tuple(values.quantile(quantile, interpolation) for quantile in quantiles)
    return Reduction(exprs, lambda *found: [_number(value) for value in found])


def _nearest(values: pl.Expr, quantile: float) -> pl.Expr:
    share = quantile * 100 / 100  # as pandas hands it to numpy, with the same rounding
    position = ((values.len().cast(pl.Int64) - 1) * share).round(mode="half_to_even").clip(0).cast(pl.UInt32)
    return values.sort().gather(position, null_on_oob=True).first()


@polars_aggregate("column.most_common_value")
def most_common_value(column: Column) -> pl.Expr:
    """Return the most frequent values, in order; several if they tie."""
    return column.compared.drop_nulls().mode().sort().implode()


@polars_aggregate("column.value_counts")
def value_counts(
    column: Column, *, sort: Literal["value", "count", "none"] = "value", collate: str | None = None
) -> Reduction:
    """Return how often each value occurs, as the `pd.Series` (index "value", name "count") that GX calculates with.

    In the order of the values, or with the most frequent first.
    The series is made of the distinct values; the column itself is not converted.

    Raises:
        TypeError: The column holds Python objects.
        ValueError: An unknown order, or a collation, which data frames do not have.
    """
    if sort not in ("value", "count", "none") or collate is not None:
        msg = f"sort is {sort!r} and collate {collate!r}; expected 'value', 'count' or 'none', and no collation."
        raise ValueError(msg)
    if column.dtype == pl.Object:  # Polars panics
        msg = f'Column "{column.name}" is Object: its values cannot be counted.'
        raise TypeError(msg)
    by: str | None = {"value": "value", "count": "count"}.get(sort)

    def finish(found: pl.Series) -> pd.Series[Any]:
        counted = found.struct.unnest()
        counted = counted.sort(by, descending=by == "count") if by else counted
        values = shown(counted.get_column("value"))
        index = pd.Index(values, name="value", dtype=object if not values or isinstance(values[0], str) else None)
        return pd.Series(counted.get_column("count").to_list(), index=index, name="count", dtype="int64")

    counts = column.compared.drop_nulls().alias("value").value_counts(name="count")
    return Reduction((counts.implode(),), finish)


@polars_aggregate("column.partition")
def partition(
    column: Column, *, bins: str = "uniform", n_bins: int = 10, allow_relative_error: Any = None
) -> Reduction:
    """Return the edges of bins: "uniform", "ntile" (quantiles), or "auto" as numpy's `histogram_bin_edges`.

    Of no values they are NaN, as with the pandas engine.
    """
    del allow_relative_error
    if bins == "uniform":
        values = numeric(column)
        return Reduction(
            (values.min(), values.max()),
            lambda low, high: _edges(bins, n_bins, {"column.min": _number(low), "column.max": _number(high)}),
        )
    box = quantile_values(column, quantiles=BOX if bins == "auto" else np.linspace(0, 1, n_bins + 1).tolist())
    exprs = (column.expr.count(), *box.exprs)

    def finish(present: int, *found: Any) -> list[Any]:
        quantiles = box.finish(*found)
        known = {"column_values.nonnull.count": present, "column.quantile_values": quantiles}
        return _edges(bins, n_bins, known)

    return Reduction(exprs, finish)


def _number(value: Any) -> Any:
    """Return NaN for a number that there is not, where Great Expectations calculates on."""
    return float("nan") if value is None else value


def _edges(bins: Any, n_bins: int, known: dict[str, Any]) -> list[Any]:
    return list(_get_column_partition_using_metrics(bins=bins, n_bins=n_bins, _metrics=known))


@polars_aggregate("column.histogram")
def histogram(column: Column, *, bins: Sequence[float] | Literal["auto"]) -> Reduction:
    """Return how many values fall between each two edges; the last bin includes its upper edge, as in numpy.

    With "auto" the edges are those of `column.partition`.
    """
    if isinstance(bins, str):
        edges = partition(column, bins=bins)
        return Reduction(edges.exprs, lambda *found: histogram(column, bins=edges.finish(*found)))

    def count(values: pl.Series) -> pl.Series:
        counted, _ = np.histogram(values.to_numpy(), list(bins))
        return pl.Series([counted.tolist()], dtype=pl.List(pl.Int64))

    values = numeric(column).drop_nulls()
    made = values.map_batches(count, return_dtype=pl.List(pl.Int64), returns_scalar=True)
    return Reduction((made,), plain)


@polars_aggregate("column.descriptive_stats")
def descriptive_stats(column: Column) -> Reduction:
    """Return least and greatest value, mean and standard deviation; NaN for what too few values have not."""
    values = numeric(column)

    def finish(*found: Any) -> DescriptiveStats:
        low, high, mean, deviation = map(_number, found)
        return DescriptiveStats(min=low, max=high, mean=mean, standard_deviation=deviation)

    return Reduction((values.min(), values.max(), values.mean(), values.std()), finish)


@polars_aggregate("column.outlier_statistics")
def outlier_statistics(column: Column, *, method: Literal["iqr", "std"] = "iqr") -> Reduction:
    """Return the references and the spread that outliers are measured by."""
    values = continuous(column)
    if method == "iqr":
        return Reduction(
            (values.quantile(0.25, "linear"), values.quantile(0.75, "linear")),
            lambda low, high: OutlierStatistics(low, high, None if low is None else high - low),
        )
    return Reduction((values.mean(), values.std()), OutlierStatistics.symmetric)


@polars_aggregate("column.parameterized_distribution_ks_test_p_value")
def kolmogorov_smirnov(
    column: Column, *, distribution: str, params: dict[str, Any] | Sequence[float] | None = None, p_value: float = 0.05
) -> Reduction:
    """Return statistic and p-value of a Kolmogorov-Smirnov test against a distribution of scipy.

    Raises:
        ValueError: `p_value` is not between 0 and 1, or the parameters are not those of the distribution.
    """
    if not 0 < p_value < 1:
        msg = f"p_value must be between 0 and 1 exclusive, it is {p_value}"
        raise ValueError(msg)
    params = dict(params) if isinstance(params, dict) else params  # which is filled up with defaults
    validate_distribution_parameters(distribution=distribution, params=params)  # type: ignore[no-untyped-call]
    given = params
    if isinstance(params, dict):
        given = _scipy_distribution_positional_args_from_dict(distribution, params)  # type: ignore[no-untyped-call]
    values = numeric(column).drop_nulls().implode()
    return Reduction((values,), lambda found: stats.kstest(found.to_numpy(), distribution, args=given or ()))


@polars_aggregate("column_values.nonnull.count")
def nonnull_count(column: Column) -> pl.Expr:
    """Return how many values there are."""
    return column.expr.count()


@polars_aggregate("column_values.null.count")
def null_count(column: Column) -> pl.Expr:
    """Return how many values are missing."""
    return column.expr.null_count()


@polars_aggregate("column_values.between.count")
def between_count(
    column: Column,
    *,
    min_value: Any = None,
    max_value: Any = None,
    strict_min: bool | None = None,
    strict_max: bool | None = None,
) -> pl.Expr:
    """Return how many values lie between two bounds."""
    inside = between(column, min_value=min_value, max_value=max_value, strict_min=strict_min, strict_max=strict_max)
    return inside.sum()
