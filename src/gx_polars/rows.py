"""Which row breaks which expectation, by the same conditions that the validation counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from gx_polars.ask import Ask, Probe
from gx_polars.derived import BoundCondition
from gx_polars.domain import Domain
from gx_polars.errors import MetricFailed
from gx_polars.plan import Outcome, Plan
from gx_polars.registry import CONDITIONS

if TYPE_CHECKING:
    from gx_polars.engine import PolarsExecutionEngine
    from gx_polars.prepared import Check

BROKEN = "broken_expectations"
_HEIGHT = "height"
_EMPTY_LIST = pl.Series(BROKEN, [[]], dtype=pl.List(pl.String))


def rule_name(check: Check) -> str:
    """Return the name of an expectation in a row mask: `meta["name"]` if it has one, else its type and its columns.

    The latter reads `expect_column_values_to_be_between(age)`.
    """
    configuration = check.configuration
    given = (configuration.meta or {}).get("name")
    if given:
        return str(given)
    kwargs = configuration.kwargs
    columns = [kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs] or kwargs["column_list"]
    return f"{configuration.type}({', '.join(columns)})"


def rule_names(checks: list[Check]) -> list[str]:
    """Return the names of expectations, the second of a name with ` #2` behind it."""
    names: list[str] = []
    counts: dict[str, int] = {}
    for check in checks:
        name = rule_name(check)
        counts[name] = counts.get(name, 0) + 1
        names.append(name if counts[name] == 1 else f"{name} #{counts[name]}")
    return names


def is_row_level(check: Check) -> bool:
    """Return whether an expectation judges rows one by one (by a condition) rather than the frame."""
    metric = getattr(check.expectation, "map_metric", None)
    return metric in CONDITIONS and f"{metric}.unexpected_count" in check.metrics


def row_plan(checks: list[Check], engine: PolarsExecutionEngine) -> Plan:
    """Return the plan that finds the failing rows of row-level expectations.

    Raises:
        MetricFailed: An expectation cannot be asked of this schema.
    """
    asks: dict[Any, Ask] = {
        _HEIGHT: Ask(Probe((_HEIGHT,), (pl.len(),), lambda values, _: values[0]), lambda height: height)
    }
    for name, check in zip(rule_names(checks), checks, strict=True):
        map_metric = getattr(check.expectation, "map_metric", "")
        metric = check.metrics[f"{map_metric}.unexpected_count"]
        try:
            domain = Domain.of(engine, metric.metric_domain_kwargs)
            condition = BoundCondition(CONDITIONS[map_metric], domain, metric.metric_value_kwargs)
            failing = condition.failing()
        except Exception as error:  # a user's condition may raise anything
            msg = f"The rows that break {name} cannot be found: {error}"
            raise MetricFailed(msg) from error
        asks[name] = failing.and_then(lambda failing: failing.rows())
    return Plan(asks)


def mask_of(outcome: Outcome, names: Sequence[str]) -> pl.Series:
    """Return the lists of broken expectations in the order of the suite, one for each row, empty for a sound row.

    Raises:
        MetricFailed: An expectation could not be computed, so that no row can be called sound.
    """
    for name, error in outcome.failures.items():
        msg = f"The rows that break {name} could not be found: {error}"
        raise MetricFailed(msg) from error
    height = outcome.values[_HEIGHT]
    parts = [
        outcome.values[name].rename("row").to_frame().select("row", pl.lit(name).alias(BROKEN))
        for name in names
        if len(outcome.values[name])
    ]
    if not parts:
        return _EMPTY_LIST.new_from_index(0, height)
    broken = pl.concat(parts).group_by("row", maintain_order=True).agg(BROKEN)
    every = pl.select(pl.int_range(height, dtype=pl.UInt32).alias("row"))
    joined = every.join(broken, on="row", how="left", maintain_order="left")
    return joined.select(pl.col(BROKEN).fill_null(pl.lit([], dtype=pl.List(pl.String)))).to_series()
