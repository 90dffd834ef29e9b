"""Data on which engines go wrong: each kind with a row that passes and a row that fails."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import great_expectations as gx
import great_expectations.expectations as gxe
import polars as pl
import pytest
from great_expectations.core import ExpectationValidationResult

import gx_polars
from tests.gx_polars.comparison import messages, raised
from tests.gx_polars.gold import PAIRS_OF_ALL, TABLE


def check(
    frame: pl.DataFrame | pl.LazyFrame, expectation: gxe.Expectation, **options: Any
) -> ExpectationValidationResult:
    """The full result of one expectation, which must have run to its end."""
    suite = gx.ExpectationSuite("hard", expectations=[expectation])
    (result,) = gx_polars.validate(frame, suite, result_format="COMPLETE", **options).results
    assert not raised(result), messages(result)
    return result


def bad_rows(frame: pl.DataFrame | pl.LazyFrame, expectation: gxe.Expectation, **options: Any) -> list[int]:
    return check(frame, expectation, **options).result["unexpected_index_list"]


# Missing numbers


NUMBERS = pl.DataFrame({"x": [1.0, math.nan, None, 9.0]})


def test_nan_counts_as_missing_beside_null() -> None:
    result = check(NUMBERS, gxe.ExpectColumnValuesToNotBeNull(column="x"))
    assert result.result["unexpected_index_list"] == [1, 2]
    assert check(NUMBERS, gxe.ExpectColumnValuesToBeBetween(column="x", max_value=5)).result["missing_count"] == 2
    assert check(NUMBERS, gxe.ExpectColumnMeanToBeBetween(column="x")).result["observed_value"] == 5.0


def test_nan_is_a_value_where_it_is_asked_to_be_one() -> None:
    assert bad_rows(NUMBERS, gxe.ExpectColumnValuesToNotBeNull(column="x"), nan_is_missing=False) == [2]


def test_infinity_is_a_number_beyond_every_bound() -> None:
    frame = pl.DataFrame({"x": [1.0, math.inf, -math.inf]})
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0, max_value=10)) == [1, 2]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0)) == [2]


# Numbers of other types


def test_decimals_are_compared_and_summed_exactly() -> None:
    cents = [Decimal("0.10"), Decimal("0.20"), Decimal("0.30")]
    frame = pl.DataFrame({"price": cents}, schema={"price": pl.Decimal(10, 2)})
    between = gxe.ExpectColumnValuesToBeBetween(column="price", min_value=0.1, max_value=0.2)
    assert bad_rows(frame, between) == [2]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeInSet(column="price", value_set=[0.1, 0.2])) == [2]
    total = check(frame, gxe.ExpectColumnSumToBeBetween(column="price", min_value=0.6, max_value=0.6))
    assert total.success
    assert check(frame, gxe.ExpectColumnMaxToBeBetween(column="price", max_value=0.3)).success


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt8, pl.Int32, pl.UInt64, pl.Float32])
def test_a_bound_beyond_the_type_is_a_bound(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"x": pl.Series([0, 1, 100], dtype=dtype)})
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="x", min_value=-1000, max_value=99)) == [2]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="x", min_value=-(10**12), max_value=10**12)) == []
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeInSet(column="x", value_set=[0, 100, 10**12, -1])) == [1]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0.5)) == [0]


def test_integers_beyond_the_mantissa_of_a_float_are_kept_apart() -> None:
    large = 2**53
    frame = pl.DataFrame({"id": [large, large + 1, large + 2]})
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeUnique(column="id")) == []
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeInSet(column="id", value_set=[large, large + 2])) == [1]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="id", max_value=large)) == [1, 2]


def test_sums_of_small_integers_do_not_wrap_around() -> None:
    frame = pl.DataFrame({"a": pl.Series([100], dtype=pl.Int8), "b": pl.Series([100], dtype=pl.Int8)})
    summed = gxe.ExpectMulticolumnSumToEqual(column_list=["a", "b"], sum_total=200)
    assert bad_rows(frame, summed) == []


# Text of a fixed set


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["low", "high", "odd"])], ids=["categorical", "enum"])
def test_categories_are_text(dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"level": pl.Series(["low", "high", "odd", None], dtype=dtype)})
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeInSet(column="level", value_set=["low", "high", "none"])) == [2]
    assert bad_rows(frame, gxe.ExpectColumnValuesToMatchRegex(column="level", regex="^(low|high)$")) == [2]
    assert bad_rows(frame, gxe.ExpectColumnValueLengthsToBeBetween(column="level", min_value=4)) == [0, 2]
    distinct = gxe.ExpectColumnDistinctValuesToEqualSet(column="level", value_set=["low", "high", "odd"])
    assert check(frame, distinct).success
    kept = gxe.ExpectColumnMostCommonValueToBeInSet(column="level", value_set=["low"], ties_okay=True)
    assert check(frame, kept).success
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeUnique(column="level")) == []


# Time


def test_dates_are_compared_with_dates_instants_and_text() -> None:
    frame = pl.DataFrame({"day": [dt.date(2024, 1, 1), dt.date(2024, 6, 1)]})
    for limit in (dt.date(2024, 2, 1), dt.datetime(2024, 2, 1), "2024-02-01"):  # noqa: DTZ001 - a day has no zone
        assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="day", max_value=limit)) == [1]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeInSet(column="day", value_set=[dt.date(2024, 1, 1)])) == [1]


def test_instants_of_one_zone_are_compared_with_instants_of_another() -> None:
    start = dt.datetime(2024, 7, 1, 18, tzinfo=ZoneInfo("America/New_York"))
    column = pl.Series([start, start + dt.timedelta(hours=1)], dtype=pl.Datetime("us", "America/New_York"))
    frame = pl.DataFrame({"starts_at": column})
    limit = dt.datetime(2024, 7, 1, 22, tzinfo=dt.UTC)
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="starts_at", max_value=limit)) == [1]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="starts_at", max_value=limit.isoformat())) == [1]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
def test_the_unit_of_an_instant_does_not_matter(unit: Any) -> None:
    moments = [dt.datetime(2024, 1, 1), dt.datetime(2024, 1, 2)]  # noqa: DTZ001 - a column without a zone
    frame = pl.DataFrame({"at": pl.Series(moments, dtype=pl.Datetime(unit))})
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="at", max_value=moments[0])) == [1]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column="at", max_value="2024-01-01")) == [1]


def test_an_instant_without_a_zone_is_not_compared_with_one_that_has_a_zone() -> None:
    frame = pl.DataFrame({"at": [dt.datetime(2024, 1, 1)]})  # noqa: DTZ001 - a column without a zone
    suite = gx.ExpectationSuite(
        "zones",
        expectations=[
            gxe.ExpectColumnValuesToBeBetween(column="at", max_value=dt.datetime(2024, 1, 1, tzinfo=dt.UTC)),
        ],
    )
    (result,) = gx_polars.validate(frame, suite).results
    assert not (result.success and raised(result))
    assert raised(result) or result.success is True


def test_durations_are_values() -> None:
    """GX takes no duration for a bound; sets, nulls and duplicates it can ask about."""
    hour = dt.timedelta(hours=1)
    frame = pl.DataFrame({"took": [hour, 2 * hour, None, 2 * hour]})
    assert bad_rows(frame, gxe.ExpectColumnValuesToNotBeNull(column="took")) == [2]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeUnique(column="took")) == [1, 3]
    assert check(frame, gxe.ExpectColumnValuesToBeOfType(column="took", type_="Duration")).success


# Nested


NESTED = pl.DataFrame(
    {"tags": [["a"], ["a"], [], None], "place": [{"x": 1, "y": 2}, {"x": 1, "y": 2}, {"x": 2, "y": None}, None]}
)


@pytest.mark.parametrize("column", ["tags", "place"])
def test_nested_values_are_counted_and_told_apart(column: str) -> None:
    assert bad_rows(NESTED, gxe.ExpectColumnValuesToNotBeNull(column=column)) == [3]
    assert bad_rows(NESTED, gxe.ExpectColumnValuesToBeUnique(column=column)) == [0, 1]
    count = check(NESTED, gxe.ExpectColumnUniqueValueCountToBeBetween(column=column, min_value=2, max_value=2))
    assert count.result["observed_value"] == 2


@pytest.mark.parametrize(("column", "dtype"), [("tags", "List"), ("place", "Struct")])
def test_the_type_of_a_nested_column_has_a_name(column: str, dtype: str) -> None:
    assert check(NESTED, gxe.ExpectColumnValuesToBeOfType(column=column, type_=dtype)).success
    assert not check(NESTED, gxe.ExpectColumnValuesToBeOfType(column=column, type_="String")).success


# Little or nothing


def _everything_about(column: str) -> list[gxe.Expectation]:
    return [
        gxe.ExpectColumnValuesToNotBeNull(column=column),
        gxe.ExpectColumnValuesToBeUnique(column=column),
        gxe.ExpectColumnValuesToBeBetween(column=column, min_value=0, max_value=1),
        gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[1]),
        gxe.ExpectColumnUniqueValueCountToBeBetween(column=column, max_value=0),
        gxe.ExpectTableRowCountToBeBetween(max_value=3),
        gxe.ExpectColumnPairValuesToBeEqual(column_A=column, column_B=column),
    ]


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_an_empty_frame_breaks_no_row(lazy: bool) -> None:
    frame = pl.DataFrame({"x": []}, schema={"x": pl.Int64})
    for expectation in _everything_about("x"):
        assert check(frame.lazy() if lazy else frame, expectation).success, expectation


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.Null], ids=str)
def test_a_column_of_nothing_but_nulls_fails_only_as_null(dtype: type[pl.DataType]) -> None:
    frame = pl.DataFrame({"x": pl.Series([None] * 3, dtype=dtype)})
    not_null, *others = _everything_about("x")
    assert check(frame, not_null).result["unexpected_count"] == 3
    for expectation in others:
        assert check(frame, expectation).success, expectation


def test_the_mean_of_nothing_is_no_success() -> None:
    frame = pl.DataFrame({"x": pl.Series([None], dtype=pl.Float64)})
    suite = gx.ExpectationSuite("empty", expectations=[gxe.ExpectColumnMeanToBeBetween(column="x", min_value=0)])
    (result,) = gx_polars.validate(frame, suite).results
    assert result.success is False


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_a_frame_without_columns_has_no_columns(lazy: bool) -> None:
    frame = pl.LazyFrame() if lazy else pl.DataFrame()
    assert check(frame, gxe.ExpectTableColumnCountToEqual(value=0)).success
    assert check(frame, gxe.ExpectTableRowCountToEqual(value=0)).success
    assert not check(frame, gxe.ExpectColumnToExist(column="x")).success


# Names


ODD_NAMES = [
    "a b",
    "",
    "^x.*$",
    "*",
    "a.b",
    'quote"d',
    "Größe",
    "count",
    "len",
    "literal",
    "0",
    "index",
    "row",
    "m0",
    "select",
    "🙂",
    "{batch}",
    "a,b",
]


def _named(name: str) -> pl.DataFrame:
    return pl.DataFrame([pl.Series(name, [1, 2, None, 2]), pl.Series("xyz", ["p", "q", "r", "s"])])


@pytest.mark.parametrize("name", [name for name in ODD_NAMES if name])
def test_a_column_may_have_any_name(name: str) -> None:
    frame = _named(name)
    assert bad_rows(frame, gxe.ExpectColumnValuesToNotBeNull(column=name)) == [2]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeUnique(column=name)) == [1, 3]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeBetween(column=name, max_value=1)) == [1, 3]
    assert bad_rows(frame, gxe.ExpectColumnValuesToBeInSet(column=name, value_set=[1])) == [1, 3]
    assert check(frame, gxe.ExpectColumnSumToBeBetween(column=name)).result["observed_value"] == 5
    pair = gxe.ExpectCompoundColumnsToBeUnique(column_list=[name, "xyz"])
    assert bad_rows(frame, pair) == []
    assert check(frame, gxe.ExpectColumnToExist(column=name)).success
    text = pl.DataFrame([pl.Series(name, ["1", "{", None, "1"]), pl.Series("xyz", [1, 2, 3, 4])])
    assert bad_rows(text, gxe.ExpectColumnValuesToBeJsonParseable(column=name)) == [1]
    assert bad_rows(text, gxe.ExpectColumnValuesToBeUnique(column=name)) == [0, 3]


@pytest.mark.parametrize("name", ["^x.*$", "*"])
def test_a_name_is_never_read_as_a_pattern(name: str) -> None:
    suite = gx.ExpectationSuite("patterns", expectations=[gxe.ExpectColumnValuesToNotBeNull(column=name)])
    (result,) = gx_polars.validate(pl.DataFrame({"xyz": [1]}), suite).results
    assert not result.success
    assert raised(result)
    assert name in messages(result)


@pytest.mark.parametrize("index", ["id", "index", "row"])
def test_failing_rows_are_named_by_the_columns_asked_for(index: str) -> None:
    frame = pl.DataFrame({index: ["k1", "k2", "k3"], "x": [1, -1, 5]})
    form = {"result_format": "COMPLETE", "unexpected_index_column_names": [index]}
    suite = gx.ExpectationSuite("keys", expectations=[gxe.ExpectColumnValuesToBeBetween(column="x", min_value=0)])
    (result,) = gx_polars.validate(frame, suite, result_format=form).results
    assert result.result["unexpected_index_list"] == [{"x": -1, index: "k2"}]


# What cannot run


def test_an_expectation_that_cannot_run_fails_alone_and_says_why() -> None:
    frame = pl.DataFrame({"name": ["Ann", None], "age": [3, 4]})
    suite = gx.ExpectationSuite(
        "mixed",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(column="absent"),
            gxe.ExpectColumnMeanToBeBetween(column="name", min_value=1),
            gxe.ExpectColumnValuesToMatchRegex(column="name", regex="("),
            gxe.ExpectColumnValueZScoresToBeLessThan(column="name", threshold=1, double_sided=True),
            gxe.UnexpectedRowsExpectation(unexpected_rows_query="SELECT nothing FROM {batch}"),
            gxe.ExpectColumnValuesToNotBeNull(column="age"),
            gxe.ExpectColumnValuesToNotBeNull(column="name"),
        ],
    )
    results = {_about(each): each for each in gx_polars.validate(frame, suite).results}
    for about, word in {
        "expect_column_values_to_not_be_null absent": "absent",
        "expect_column_mean_to_be_between name": "name",
        "expect_column_values_to_match_regex name": "(",
        "expect_column_value_z_scores_to_be_less_than name": "name",
        "unexpected_rows_expectation": "nothing",
    }.items():
        assert results[about].success is False
        assert raised(results[about]), about
        assert word in messages(results[about]), about
    assert results["expect_column_values_to_not_be_null age"].success is True
    assert not raised(results["expect_column_values_to_not_be_null name"])


def _about(result: ExpectationValidationResult) -> str:
    configuration = result.expectation_config
    return " ".join(filter(None, [configuration.type, configuration.kwargs.get("column")]))


def test_a_lazy_frame_that_fails_in_the_middle_names_the_expectation_and_the_source(tmp_path: Path) -> None:
    path = tmp_path / "ages.csv"
    path.write_text("age,name\n" + "1,Ann\n" * 50 + "unknown,Bob\n")
    frame = pl.scan_csv(path, schema={"age": pl.Int64, "name": pl.String})
    suite = gx.ExpectationSuite(
        "ages", expectations=[gxe.ExpectColumnValuesToBeBetween(column="age", min_value=0, max_value=120)]
    )
    result = gx_polars.validate(frame, suite)
    assert result.success is False
    (failed,) = result.results
    assert raised(failed)
    assert "expect_column_values_to_be_between" in messages(failed) or "column_values.between" in messages(failed)
    assert "age" in messages(failed)
    assert path.name in messages(failed)


def test_a_lazy_frame_whose_function_fails_fails_every_expectation_that_reads_it() -> None:
    def broken(_: pl.Series) -> pl.Series:
        raise RuntimeError("the feed broke off")

    frame = pl.LazyFrame({"x": [1, 2]}).with_columns(pl.col("x").map_batches(broken, return_dtype=pl.Int64))
    suite = gx.ExpectationSuite(
        "broken",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(column="x"),
            gxe.ExpectColumnMaxToBeBetween(column="x", max_value=9),
        ],
    )
    results = gx_polars.validate(frame, suite).results
    assert [each.success for each in results] == [False, False]
    assert all("the feed broke off" in messages(each) for each in results)


# No other representation, one pass


def test_no_value_of_the_frame_becomes_pandas_or_a_python_object(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clean data: every expectation of the table passes, and no column or frame is taken out of Polars."""
    asked = [pair.passing() for pair in PAIRS_OF_ALL if "Rows" not in pair.expectation.__name__]  # those return rows
    suite = gx.ExpectationSuite("clean", expectations=asked)
    gx_polars.validate(TABLE, suite)  # compiled and warm: the conversions below are of the data alone

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the frame was converted")

    for owner in (pl.DataFrame, pl.Series):
        for name in ("to_pandas", "to_arrow", "to_numpy", "to_dicts", "to_dict", "rows", "iter_rows", "__array__"):
            if hasattr(owner, name):
                monkeypatch.setattr(owner, name, refuse)
    result = gx_polars.validate(TABLE, suite)
    assert result.success, [messages(each) for each in result.results if not each.success]


@pytest.fixture
def collects(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the calls by which Polars is made to compute, in order."""
    calls: list[str] = []

    def counted(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            before = len(calls)
            answer = original(*arguments, **options)
            del calls[before:]  # an eager select is a lazy one that collects: one pass all the same
            return answer

        monkeypatch.setattr(owner, name, call)

    counted(pl.DataFrame, "select")
    counted(pl.LazyFrame, "collect")
    counted(pl, "collect_all")
    return calls


@pytest.mark.parametrize("lazy", [False, True], ids=["eager", "lazy"])
def test_a_clean_frame_is_read_once(collects: list[str], lazy: bool) -> None:
    asked = [pair.passing() for pair in PAIRS_OF_ALL if "Rows" not in pair.expectation.__name__]
    suite = gx.ExpectationSuite("clean", expectations=[each for each in asked if not getattr(each, "mostly", 1.0) < 1])
    frame = TABLE.lazy() if lazy else TABLE
    gx_polars.validate(frame, suite)
    collects.clear()
    assert gx_polars.validate(frame, suite).success
    assert len(collects) == 1, collects


def test_failing_rows_of_a_lazy_frame_are_found_in_one_further_pass(collects: list[str]) -> None:
    frame = pl.LazyFrame({"x": [1, 2, 2, None], "y": ["a", "b", "", "c"]})
    suite = gx.ExpectationSuite(
        "dirty",
        expectations=[
            gxe.ExpectColumnValuesToNotBeNull(column="x"),
            gxe.ExpectColumnValuesToBeBetween(column="x", max_value=1),
            gxe.ExpectColumnValueLengthsToEqual(column="y", value=1),
            gxe.ExpectColumnMaxToBeBetween(column="x", max_value=1),
        ],
    )
    gx_polars.validate(frame, suite, result_format="COMPLETE")
    collects.clear()
    result = gx_polars.validate(frame, suite, result_format="COMPLETE")
    assert [each.success for each in result.results] == [False] * 4
    assert len(collects) == 2, collects
