"""Registers metrics for the Polars engine with Great Expectations: the package's own, and a user's.

A map metric is a condition, and everything that Great Expectations wants of it (counts, values, rows) follows from it:

    >>> import polars as pl
    >>> from gx_polars import Column, polars_condition
    >>> @polars_condition("column_values.even")
    ... def even(column: Column) -> pl.Expr:
    ...     return column.expr % 2 == 0

A column aggregate is one expression:

    >>> from gx_polars import polars_aggregate
    >>> @polars_aggregate("column.range")
    ... def value_range(column: Column) -> pl.Expr:
    ...     return column.expr.max() - column.expr.min()
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Literal

from great_expectations.core.metric_function_types import MetricFunctionTypes
from great_expectations.expectations.metrics.metric_provider import MetricProvider
from great_expectations.expectations.registry import _registered_metrics, register_core_metrics, register_metric

from gx_polars.cache import forget
from gx_polars.derived import DERIVED, Condition, ConditionSpec, Kind, condition_provider, filtered_count_provider
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.reduction import Aggregate, aggregate_provider

ROW_KEYS = ("row_condition", "condition_parser")
DOMAIN_KEYS: dict[str, tuple[str, ...]] = {
    "column": ("batch_id", "table", "column", *ROW_KEYS),
    "pair": ("batch_id", "table", "column_A", "column_B", *ROW_KEYS, "ignore_row_if"),
    "multicolumn": ("batch_id", "table", "column_list", *ROW_KEYS, "ignore_row_if"),
    "table": ("batch_id", "table", *ROW_KEYS),
}


CONDITIONS: dict[str, ConditionSpec] = {}
AGGREGATES: dict[str, Aggregate] = {}


class PolarsMetric(MetricProvider):
    """A metric without dependencies: its expressions are self-contained, so a suite's metrics arrive in one call."""

    @classmethod
    def _get_evaluation_dependencies(
        cls, metric: Any, configuration: Any = None, execution_engine: Any = None, runtime_configuration: Any = None
    ) -> dict[str, Any]:
        del metric, configuration, execution_engine, runtime_configuration
        return {}


def register_provider(
    name: str, provider: Callable[..., Any], domain_keys: tuple[str, ...], value_keys: tuple[str, ...]
) -> None:
    """Register the Polars provider of a metric; a metric that Great Expectations knows keeps the keys it has there."""
    known = _registered_metrics.get(name)
    attributes = {
        "domain_keys": tuple(known["metric_domain_keys"]) if known else domain_keys,
        "value_keys": tuple(known["metric_value_keys"]) if known else value_keys,
        "default_kwarg_values": known["default_kwarg_values"] if known else {},
    }
    metric_class: Any = type("Polars_" + re.sub(r"\W", "_", name), (PolarsMetric,), attributes)
    if known:  # declaring a metric twice is a mistake that Great Expectations logs; replacing ours is meant
        known["providers"].pop(PolarsExecutionEngine.__name__, None)
    register_metric(
        name,
        metric_class.domain_keys,
        metric_class.value_keys,
        PolarsExecutionEngine,
        metric_class,
        provider,
        MetricFunctionTypes.VALUE,
    )
    forget()


def value_keys_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of a metric function's own arguments, which are its keyword-only parameters."""
    parameters = inspect.signature(function).parameters.values()
    return tuple(parameter.name for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY)


def polars_condition(
    name: str,
    *,
    kind: Kind = "column",
    screen: Condition | None = None,
    keys: Condition | None = None,
    nulls: Literal["skip", "judge", "propagate"] = "skip",
) -> Callable[[Condition], Condition]:
    """Register a condition on rows as a map metric: its counts, values, rows and indexes all follow from it.

    Args:
        name: The map metric, as an expectation names it in `map_metric`.
        kind: "column": the function gets one `Column`; "pair": two; "multicolumn": a list of them. The metric's own
            arguments are keyword-only parameters.
        screen: Makes a cheap expression that is 0 when no row can be unexpected.
        keys: See `ConditionSpec`.
        nulls: See `ConditionSpec`.
    """

    def register(function: Condition) -> Condition:
        spec = ConditionSpec(name, kind, function, screen, keys, nulls)
        CONDITIONS[name] = spec
        own = value_keys_of(function)
        for suffix, answer in DERIVED.items():
            value_keys = own if suffix == "unexpected_count" else (*own, "result_format")
            register_provider(f"{name}.{suffix}", condition_provider(spec, answer), DOMAIN_KEYS[kind], value_keys)
        if kind != "column":
            judged = filtered_count_provider(spec)
            register_provider(f"{name}.filtered_row_count", judged, DOMAIN_KEYS[kind], (*own, "result_format"))
        return function

    return register


def polars_aggregate(name: str, *, domain: Literal["column", "table"] = "column") -> Callable[[Aggregate], Aggregate]:
    """Register an aggregate: a function of a `Column` (of the `Domain`, for a table metric) that returns an expression.

    The function returns one expression (whose only row is the metric's value), a `Reduction` of several, or, for what
    the schema alone answers, the value itself. The metric's own arguments are keyword-only parameters.

    Args:
        name: The metric, as an expectation names it in `metric_dependencies`.
        domain: Whether the function gets a `Column` or the whole `Domain`.
    """

    def register(function: Aggregate) -> Aggregate:
        AGGREGATES[name] = function
        provider = aggregate_provider(name, function, domain)
        register_provider(name, provider, DOMAIN_KEYS[domain], value_keys_of(function))
        return function

    return register


register_core_metrics()
