"""Metrics that show or count values and judge none, as `Batch.compute_metrics` asks for them; importing registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl

from gx_polars.conditions.text import matches
from gx_polars.domain import Column
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.errors import MetricFailed, NotSupported
from gx_polars.failing import shown
from gx_polars.reduction import Reduction
from gx_polars.registry import DOMAIN_KEYS, polars_aggregate, register_provider


@polars_aggregate("column.sample_values")
def sample_values(column: Column, *, count: int = 20) -> Reduction:
    """Return the first values of a column, missing ones among them."""
    return Reduction((column.expr.head(count).implode(),), shown)


@polars_aggregate("column_values.match_regex")
def matching_values(column: Column, *, regex: str, limit: int = 20) -> Reduction:
    """Return the first values in which a regular expression is found."""
    return Reduction((column.expr.filter(matches(column, regex)).head(limit).implode(),), shown)


@polars_aggregate("column_values.not_match_regex_values")
def not_matching_values(column: Column, *, regex: str, limit: int = 20) -> Reduction:
    """Return the first values in which a regular expression is not found."""
    return Reduction((column.expr.filter(~matches(column, regex)).head(limit).implode(),), shown)


@polars_aggregate("column_values.match_regex.count")
def matching_count(column: Column, *, regex: str) -> pl.Expr:
    """Return how many values a regular expression is found in."""
    return matches(column, regex).sum()


@polars_aggregate("column_values.not_match_regex.count")
def not_matching_count(column: Column, *, regex: str) -> pl.Expr:
    """Return how many values a regular expression is not found in."""
    return (~matches(column, regex)).sum()


@polars_aggregate("column.distinct_values.count.under_threshold")
def few_distinct_values(column: Column, *, threshold: int) -> pl.Expr:
    """Return whether there are fewer distinct values than a threshold."""
    return column.expr.drop_nulls().n_unique() < threshold


def head(engine: PolarsExecutionEngine, domain_kwargs: dict[str, Any], rows: int, *, every: bool) -> pl.DataFrame:
    """Return the first rows of a batch: `rows` of them, all but the last ones if that is negative, or every row.

    Raises:
        MetricFailed: The lazy frame of the batch cannot be computed.
    """
    frame = engine.get_domain_records(domain_kwargs)
    wanted = frame.head(rows) if rows >= 0 and not every else frame
    try:
        collected = wanted.collect(engine=engine.collect_engine)
    except Exception as error:  # the plan of a lazy frame may hold a user's function
        batch = engine.batch(domain_kwargs.get("batch_id"))
        raise MetricFailed.of(error, batch, "the first rows: ") from error
    return collected if every else collected.head(rows)


def _provider(answer: Callable[[PolarsExecutionEngine, dict[str, Any], dict[str, Any]], Any]) -> Callable[..., Any]:
    def provider(*, execution_engine: Any, metric_domain_kwargs: Any, metric_value_kwargs: Any, **_: Any) -> Any:
        return answer(execution_engine, metric_domain_kwargs, metric_value_kwargs)

    return provider


def _head(engine: PolarsExecutionEngine, domain: dict[str, Any], wanted: dict[str, Any]) -> pd.DataFrame:
    """Return the first rows in the type that Great Expectations declares for this metric."""
    rows = 5 if wanted.get("n_rows") is None else int(wanted["n_rows"])
    taken = head(engine, domain, rows, every=bool(wanted.get("fetch_all")))
    columns = {name: pd.Series(shown(taken[name]), dtype=object) for name in taken.columns}
    return pd.DataFrame(columns, columns=taken.columns).infer_objects()


def _no_mask(_engine: PolarsExecutionEngine, _domain: dict[str, Any], _wanted: dict[str, Any]) -> Any:
    msg = (
        "Conditions of this engine are expressions and belong to no pandas, Spark or SQL type; ask "
        "ColumnValuesNonNullCount, or gx_polars.row_mask for the rows."
    )
    raise NotSupported(msg)


register_provider("table.head", _provider(_head), DOMAIN_KEYS["table"], ("n_rows", "fetch_all"))
register_provider("column_values.nonnull.condition", _provider(_no_mask), DOMAIN_KEYS["column"], ())
