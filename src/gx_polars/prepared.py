"""Compiled suites: an ordinary suite in, ordinary results out, without working everything out again for each batch."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.validator.exception_info import ExceptionInfo
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validation_graph import ValidationGraph

from gx_polars.ask import Ask, Known
from gx_polars.batch import PolarsBatchData
from gx_polars.engine import PolarsExecutionEngine
from gx_polars.errors import MetricFailed
from gx_polars.frozen import with_configuration
from gx_polars.plan import Outcome, Plan
from gx_polars.recent import Recent
from gx_polars.results import BATCH_ID, exception_info, result_of, suite_result
from gx_polars.rows import Severity, mask_of, of_severity, row_plan, rules_of

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame
ResultFormat: TypeAlias = str | dict[str, Any]

SCHEMAS_KEPT = 32  # of one suite


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of a compiled suite.

    Attributes:
        expectation: The expectation, made through the registry as `graph_validate` does.
        configuration: What its results carry.
        metrics: The metrics it needs, by the name under which it asks for them.
        result_format: The result format that holds for it.
        refused: Why it cannot be asked at all: its dependencies, or a metric that Polars has no provider for.
    """

    expectation: Expectation
    configuration: ExpectationConfiguration
    metrics: dict[str, MetricConfiguration]
    result_format: Any
    refused: ExceptionInfo | None = None


@dataclass(frozen=True, slots=True)
class SchemaPlan:
    """What a suite asks of frames of one schema, worked out once.

    Attributes:
        plan: The asks.
        known: Metrics that the schema alone answers.
        direct: Metrics whose providers compute from the batch themselves (SQL), or refuse: asked for every batch.
        rows: Plans that find failing rows, by the names of the rules asked for.
    """

    plan: Plan
    known: dict[Any, Any]
    direct: list[MetricConfiguration]
    rows: dict[Any, Plan] = field(default_factory=dict)


class PreparedSuite:
    """A suite compiled for one result format; any number of threads may validate with it at once.

    Args:
        suite: The suite. Later changes of it do not reach the compiled one.
        result_format: As in `ValidationDefinition.run`.
        suite_parameters: Values for the `$PARAMETER` references of the suite.
        nan_is_missing: Count NaN in float columns as missing.
        streaming: Collect lazy frames with the streaming engine.
    """

    def __init__(
        self,
        suite: gx.ExpectationSuite,
        result_format: ResultFormat = "SUMMARY",
        *,
        suite_parameters: dict[str, Any] | None = None,
        nan_is_missing: bool = True,
        streaming: bool = True,
    ) -> None:
        self.name = suite.name
        self._engine_options: dict[str, Any] = {"nan_is_missing": nan_is_missing, "streaming": streaming}
        engine = PolarsExecutionEngine(nan_is_missing=nan_is_missing, streaming=streaming)
        parameters = {**(suite.suite_parameters or {}), **(suite_parameters or {})}
        self._checks = [_check(each, result_format, engine) for each in _configurations(suite, parameters)]
        self.row_rules = rules_of(self._checks)
        self._metrics = {metric.id: metric for check in self._checks for metric in check.metrics.values()}
        self._plans: Recent[SchemaPlan] = Recent(SCHEMAS_KEPT)

    def validate(self, frame: Frame, tables: Mapping[str, Frame] | None = None) -> ExpectationSuiteValidationResult:
        """Validate a frame.

        Args:
            frame: A data frame or a lazy frame.
            tables: Other frames by name, for expectations that name another table and for SQL.

        Returns:
            What `ValidationDefinition.run` returns: the same results and numbers; an expectation that could not run
            has failed and carries the reason.
        """
        started_at = dt.datetime.now(dt.UTC)
        engine = PolarsExecutionEngine(**self._engine_options, tables=tables)
        engine.load_batch_data(BATCH_ID, frame)
        batch = engine.batch(BATCH_ID)
        outcome = self._outcome(engine, batch)
        return suite_result(self.name, [result_of(check, outcome, engine) for check in self._checks], started_at)

    def _outcome(self, engine: PolarsExecutionEngine, batch: PolarsBatchData) -> Outcome:
        try:
            made = self._schema_plan(engine, batch)
        except MetricFailed as error:  # no schema, no metric
            return Outcome({}, dict.fromkeys(self._metrics, error))
        outcome = made.plan.run(batch, engine.collect_engine)
        outcome.values.update(made.known)
        for metric in made.direct:
            try:
                outcome.values[metric.id] = engine.ask(metric)
            except Exception as error:  # noqa: BLE001 - a registered metric of a user may raise anything
                outcome.failures[metric.id] = error
        return outcome

    def row_mask(self, frame: Frame, severity: Severity | Collection[Severity] | None = None) -> pl.Series:
        """Return the names of the row-level expectations that each row of a frame breaks; see `gx_polars.row_mask`."""
        engine = PolarsExecutionEngine(**self._engine_options)
        engine.load_batch_data(BATCH_ID, frame)
        batch = engine.batch(BATCH_ID)
        rules = of_severity(self.row_rules, severity)
        plans = self._schema_plan(engine, batch).rows
        key = tuple(rule.name for rule in rules)
        if key not in plans:
            plans[key] = row_plan(rules, engine)
        return mask_of(plans[key].run(batch, engine.collect_engine), rules)

    def _schema_plan(self, engine: PolarsExecutionEngine, batch: PolarsBatchData) -> SchemaPlan:
        key = (batch.eager, tuple(batch.schema.items()))
        made = self._plans.get(key)
        return self._plans.put(key, self._make_plan(engine)) if made is None else made

    def _make_plan(self, engine: PolarsExecutionEngine) -> SchemaPlan:
        asks: dict[Any, Ask] = {}
        known: dict[Any, Any] = {}
        direct: list[MetricConfiguration] = []
        for name, metric in self._metrics.items():
            try:
                answer = engine.ask(metric)
            except Exception:  # noqa: BLE001 - asked again, and reported, in `validate`
                answer = None
            if isinstance(answer, Ask):
                asks[name] = answer
            elif isinstance(answer, Known):
                known[name] = answer.value
            else:
                direct.append(metric)
        return SchemaPlan(Plan(asks), known, direct)


def _configurations(suite: gx.ExpectationSuite, parameters: dict[str, Any]) -> list[ExpectationConfiguration]:
    """Return the suite's expectations with their parameters filled in, column by column as a validator orders them."""
    by_column: dict[str | None, list[ExpectationConfiguration]] = {}
    for configuration in suite.expectation_configurations:
        own = copy.deepcopy(configuration)
        own.process_suite_parameters(suite_parameters=parameters)
        column = own.kwargs.get("column")
        by_column.setdefault(column if isinstance(column, str) else None, []).append(own)
    return [configuration for group in by_column.values() for configuration in group]


def _check(
    configuration: ExpectationConfiguration, result_format: ResultFormat, engine: PolarsExecutionEngine
) -> Check:
    configuration.kwargs.update({"batch_id": BATCH_ID})
    expectation = with_configuration(configuration.to_domain_obj())
    runtime = {"result_format": copy.deepcopy(result_format)}
    try:
        needed = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
        graph = ValidationGraph(execution_engine=engine)
        for metric in needed.get_metric_configurations():
            graph.set_metric_configuration_default_kwargs_if_absent(metric)
    except Exception as error:  # noqa: BLE001 - an expectation of a user may raise anything
        return Check(expectation, expectation.configuration, {}, {}, refused=exception_info(error))
    return Check(expectation, expectation.configuration, dict(needed.metric_configurations), needed.result_format)
