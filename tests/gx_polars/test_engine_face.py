"""The short way: validate a frame, name the rows that fail."""

from __future__ import annotations

from collections.abc import Iterator

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.expectations.expectation import ColumnMapExpectation
from great_expectations.expectations.registry import _registered_expectations

import gx_polars


@pytest.fixture
def people() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "age": [34, None, -1, 51],
            "name": ["Ann", "Bob", "Ann", None],
            "height_cm": [170.0, float("nan"), 181.0, 190.0],
        }
    )


@pytest.fixture
def suite() -> gx.ExpectationSuite:
    return gx.ExpectationSuite(
        "people",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(column="age"),
            gxe.ExpectColumnValuesToBeBetween(
                column="age", min_value=0, max_value=120, meta={"rule": "age is human"}, severity="warning"
            ),
            gxe.ExpectColumnValuesToBeUnique(column="name", mostly=0.1),
            gxe.ExpectTableRowCountToBeBetween(min_value=1, max_value=10),
        ],
    )


@pytest.mark.parametrize("lazy", [False, True])
def test_validate_returns_the_counts_of_each_expectation(
    people: pl.DataFrame, suite: gx.ExpectationSuite, lazy: bool
) -> None:
    result = gx_polars.validate(people.lazy() if lazy else people, suite, result_format="COMPLETE")

    failed = {
        each.expectation_config.type: each.result["unexpected_index_list"]
        for each in result.results
        if not each.success
    }
    assert failed == {"expect_column_values_to_not_be_null": [1], "expect_column_values_to_be_between": [2]}
    assert result.statistics["successful_expectations"] == 2


@pytest.mark.parametrize("lazy", [False, True])
def test_row_mask_names_what_each_row_breaks_whatever_mostly_forgives(
    people: pl.DataFrame, suite: gx.ExpectationSuite, lazy: bool
) -> None:
    mask = gx_polars.row_mask(people.lazy() if lazy else people, suite)

    unique = "expect_column_values_to_be_unique(name)"
    assert mask.to_list() == [[unique], ["expect_column_values_to_not_be_null(age)"], ["age is human", unique], []]


def test_row_mask_refuses_to_call_rows_sound_when_an_expectation_cannot_run(people: pl.DataFrame) -> None:
    suite = gx.ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToNotBeNull(column="weight_kg")])

    with pytest.raises(gx_polars.MetricFailed, match="weight_kg"):
        gx_polars.row_mask(people, suite)


def test_an_expectation_that_cannot_run_has_failed_with_its_reason(people: pl.DataFrame) -> None:
    suite = gx.ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToBeBetween(column="name", min_value=1)])

    (result,) = gx_polars.validate(people, suite).results

    assert not result.success
    assert "the column is String" in str(result.exception_info)


def test_row_rules_tell_what_the_names_of_a_mask_stand_for(suite: gx.ExpectationSuite) -> None:
    rules = {rule.name: (rule.configuration.type, rule.severity) for rule in gx_polars.row_rules(suite)}

    assert rules == {
        "expect_column_values_to_not_be_null(age)": ("expect_column_values_to_not_be_null", "critical"),
        "age is human": ("expect_column_values_to_be_between", "warning"),
        "expect_column_values_to_be_unique(name)": ("expect_column_values_to_be_unique", "critical"),
    }


def test_a_row_mask_can_be_of_one_severity(people: pl.DataFrame, suite: gx.ExpectationSuite) -> None:
    assert gx_polars.row_mask(people, suite, severity="warning").to_list() == [[], [], ["age is human"], []]
    assert gx_polars.row_mask(people, suite, severity=("info",)).to_list() == [[], [], [], []]


@pytest.fixture
def pandas_only() -> Iterator[type[ColumnMapExpectation]]:
    """An expectation whose metric nobody registered for Polars."""

    class ExpectColumnValuesToBeKnownToPandas(ColumnMapExpectation):
        map_metric = "column_values.known_to_pandas"

    yield ExpectColumnValuesToBeKnownToPandas
    del _registered_expectations["expect_column_values_to_be_known_to_pandas"]


def test_an_expectation_without_a_polars_metric_fails_alone_and_says_so(
    people: pl.DataFrame, pandas_only: type[ColumnMapExpectation]
) -> None:
    suite = gx.ExpectationSuite("s", expectations=[pandas_only(column="age"), gxe.ExpectColumnToExist(column="age")])

    results = {each.expectation_config.type: each for each in gx_polars.validate(people, suite).results}

    assert results["expect_column_to_exist"].success
    refused = results["expect_column_values_to_be_known_to_pandas"]
    assert not refused.success
    assert "column_values.known_to_pandas" in str(refused.exception_info)
    with pytest.raises(gx_polars.MetricFailed, match="register one with polars_condition"):
        gx_polars.row_mask(people, suite)


def test_a_changed_suite_is_another_suite(people: pl.DataFrame) -> None:
    suite = gx.ExpectationSuite("s", expectations=[gxe.ExpectColumnValuesToBeBetween(column="age", max_value=40)])
    before = gx_polars.validate(people, suite).results[0].result["unexpected_count"]
    suite.expectations[0].max_value = 60

    assert (before, gx_polars.validate(people, suite).results[0].result["unexpected_count"]) == (1, 0)


def test_what_is_done_to_one_result_does_not_reach_the_next(people: pl.DataFrame, suite: gx.ExpectationSuite) -> None:
    first = gx_polars.validate(people, suite).results[0]
    first.expectation_config.kwargs["column"] = "spoilt"
    first.expectation_config.meta["spoilt"] = True

    again = gx_polars.validate(people, suite).results[0]
    assert again.expectation_config.kwargs["column"] == "age"
    assert again.expectation_config.meta == {}


def test_a_parameter_of_the_suite_is_given_when_it_runs(people: pl.DataFrame) -> None:
    below = gxe.ExpectColumnValuesToBeBetween(column="age", max_value={"$PARAMETER": "most"})
    suite = gx.ExpectationSuite("s", expectations=[below])

    counts = [
        gx_polars.validate(people, suite, suite_parameters={"most": most}).results[0].result["unexpected_count"]
        for most in (40, 60, 40)
    ]
    assert counts == [1, 0, 1]


def test_a_scan_whose_file_is_gone_fails_every_expectation_with_the_file(suite: gx.ExpectationSuite) -> None:
    result = gx_polars.validate(pl.scan_parquet("/nowhere/people.parquet"), suite)

    assert result.statistics["successful_expectations"] == 0
    assert all("/nowhere/people.parquet" in str(each.exception_info) for each in result.results)
