"""Two columns in one comparison: values of two kinds are never equal and have no order, those of one kind compare exactly."""

from __future__ import annotations

import datetime as dt
import decimal
import itertools
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.core import ExpectationValidationResult

import gx_polars
from tests.gx_polars.comparison import messages, raised
from tests.gx_polars.engines import case_warnings_ignored

DAY = dt.date(2024, 1, 1)
NOON = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)

# One value of each kind. To Polars itself 19,723 equals the first of January 2024, and midnight its day in any zone.
ONE_OF_EACH = {
    "number": pl.Series([19_723]),
    "day": pl.Series([DAY]),
    "with a zone": pl.Series([dt.datetime(2024, 1, 1, tzinfo=dt.UTC)]),
    "duration": pl.Series([dt.timedelta(days=1)]),
    "hour": pl.Series([dt.time(1)]),
    "text": pl.Series(["2024-01-01"]),
    "bytes": pl.Series([b"2024-01-01"]),
    "list": pl.Series([[19_723]]),
    "record": pl.Series([{"a": 19_723}]),
}
COUPLES = list(itertools.combinations(ONE_OF_EACH, 2))


def checked(frame: pl.DataFrame, expectation: gxe.Expectation) -> ExpectationValidationResult:
    suite = gx.ExpectationSuite("two", expectations=[expectation])
    eager, lazy = (gx_polars.validate(each, suite, "COMPLETE").results[0] for each in (frame, frame.lazy()))
    assert eager.success == lazy.success
    return eager


def two(a: pl.Series, b: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"a": a, "b": b})


EQUAL = gxe.ExpectColumnPairValuesToBeEqual(column_A="a", column_B="b")
GREATER = gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A="a", column_B="b")


def fresh(expectation: gxe.Expectation, **changed: Any) -> gxe.Expectation:
    return type(expectation)(**expectation.dict(exclude_unset=True) | changed)


@pytest.mark.parametrize("kinds", COUPLES, ids=" and ".join)
def test_values_of_two_kinds_are_there_and_never_equal(kinds: tuple[str, str]) -> None:
    frame = two(*(ONE_OF_EACH[kind] for kind in kinds))
    pair = checked(frame, fresh(EQUAL))
    assert not raised(pair), messages(pair)
    assert (pair.success, pair.result["unexpected_count"]) == (False, 1)
    columns = {"column_list": ["a", "b"]}
    assert checked(frame, gxe.ExpectSelectColumnValuesToBeUniqueWithinRecord(**columns)).success
    assert not checked(frame, gxe.ExpectMulticolumnValuesToBeEqual(**columns)).success


@pytest.mark.parametrize("kinds", COUPLES, ids=" and ".join)
def test_values_of_two_kinds_have_no_order_and_the_sentence_names_both_columns(kinds: tuple[str, str]) -> None:
    result = checked(two(*(ONE_OF_EACH[kind] for kind in kinds)), fresh(GREATER))
    assert raised(result)
    nested = {"list", "record"} & set(kinds)
    assert ("neither less nor greater" if nested else '" is ') in messages(result)
    assert nested or ('"a"' in messages(result) and '"b"' in messages(result))


def test_two_columns_of_different_kinds_are_no_row_condition() -> None:
    frame = two(pl.Series([19_723]), pl.Series([DAY]))
    with case_warnings_ignored():
        expectation = gxe.ExpectTableRowCountToEqual(value=1, row_condition="a == b", condition_parser="pandas")
        assert "values of two kinds have no order" in messages(checked(frame, expectation))


@pytest.mark.parametrize(
    ("a", "b"),
    [([1], ["1"]), ([[1]], [["1"]]), ({"x": 1}, {"x": "1"}), ([{"x": DAY}], [{"x": 19_723}]), ({"x": 1}, {"y": 1})],
    ids=["lists", "lists of lists", "records", "lists of records", "records of other names"],
)
def test_what_lists_and_records_hold_is_of_two_kinds_too(a: Any, b: Any) -> None:
    frame = two(pl.Series([a, None]), pl.Series([b, None]))
    assert checked(frame, fresh(EQUAL)).result["unexpected_index_list"] == [0]


def test_lists_that_hold_one_kind_are_equal_and_empty_ones_too() -> None:
    numbers = pl.Series([[1], []])
    assert checked(two(numbers, pl.Series([[1.0], []])), fresh(EQUAL)).success
    assert checked(two(pl.Series([[], []]), numbers), fresh(EQUAL)).result["unexpected_index_list"] == [0]


def test_a_day_that_nanoseconds_do_not_reach_is_later_than_every_instant_in_them() -> None:
    days = pl.Series([dt.date(9999, 12, 31), DAY, DAY, dt.date(1, 1, 1)])
    midnight = dt.datetime.combine(DAY, dt.time())
    later = midnight + dt.timedelta(microseconds=1)
    instants = pl.Series([midnight, midnight, later, midnight]).dt.cast_time_unit("ns")
    frame = two(days, instants)
    assert checked(frame, fresh(EQUAL)).result["unexpected_index_list"] == [0, 2, 3]
    assert checked(frame, fresh(GREATER, or_equal=True)).result["unexpected_index_list"] == [2, 3]


def in_zone(zone: str, *instants: dt.datetime) -> pl.Series:
    return pl.Series(list(instants)).dt.convert_time_zone(zone)


def test_instants_of_two_zones_compare_as_instants() -> None:
    later = NOON + dt.timedelta(microseconds=1)
    frame = two(in_zone("America/New_York", NOON, later, NOON), in_zone("Asia/Tokyo", NOON, NOON, later))
    assert checked(frame, fresh(EQUAL)).result["unexpected_index_list"] == [1, 2]
    assert checked(frame, fresh(GREATER)).result["unexpected_index_list"] == [0, 2]
    assert checked(frame, fresh(GREATER, or_equal=True)).result["unexpected_index_list"] == [2]
    with case_warnings_ignored():
        expectation = gxe.ExpectTableRowCountToEqual(value=1, row_condition="a == b", condition_parser="pandas")
        assert checked(frame, expectation).success


def test_instants_of_two_zones_and_two_units_compare_in_the_finer_unit() -> None:
    coarse = in_zone("America/New_York", NOON).dt.cast_time_unit("ms")
    fine = in_zone("Asia/Tokyo", NOON + dt.timedelta(microseconds=1))
    assert not checked(two(coarse, fine), fresh(EQUAL)).success
    assert checked(two(fine, coarse), fresh(GREATER)).success


def test_a_truth_compares_with_a_decimal_as_with_other_numbers() -> None:
    decimals = pl.Series([decimal.Decimal("1.0"), decimal.Decimal("0.5")])
    frame = two(pl.Series([True, False]), decimals)
    assert checked(frame, fresh(EQUAL)).result["unexpected_index_list"] == [1]
    assert checked(frame, fresh(GREATER, or_equal=True)).result["unexpected_index_list"] == [1]


@pytest.mark.parametrize("values", [["a"], [DAY], [[1]]], ids=["text", "days", "lists"])
def test_what_has_no_numbers_is_not_added_up_and_is_named(values: list[Any]) -> None:
    expectation = gxe.ExpectMulticolumnSumToEqual(column_list=["a", "b"], sum_total=1)
    result = checked(two(pl.Series([1]), pl.Series(values)), expectation)
    assert 'Column "b" is ' in messages(result)
    assert "no numbers to add up" in messages(result)


def test_a_column_without_a_type_has_no_value_of_another_kind() -> None:
    frame = two(pl.Series([None, None]), pl.Series(["x", None]))
    assert checked(frame, fresh(EQUAL)).result["unexpected_index_list"] == [0]
    assert checked(frame, fresh(GREATER)).result["unexpected_index_list"] == [0]
