"""Compiled suites: an ordinary suite in, ordinary results out, without working everything out again for each batch."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
import threading
import traceback
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.expectations.expectation import Expectation
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.validator.exception_info import ExceptionInfo
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validation_graph import ValidationGraph
from great_expectations.validator.validator import calc_validation_statistics

from gx_polars.ask import Ask, Known
from gx_polars.batch import PolarsBatchData
from gx_polars.cache import generation
from gx_polars.engine import PolarsExecutionEngine, describe
from gx_polars.errors import MetricFailed
from gx_polars.frozen import with_configuration
from gx_polars.plan import Outcome, Plan
from gx_polars.rows import RowRule, Severity, mask_of, of_severity, row_plan, rules_of

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame
ResultFormat: TypeAlias = str | dict[str, Any]

BATCH_ID = "gx_polars"
SUITES_KEPT = 64
SCHEMAS_KEPT = 32  # of one suite


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of a compiled suite.

    Attributes:
        expectation: The expectation, made through the registry as `graph_validate` does.
        configuration: What its results carry.
        metrics: The metrics it needs, by the name under which it asks for them.
        result_format: The result format that holds for it.
    """

    expectation: Expectation
    configuration: ExpectationConfiguration
    metrics: dict[str, MetricConfiguration]
    result_format: Any


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
        self._engine_options = {"nan_is_missing": nan_is_missing, "streaming": streaming}
        engine = PolarsExecutionEngine(nan_is_missing=nan_is_missing, streaming=streaming)
        parameters = {**(suite.suite_parameters or {}), **(suite_parameters or {})}
        self._checks = [_check(each, result_format, engine) for each in _configurations(suite, parameters)]
        self.row_rules = rules_of(self._checks)
        self._metrics = {metric.id: metric for check in self._checks for metric in check.metrics.values()}
        self._plans: OrderedDict[Any, SchemaPlan] = OrderedDict()
        self._lock = threading.Lock()

    def validate(self, frame: Frame) -> ExpectationSuiteValidationResult:
        """Validate a frame.

        Returns:
            What `ValidationDefinition.run` returns: the same results and numbers; an expectation that could not run
            has failed and carries the reason.
        """
        started_at = dt.datetime.now(dt.UTC)
        engine = PolarsExecutionEngine(**self._engine_options)
        engine.load_batch_data(BATCH_ID, frame)
        batch = engine.batch(BATCH_ID)
        outcome = self._outcome(engine, batch)
        results = [self._result(check, outcome, engine) for check in self._checks]
        results.sort(key=_has_judged)
        return _suite_result(self.name, results, started_at)

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
        if made is None:
            made = self._make_plan(engine)
            with self._lock:
                self._plans[key] = made
                if len(self._plans) > SCHEMAS_KEPT:
                    self._plans.popitem(last=False)
        return made

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

    def _result(self, check: Check, outcome: Outcome, engine: PolarsExecutionEngine) -> ExpectationValidationResult:
        configuration = copy.copy(check.configuration)
        failures = {
            metric.id: _exception_info(metric, outcome.failures[metric.id], check.configuration.type)
            for metric in check.metrics.values()
            if metric.id in outcome.failures
        }
        if failures:
            info = {str(name): each for name, each in failures.items()}
            return ExpectationValidationResult(success=False, exception_info=info, expectation_config=configuration)
        try:
            made = _judge(check, {name: outcome.values[metric.id] for name, metric in check.metrics.items()}, engine)
        except Exception as error:  # noqa: BLE001 - an expectation of a user may raise anything
            info = ExceptionInfo(exception_traceback=traceback.format_exc(), exception_message=str(error))
            return ExpectationValidationResult(success=False, exception_info=info, expectation_config=configuration)
        made.expectation_config = configuration
        return made


def _judge(check: Check, metrics: dict[str, Any], engine: PolarsExecutionEngine) -> ExpectationValidationResult:
    """Return an expectation's judgement of its metrics, as `Expectation.metrics_validate` makes it."""
    runtime = {"result_format": check.result_format}
    raw = check.expectation._validate(metrics=metrics, runtime_configuration=runtime, execution_engine=engine)  # noqa: SLF001
    made = raw if isinstance(raw, ExpectationValidationResult) else ExpectationValidationResult(**raw)
    if check.result_format.get("result_format") == "BOOLEAN_ONLY":
        kept = ("unexpected_index_query", "unexpected_index_column_names")
        shown = check.result_format.get("return_unexpected_index_query", False)
        made.result = {key: made.result[key] for key in kept if shown and key in made.result}
    return made


def _has_judged(result: ExpectationValidationResult) -> bool:
    """Return whether an expectation had its metrics; `graph_validate` lists those that had not first."""
    return "exception_message" in result.exception_info


def _exception_info(metric: MetricConfiguration, error: Exception, asked_by: str) -> ExceptionInfo:
    return ExceptionInfo(
        exception_traceback="".join(traceback.format_exception(error)),
        exception_message=describe(metric, error, asked_by),
    )


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
    needed = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
    graph = ValidationGraph(execution_engine=engine)
    for metric in needed.get_metric_configurations():
        graph.set_metric_configuration_default_kwargs_if_absent(metric)
    return Check(expectation, expectation.configuration, dict(needed.metric_configurations), needed.result_format)


def _suite_result(
    name: str, results: list[ExpectationValidationResult], started_at: dt.datetime
) -> ExpectationSuiteValidationResult:
    statistics = calc_validation_statistics(results)
    run_id = RunIdentifier(run_time=started_at)
    return ExpectationSuiteValidationResult(
        results=results,
        success=statistics.success,
        suite_name=name,
        statistics={
            "evaluated_expectations": statistics.evaluated_expectations,
            "successful_expectations": statistics.successful_expectations,
            "unsuccessful_expectations": statistics.unsuccessful_expectations,
            "success_percent": statistics.success_percent,
        },
        meta={
            "great_expectations_version": gx.__version__,
            "run_id": run_id,
            "validation_time": started_at.isoformat(),
            "active_batch_definition": {
                "batch_identifiers": {},
                "data_asset_name": "frame",
                "data_connector_name": "fluent",
                "datasource_name": "gx_polars",
            },
        },
        batch_id=BATCH_ID,
    )


_suites: OrderedDict[Any, PreparedSuite] = OrderedDict()
_suites_lock = threading.Lock()


def prepared(suite: gx.ExpectationSuite, result_format: ResultFormat = "SUMMARY", **options: Any) -> PreparedSuite:
    """Return the compiled suite of a suite's content, compiling it only when no equal one is known.

    Args:
        suite: The suite; a changed suite is another suite.
        result_format: As in `ValidationDefinition.run`.
        **options: See `PreparedSuite`.
    """
    key = _content(suite, result_format, options)
    with _suites_lock:
        known = _suites.get(key) if key is not None else None
        if known is not None:
            _suites.move_to_end(key)
            return known
    made = PreparedSuite(suite, result_format, **options)
    if key is None:
        return made
    with _suites_lock:
        _suites[key] = made
        if len(_suites) > SUITES_KEPT:
            _suites.popitem(last=False)
    return made


def _content(suite: gx.ExpectationSuite, result_format: ResultFormat, options: dict[str, Any]) -> Any:
    """Return what makes two suites the same; None for one whose fields hold what cannot be written down."""
    fields = [each.__dict__ for each in suite.expectations]
    try:
        written = pickle.dumps((suite.name, fields, suite.suite_parameters, result_format, options))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return generation(), tuple(type(each) for each in suite.expectations), written


def validate(
    frame: Frame, suite: gx.ExpectationSuite, result_format: ResultFormat = "SUMMARY", **options: Any
) -> ExpectationSuiteValidationResult:
    """Validate a frame against a suite, the short way: no context, no datasource, no stores.

    Args:
        frame: A data frame or a lazy frame.
        suite: An ordinary `gx.ExpectationSuite`; it is compiled on first use and reused by its content.
        result_format: BOOLEAN_ONLY, BASIC, SUMMARY, COMPLETE, or a dictionary, as in `ValidationDefinition.run`.
        **options: See `PreparedSuite`.

    Returns:
        The same result object, with the same numbers, as through a ValidationDefinition.
    """
    return prepared(suite, result_format, **options).validate(frame)


def row_mask(
    frame: Frame,
    suite: gx.ExpectationSuite,
    *,
    severity: Severity | Collection[Severity] | None = None,
    **options: Any,
) -> pl.Series:
    """Return which row-level expectations each row breaks: one list of names for each row, empty for a sound row.

    The conditions are the ones that `validate` counts, so the rows named here are those of `unexpected_index_list`,
    whatever `mostly` forgives. `row_rules` tells what a name stands for.

    Args:
        frame: A data frame or a lazy frame.
        suite: An ordinary suite; expectations about the frame as a whole say nothing about rows and are passed over.
        severity: Ask only expectations of this severity, or of these ("critical", "warning", "info"); None asks all.
        **options: See `PreparedSuite`.

    Returns:
        A series of lists of strings, `broken_expectations`, as long as the frame.

    Raises:
        MetricFailed: A row-level expectation could not be computed, so that no row can be called sound.
    """
    return prepared(suite, "BOOLEAN_ONLY", **options).row_mask(frame, severity)


def row_rules(
    suite: gx.ExpectationSuite, *, severity: Severity | Collection[Severity] | None = None, **options: Any
) -> list[RowRule]:
    """Return the row-level expectations of a suite with the names that `row_mask` gives them, in its order.

    Args:
        suite: An ordinary suite.
        severity: Only those of this severity, or of these; None for all.
        **options: See `PreparedSuite`.
    """
    return of_severity(prepared(suite, "BOOLEAN_ONLY", **options).row_rules, severity)
