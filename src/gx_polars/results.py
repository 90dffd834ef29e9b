"""Results as Great Expectations makes them, from the metrics of one run."""

from __future__ import annotations

import datetime as dt
import traceback
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from great_expectations.core.expectation_validation_result import (
    ExpectationSuiteValidationResult,
    ExpectationValidationResult,
)
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.validator.exception_info import ExceptionInfo
from great_expectations.validator.validator import calc_validation_statistics

from gx_polars.engine import PolarsExecutionEngine, sentence
from gx_polars.frozen import own_copy
from gx_polars.plan import Outcome

if TYPE_CHECKING:
    from gx_polars.prepared import Check

BATCH_ID = "gx_polars"


def result_of(check: Check, outcome: Outcome, engine: PolarsExecutionEngine) -> ExpectationValidationResult:
    """Return the result of one expectation; one that could not run has failed and says why."""
    configuration = own_copy(check.configuration)
    info: dict[str, Any] = {} if check.refused is None else {"expectation": check.refused}
    info |= _failures(check, outcome)
    if info:
        return ExpectationValidationResult(success=False, exception_info=info, expectation_config=configuration)
    try:
        made = _judge(check, {name: outcome.values[metric.id] for name, metric in check.metrics.items()}, engine)
    except Exception as error:  # noqa: BLE001 - an expectation of a user may raise anything
        refused = exception_info(error, sentence(check.configuration.type, check.configuration.kwargs, error))
        return ExpectationValidationResult(success=False, exception_info=refused, expectation_config=configuration)
    made.expectation_config = configuration
    return made


def exception_info(error: Exception, message: str | None = None) -> ExceptionInfo:
    """Return an error as results carry it."""
    return ExceptionInfo(
        exception_traceback="".join(traceback.format_exception(error)), exception_message=message or str(error)
    )


def _failures(check: Check, outcome: Outcome) -> dict[str, ExceptionInfo]:
    """Return why metrics of an expectation have no value, by metric; a reason that several share is told once."""
    by_message: dict[str, tuple[str, ExceptionInfo]] = {}
    for metric in check.metrics.values():
        error = outcome.failures.get(metric.id)
        if error is not None:
            message = sentence(check.configuration.type, check.configuration.kwargs, error)
            if message not in by_message:
                by_message[message] = (str(metric.id), exception_info(error, message))
    return dict(by_message.values())


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


def has_judged(result: ExpectationValidationResult) -> bool:
    """Return whether an expectation had its metrics; `graph_validate` lists those that had not first."""
    return "exception_message" in result.exception_info


def suite_result(
    name: str, results: list[ExpectationValidationResult], started_at: dt.datetime
) -> ExpectationSuiteValidationResult:
    """Return the results of a suite, in the order of `graph_validate`: first what could not be asked."""
    results = sorted(results, key=has_judged)
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
