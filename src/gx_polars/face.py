"""The short way: a frame and a suite in, a result or a row mask out."""

from __future__ import annotations

import pickle
from collections.abc import Collection, Mapping
from typing import Any

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_validation_result import ExpectationSuiteValidationResult

from gx_polars.cache import generation
from gx_polars.prepared import Frame, PreparedSuite, ResultFormat
from gx_polars.recent import Recent
from gx_polars.rows import RowRule, Severity, of_severity

SUITES_KEPT = 16
"""A compiled suite holds .3 MB. Whoever turns over more of them keeps `PreparedSuite`s of their own."""

_suites: Recent[PreparedSuite] = Recent(SUITES_KEPT)


def prepared(
    suite: gx.ExpectationSuite,
    result_format: ResultFormat = "SUMMARY",
    *,
    suite_parameters: dict[str, Any] | None = None,
    nan_is_missing: bool = True,
    streaming: bool = True,
) -> PreparedSuite:
    """Return the compiled suite of a suite's content, compiling it only when no equal one is known.

    Args:
        suite: The suite; a changed suite is another suite.
        result_format: As in `ValidationDefinition.run`.
        suite_parameters: Values for the `$PARAMETER` references of the suite.
        nan_is_missing: Count NaN in float columns as missing.
        streaming: Collect lazy frames with the streaming engine.
    """
    options: dict[str, Any] = {"nan_is_missing": nan_is_missing, "streaming": streaming}
    key = _content(suite, result_format, suite_parameters, options)
    known = _suites.get(key) if key is not None else None
    if known is not None:
        return known
    made = PreparedSuite(suite, result_format, suite_parameters=suite_parameters, **options)
    return made if key is None else _suites.put(key, made)


def _content(suite: gx.ExpectationSuite, *options: Any) -> Any:
    """Return what makes two suites the same; None for one whose fields hold what cannot be written down."""
    fields = [each.__dict__ for each in suite.expectations]
    try:
        written = pickle.dumps((suite.name, fields, suite.suite_parameters, options))
    except (pickle.PicklingError, AttributeError, TypeError):
        return None
    return generation(), tuple(type(each) for each in suite.expectations), written


def validate(
    frame: Frame,
    suite: gx.ExpectationSuite,
    result_format: ResultFormat = "SUMMARY",
    *,
    suite_parameters: dict[str, Any] | None = None,
    tables: Mapping[str, Frame] | None = None,
    nan_is_missing: bool = True,
    streaming: bool = True,
) -> ExpectationSuiteValidationResult:
    """Validate a frame against a suite, the short way: no context, no datasource, no stores.

    Args:
        frame: A data frame or a lazy frame.
        suite: An ordinary `gx.ExpectationSuite`; it is compiled on first use and reused by its content.
        result_format: BOOLEAN_ONLY, BASIC, SUMMARY, COMPLETE, or a dictionary, as in `ValidationDefinition.run`.
        suite_parameters: Values for the `$PARAMETER` references of the suite.
        tables: Other frames by name, for expectations that name another table and for SQL.
        nan_is_missing: Count NaN in float columns as missing, as the pandas engine does.
        streaming: Collect lazy frames with the streaming engine, so that a scan need not fit into memory.

    Returns:
        The same result object, with the same numbers, as through a ValidationDefinition.
    """
    made = prepared(
        suite,
        result_format,
        suite_parameters=suite_parameters,
        nan_is_missing=nan_is_missing,
        streaming=streaming,
    )
    return made.validate(frame, tables)


def row_mask(
    frame: Frame,
    suite: gx.ExpectationSuite,
    *,
    severity: Severity | Collection[Severity] | None = None,
    suite_parameters: dict[str, Any] | None = None,
    nan_is_missing: bool = True,
    streaming: bool = True,
) -> pl.Series:
    """Return which row-level expectations each row breaks: one list of names for each row, empty for a sound row.

    The conditions are the ones that `validate` counts, so the rows named here are those of `unexpected_index_list`,
    whatever `mostly` forgives. `row_rules` tells what a name stands for.

    Args:
        frame: A data frame or a lazy frame.
        suite: An ordinary suite; expectations about the frame as a whole say nothing about rows and are passed over.
        severity: Ask only expectations of this severity, or of these ("critical", "warning", "info"); None asks all.
        suite_parameters: As for `validate`.
        nan_is_missing: As for `validate`.
        streaming: As for `validate`.

    Returns:
        A series of lists of strings, `broken_expectations`, as long as the frame.

    Raises:
        MetricFailed: A row-level expectation could not be computed, so that no row can be called sound.
    """
    made = prepared(
        suite,
        "BOOLEAN_ONLY",
        suite_parameters=suite_parameters,
        nan_is_missing=nan_is_missing,
        streaming=streaming,
    )
    return made.row_mask(frame, severity)


def row_rules(
    suite: gx.ExpectationSuite,
    *,
    severity: Severity | Collection[Severity] | None = None,
    suite_parameters: dict[str, Any] | None = None,
) -> list[RowRule]:
    """Return the row-level expectations of a suite with the names that `row_mask` gives them, in its order.

    Args:
        suite: An ordinary suite.
        severity: Only those of this severity, or of these; None for all.
        suite_parameters: As for `validate`.
    """
    return of_severity(prepared(suite, "BOOLEAN_ONLY", suite_parameters=suite_parameters).row_rules, severity)
