"""Requests that are seldom made and have an answer all the same; each was once answered wrongly or with an error."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.row_conditions import Column

import gx_polars
from tests.gx_polars.comparison import messages
from tests.gx_polars.engines import case_warnings_ignored


def checked(
    frame: pl.DataFrame | pl.LazyFrame, expectation: gxe.Expectation, form: Any = "COMPLETE"
) -> ExpectationValidationResult:
    (result,) = gx_polars.validate(frame, gx.ExpectationSuite("odd", expectations=[expectation]), form).results
    return result


def test_what_only_an_order_can_answer_is_refused_of_lists_in_words() -> None:
    frame = pl.DataFrame({"pair": [[1], [2]]})
    for expectation in (
        gxe.ExpectColumnValuesToBeBetween(column="pair", min_value=1),
        gxe.ExpectColumnMaxToBeBetween(column="pair", min_value=1),
    ):
        assert "neither less nor greater" in messages(checked(frame, expectation))


def test_a_value_of_another_shape_is_in_no_column_of_lists_or_structs() -> None:
    frame = pl.DataFrame(
        {"record": [{"a": 1}, {"a": 2}], "pair": pl.Series([[1, 2], [3, 4]], dtype=pl.Array(pl.Int64, 2))}
    )
    record = checked(frame, gxe.ExpectColumnValuesToBeInSet(column="record", value_set=[[1], {"a": 2}]))
    assert record.result["partial_unexpected_list"] == [{"a": 1}]
    pair = checked(frame, gxe.ExpectColumnValuesToBeInSet(column="pair", value_set=[[1], [3, 4]]))
    assert pair.result["partial_unexpected_list"] == [[1, 2]]


def test_categories_read_as_dates_like_text() -> None:
    frame = pl.DataFrame({"day": pl.Series(["2024-01-31", "x"], dtype=pl.Categorical)})
    for expectation in (
        gxe.ExpectColumnValuesToBeDateutilParseable(column="day"),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="day", strftime_format="%Y-%m-%d"),
    ):
        assert checked(frame, expectation).result["partial_unexpected_list"] == ["x"]


def test_a_column_named_twice_counts_once_in_a_combination() -> None:
    result = checked(
        pl.DataFrame({"a": [1, 1], "b": [1, 2]}), gxe.ExpectCompoundColumnsToBeUnique(column_list=["a", "b", "a"])
    )
    assert result.success


def test_a_row_condition_that_does_not_suit_its_column_is_named() -> None:
    expectation = gxe.ExpectTableRowCountToEqual(value=1, row_condition=Column("text") == 9)
    assert "The row condition" in messages(checked(pl.DataFrame({"text": ["9"]}), expectation))


def test_of_no_values_the_divergence_is_unknown_and_no_error() -> None:
    partition = {"bins": [0, 1, 2], "weights": [0.5, 0.5]}
    expectation = gxe.ExpectColumnKLDivergenceToBeLessThan(
        column="x", partition_object=partition, threshold=0.1, tail_weight_holdout=0.01, internal_weight_holdout=0.01
    )
    result = checked(pl.DataFrame({"x": []}, schema={"x": pl.Float64}), expectation)
    assert not result.success
    assert not messages(result)


def test_key_columns_without_a_failing_row_are_an_empty_list() -> None:
    keys = {"result_format": "COMPLETE", "unexpected_index_column_names": ["x"], "exclude_unexpected_values": True}
    result = checked(pl.DataFrame({"x": [1]}), gxe.ExpectColumnValuesToNotBeNull(column="x"), keys)
    assert result.result["unexpected_index_list"] == []


def test_a_key_column_that_is_not_there_matters_when_a_row_fails() -> None:
    keys = {"result_format": "COMPLETE", "unexpected_index_column_names": ["absent"]}
    expectation = gxe.ExpectColumnValuesToNotBeNull(column="x")
    assert checked(pl.DataFrame({"x": [1]}), expectation, keys).success
    assert '"absent"' in messages(checked(pl.DataFrame({"x": [None]}), expectation, keys))


def test_a_path_that_leads_nowhere_is_named_without_words_of_polars() -> None:
    result = checked(pl.scan_parquet("/nowhere/*.parquet"), gxe.ExpectColumnValuesToNotBeNull(column="x"))
    assert '"/nowhere/*.parquet"' in messages(result)
    assert "PlRefPath" not in messages(result)


def test_a_bound_for_durations_is_refused_with_a_way_out() -> None:
    frame = pl.DataFrame({"took": [1]}).select(pl.duration(seconds="took").alias("took"))
    assert "total_seconds" in messages(checked(frame, gxe.ExpectColumnValuesToBeBetween(column="took", min_value=1)))


@pytest.mark.parametrize(
    "expectation",
    [
        gxe.ExpectColumnValuesToBeDateutilParseable(column="x"),
        gxe.ExpectColumnValuesToMatchStrftimeFormat(column="x", strftime_format="%Y"),
        gxe.ExpectColumnValueZScoresToBeLessThan(column="x", threshold=1, double_sided=True),
        gxe.ExpectColumnValuesToNotBeOutliers(column="x", method="iqr", multiplier=1.5),
        gxe.ExpectColumnValuesToMatchRegex(column="x", regex="a"),
    ],
    ids=lambda expectation: expectation.expectation_type,
)
def test_a_column_without_a_type_has_no_value_that_could_be_wrong(expectation: gxe.Expectation) -> None:
    assert checked(pl.DataFrame({"x": [None, None]}), expectation).success


SET_KINDS = [(pl.String, ["a", "b"]), (pl.Int64, [1, 2]), (pl.Float64, [1.5, 2.0]), (pl.Boolean, [True, False])]


@pytest.mark.parametrize(("dtype", "values"), SET_KINDS, ids=str)
def test_none_in_a_set_is_no_value_that_a_column_has(dtype: pl.DataType, values: list[Any]) -> None:
    frame = pl.DataFrame({"x": pl.Series([*values, None], dtype=dtype)})
    wanted = [*values, None, None]
    equal = checked(frame, gxe.ExpectColumnDistinctValuesToEqualSet(column="x", value_set=wanted))
    held = checked(frame, gxe.ExpectColumnDistinctValuesToContainSet(column="x", value_set=wanted))
    inside = checked(frame, gxe.ExpectColumnDistinctValuesToBeInSet(column="x", value_set=wanted))
    for result in (equal, held):
        assert not result.success
        assert (result.result["missing_count"], result.result["partial_missing_list"]) == (1, [None])
    assert inside.success


@pytest.mark.parametrize("condition", [None, Column("keep") == True], ids=["all rows", "row condition"])  # noqa: E712
def test_missing_values_are_not_outside_the_automatic_partition(condition: Any) -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, None, 4.0, 9.0], "keep": [True, True, True, True, False]})
    expectation = gxe.ExpectColumnKLDivergenceToBeLessThan(
        column="x", partition_object=None, threshold=0, row_condition=condition
    )
    result = checked(frame, expectation)
    assert result.success, messages(result)
    assert result.result["observed_value"] == pytest.approx(0)
    assert result.result["details"]["observed_partition"]["tail_weights"] == [0, 0]


def test_instants_have_no_outliers() -> None:
    frame = pl.DataFrame({"day": [dt.date(2025, 7, 1), dt.date(2025, 7, 2)]})
    result = checked(frame, gxe.ExpectColumnValuesToNotBeOutliers(column="day", method="iqr", multiplier=1.5))
    assert not result.success
    assert "non-numerical column: 'day' is Date" in messages(result)


def test_bounds_of_booleans_are_ordered_like_others() -> None:
    result = checked(
        pl.DataFrame({"x": [True]}), gxe.ExpectColumnValuesToBeBetween(column="x", min_value=3, max_value=1)
    )
    assert "min_value cannot be greater than max_value" in messages(result)


@pytest.mark.parametrize(("method", "broken"), [("std", []), ("iqr", [3])])
def test_an_infinite_value_makes_no_outliers_of_the_others(method: Literal["std", "iqr"], broken: list[int]) -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, 3.0, float("inf"), 2.0]})
    result = checked(frame, gxe.ExpectColumnValuesToNotBeOutliers(column="x", method=method, multiplier=1.5))
    assert result.result["unexpected_index_list"] == broken


def test_booleans_have_z_scores() -> None:
    frame = pl.DataFrame({"x": [True, False, True, None]})
    result = checked(frame, gxe.ExpectColumnValueZScoresToBeLessThan(column="x", threshold=1, double_sided=True))
    assert result.result["unexpected_index_list"] == [1]


@pytest.mark.parametrize(("query", "rows"), [("x != x", 1), ("x != y", 2), ("not (x == y)", 2), ("x == x", 2)])
def test_two_columns_that_miss_a_value_are_unequal_in_a_row_condition(query: str, rows: int) -> None:
    frame = pl.DataFrame({"x": [1, 2, None], "y": [1, 3, None]})
    with case_warnings_ignored():
        expectation = gxe.ExpectTableRowCountToEqual(value=rows, row_condition=query, condition_parser="pandas")
        assert checked(frame, expectation).result["observed_value"] == rows


@pytest.mark.parametrize(
    ("expectation", "observed"),
    [
        (gxe.ExpectColumnMinToBeBetween(column="took"), "0:00:01"),
        (gxe.ExpectColumnSumToBeBetween(column="took"), "0:00:05"),
        (gxe.ExpectColumnMostCommonValueToBeInSet(column="took", value_set=["0:00:02"]), ["0:00:02"]),
    ],
    ids=lambda asked: getattr(asked, "expectation_type", None),
)
@pytest.mark.parametrize("unit", ["us", "ns"])
def test_observed_durations_are_text(expectation: gxe.Expectation, observed: Any, unit: Literal["us", "ns"]) -> None:
    spans = [dt.timedelta(seconds=seconds) for seconds in (1, 2, 2)]
    result = checked(pl.DataFrame({"took": pl.Series(spans, dtype=pl.Duration(unit))}), expectation)
    written: Any = result.to_json_dict()
    assert written["result"]["observed_value"] == observed


def test_the_value_that_is_not_json_is_named() -> None:
    expectation = gxe.ExpectColumnValuesToMatchJsonSchema(column="x", json_schema={"type": "object"})
    assert "The value 'nope' is not JSON" in messages(checked(pl.DataFrame({"x": ["{}", "nope"]}), expectation))


def test_values_that_polars_cannot_count_fail_their_own_expectation_only() -> None:
    expectation = gxe.ExpectColumnKLDivergenceToBeLessThan(
        column="x", partition_object=None, bucketize_data=False, threshold=1
    )
    frame = pl.DataFrame({"x": pl.Series([object(), object()], dtype=pl.Object)})
    assert "cannot be counted" in messages(checked(frame, expectation))


def test_an_hour_of_a_day_is_no_member_of_a_set_of_dates() -> None:
    frame = pl.DataFrame({"day": [dt.date(2025, 7, 1), dt.date(2025, 7, 2)]})
    wanted = [dt.date(2025, 7, 1), dt.datetime(2025, 7, 2, 5, tzinfo=dt.UTC), "2025-07-02T05:00:00"]
    inside = checked(frame, gxe.ExpectColumnValuesToBeInSet(column="day", value_set=wanted))
    assert inside.result["unexpected_index_list"] == [1]
    assert (
        checked(frame, gxe.ExpectColumnDistinctValuesToContainSet(column="day", value_set=wanted)).result[
            "missing_count"
        ]
        == 2
    )


def test_an_instant_is_no_member_of_a_set_of_hours() -> None:
    frame = pl.DataFrame({"hour": [dt.time(19, 5), dt.time(20)]})
    wanted = [dt.datetime(2025, 7, 2, 20, tzinfo=dt.UTC), "19:05", 20]
    assert checked(frame, gxe.ExpectColumnValuesToBeInSet(column="hour", value_set=wanted)).result[
        "unexpected_index_list"
    ] == [1]


@pytest.mark.parametrize("column", ["day", "at", "hour"])
def test_a_text_that_reads_as_no_date_is_named_with_the_type(column: str) -> None:
    day = dt.datetime(2025, 7, 1, 19, 5)  # noqa: DTZ001 - a column without a zone
    frame = pl.DataFrame({"day": [day.date()], "at": [day], "hour": [day.time()]})
    said = messages(checked(frame, gxe.ExpectColumnValuesToBeInSet(column=column, value_set=["noon"])))
    assert f"The column is {frame.schema[column]}, and the text 'noon' does not read as one" in said


def test_the_median_beside_infinite_values_is_a_number() -> None:
    infinite = float("inf")
    frame = pl.DataFrame({"x": [-infinite, 2.5, -infinite, 2.5], "y": [1.0, 2.0, 4.0, infinite]})
    assert checked(frame, gxe.ExpectColumnMedianToBeBetween(column="x")).result["observed_value"] == -infinite
    assert checked(frame, gxe.ExpectColumnMedianToBeBetween(column="y")).result["observed_value"] == 3


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["c", "a", "b"])], ids=str)
def test_categories_are_in_the_order_of_their_text(kind: Any) -> None:
    frame = pl.DataFrame({"grade": pl.Series(["c", "a", "c", "a", "b"], dtype=kind)})
    common = checked(frame, gxe.ExpectColumnMostCommonValueToBeInSet(column="grade", value_set=["a"], ties_okay=True))
    assert common.result["observed_value"] == ["a", "c"]
    rising = checked(frame, gxe.ExpectColumnValuesToBeIncreasing(column="grade"))
    assert rising.result["unexpected_index_list"] == [1, 3]
    partition = {"values": ["a", "b"], "weights": [0.5, 0.5]}
    diverging = checked(
        frame, gxe.ExpectColumnKLDivergenceToBeLessThan(column="grade", partition_object=partition, threshold=9)
    )
    assert diverging.result["details"]["observed_partition"] == {"values": ["a", "b", "c"], "weights": [0.4, 0.2, 0.4]}


@pytest.mark.parametrize(("way", "middle"), [("linear", 0.75), ("lower", 0), ("higher", 1), ("midpoint", 0.5)])
def test_one_may_interpolate_between_truths(way: str, middle: float) -> None:
    frame = pl.DataFrame({"x": [False, True, None]})
    asked = gxe.ExpectColumnQuantileValuesToBeBetween(
        column="x", quantile_ranges={"quantiles": [0.75], "value_ranges": [[0, 1]]}, allow_relative_error=way
    )
    result = checked(frame, asked)
    assert result.success, messages(result)
    assert result.result["observed_value"]["values"] == [middle]


def test_booleans_have_outliers() -> None:
    frame = pl.DataFrame({"x": [True] * 7 + [False]})
    result = checked(frame, gxe.ExpectColumnValuesToNotBeOutliers(column="x", method="iqr", multiplier=1.5))
    assert result.result["unexpected_index_list"] == [7]


def test_the_text_of_a_truth_is_as_python_writes_it() -> None:
    frame = pl.DataFrame({"x": [True, False, None]})
    assert checked(frame, gxe.ExpectColumnValuesToMatchRegex(column="x", regex="^(True|False)$")).success
    result = checked(frame, gxe.ExpectColumnValuesToNotMatchRegex(column="x", regex="^T"))
    assert result.result["unexpected_index_list"] == [0]
    assert not checked(frame, gxe.ExpectColumnValuesToMatchLikePattern(column="x", like_pattern="true")).success
