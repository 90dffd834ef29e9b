"""The faults of the pandas engine on the smallest data that shows them, and what ours says instead.

A release of Great Expectations that mends one makes its test fail.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import pandas as pd
import polars as pl
import pytest
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.row_conditions import Column

import gx_polars
from tests.gx_polars.comparison import raised
from tests.gx_polars.engines import foreign_warnings_ignored, pandas_validator


def by_pandas(data: dict[str, Any], *asked: gxe.Expectation) -> list[ExpectationValidationResult]:
    with foreign_warnings_ignored():
        suite = gx.ExpectationSuite("fault", expectations=list(asked))
        return pandas_validator(pd.DataFrame(data)).validate(suite, result_format="COMPLETE").results


def by_polars(data: dict[str, Any], *asked: gxe.Expectation) -> list[ExpectationValidationResult]:
    suite = gx.ExpectationSuite("fault", expectations=list(asked))
    return gx_polars.validate(pl.DataFrame(data), suite, result_format="COMPLETE").results


def test_a_row_condition_holds_for_pairs_in_a_set() -> None:
    """The metric does not list `row_condition` among its domain keys, so GX judges the rows outside it as well.

    Most often the counts then contradict each other and the expectation raises; here they do not.
    """

    def asked() -> gxe.Expectation:
        return gxe.ExpectColumnPairValuesToBeInSet(
            column_A="a", column_B="b", value_pairs_set=[(1.0, 1.0)], row_condition=Column("kept") == 1, mostly=0.5
        )

    data = {"a": [None, 1.0], "b": [None, 2.0], "kept": [1, 0]}
    (theirs,) = by_pandas(data, asked())
    (ours,) = by_polars(data, asked())
    assert theirs.result["element_count"] == 1
    assert theirs.result["unexpected_list"] == [(1.0, 2.0)]  # the row that the condition leaves out
    assert ours.result["missing_count"] == 1
    assert ours.result["unexpected_list"] == []


def _quantile(level: float, low: float, high: float) -> gxe.Expectation:
    ranges = {"quantiles": [level], "value_ranges": [[low, high]]}
    return gxe.ExpectColumnQuantileValuesToBeBetween(column="number", quantile_ranges=ranges)


def test_two_quantile_expectations_of_one_column_each_get_their_own_quantile() -> None:
    """GX fixes the id of the metric before it fills in the quantiles, so that both ask for one and the same.

    The mended expectation is registered under GX's own name, and so the pandas engine gives the right answer as well in a
    process that imports gx_polars.
    """
    data = {"number": list(range(101))}
    for validated in (by_pandas, by_polars):
        results = validated(data, _quantile(0.1, 9, 11), _quantile(0.9, 89, 91))
        assert [each.success for each in results] == [True, True]
        assert [each.result["observed_value"]["values"] for each in results] == [[10], [90]]


@pytest.mark.parametrize("result_format", ["BOOLEAN_ONLY", "BASIC", "SUMMARY", "COMPLETE"])
def test_the_verdict_of_a_quantile_expectation_becomes_json(result_format: str) -> None:
    """GX returns numpy's bool, which does not, so that a ValidationDefinition dies when it stores the result."""
    context = gx.get_context(mode="ephemeral")
    suite = context.suites.add(gx.ExpectationSuite("quantiles", expectations=[_quantile(0.5, 1, 3)]))
    batch = context.data_sources.add_polars("source").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    definition = context.validation_definitions.add(gx.ValidationDefinition(name="quantiles", data=batch, suite=suite))
    result = definition.run(
        batch_parameters={"dataframe": pl.DataFrame({"number": [1, 2, 3]})}, result_format=result_format
    )
    assert result.results[0].success is True
    assert json.loads(json.dumps(result.to_json_dict()))["success"] is True


def test_instants_in_microseconds_compare_with_a_date_written_as_text() -> None:
    """pandas 3 reads instants in microseconds; GX then compares value by value and refuses its own bounds."""
    moments = [dt.datetime(2024, 1, day) for day in (1, 2)]  # noqa: DTZ001 - a column without a zone

    def asked() -> gxe.Expectation:
        return gxe.ExpectColumnValuesToBeBetween(column="at", min_value="2024-01-01", max_value="2024-01-31")

    (theirs,) = by_pandas({"at": pd.Series(moments, dtype="datetime64[us]")}, asked())
    (ours,) = by_polars({"at": moments}, asked())
    assert raised(theirs)
    assert ours.success
