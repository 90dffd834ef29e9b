"""Which row breaks which expectation, by the same conditions that the validation counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import great_expectations.expectations as gxe
import polars as pl
from great_expectations.expectations.expectation import (
    ColumnMapExpectation,
    ColumnPairMapExpectation,
    MulticolumnMapExpectation,
)
from great_expectations.expectations.metadata_types import FailureSeverity

from gx_polars.ask import Ask, Probe
from gx_polars.derived import BoundCondition
from gx_polars.domain import Domain
from gx_polars.errors import MetricFailed
from gx_polars.plan import Outcome, Plan
from gx_polars.registry import CONDITIONS

if TYPE_CHECKING:
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.validator.metric_configuration import MetricConfiguration

    from gx_polars.engine import PolarsExecutionEngine
    from gx_polars.prepared import Check

Severity: TypeAlias = Literal["critical", "warning", "info"]

_OF_ROWS = (ColumnMapExpectation, ColumnPairMapExpectation, MulticolumnMapExpectation)
_OF_TYPES = (gxe.ExpectColumnValuesToBeOfType, gxe.ExpectColumnValuesToBeInTypeList)  # a Polars column has one type

BROKEN = "broken_expectations"
_HEIGHT = ("height",)  # no rule is named by a tuple
_EMPTY_LIST = pl.Series(BROKEN, [[]], dtype=pl.List(pl.String))


@dataclass(frozen=True, slots=True)
class RowRule:
    """A row-level expectation and its name in a row mask.

    Attributes:
        name: `meta["rule"]` of the expectation if it has one, else its type and its columns, as in
            "expect_column_values_to_be_between(age)"; a second rule of a name has " #2" behind it.
        severity: "critical", "warning" or "info".
        configuration: The expectation's type, arguments, meta and notes.
        metric: What a validation counts for it; None when it cannot be asked at all.
        map_metric: The condition.
    """

    name: str
    severity: str
    configuration: ExpectationConfiguration
    metric: MetricConfiguration | None
    map_metric: str


def rules_of(checks: Sequence[Check]) -> list[RowRule]:
    """Return the expectations that judge rows one by one (by a condition), in order; the others judge the frame."""
    rules: list[RowRule] = []
    counts: Counter[str] = Counter()
    for check in checks:
        if not isinstance(check.expectation, _OF_ROWS) or isinstance(check.expectation, _OF_TYPES):
            continue
        map_metric = str(check.expectation.map_metric)
        metric = check.metrics.get(f"{map_metric}.unexpected_count")
        name = _rule_name(check)
        counts[name] += 1
        name = name if counts[name] == 1 else f"{name} #{counts[name]}"
        severity = str(FailureSeverity(check.configuration.severity).value)
        rules.append(RowRule(name, severity, check.configuration, metric, map_metric))
    return rules


def of_severity(rules: Sequence[RowRule], severity: Severity | Collection[Severity] | None) -> list[RowRule]:
    """Return the rules of a severity, or of several; all for None."""
    if severity is None:
        return list(rules)
    wanted = {severity} if isinstance(severity, str) else set(severity)
    return [rule for rule in rules if rule.severity in {FailureSeverity(each).value for each in wanted}]


def _rule_name(check: Check) -> str:
    """Return the name of a rule; a customised expectation may have its columns from its class."""
    given = (check.configuration.meta or {}).get("rule")
    if given:
        return str(given)
    named = [getattr(check.expectation, key, None) for key in ("column", "column_A", "column_B")]
    columns = [name for name in named if name] or list(getattr(check.expectation, "column_list", []))
    return f"{check.configuration.type}({', '.join(columns)})"


def row_plan(rules: Sequence[RowRule], engine: PolarsExecutionEngine) -> Plan:
    """Return the plan that finds the failing rows of row-level expectations.

    Raises:
        MetricFailed: An expectation cannot be asked of this schema.
    """
    asks: dict[Any, Ask] = {
        _HEIGHT: Ask(Probe(_HEIGHT, (pl.len(),), lambda values, _: values[0]), lambda height: height)
    }
    for rule in rules:
        if rule.metric is None or rule.map_metric not in CONDITIONS:
            msg = (
                f"The rows that break {rule.name} cannot be found: {rule.map_metric} is no condition that Polars has; "
                "register one with polars_condition."
            )
            raise MetricFailed(msg)
        try:
            domain = Domain.of(engine, rule.metric.metric_domain_kwargs)
            failing = BoundCondition(CONDITIONS[rule.map_metric], domain, rule.metric.metric_value_kwargs).failing()
        except Exception as error:  # a user's condition may raise anything
            msg = f"The rows that break {rule.name} cannot be found: {error}"
            raise MetricFailed(msg) from error
        asks[rule.name] = failing.and_then(lambda failing: failing.rows())
    return Plan(asks)


def mask_of(outcome: Outcome, rules: Sequence[RowRule]) -> pl.Series:
    """Return the lists of broken expectations in the order of the suite, one for each row, empty for a sound row.

    Raises:
        MetricFailed: An expectation could not be computed, so that no row can be called sound.
    """
    for name, error in outcome.failures.items():
        msg = f"The {'rows' if name is _HEIGHT else f'rows that break {name}'} cannot be found: {error}"
        raise MetricFailed(msg) from error
    height = outcome.values[_HEIGHT]
    parts = [
        outcome.values[rule.name].rename("row").to_frame().select("row", pl.lit(rule.name).alias(BROKEN))
        for rule in rules
        if len(outcome.values[rule.name])
    ]
    if not parts:
        return _EMPTY_LIST.new_from_index(0, height)
    broken = pl.concat(parts).group_by("row", maintain_order=True).agg(BROKEN)
    every = pl.select(pl.int_range(height, dtype=pl.UInt32).alias("row"))
    joined = every.join(broken, on="row", how="left", maintain_order="left")
    return joined.select(pl.col(BROKEN).fill_null(pl.lit([], dtype=pl.List(pl.String)))).to_series()
